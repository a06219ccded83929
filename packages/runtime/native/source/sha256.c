#include "sha256.h"
#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <arm_neon.h>
#include <sys/auxv.h>
#define ARM_HAS_SHA2 (1 << 6)
#endif

const uint32_t sha256Constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline uint32_t turn(uint32_t x, int bits) { return x >> bits | x << (32 - bits); }

static void mixPortable(uint32_t state[8], const uint8_t *data, size_t blocks) {
  for (; blocks > 0; blocks--, data += 64) {
    uint32_t w[64], s[8];
    for (int i = 0; i < 16; i++)
      w[i] = (uint32_t)data[4 * i] << 24 | (uint32_t)data[4 * i + 1] << 16 | (uint32_t)data[4 * i + 2] << 8 | data[4 * i + 3];
    for (int i = 16; i < 64; i++) {
      uint32_t low = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3;
      uint32_t high = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10;
      w[i] = w[i - 16] + low + w[i - 7] + high;
    }
    for (int i = 0; i < 8; i++) s[i] = state[i];
    for (int i = 0; i < 64; i++) {
      uint32_t e = turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25), choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
      uint32_t first = s[7] + e + choice + sha256Constants[i] + w[i];
      uint32_t a = turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22), most = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
      for (int j = 7; j > 0; j--) s[j] = s[j - 1];
      s[4] += first;
      s[0] = first + a + most;
    }
    for (int i = 0; i < 8; i++) state[i] += s[i];
  }
}

void compressPortable(uint32_t state[SHA_LANES][8], const uint8_t *const data[SHA_LANES], size_t blocks) {
  for (int lane = 0; lane < SHA_LANES; lane++) mixPortable(state[lane], data[lane], blocks);
}

#if defined(__x86_64__)
#define LANES_DO _Pragma("GCC unroll 2") for (int l = 0; l < SHA_LANES; l++)
__attribute__((target("sha,sse4.1,ssse3"))) static void compressShaNi(uint32_t state[SHA_LANES][8],
                                                                       const uint8_t *const data[SHA_LANES], size_t blocks) {
  const __m128i bigEndian = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
  /* The instructions keep the words as (a b e f) and (c d g h). */
  __m128i abef[SHA_LANES], cdgh[SHA_LANES], w[SHA_LANES][4];
  LANES_DO {
    __m128i abcd = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state[l]), 0xb1);
    __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state[l] + 4)), 0x1b);
    abef[l] = _mm_alignr_epi8(abcd, efgh, 8);
    cdgh[l] = _mm_blend_epi16(efgh, abcd, 0xf0);
  }
  for (size_t block = 0; block < blocks; block++) {
    __m128i abefBefore[SHA_LANES], cdghBefore[SHA_LANES];
    LANES_DO {
      abefBefore[l] = abef[l];
      cdghBefore[l] = cdgh[l];
#pragma GCC unroll 4
      for (int i = 0; i < 4; i++)
        w[l][i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(data[l] + 64 * block + 16 * i)), bigEndian);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
      LANES_DO {
        __m128i sum = _mm_add_epi32(w[l][i & 3], _mm_loadu_si128((const __m128i *)(sha256Constants + 4 * i)));
        cdgh[l] = _mm_sha256rnds2_epu32(cdgh[l], abef[l], sum);
        abef[l] = _mm_sha256rnds2_epu32(abef[l], cdgh[l], _mm_shuffle_epi32(sum, 0x0e));
        if (i < 12) {
          __m128i next = _mm_sha256msg1_epu32(w[l][i & 3], w[l][(i + 1) & 3]);
          next = _mm_add_epi32(next, _mm_alignr_epi8(w[l][(i + 3) & 3], w[l][(i + 2) & 3], 4));
          w[l][i & 3] = _mm_sha256msg2_epu32(next, w[l][(i + 3) & 3]);
        }
      }
    }
    LANES_DO {
      abef[l] = _mm_add_epi32(abef[l], abefBefore[l]);
      cdgh[l] = _mm_add_epi32(cdgh[l], cdghBefore[l]);
    }
  }
  LANES_DO {
    __m128i feba = _mm_shuffle_epi32(abef[l], 0x1b), dchg = _mm_shuffle_epi32(cdgh[l], 0xb1);
    _mm_storeu_si128((__m128i *)state[l], _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(state[l] + 4), _mm_alignr_epi8(dchg, feba, 8));
  }
}

static int hasShaNi(void) {
  unsigned a, b, c, d;
  __builtin_cpu_init();
  return __builtin_cpu_supports("sse4.1") && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b >> 29 & 1);
}
#elif defined(ARM_HAS_SHA2)
__attribute__((target("+crypto"))) static void mixArm(uint32_t state[8], const uint8_t *data, size_t blocks) {
  uint32x4_t abcd = vld1q_u32(state), efgh = vld1q_u32(state + 4);
  for (; blocks > 0; blocks--, data += 64) {
    const uint32x4_t abcdBefore = abcd, efghBefore = efgh;
    uint32x4_t w[4];
    for (int i = 0; i < 4; i++) w[i] = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(data + 16 * i)));
    for (int i = 0; i < 16; i++) {
      uint32x4_t sum = vaddq_u32(w[i & 3], vld1q_u32(sha256Constants + 4 * i)), first = abcd;
      abcd = vsha256hq_u32(abcd, efgh, sum);
      efgh = vsha256h2q_u32(efgh, first, sum);
      if (i < 12) w[i & 3] = vsha256su1q_u32(vsha256su0q_u32(w[i & 3], w[(i + 1) & 3]), w[(i + 2) & 3], w[(i + 3) & 3]);
    }
    abcd = vaddq_u32(abcd, abcdBefore);
    efgh = vaddq_u32(efgh, efghBefore);
  }
  vst1q_u32(state, abcd);
  vst1q_u32(state + 4, efgh);
}

static void compressArm(uint32_t state[SHA_LANES][8], const uint8_t *const data[SHA_LANES], size_t blocks) {
  for (int lane = 0; lane < SHA_LANES; lane++) mixArm(state[lane], data[lane], blocks);
}
#endif

Compress bestCompress(void) {
#if defined(__x86_64__)
  if (hasShaNi()) return compressShaNi;
#elif defined(ARM_HAS_SHA2)
  if (getauxval(AT_HWCAP) & ARM_HAS_SHA2) return compressArm;
#endif
  return compressPortable;
}

const char *compressName(void) {
  if (bestCompress() == compressPortable) return "portable";
#if defined(__x86_64__)
  return "sha-ni";
#else
  return "armv8";
#endif
}

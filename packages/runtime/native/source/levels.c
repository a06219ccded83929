#include "kernels.h"
#include <string.h>

#if defined(__x86_64__)
extern const Kernels kernels_avx512, kernels_avx2, kernels_sse2;
static int hasAvx512(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw");
}
static int hasAvx2(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2");
}
#elif defined(__aarch64__)
extern const Kernels kernels_neon;
#else
extern const Kernels kernels_plain;
#endif

static const Kernels *available[4];

static void findLevels(void) {
  int count = 0;
#if defined(__x86_64__)
  if (hasAvx512()) available[count++] = &kernels_avx512;
  if (hasAvx2()) available[count++] = &kernels_avx2;
  available[count++] = &kernels_sse2;
#elif defined(__aarch64__)
  available[count++] = &kernels_neon;
#else
  available[count++] = &kernels_plain;
#endif
  available[count] = NULL;
}

const char *const *levelNames(void) {
  static const char *names[4];
  findLevels();
  for (int i = 0; i < 4; i++) names[i] = available[i] ? available[i]->name : NULL;
  return names;
}

const Kernels *kernelsOf(const char *name) {
  findLevels();
  if (!name) return available[0];
  for (int i = 0; i < 4 && available[i]; i++)
    if (strcmp(available[i]->name, name) == 0) return available[i];
  return NULL;
}

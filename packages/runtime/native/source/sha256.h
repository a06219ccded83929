/* SHA-256 (FIPS 180-4), by the processor's instructions where it has them. */
#ifndef POTLUCK_SHA256_H
#define POTLUCK_SHA256_H
#include <stddef.h>
#include <stdint.h>

/* How many messages are hashed side by side: the instructions of one wait for each other, those of two do not. */
#define SHA_LANES 2

/* Mixes `blocks` blocks of 64 bytes of each message into its state of eight words. */
typedef void (*Compress)(uint32_t state[SHA_LANES][8], const uint8_t *const data[SHA_LANES], size_t blocks);

extern const uint32_t sha256Constants[64];

/* The fastest way this processor has. */
Compress bestCompress(void);
/* `sha-ni`, `armv8` or `portable`. */
const char *compressName(void);
void compressPortable(uint32_t state[SHA_LANES][8], const uint8_t *const data[SHA_LANES], size_t blocks);

/* The root over bytes cut into leaves of 1 KiB, as `merkleRootOfBytes` of the protocol package gives it; 0 without memory. */
struct Team;
int merkleRoot(struct Team *team, Compress compress, const uint8_t *bytes, size_t count, uint8_t root[32]);

#endif

#include "sha256.h"
#include "threads.h"
#include <stdlib.h>
#include <string.h>

#define LEAF_BYTES 1024

typedef struct {
  Compress compress;
  const uint8_t *bytes;
  size_t count, leaves;
  uint8_t *hashes;
} Leaves;

static void startState(uint32_t state[8]) {
  static const uint32_t first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  memcpy(state, first, sizeof first);
}

typedef struct {
  const uint8_t *bytes;
  size_t count;
  uint8_t *hash;
} Message;

/* The hashes of a prefix byte and the bytes of each message, 1 KiB at most, all equally long. */
static void hashPrefixed(Compress compress, uint8_t prefix, const Message messages[SHA_LANES]) {
  uint8_t padded[SHA_LANES][LEAF_BYTES + 64];
  const uint8_t *data[SHA_LANES];
  uint32_t state[SHA_LANES][8];
  size_t count = messages[0].count, blocks = (count + 1 + 8) / 64 + 1, bits = (count + 1) * 8;
  for (int l = 0; l < SHA_LANES; l++) {
    uint8_t *message = padded[l];
    data[l] = message;
    message[0] = prefix;
    if (count > 0) memcpy(message + 1, messages[l].bytes, count);
    memset(message + 1 + count, 0, blocks * 64 - 1 - count);
    message[1 + count] = 0x80;
    message[blocks * 64 - 1] = (uint8_t)bits;
    message[blocks * 64 - 2] = (uint8_t)(bits >> 8);
    startState(state[l]);
  }
  compress(state, data, blocks);
  for (int l = 0; l < SHA_LANES; l++)
    for (int i = 0; i < 32; i++) messages[l].hash[i] = (uint8_t)(state[l][i / 4] >> (24 - i % 4 * 8));
}

/* The same for one message and the next, or for the first alone. */
static void hashPair(Compress compress, uint8_t prefix, Message first, Message second, int isPair) {
  uint8_t unused[32];
  Message messages[SHA_LANES] = {first, isPair ? second : (Message){first.bytes, first.count, unused}};
  hashPrefixed(compress, prefix, messages);
}

static Message leafAt(const Leaves *all, size_t i) {
  size_t left = all->count - i * LEAF_BYTES;
  return (Message){all->bytes + i * LEAF_BYTES, left < LEAF_BYTES ? left : LEAF_BYTES, all->hashes + 32 * i};
}

static void hashShare(void *context, int part, int parts) {
  const Leaves *all = context;
  size_t to = all->leaves * (size_t)(part + 1) / (size_t)parts;
  for (size_t i = all->leaves * (size_t)part / (size_t)parts; i < to;) {
    Message first = leafAt(all, i), second = leafAt(all, i + 1 < to ? i + 1 : i);
    /* Only the last leaf may be shorter than the others. */
    int isPair = i + 1 < to && second.count == first.count;
    hashPair(all->compress, 0, first, second, isPair);
    i += isPair ? 2 : 1;
  }
}

int merkleRoot(struct Team *team, Compress compress, const uint8_t *bytes, size_t count, uint8_t root[32]) {
  size_t width = count == 0 ? 1 : (count + LEAF_BYTES - 1) / LEAF_BYTES;
  Leaves all = {compress, bytes, count, width, malloc(32 * (width + 1))};
  if (!all.hashes) return 0;
  runOnTeam(team, hashShare, &all);
  for (; width > 1; width = (width + 1) / 2) {
    /* A row of odd length is completed by an absent node. */
    memset(all.hashes + 32 * width, 0, 32);
    size_t parents = (width + 1) / 2;
    for (size_t i = 0; i < parents; i += 2) {
      Message first = {all.hashes + 64 * i, 64, all.hashes + 32 * i};
      Message second = {all.hashes + 64 * (i + 1), 64, all.hashes + 32 * (i + 1)};
      hashPair(all.compress, 1, first, second, i + 1 < parents);
    }
  }
  memcpy(root, all.hashes, 32);
  free(all.hashes);
  return 1;
}

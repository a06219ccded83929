/* A plain read: every word of every buffer once, in order, by one or more threads. What the passes of an aggregation are held against. */
#define NAPI_VERSION 8
#include <node_api.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#define MOST_THREADS 64

typedef struct {
  const uint64_t **buffers;
  uint32_t count;
  size_t words;
  int part, parts;
  uint64_t sum;
} Reading;

static void *readPart(void *argument) {
  Reading *reading = argument;
  size_t from = reading->words * (size_t)reading->part / (size_t)reading->parts;
  size_t to = reading->words * ((size_t)reading->part + 1) / (size_t)reading->parts;
  uint64_t sum = 0;
  for (uint32_t i = 0; i < reading->count; i++)
    for (size_t w = from; w < to; w++) sum ^= reading->buffers[i][w];
  reading->sum = sum;
  return NULL;
}

/* plainRead(buffers: Float32Array[] of one length, threads): the exclusive or of all words, so that none can be left out */
static napi_value plainRead(napi_env env, napi_callback_info info) {
  napi_value arguments[2], result;
  size_t given = 2, length = 0;
  uint32_t count = 0;
  int32_t threads = 1;
  napi_get_cb_info(env, info, &given, arguments, NULL, NULL);
  napi_get_array_length(env, arguments[0], &count);
  napi_get_value_int32(env, arguments[1], &threads);
  if (threads < 1 || threads > MOST_THREADS) threads = 1;
  const uint64_t **buffers = malloc((count + 1) * sizeof(uint64_t *));
  for (uint32_t i = 0; i < count; i++) {
    napi_value item;
    void *data;
    napi_get_element(env, arguments[0], i, &item);
    napi_get_typedarray_info(env, item, NULL, &length, &data, NULL, NULL);
    buffers[i] = data;
  }
  Reading readings[MOST_THREADS];
  pthread_t handles[MOST_THREADS];
  for (int t = 0; t < threads; t++) readings[t] = (Reading){buffers, count, length / 2, t, threads, 0};
  for (int t = 1; t < threads; t++) pthread_create(&handles[t], NULL, readPart, &readings[t]);
  readPart(&readings[0]);
  uint64_t sum = readings[0].sum;
  for (int t = 1; t < threads; t++) {
    pthread_join(handles[t], NULL);
    sum ^= readings[t].sum;
  }
  free(buffers);
  napi_create_double(env, (double)(sum >> 12), &result);
  return result;
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "plainRead", NAPI_AUTO_LENGTH, plainRead, NULL, &function);
  napi_set_named_property(env, exports, "plainRead", function);
  return exports;
}

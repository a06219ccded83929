/* What JavaScript sees; `loadAddon.ts` says the same in types. */
#define NAPI_VERSION 8
#define _GNU_SOURCE
#include "execute.h"
#include "sha256.h"
#include <node_api.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LARGE_PAGE ((size_t)2 << 20)
/* A last vector may be read past the last tensor. */
#define OVERHANG 256
#define ARGUMENTS(most)                                 \
  napi_value arguments[most];                           \
  size_t count = most;                                  \
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);

static napi_value refuse(napi_env env, const char *code, const char *message) {
  napi_throw_error(env, code, message);
  return NULL;
}

static napi_value numberValue(napi_env env, double number) {
  napi_value value;
  return napi_create_double(env, number, &value) == napi_ok ? value : NULL;
}

/* A handle is a box that can be emptied before the garbage collector comes for it. */
static void *unbox(napi_env env, napi_value value) {
  void **box = NULL;
  napi_valuetype type;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_external) return NULL;
  return napi_get_value_external(env, value, (void **)&box) == napi_ok && box ? *box : NULL;
}

static napi_value boxed(napi_env env, void *content, napi_finalize finalize) {
  napi_value value;
  void **box = malloc(sizeof(void *));
  if (!box) return refuse(env, "OUT_OF_MEMORY", "no memory for a handle");
  *box = content;
  if (napi_create_external(env, box, finalize, NULL, &value) == napi_ok) return value;
  finalize(env, box, NULL);
  return NULL;
}

static void finalizeTeam(napi_env env, void *box, void *hint) {
  (void)env, (void)hint;
  if (*(void **)box) freeTeam(*(void **)box);
  free(box);
}

static void finalizeProgram(napi_env env, void *box, void *hint) {
  (void)env, (void)hint;
  freeProgram(*(void **)box);
  free(box);
}

static void finalizeMemory(napi_env env, void *place, void *bytes) {
  (void)env;
  munmap(place, (size_t)(uintptr_t)bytes);
}

/* createTeam(threads): handle */
static napi_value jsCreateTeam(napi_env env, napi_callback_info info) {
  ARGUMENTS(1)
  int32_t threads = 1;
  napi_get_value_int32(env, arguments[0], &threads);
  Team *team = threads > 0 && threads <= 1024 ? createTeam(threads) : NULL;
  return team ? boxed(env, team, finalizeTeam) : refuse(env, "THREADS", "the threads could not be started");
}

/* teamSize(team): number */
static napi_value jsTeamSize(napi_env env, napi_callback_info info) {
  ARGUMENTS(1)
  Team *team = unbox(env, arguments[0]);
  return numberValue(env, team ? teamSize(team) : 0);
}

/* endTeam(team): its threads have ended when it returns */
static napi_value jsEndTeam(napi_env env, napi_callback_info info) {
  ARGUMENTS(1)
  void **box = NULL;
  if (napi_get_value_external(env, arguments[0], (void **)&box) == napi_ok && box && *box) {
    freeTeam(*box);
    *box = NULL;
  }
  return NULL;
}

/* allocate(bytes): ArrayBuffer of zeros, on large pages where the system has them */
static napi_value jsAllocate(napi_env env, napi_callback_info info) {
  ARGUMENTS(1)
  double bytes = 0;
  napi_get_value_double(env, arguments[0], &bytes);
  size_t size = ((size_t)bytes + OVERHANG + 4095) / 4096 * 4096;
  /* The tensors begin on a large page, so that the system can back them with such. */
  if (size >= LARGE_PAGE) size = (size + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE + LARGE_PAGE;
  char *place = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED) return refuse(env, "OUT_OF_MEMORY", "the machine has not that much memory left");
  if (size >= LARGE_PAGE) {
    size_t before = (LARGE_PAGE - (uintptr_t)place % LARGE_PAGE) % LARGE_PAGE;
    if (before > 0) munmap(place, before);
    if (before < LARGE_PAGE) munmap(place + size - (LARGE_PAGE - before), LARGE_PAGE - before);
    place += before;
    size -= LARGE_PAGE;
#ifdef MADV_HUGEPAGE
    madvise(place, size, MADV_HUGEPAGE);
#endif
  }
  napi_value buffer;
  if (napi_create_external_arraybuffer(env, place, (size_t)bytes, finalizeMemory, (void *)(uintptr_t)size, &buffer) == napi_ok)
    return buffer;
  munmap(place, size);
  return NULL;
}

/* createProgram(words: Float64Array): handle */
static napi_value jsCreateProgram(napi_env env, napi_callback_info info) {
  ARGUMENTS(1)
  size_t length;
  void *words;
  napi_typedarray_type type;
  if (napi_get_typedarray_info(env, arguments[0], &type, &length, &words, NULL, NULL) != napi_ok || type != napi_float64_array)
    return refuse(env, "PROGRAM", "createProgram takes a Float64Array");
  Program *program = decodeProgram(words, length);
  return program ? boxed(env, program, finalizeProgram) : refuse(env, "PROGRAM", "the numbers do not make a program");
}

/* run(program, team, memory, level): the number of the operation that failed, -1 when none did, -2 without memory */
static napi_value jsRun(napi_env env, napi_callback_info info) {
  ARGUMENTS(4)
  Program *program = unbox(env, arguments[0]);
  Team *team = unbox(env, arguments[1]);
  void *memory;
  size_t bytes;
  char level[16];
  if (!program || !team || napi_get_arraybuffer_info(env, arguments[2], &memory, &bytes) != napi_ok ||
      napi_get_value_string_utf8(env, arguments[3], level, sizeof level, NULL) != napi_ok || !kernelsOf(level))
    return refuse(env, "CLOSED", "run takes a program, a team that has not ended, a memory and a level");
  return numberValue(env, executeProgram(program, kernelsOf(level), team, memory));
}

/* profile(program, on): nanoseconds of each operation so far as a list; counting begins or ends */
static napi_value jsProfile(napi_env env, napi_callback_info info) {
  ARGUMENTS(2)
  Program *program = unbox(env, arguments[0]);
  bool isOn = false;
  napi_value list;
  if (!program || napi_get_value_bool(env, arguments[1], &isOn) != napi_ok ||
      napi_create_array_with_length(env, (size_t)program->count, &list) != napi_ok)
    return refuse(env, "PROGRAM", "profile takes a program and whether to count");
  for (int i = 0; i < program->count; i++) {
    napi_set_element(env, list, (uint32_t)i, numberValue(env, program->nanoseconds[i]));
    program->nanoseconds[i] = 0;
  }
  program->isProfiled = isOn;
  return list;
}

/* merkleRoot(team, buffer, offset, bytes, root: Uint8Array of 32, written, portable: boolean) */
static napi_value jsMerkleRoot(napi_env env, napi_callback_info info) {
  ARGUMENTS(6)
  Team *team = unbox(env, arguments[0]);
  uint8_t *bytes;
  void *root;
  size_t size, rootSize;
  double offset = -1, length = -1;
  bool isPortable = false;
  napi_typedarray_type type;
  napi_get_value_double(env, arguments[2], &offset);
  napi_get_value_double(env, arguments[3], &length);
  napi_get_value_bool(env, arguments[5], &isPortable);
  if (!team || napi_get_arraybuffer_info(env, arguments[1], (void **)&bytes, &size) != napi_ok || offset < 0 || length < 0 ||
      offset + length > (double)size ||
      napi_get_typedarray_info(env, arguments[4], &type, &rootSize, &root, NULL, NULL) != napi_ok || rootSize != 32)
    return refuse(env, "PROGRAM", "merkleRoot takes a team, a buffer, a range of it and 32 bytes to write");
  Compress compress = isPortable ? compressPortable : bestCompress();
  if (!merkleRoot(team, compress, bytes + (size_t)offset, (size_t)length, root))
    return refuse(env, "OUT_OF_MEMORY", "no memory for the hashes of the leaves");
  return NULL;
}

/* The numbers of a Float32Array of `length`; null for anything else. */
static float *floatsOf(napi_env env, napi_value value, size_t length) {
  size_t seen;
  void *data;
  napi_typedarray_type type;
  if (napi_get_typedarray_info(env, value, &type, &seen, &data, NULL, NULL) != napi_ok || type != napi_float32_array) return NULL;
  return seen == length ? data : NULL;
}

typedef struct {
  Updates updates;
  void (*work)(const Updates *updates, int part, int parts);
} Pass;

static void runPass(void *context, int part, int parts) {
  Pass *pass = context;
  pass->work(&pass->updates, part, parts);
}

/*
 * measureUpdates(team, level, updates, length, reference, squares, dots): writes the two sums of each
 * addUpdates(team, level, updates, length, moved, factors, factors): adds each times its factor
 */
static napi_value passOver(napi_env env, napi_callback_info info, int isMeasuring) {
  ARGUMENTS(7)
  Team *team = unbox(env, arguments[0]);
  char level[16] = "";
  uint32_t rows = 0;
  double length = -1;
  napi_get_value_string_utf8(env, arguments[1], level, sizeof level, NULL);
  napi_get_array_length(env, arguments[2], &rows);
  napi_get_value_double(env, arguments[3], &length);
  const Kernels *kernels = kernelsOf(level);
  if (!team || !kernels || length < 0) return refuse(env, "CLOSED", "a pass takes a team that has not ended and a level");
  const float **updates = malloc((rows + 1) * sizeof(float *));
  if (!updates) return refuse(env, "OUT_OF_MEMORY", "no memory for a list of updates");
  float *whole = floatsOf(env, arguments[4], (size_t)length);
  float *first = floatsOf(env, arguments[5], rows), *second = floatsOf(env, arguments[6], rows);
  int isWhole = whole && first && second;
  for (uint32_t i = 0; i < rows && isWhole; i++) {
    napi_value item;
    updates[i] = napi_get_element(env, arguments[2], i, &item) == napi_ok ? floatsOf(env, item, (size_t)length) : NULL;
    isWhole = updates[i] != NULL;
  }
  if (isWhole) {
    Pass pass = {{updates, rows, (Long)length, whole, first, first, second, whole}, isMeasuring ? kernels->measureUpdates : kernels->addUpdates};
    runOnTeam(team, runPass, &pass);
  }
  free(updates);
  return isWhole ? NULL : refuse(env, "SHAPE", "every update, and what a pass reads and writes beside them, must have its length");
}

static napi_value jsMeasureUpdates(napi_env env, napi_callback_info info) { return passOver(env, info, 1); }
static napi_value jsAddUpdates(napi_env env, napi_callback_info info) { return passOver(env, info, 0); }

NAPI_MODULE_INIT() {
  static const napi_property_descriptor functions[] = {
      {"createTeam", NULL, jsCreateTeam, NULL, NULL, NULL, napi_default, NULL},
      {"teamSize", NULL, jsTeamSize, NULL, NULL, NULL, napi_default, NULL},
      {"endTeam", NULL, jsEndTeam, NULL, NULL, NULL, napi_default, NULL},
      {"allocate", NULL, jsAllocate, NULL, NULL, NULL, napi_default, NULL},
      {"createProgram", NULL, jsCreateProgram, NULL, NULL, NULL, napi_default, NULL},
      {"run", NULL, jsRun, NULL, NULL, NULL, napi_default, NULL},
      {"profile", NULL, jsProfile, NULL, NULL, NULL, napi_default, NULL},
      {"merkleRoot", NULL, jsMerkleRoot, NULL, NULL, NULL, napi_default, NULL},
      {"measureUpdates", NULL, jsMeasureUpdates, NULL, NULL, NULL, napi_default, NULL},
      {"addUpdates", NULL, jsAddUpdates, NULL, NULL, NULL, napi_default, NULL},
  };
  napi_define_properties(env, exports, sizeof functions / sizeof functions[0], functions);
  napi_value levels, sha;
  napi_create_array(env, &levels);
  for (uint32_t i = 0; levelNames()[i]; i++) {
    napi_value name;
    napi_create_string_utf8(env, levelNames()[i], NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, levels, i, name);
  }
  napi_create_string_utf8(env, compressName(), NAPI_AUTO_LENGTH, &sha);
  napi_set_named_property(env, exports, "levels", levels);
  napi_set_named_property(env, exports, "sha", sha);
  return exports;
}

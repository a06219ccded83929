#include "threads.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* About 20 microseconds: longer than the wait between two operations of one run, shorter than a time slice. */
#define SPINS 600

typedef struct {
  Team *team;
  int part;
} Member;

typedef struct {
  void *place;
  unsigned long bytes;
} Scratch;

struct Team {
  int threads;
  atomic_int arrived;
  atomic_int generation;
  pthread_mutex_t lock;
  pthread_cond_t turned;
  Work work;
  void *context;
  int isEnding;
  pthread_t *handles;
  Member *members;
  Scratch *scratch;
};

static inline void pauseBriefly(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

void teamBarrier(Team *team) {
  if (team->threads == 1) return;
  int generation = atomic_load_explicit(&team->generation, memory_order_acquire);
  if (atomic_fetch_add_explicit(&team->arrived, 1, memory_order_acq_rel) + 1 == team->threads) {
    atomic_store_explicit(&team->arrived, 0, memory_order_relaxed);
    pthread_mutex_lock(&team->lock);
    atomic_store_explicit(&team->generation, generation + 1, memory_order_release);
    pthread_cond_broadcast(&team->turned);
    pthread_mutex_unlock(&team->lock);
    return;
  }
  for (int i = 0; i < SPINS; i++) {
    if (atomic_load_explicit(&team->generation, memory_order_acquire) != generation) return;
    pauseBriefly();
  }
  pthread_mutex_lock(&team->lock);
  while (atomic_load_explicit(&team->generation, memory_order_acquire) == generation)
    pthread_cond_wait(&team->turned, &team->lock);
  pthread_mutex_unlock(&team->lock);
}

static void *runMember(void *argument) {
  Member *member = argument;
  Team *team = member->team;
  for (;;) {
    teamBarrier(team);
    if (team->isEnding) return NULL;
    team->work(team->context, member->part, team->threads);
    teamBarrier(team);
  }
}

Team *createTeam(int threads) {
  Team *team = calloc(1, sizeof(Team));
  if (!team) return NULL;
  team->threads = 1;
  team->handles = calloc((size_t)threads, sizeof(pthread_t));
  team->members = calloc((size_t)threads, sizeof(Member));
  team->scratch = calloc((size_t)threads, sizeof(Scratch));
  pthread_mutex_init(&team->lock, NULL);
  pthread_cond_init(&team->turned, NULL);
  if (!team->handles || !team->members || !team->scratch) {
    freeTeam(team);
    return NULL;
  }
  /* Members wait for all of the team, so its size must stand before the first of them starts. */
  team->threads = threads;
  for (int part = 1; part < threads; part++) {
    team->members[part] = (Member){team, part};
    if (pthread_create(&team->handles[part], NULL, runMember, &team->members[part]) != 0) {
      /* The machine gives no more threads: the team is those that run. */
      team->threads = part;
      break;
    }
  }
  return team;
}

int teamSize(const Team *team) { return team->threads; }

void runOnTeam(Team *team, Work work, void *context) {
  team->work = work;
  team->context = context;
  teamBarrier(team);
  work(context, 0, team->threads);
  teamBarrier(team);
}

void *teamScratch(Team *team, int part, unsigned long bytes) {
  Scratch *scratch = &team->scratch[part];
  if (scratch->bytes >= bytes) return scratch->place;
  free(scratch->place);
  scratch->bytes = (bytes + 4095) / 4096 * 4096;
  if (posix_memalign(&scratch->place, 4096, scratch->bytes) != 0) {
    scratch->place = NULL;
    scratch->bytes = 0;
  }
  return scratch->place;
}

void freeTeam(Team *team) {
  if (team->threads > 1) {
    team->isEnding = 1;
    teamBarrier(team);
    for (int part = 1; part < team->threads; part++) pthread_join(team->handles[part], NULL);
  }
  for (int part = 0; part < team->threads && team->scratch; part++) free(team->scratch[part].place);
  pthread_mutex_destroy(&team->lock);
  pthread_cond_destroy(&team->turned);
  free(team->handles);
  free(team->members);
  free(team->scratch);
  free(team);
}

/*
 * A fixed team of threads that runs one piece of work at a time, the caller being one of them. Waiting threads spin for some
 * microseconds, then sleep.
 */
#ifndef POTLUCK_THREADS_H
#define POTLUCK_THREADS_H

typedef struct Team Team;
/* Does part `part` of `parts`; every thread of the team calls it once. */
typedef void (*Work)(void *context, int part, int parts);

Team *createTeam(int threads);
int teamSize(const Team *team);
void runOnTeam(Team *team, Work work, void *context);
/* Returns once every thread of the team has called it: for use inside work. */
void teamBarrier(Team *team);
/* 64-byte aligned memory of thread `part`, at least `bytes` long, kept between calls; null when there is none. */
void *teamScratch(Team *team, int part, unsigned long bytes);
void freeTeam(Team *team);

#endif

/*
 * THREADS threads take one lock N times each and hold it for some
 * microseconds. Who finds it taken lets others have the CPU and looks again.
 */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_THREADS = 16, WORK = 4000 };

static atomic_flag taken = ATOMIC_FLAG_INIT;
static volatile unsigned done;
static long rounds;

static void *fight(void *unused)
{
    for (long round = 0; round < rounds; round++) {
        while (atomic_flag_test_and_set(&taken))
            sched_yield();
        for (unsigned work = 0; work < WORK; work++)
            done++;
        atomic_flag_clear(&taken);
    }
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t others[MOST_THREADS];
    const long threads = argc == 3 ? strtol(argv[1], NULL, 10) : 0;

    if (threads < 1 || threads > MOST_THREADS) {
        fputs("usage: yields THREADS N\n", stderr);
        return 2;
    }
    rounds = strtol(argv[2], NULL, 10);
    for (long at = 1; at < threads; at++) {
        errno = pthread_create(&others[at], NULL, fight, NULL);
        if (errno != 0) {
            perror("yields: cannot start a thread");
            return 1;
        }
    }
    fight(NULL);
    for (long at = 1; at < threads; at++)
        pthread_join(others[at], NULL);
    return 0;
}

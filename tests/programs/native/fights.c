/*
 * THREADS threads take one lock N times each, and hold it for some
 * 0.1 ms each time: with more than one they wait for each other.
 */

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_THREADS = 16, WORK = 400000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile unsigned done;
static long rounds;

static void *fight(void *unused)
{
    for (long round = 0; round < rounds; round++) {
        pthread_mutex_lock(&lock);
        for (unsigned work = 0; work < WORK; work++)
            done++;
        pthread_mutex_unlock(&lock);
    }
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t others[MOST_THREADS];

    if (argc != 3) {
        fputs("usage: fights THREADS N\n", stderr);
        return 2;
    }
    const long threads = strtol(argv[1], NULL, 10);
    if (threads < 1 || threads > MOST_THREADS) {
        fputs("fights: 1 to 16 threads\n", stderr);
        return 2;
    }
    rounds = strtol(argv[2], NULL, 10);
    for (long at = 1; at < threads; at++) {
        errno = pthread_create(&others[at], NULL, fight, NULL);
        if (errno != 0) {
            perror("fights: cannot start a thread");
            return 1;
        }
    }
    fight(NULL);
    for (long at = 1; at < threads; at++)
        pthread_join(others[at], NULL);
    return 0;
}

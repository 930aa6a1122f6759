/*
 * Burns MS of CPU time of its own, as CLOCK_PROCESS_CPUTIME_ID counts it.
 *
 * WASI offers no such clock: there CLOCK_MONOTONIC stands in, so that the CPU
 * time is at most MS, and less by as much as the guest was kept waiting.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifdef __wasi__
#define CLOCK CLOCK_MONOTONIC
#else
#define CLOCK CLOCK_PROCESS_CPUTIME_ID
#endif

static int64_t now_ns(void)
{
    struct timespec now;

    if (clock_gettime(CLOCK, &now) != 0) {
        perror("spin: cannot read the clock");
        exit(1);
    }
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: spin MS\n", stderr);
        return 2;
    }
    const int64_t budget_ns = strtoll(argv[1], NULL, 10) * 1000000;
#ifdef __wasi__
    const int64_t begin_ns = now_ns();
#else
    const int64_t begin_ns = 0; /* what came before main is the process's CPU time too */
#endif

    while (now_ns() - begin_ns < budget_ns)
        continue;
    return 0;
}

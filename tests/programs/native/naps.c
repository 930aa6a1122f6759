/* Sleeps N times for a millisecond: each time it gives its CPU away by itself. */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv)
{
    const struct timespec nap = { .tv_nsec = 1000000 };

    if (argc != 2) {
        fputs("usage: naps N\n", stderr);
        return 2;
    }
    for (long left = strtol(argv[1], NULL, 10); left > 0; left--)
        nanosleep(&nap, NULL);
    return 0;
}

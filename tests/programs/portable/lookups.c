/*
 * Looks N numbers up in a table, HOW being `halving` or `scanning`: the same
 * answers, by a function of that name.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRIES = 4096 };

static uint32_t table[ENTRIES];

__attribute__((noinline)) static unsigned halving(uint32_t wanted)
{
    unsigned low = 0, high = ENTRIES;

    while (high - low > 1) {
        const unsigned middle = (low + high) / 2;
        if (table[middle] <= wanted)
            low = middle;
        else
            high = middle;
    }
    return low;
}

__attribute__((noinline)) static unsigned scanning(uint32_t wanted)
{
    unsigned at = 0;

    while (at + 1 < ENTRIES && table[at + 1] <= wanted)
        at++;
    return at;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: lookups halving|scanning N\n", stderr);
        return 2;
    }
    const int scans = strcmp(argv[1], "scanning") == 0;
    const long lookups = strtol(argv[2], NULL, 10);
    uint32_t wanted = 1;
    uint64_t sum = 0;

    for (unsigned at = 0; at < ENTRIES; at++)
        table[at] = at * 7;
    for (long done = 0; done < lookups; done++) {
        wanted = wanted * 1664525 + 1013904223;
        const uint32_t within = (wanted >> 8) % (ENTRIES * 7);
        sum += scans ? scanning(within) : halving(within);
    }
    printf("%llu\n", (unsigned long long)sum);
    return 0;
}

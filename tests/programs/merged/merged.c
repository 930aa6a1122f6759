/*
 * Appends CLOCK_MONOTONIC in nanoseconds to FILE, as it was at the beginning of
 * main. Linked so that its headers, which the dynamic linker reads, share their
 * pages with its code.
 */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv)
{
    struct timespec now;

    if (clock_gettime(CLOCK_MONOTONIC, &now) || argc != 2)
        return 2;
    FILE *file = fopen(argv[1], "a");
    if (!file)
        return EXIT_FAILURE;
    fprintf(file, "%lld\n", (long long)now.tv_sec * 1000000000 + now.tv_nsec);
    return fclose(file) ? EXIT_FAILURE : EXIT_SUCCESS;
}

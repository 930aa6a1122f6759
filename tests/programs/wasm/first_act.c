/*
 * Appends CLOCK_REALTIME in nanoseconds, as it was when main began, to FILE,
 * its one argument, and then prints it.
 */

#include <stdint.h>
#include <stdio.h>
#include <wasi/api.h>

int main(int argc, char **argv)
{
    __wasi_timestamp_t now = 0;
    if (__wasi_clock_time_get(__WASI_CLOCKID_REALTIME, 0, &now) != 0 || argc != 2)
        return 1;
    FILE *file = fopen(argv[1], "a");
    if (!file || fprintf(file, "%llu\n", (unsigned long long)now) < 0 || fclose(file) != 0)
        return 2;
    printf("%llu\n", (unsigned long long)now);
    return 0;
}

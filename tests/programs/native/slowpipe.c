/*
 * Writes N blocks of 64 KiB into a pipe whose reader, a child, takes a
 * millisecond's rest before each: all that can be done meanwhile is to wait.
 */

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char block[1 << 16];

static void read_slowly(int end)
{
    const struct timespec rest = { .tv_nsec = 1000000 };

    do
        nanosleep(&rest, NULL);
    while (read(end, block, sizeof block) > 0);
    _exit(0);
}

int main(int argc, char **argv)
{
    int ends[2];

    if (argc != 2 || pipe(ends) != 0) {
        fputs("usage: slowpipe N\n", stderr);
        return 2;
    }
    const pid_t reader = fork();
    if (reader == 0) {
        close(ends[1]);
        read_slowly(ends[0]);
    }
    close(ends[0]);
    for (long left = strtol(argv[1], NULL, 10); left > 0; left--) {
        if (write(ends[1], block, sizeof block) != sizeof block) {
            perror("slowpipe");
            return 1;
        }
    }
    close(ends[1]);
    return waitpid(reader, NULL, 0) != reader;
}

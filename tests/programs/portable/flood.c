/* Writes exactly BYTES bytes to standard output: lines of 63 dots, the last one cut off. */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 64, BLOCK = 1024 * LINE };

static char block[BLOCK];

/* Writes up to `bytes` of the block, from where the last write left off in it. */
static uint64_t write_some(size_t begin, uint64_t bytes)
{
    const size_t rest = BLOCK - begin;
    const ssize_t written = write(STDOUT_FILENO, block + begin, bytes < rest ? (size_t)bytes : rest);

    if (written < 0 && errno != EINTR) {
        perror("flood: cannot write to standard output");
        exit(1);
    }
    return written < 0 ? 0 : (uint64_t)written;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: flood BYTES\n", stderr);
        return 2;
    }
    const uint64_t bytes = strtoull(argv[1], NULL, 10);

    memset(block, '.', BLOCK);
    for (size_t end = LINE; end <= BLOCK; end += LINE)
        block[end - 1] = '\n';
    for (uint64_t done = 0; done < bytes;)
        done += write_some(done % BLOCK, bytes - done);
    return 0;
}

/* Writes a block to FILE N times, and has it on the disk each time before it goes on. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

int main(int argc, char **argv)
{
    static const char block[4096];

    if (argc != 3) {
        fputs("usage: syncs FILE N\n", stderr);
        return 2;
    }
    const int file = open(argv[1], O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0)
        fail("syncs: cannot open the file");
    for (long left = strtol(argv[2], NULL, 10); left > 0; left--) {
        if (pwrite(file, block, sizeof block, 0) != sizeof block || fsync(file) != 0)
            fail("syncs: cannot write");
    }
    return 0;
}

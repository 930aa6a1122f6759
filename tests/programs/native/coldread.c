/* Drops FILE from the page cache TIMES times, and reads all of it each time. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void read_all(int file)
{
    static char buffer[1 << 16];
    ssize_t got;

    if (fsync(file) != 0 || posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) != 0)
        fail("coldread: cannot drop the file from the page cache");
    if (lseek(file, 0, SEEK_SET) != 0)
        fail("coldread: cannot go back to the beginning");
    while ((got = read(file, buffer, sizeof buffer)) > 0)
        ;
    if (got < 0)
        fail("coldread: cannot read");
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: coldread FILE TIMES\n", stderr);
        return 2;
    }
    const int file = open(argv[1], O_RDONLY | O_CLOEXEC);
    if (file < 0)
        fail("coldread: cannot open the file");
    for (long left = strtol(argv[2], NULL, 10); left > 0; left--)
        read_all(file);
    return 0;
}

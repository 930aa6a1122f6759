/* Maps FILE after its pages were dropped from the cache, and touches one byte of it: one major fault. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

int main(int argc, char **argv)
{
    int file = argc == 2 ? open(argv[1], O_RDONLY) : -1;

    if (file < 0)
        fail("usage: reread FILE");
    /* Only what is on the disk already can be dropped. */
    if (fsync(file) != 0 || posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) != 0)
        fail("reread: cannot drop the file's pages");
    volatile char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0);
    if (page == MAP_FAILED)
        fail("reread: mmap");
    return page[0] == 'x' ? 0 : 3;
}

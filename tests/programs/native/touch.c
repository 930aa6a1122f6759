/*
 * Touches MIB of anonymous memory and ends with all of it resident.
 *
 * Huge pages are declined, so the truth is exact: 256 page faults of 4 KiB for
 * each MiB beyond those which any program of this kind has.
 */

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { MIB = 1 << 20, PAGE_BYTES = 4096 };

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: touch MIB\n", stderr);
        return 2;
    }
    const size_t bytes = strtoul(argv[1], NULL, 10) * MIB;
    if (bytes == 0)
        return 0;
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED || madvise(memory, bytes, MADV_NOHUGEPAGE) != 0) {
        perror("touch: cannot map memory");
        return 1;
    }
    for (size_t at = 0; at < bytes; at += PAGE_BYTES)
        *(volatile char *)(memory + at) = 1;
    return 0;
}

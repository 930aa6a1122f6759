/* Asks for a MiB of memory N times, touches every page of it, and gives it back. */

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { BYTES = 1 << 20, PAGE_BYTES = 4096 };

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: churns N\n", stderr);
        return 2;
    }
    for (long left = strtol(argv[1], NULL, 10); left > 0; left--) {
        char *const memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) {
            perror("churns");
            return 1;
        }
        for (size_t at = 0; at < BYTES; at += PAGE_BYTES)
            ((volatile char *)memory)[at] = 1;
        munmap(memory, BYTES);
    }
    return 0;
}

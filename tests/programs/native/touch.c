/*
 * Touches MIB of memory and ends with all of it resident: anonymous memory of
 * its own; with a second argument, `shared` memory, `huge` pages where the
 * machine gives them, or memory of a `child` that ends at its peak.
 *
 * Huge pages are declined unless asked for, so the truth is exact: 256 page
 * faults of 4 KiB for each MiB beyond those which any program of this kind has.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIB = 1 << 20, PAGE_BYTES = 4096 };

static int touch(size_t bytes, int sharing, int advice)
{
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED || madvise(memory, bytes, advice) != 0) {
        perror("touch: cannot map memory");
        return 1;
    }
    for (size_t at = 0; at < bytes; at += PAGE_BYTES)
        *(volatile char *)(memory + at) = 1;
    return 0;
}

static int touch_in_child(size_t bytes)
{
    const pid_t child = fork();
    int status = 1;

    if (child == 0)
        _exit(touch(bytes, MAP_PRIVATE, MADV_NOHUGEPAGE));
    return child < 0 || waitpid(child, &status, 0) < 0 || status != 0;
}

int main(int argc, char **argv)
{
    const char *const kind = argc == 3 ? argv[2] : "";

    if (argc < 2 || argc > 3) {
        fputs("usage: touch MIB [shared|huge|child]\n", stderr);
        return 2;
    }
    const size_t bytes = strtoul(argv[1], NULL, 10) * MIB;
    if (bytes == 0)
        return 0;
    if (strcmp(kind, "child") == 0)
        return touch_in_child(bytes);
    if (strcmp(kind, "shared") == 0)
        return touch(bytes, MAP_SHARED, MADV_NOHUGEPAGE);
    return touch(bytes, MAP_PRIVATE, strcmp(kind, "huge") == 0 ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

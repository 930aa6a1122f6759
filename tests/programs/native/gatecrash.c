/* Looks into every new process of its own user until standard input is closed: reads the link to its program and opens
 * its memory, for which the kernel asks what it asks for tracing. Ends with 9 and tells how where one of them was still
 * WBD, the program that launches for its user; else it ends with 0 and prints how often it could look into others. */

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static long newest(int loadavg)
{
    char text[128];
    ssize_t length = pread(loadavg, text, sizeof text - 1, 0);
    if (length <= 0)
        exit(2);
    text[length] = 0;
    return strtol(strrchr(text, ' ') + 1, NULL, 10);
}

static int is_over(void)
{
    struct pollfd input = {0, POLLIN, 0};
    return poll(&input, 1, 0) > 0;
}

int main(int argc, char **argv)
{
    long seen = 0, links = 0, memories = 0, vectors = 0, rounds = 0;
    int loadavg = open("/proc/loadavg", O_RDONLY);
    if (argc != 2 || loadavg < 0)
        return 2;
    while (rounds++ % 256 || !is_over()) {
        long last = newest(loadavg);
        if (last == seen)
            continue;
        seen = last;
        for (int pass = 0; pass < 40; pass++)
            for (long pid = last - 1; pid <= last + 2; pid++) {
                char path[64], program[4096], byte;
                if (pid == getpid())
                    continue;
                snprintf(path, sizeof path, "/proc/%ld/exe", pid);
                ssize_t length = readlink(path, program, sizeof program - 1);
                if (length <= 0)
                    continue;
                program[length] = 0;
                links++;
                const char *how = strcmp(program, argv[1]) ? NULL : "link";
                snprintf(path, sizeof path, "/proc/%ld/mem", pid);
                int memory = open(path, O_RDWR);
                memories += memory >= 0;
                struct iovec here = {&byte, 1}, there = {(void *)0x400000, 1};
                vectors += process_vm_readv(pid, &here, 1, &there, 1, 0) == 1;
                if (how) {
                    printf("%s: %ld is %s, memory %s\n", how, pid, program, memory < 0 ? "closed" : "open");
                    return 9;
                }
                if (memory >= 0)
                    close(memory);
            }
    }
    printf("%ld links, %ld memories, %ld vectors\n", links, memories, vectors);
    return 0;
}

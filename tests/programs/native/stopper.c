/* Stops every new process of its own user by SIGSTOP as soon as it may, until it has stopped N, which it prints. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int loadavg = open("/proc/loadavg", O_RDONLY);
    long stopped = 0, wanted = argc == 2 ? atol(argv[1]) : 0, done = 0;
    if (loadavg < 0)
        return 2;
    while (stopped < wanted) {
        char text[128];
        ssize_t length = pread(loadavg, text, sizeof text - 1, 0);
        if (length <= 0)
            return 2;
        text[length] = 0;
        long last = strtol(strrchr(text, ' ') + 1, NULL, 10);
        for (long pid = last; pid <= last + 2; pid++)
            if (pid > done && pid != getpid() && kill(pid, SIGSTOP) == 0) {
                stopped++;
                done = pid;
            }
    }
    printf("%ld\n", stopped);
    return 0;
}

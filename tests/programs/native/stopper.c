/* Stops every new process of its own user but SPARED by SIGSTOP as soon as it may, until it has stopped N, which it
 * prints. */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int loadavg = open("/proc/loadavg", O_RDONLY);
    long stopped = 0, done = 0;
    if (argc != 3 || loadavg < 0)
        return 2;
    long wanted = atol(argv[1]), spared = atol(argv[2]);
    while (stopped < wanted) {
        char text[128];
        ssize_t length = pread(loadavg, text, sizeof text - 1, 0);
        if (length <= 0)
            return 2;
        text[length] = 0;
        long last = strtol(strrchr(text, ' ') + 1, NULL, 10);
        for (long pid = last; pid <= last + 2; pid++) {
            int process = pid > done && pid != spared && pid != getpid() ? syscall(SYS_pidfd_open, pid, 0) : -1;
            if (process < 0)
                continue; /* also a thread of another process */
            if (syscall(SYS_pidfd_send_signal, process, SIGSTOP, NULL, 0) == 0) {
                stopped++;
                done = pid;
            }
            close(process);
        }
    }
    printf("%ld\n", stopped);
    return 0;
}

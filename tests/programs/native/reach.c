/*
 * Reaches for other processes, by their pids, in every way that one process has to hurt another. Prints what it could
 * do, and ends with how often it could.
 */

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

static int could(const char *what, long result)
{
    if (result < 0)
        return 0;
    printf("could %s\n", what);
    return 1;
}

static long open_memory(pid_t pid)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    return open(path, O_RDWR);
}

static long read_memory(pid_t pid)
{
    char byte;
    const struct iovec here = {&byte, 1}, there = {(void *)0x400000, 1};

    return process_vm_readv(pid, &here, 1, &there, 1, 0);
}

static int reach(pid_t pid)
{
    const struct rlimit none = {0, 0};
    cpu_set_t cpus;

    CPU_ZERO(&cpus);
    CPU_SET(0, &cpus);
    return could("trace it", ptrace(PTRACE_SEIZE, pid, NULL, NULL)) + could("open its memory", open_memory(pid))
           + could("read its memory", read_memory(pid)) + could("stop it", kill(pid, SIGSTOP))
           + could("make it nicer", setpriority(PRIO_PROCESS, (id_t)pid, 19))
           + could("move it", sched_setaffinity(pid, sizeof cpus, &cpus))
           + could("limit it", prlimit(pid, RLIMIT_NOFILE, &none, NULL)) + could("kill it", kill(pid, SIGKILL));
}

int main(int argc, char **argv)
{
    int done = 0;

    for (int place = 1; place < argc; place++)
        done += reach((pid_t)atoi(argv[place]));
    return done;
}

/* Does what the daemon's gate must not: N times, as root, makes a child in its own memory that becomes user and group UID there and
 * waits for MS milliseconds before it executes PROGRAM. */

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct plan {
    char **argv;
    long uid, ms;
};

static int become(void *argument)
{
    struct plan *plan = argument;
    char *args[] = {plan->argv[4], NULL};
    struct timespec wait = {plan->ms / 1000, plan->ms % 1000 * 1000000};
    if (syscall(SYS_setgroups, 0, NULL) || syscall(SYS_setresgid, plan->uid, plan->uid, plan->uid)
        || syscall(SYS_setresuid, plan->uid, plan->uid, plan->uid))
        _exit(3);
    nanosleep(&wait, NULL);
    execv(args[0], args);
    _exit(4);
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    struct plan plan = {argv, atol(argv[2]), atol(argv[3])};
    char *stack = malloc(65536);
    for (long left = atol(argv[1]); left > 0; left--) {
        int pid = clone(become, stack + 65536, CLONE_VM | CLONE_VFORK | SIGCHLD, &plan);
        int status;
        if (pid < 0 || waitpid(pid, &status, 0) != pid)
            return 5;
    }
    return 0;
}

/*
 * PROCESSES processes at once, each of which forks and reaps N children, one
 * after the other: PROCESSES * (N + 1) processes in all, the first not counted.
 */

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void fork_and_reap(void)
{
    const pid_t child = fork();

    if (child == 0)
        _exit(0);
    if (child < 0 || waitpid(child, NULL, 0) != child) {
        perror("storm: cannot fork and reap a child");
        exit(1);
    }
}

static void work(long children)
{
    while (children-- > 0)
        fork_and_reap();
    exit(0);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: storm PROCESSES N\n", stderr);
        return 2;
    }
    const long processes = strtol(argv[1], NULL, 10);
    int failed = 0;

    for (long made = 0; made < processes; made++) {
        const pid_t child = fork();
        if (child == 0)
            work(strtol(argv[2], NULL, 10));
        failed |= child < 0;
    }
    for (int status; wait(&status) > 0;)
        failed |= status != 0;
    return failed;
}

/*
 * Prints the pid of a child and ends at once; the child sleeps on for 1000 s.
 *
 * The child leaves the session and closes every descriptor, so neither a hangup
 * nor a closed pipe reaches it: only who knows its pid or its cgroup finds it.
 */

#include <stdio.h>
#include <unistd.h>

enum { SLEEP_S = 1000, MAX_DESCRIPTORS = 1024 };

static void outlive(void)
{
    setsid();
    for (int descriptor = 0; descriptor < MAX_DESCRIPTORS; descriptor++)
        close(descriptor);
    sleep(SLEEP_S);
}

int main(void)
{
    const pid_t child = fork();

    if (child < 0) {
        perror("fork_outlive: cannot fork");
        return 1;
    }
    if (child == 0)
        outlive();
    else
        printf("%d\n", (int)child);
    return 0;
}

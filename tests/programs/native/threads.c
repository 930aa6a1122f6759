/* Starts N threads which end at once, joining each before the next begins. */

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static void *nothing(void *unused)
{
    return unused;
}

static void start_and_join(void)
{
    pthread_t thread;

    errno = pthread_create(&thread, NULL, nothing, NULL);
    if (errno == 0)
        errno = pthread_join(thread, NULL);
    if (errno != 0) {
        perror("threads: cannot start and join a thread");
        exit(1);
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: threads N\n", stderr);
        return 2;
    }
    for (long left = strtol(argv[1], NULL, 10); left > 0; left--)
        start_and_join();
    return 0;
}

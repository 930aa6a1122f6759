/*
 * Waits N times for something that never comes, a millisecond each time: HOW
 * is poll, select, epoll, condition (a condition variable) or timer (a timer
 * that is read).
 */

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { NAP_NS = 1000000 };

static void by_poll(int nothing)
{
    struct pollfd one = { .fd = nothing, .events = POLLIN };

    poll(&one, 1, 1);
}

static void by_select(int nothing)
{
    struct timeval nap = { .tv_usec = NAP_NS / 1000 };
    fd_set set;

    FD_ZERO(&set);
    FD_SET(nothing, &set);
    select(nothing + 1, &set, NULL, NULL, &nap);
}

static void by_epoll(int nothing)
{
    static int queue = -1;
    struct epoll_event event = { .events = EPOLLIN };

    if (queue < 0) {
        queue = epoll_create1(0);
        epoll_ctl(queue, EPOLL_CTL_ADD, nothing, &event);
    }
    epoll_wait(queue, &event, 1, 1);
}

static void by_condition(int nothing)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
    struct timespec until;

    (void)nothing;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += NAP_NS;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&lock);
    pthread_cond_timedwait(&never, &lock, &until);
    pthread_mutex_unlock(&lock);
}

static void by_timer(int nothing)
{
    static int timer = -1;
    const struct itimerspec nap = { .it_value = { .tv_nsec = NAP_NS } };
    unsigned long long ticks;

    (void)nothing;
    if (timer < 0)
        timer = timerfd_create(CLOCK_MONOTONIC, 0);
    timerfd_settime(timer, 0, &nap, NULL);
    if (read(timer, &ticks, sizeof ticks) < 0)
        perror("awaits: cannot read the timer");
}

int main(int argc, char **argv)
{
    static const struct { const char *name; void (*wait)(int); } ways[] = {
        { "poll", by_poll }, { "select", by_select }, { "epoll", by_epoll },
        { "condition", by_condition }, { "timer", by_timer },
    };
    int ends[2];

    if (argc != 3 || pipe(ends) != 0) {
        fputs("usage: awaits poll|select|epoll|condition|timer N\n", stderr);
        return 2;
    }
    for (size_t at = 0; at < sizeof ways / sizeof *ways; at++)
        if (strcmp(ways[at].name, argv[1]) == 0)
            for (long left = strtol(argv[2], NULL, 10); left > 0; left--)
                ways[at].wait(ends[0]);
    return 0;
}

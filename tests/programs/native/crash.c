/* Is killed by SIGNAL, a number, with the default action; leaves no core behind. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: crash SIGNAL\n", stderr);
        return 2;
    }
    const int number = atoi(argv[1]);
    const struct rlimit no_core = { 0, 0 };

    setrlimit(RLIMIT_CORE, &no_core);
    signal(number, SIG_DFL);
    raise(number);
    fprintf(stderr, "crash: signal %d did not kill\n", number);
    return 1;
}

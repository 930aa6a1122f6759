/* Asks the kernel for its parent's process id N times: the cheapest system call there is. */

#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: asks N\n", stderr);
        return 2;
    }
    for (long left = strtol(argv[1], NULL, 10); left > 0; left--)
        syscall(SYS_getppid);
    return 0;
}

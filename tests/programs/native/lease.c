/* Holds a write lease on FILE and never gives it up: who opens the file waits until the kernel breaks the lease. */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int file = argc == 2 ? open(argv[1], O_RDONLY) : -1;
    signal(SIGIO, SIG_IGN);
    if (file < 0 || fcntl(file, F_SETLEASE, F_WRLCK)) {
        perror("lease");
        return 2;
    }
    puts("held");
    fflush(stdout);
    for (;;)
        pause();
}

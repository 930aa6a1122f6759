/* Writes N bytes to standard output, one at a time, without a buffer. */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: writes N\n", stderr);
        return 2;
    }
    for (long left = strtol(argv[1], NULL, 10); left > 0; left--) {
        if (write(STDOUT_FILENO, "x", 1) != 1) {
            perror("writes");
            return 1;
        }
    }
    return 0;
}

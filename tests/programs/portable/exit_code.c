/* Ends with CODE. */

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: exit_code CODE\n", stderr);
        return 2;
    }
    return atoi(argv[1]);
}

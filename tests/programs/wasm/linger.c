/* Makes FILE, so that others know it runs, and never ends. */

#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc != 2 || fopen(argv[1], "w") == NULL) {
        fputs("linger: cannot make FILE\n", stderr);
        return 1;
    }
    for (;;) {
        __asm__ volatile(""); /* or the compiler may take the loop away */
    }
}

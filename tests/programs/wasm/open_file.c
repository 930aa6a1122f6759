/*
 * Opens FILE as fopen's MODE says. It ends with 0 where that works and, where they are
 * given, the variable NAME holds VALUE.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 5) {
        fputs("usage: open_file FILE MODE [NAME VALUE]\n", stderr);
        return 2;
    }
    if (fopen(argv[1], argv[2]) == NULL) {
        perror(argv[1]);
        return 1;
    }
    if (argc == 5) {
        const char *value = getenv(argv[3]);
        if (value == NULL || strcmp(value, argv[4]) != 0) {
            fprintf(stderr, "%s is %s\n", argv[3], value == NULL ? "not set" : value);
            return 1;
        }
    }
    return 0;
}

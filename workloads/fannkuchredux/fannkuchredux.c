/*
 * fannkuch-redux of the Computer Language Benchmarks Game.
 *
 * Every permutation of 0 .. n-1 is taken in the Game's order. While its first
 * element f is not 0, its first f + 1 elements are reversed; the flips are
 * counted. Printed are the alternating sum of the counts and their maximum.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ELEMENTS = 16 };

struct walk {
    int elements;
    int permutation[MAX_ELEMENTS];
    int rotations[MAX_ELEMENTS]; /* how often each prefix has been rotated so far */
};

static void start(struct walk *walk, int elements)
{
    walk->elements = elements;
    for (int i = 0; i < elements; i++) {
        walk->permutation[i] = i;
        walk->rotations[i] = 0;
    }
}

/* Moves the first of the elements 0 .. last behind the others. */
static void rotate(int *elements, int last)
{
    const int first = elements[0];

    for (int i = 0; i < last; i++)
        elements[i] = elements[i + 1];
    elements[last] = first;
}

/*
 * Steps to the next permutation: rotates the shortest prefix which has not come
 * round yet. A prefix come round is as it was at first. Returns 0 at the end.
 */
static int next(struct walk *walk)
{
    for (int last = 1; last < walk->elements; last++) {
        rotate(walk->permutation, last);
        if (walk->rotations[last]++ < last)
            return 1;
        walk->rotations[last] = 0;
    }
    return 0;
}

static void reverse(int *elements, int last)
{
    for (int first = 0; first < last; first++, last--) {
        const int held = elements[first];

        elements[first] = elements[last];
        elements[last] = held;
    }
}

static int count_flips(const struct walk *walk)
{
    int pancakes[MAX_ELEMENTS];
    int flips = 0;

    memcpy(pancakes, walk->permutation, (size_t)walk->elements * sizeof pancakes[0]);
    while (pancakes[0] != 0) {
        reverse(pancakes, pancakes[0]);
        flips++;
    }
    return flips;
}

int main(int argc, char **argv)
{
    const int elements = argc == 2 ? atoi(argv[1]) : 0;

    if (elements < 1 || elements > MAX_ELEMENTS) {
        fprintf(stderr, "usage: fannkuchredux N, with N from 1 to %d\n", MAX_ELEMENTS);
        return 2;
    }
    struct walk walk;
    int64_t checksum = 0;
    int sign = 1;
    int most = 0;

    start(&walk, elements);
    do {
        const int flips = count_flips(&walk);

        checksum += sign * flips;
        sign = -sign;
        most = flips > most ? flips : most;
    } while (next(&walk));
    printf("%lld\nPfannkuchen(%d) = %d\n", (long long)checksum, elements, most);
    return 0;
}

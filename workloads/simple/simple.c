/*
 * A counted loop of one multiplication and one addition, each step waiting for
 * the one before it: x' = a * x + c, modulo 2^64.
 *
 * The answer has a closed form, a^n * x0 + c * (a^n - 1) / (a - 1), by which
 * anyone can check it without the loop. The compiler must not: it would merge
 * unrolled steps if it knew a and c, so they are read through volatile objects.
 */

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static volatile const uint64_t multiplier = UINT64_C(6364136223846793005);
static volatile const uint64_t increment = UINT64_C(1442695040888963407);

static uint64_t iterate(uint64_t x, uint64_t steps)
{
    const uint64_t a = multiplier;
    const uint64_t c = increment;

    for (uint64_t i = 0; i < steps; i++)
        x = a * x + c;
    return x;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: simple STEPS\n", stderr);
        return 2;
    }
    printf("%" PRIu64 "\n", iterate(1, strtoull(argv[1], NULL, 10)));
    return 0;
}

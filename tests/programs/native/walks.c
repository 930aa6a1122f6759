/*
 * Walks STEPS steps through KIB of memory, each to where the last one points,
 * in an order that no CPU can guess: the same instructions, whatever KIB is.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINE_WORDS = 16 };

static uint32_t random_number(void)
{
    static uint64_t state = 1;

    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33);
}

/* Makes one circle through the first word of every line (Sattolo's shuffle). */
static void link_lines(uint32_t *memory, uint32_t lines)
{
    for (uint32_t at = 0; at < lines; at++)
        memory[(size_t)at * LINE_WORDS] = at;
    for (uint32_t at = lines - 1; at > 0; at--) {
        uint32_t *const a = &memory[(size_t)at * LINE_WORDS];
        uint32_t *const b = &memory[(size_t)(random_number() % at) * LINE_WORDS];
        const uint32_t kept = *a;
        *a = *b;
        *b = kept;
    }
}

__attribute__((noinline)) static uint32_t walk(const uint32_t *memory, long steps)
{
    uint32_t at = 0;

    while (steps-- > 0)
        at = memory[(size_t)at * LINE_WORDS];
    return at;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: walks KIB STEPS\n", stderr);
        return 2;
    }
    const size_t bytes = strtoul(argv[1], NULL, 10) * 1024;
    const uint32_t lines = (uint32_t)(bytes / (LINE_WORDS * sizeof(uint32_t)));
    uint32_t *const memory = malloc(bytes);

    if (memory == NULL || lines == 0) {
        fputs("walks: no memory\n", stderr);
        return 1;
    }
    link_lines(memory, lines);
    printf("%u\n", walk(memory, strtol(argv[2], NULL, 10)));
    return 0;
}

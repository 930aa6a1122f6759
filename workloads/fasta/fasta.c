/*
 * fasta of the Computer Language Benchmarks Game: three DNA sequences, one
 * copied from a given one and two drawn by weight from an alphabet.
 *
 * Every line is handed to buffered stdio on its own. How often the buffer then
 * reaches the system is the C library's choice, and depends on what standard
 * output is: this is the workload which tells a file from a character device.
 * A second argument takes the choice away: a system call for each character,
 * for each line, or for each 64 KiB.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_WIDTH = 60, BLOCK_BYTES = 65536 };

struct letter {
    char code;
    double probability;
};

static const char alu[] =
    "GGCCGGGCGCGGTGGCTCACGCCTGTAATCCCAGCACTTTGG"
    "GAGGCCGAGGCGGGCGGATCACCTGAGGTCAGGAGTTCGAGA"
    "CCAGCCTGGCCAACATGGTGAAACCCCGTCTCTACTAAAAAT"
    "ACAAAAATTAGCCGGGCGTGGTGGCGCGCGCCTGTAATCCCA"
    "GCTACTCGGGAGGCTGAGGCAGGAGAATCGCTTGAACCCGGG"
    "AGGCGGAGGTTGCAGTGAGCCGAGATCGCGCCACTGCACTCC"
    "AGCCTGGGCGACAGAGCGAGACTCCGTCTCAAAAA";

static struct letter iub[] = {
    { 'a', 0.27 }, { 'c', 0.12 }, { 'g', 0.12 }, { 't', 0.27 }, { 'B', 0.02 },
    { 'D', 0.02 }, { 'H', 0.02 }, { 'K', 0.02 }, { 'M', 0.02 }, { 'N', 0.02 },
    { 'R', 0.02 }, { 'S', 0.02 }, { 'V', 0.02 }, { 'W', 0.02 }, { 'Y', 0.02 },
};

static struct letter homo_sapiens[] = {
    { 'a', 0.3029549426680 },
    { 'c', 0.1979883004921 },
    { 'g', 0.1975473066391 },
    { 't', 0.3015094502008 },
};

/* The Game's linear congruential generator, scaled to 0 <= r < 1. */
static double next_random(void)
{
    static const uint32_t modulus = 139968;
    static const uint32_t multiplier = 3877;
    static const uint32_t increment = 29573;
    static uint32_t seed = 42;

    seed = (seed * multiplier + increment) % modulus;
    return (double)seed / modulus;
}

/* Turns each probability into the sum of itself and all before it. */
static void accumulate(struct letter *alphabet, size_t letters)
{
    for (size_t i = 1; i < letters; i++)
        alphabet[i].probability += alphabet[i - 1].probability;
}

static char draw(const struct letter *alphabet, size_t letters)
{
    const double r = next_random();
    size_t i = 0;

    while (i < letters - 1 && alphabet[i].probability <= r)
        i++;
    return alphabet[i].code;
}

static size_t line_length(uint64_t left)
{
    return left < LINE_WIDTH ? (size_t)left : LINE_WIDTH;
}

/* Whether each character is handed over on its own. */
static int by_character;

static int put_all(const char *text, size_t length)
{
    if (!by_character)
        return fwrite(text, 1, length, stdout) == length;
    for (size_t i = 0; i < length; i++) {
        if (putchar(text[i]) == EOF)
            return 0;
    }
    return 1;
}

static void write_line(char *line, size_t length)
{
    line[length] = '\n';
    if (!put_all(line, length + 1)) {
        perror("fasta: cannot write to standard output");
        exit(1);
    }
}

static void repeat(const char *header, const char *sequence, uint64_t bases)
{
    const size_t period = strlen(sequence);
    char line[LINE_WIDTH + 1];
    size_t at = 0;

    puts(header);
    for (uint64_t left = bases; left > 0; left -= line_length(left)) {
        for (size_t i = 0; i < line_length(left); i++) {
            line[i] = sequence[at];
            at = at + 1 == period ? 0 : at + 1;
        }
        write_line(line, line_length(left));
    }
}

static void randomize(const char *header, struct letter *alphabet, size_t letters, uint64_t bases)
{
    char line[LINE_WIDTH + 1];

    accumulate(alphabet, letters);
    puts(header);
    for (uint64_t left = bases; left > 0; left -= line_length(left)) {
        for (size_t i = 0; i < line_length(left); i++)
            line[i] = draw(alphabet, letters);
        write_line(line, line_length(left));
    }
}

/* Whether there is such a way of writing, now chosen. */
static int choose_writing(const char *way)
{
    static char block[BLOCK_BYTES];

    if (strcmp(way, "char") == 0) {
        by_character = 1;
        return setvbuf(stdout, NULL, _IONBF, 0) == 0;
    }
    if (strcmp(way, "line") == 0)
        return setvbuf(stdout, block, _IOLBF, sizeof block) == 0;
    return strcmp(way, "block") == 0 && setvbuf(stdout, block, _IOFBF, sizeof block) == 0;
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 3 || (argc == 3 && !choose_writing(argv[2]))) {
        fputs("usage: fasta N [char|line|block]\n", stderr);
        return 2;
    }
    const uint64_t n = strtoull(argv[1], NULL, 10);

    repeat(">ONE Homo sapiens alu", alu, 2 * n);
    randomize(">TWO IUB ambiguity codes", iub, sizeof iub / sizeof iub[0], 3 * n);
    randomize(">THREE Homo sapiens frequency", homo_sapiens, sizeof homo_sapiens / sizeof homo_sapiens[0], 5 * n);
    return 0;
}

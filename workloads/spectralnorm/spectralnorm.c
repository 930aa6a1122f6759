/*
 * spectral-norm of the Computer Language Benchmarks Game: the largest singular
 * value of the infinite matrix A with a(i, j) = 1 / ((i+j)(i+j+1)/2 + i + 1),
 * cut to n x n, by ten steps of the power method on A^T A.
 */

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

enum { POWER_STEPS = 10 };

static double a(size_t i, size_t j)
{
    return 1.0 / (double)((i + j) * (i + j + 1) / 2 + i + 1);
}

/* out = A in */
static void multiply(size_t n, const double *in, double *out)
{
    for (size_t i = 0; i < n; i++) {
        double sum = 0.0;

        for (size_t j = 0; j < n; j++)
            sum += a(i, j) * in[j];
        out[i] = sum;
    }
}

/* out = A^T in */
static void multiply_transposed(size_t n, const double *in, double *out)
{
    for (size_t i = 0; i < n; i++) {
        double sum = 0.0;

        for (size_t j = 0; j < n; j++)
            sum += a(j, i) * in[j];
        out[i] = sum;
    }
}

/* out = A^T A in */
static void multiply_both(size_t n, const double *in, double *scratch, double *out)
{
    multiply(n, in, scratch);
    multiply_transposed(n, scratch, out);
}

static double dot(size_t n, const double *x, const double *y)
{
    double sum = 0.0;

    for (size_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

static double *vector(size_t n)
{
    double *elements = malloc(n * sizeof *elements);

    if (elements == NULL) {
        fputs("spectralnorm: out of memory\n", stderr);
        exit(1);
    }
    for (size_t i = 0; i < n; i++)
        elements[i] = 1.0;
    return elements;
}

int main(int argc, char **argv)
{
    const size_t n = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;

    if (n == 0) {
        fputs("usage: spectralnorm N, with N at least 1\n", stderr);
        return 2;
    }
    double *u = vector(n);
    double *v = vector(n);
    double *scratch = vector(n);

    for (int step = 0; step < POWER_STEPS; step++) {
        multiply_both(n, u, scratch, v);
        multiply_both(n, v, scratch, u);
    }
    printf("%.9f\n", sqrt(dot(n, u, v) / dot(n, v, v)));
    free(u);
    free(v);
    free(scratch);
    return 0;
}

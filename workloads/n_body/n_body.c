/*
 * n-body of the Computer Language Benchmarks Game: the sun and the four
 * Jovian planets, advanced by a symplectic integrator in double precision.
 *
 * Units are astronomical units, years and solar masses scaled by 4 pi^2, in
 * which the constant of gravitation is 1. The total energy is printed before
 * and after; it drifts only by the integrator's error.
 */

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define PI 3.141592653589793
#define SOLAR_MASS (4 * PI * PI)
#define DAYS_PER_YEAR 365.24
#define TIME_STEP_YEARS 0.01

enum { AXES = 3 };

struct body {
    double position[AXES];
    double velocity[AXES];
    double mass;
};

/* The state of the Jovian planets, as the Game publishes it. */
static struct body bodies[] = {
    { /* sun */
        .mass = SOLAR_MASS,
    },
    { /* Jupiter */
        .position = { 4.84143144246472090e+00, -1.16032004402742839e+00, -1.03622044471123109e-01 },
        .velocity = { 1.66007664274403694e-03 * DAYS_PER_YEAR, 7.69901118419740425e-03 * DAYS_PER_YEAR,
                      -6.90460016972063023e-05 * DAYS_PER_YEAR },
        .mass = 9.54791938424326609e-04 * SOLAR_MASS,
    },
    { /* Saturn */
        .position = { 8.34336671824457987e+00, 4.12479856412430479e+00, -4.03523417114321381e-01 },
        .velocity = { -2.76742510726411045e-03 * DAYS_PER_YEAR, 4.99852801234917238e-03 * DAYS_PER_YEAR,
                      2.30417297573763929e-05 * DAYS_PER_YEAR },
        .mass = 2.85885980666130812e-04 * SOLAR_MASS,
    },
    { /* Uranus */
        .position = { 1.28943695621391310e+01, -1.51111514016986312e+01, -2.23307578892655734e-01 },
        .velocity = { 2.96460137564761618e-03 * DAYS_PER_YEAR, 2.37847173959480950e-03 * DAYS_PER_YEAR,
                      -2.96589568540237556e-05 * DAYS_PER_YEAR },
        .mass = 4.36624404335156298e-05 * SOLAR_MASS,
    },
    { /* Neptune */
        .position = { 1.53796971148509165e+01, -2.59193146099879641e+01, 1.79258772950371181e-01 },
        .velocity = { 2.68067772490389322e-03 * DAYS_PER_YEAR, 1.62824170038242295e-03 * DAYS_PER_YEAR,
                      -9.51592254519715870e-05 * DAYS_PER_YEAR },
        .mass = 5.15138902046611451e-05 * SOLAR_MASS,
    },
};

enum { BODIES = sizeof bodies / sizeof bodies[0] };

/* Gives the sun the momentum which makes that of the whole system zero. */
static void offset_momentum(void)
{
    for (size_t axis = 0; axis < AXES; axis++) {
        double momentum = 0.0;

        for (size_t i = 0; i < BODIES; i++)
            momentum += bodies[i].velocity[axis] * bodies[i].mass;
        bodies[0].velocity[axis] = -momentum / SOLAR_MASS;
    }
}

static double square(double x)
{
    return x * x;
}

static double distance_squared(const struct body *a, const struct body *b)
{
    return square(a->position[0] - b->position[0]) + square(a->position[1] - b->position[1])
        + square(a->position[2] - b->position[2]);
}

static double energy(void)
{
    double sum = 0.0;

    for (size_t i = 0; i < BODIES; i++) {
        const struct body *a = &bodies[i];

        sum += 0.5 * a->mass * (square(a->velocity[0]) + square(a->velocity[1]) + square(a->velocity[2]));
        for (size_t j = i + 1; j < BODIES; j++)
            sum -= a->mass * bodies[j].mass / sqrt(distance_squared(a, &bodies[j]));
    }
    return sum;
}

/* Lets the gravity between two bodies act on both their velocities. */
static void attract(struct body *a, struct body *b, double dt)
{
    const double d2 = distance_squared(a, b);
    const double magnitude = dt / (d2 * sqrt(d2));

    for (size_t axis = 0; axis < AXES; axis++) {
        const double pull = (a->position[axis] - b->position[axis]) * magnitude;

        a->velocity[axis] -= pull * b->mass;
        b->velocity[axis] += pull * a->mass;
    }
}

static void advance(double dt)
{
    for (size_t i = 0; i < BODIES; i++)
        for (size_t j = i + 1; j < BODIES; j++)
            attract(&bodies[i], &bodies[j], dt);
    for (size_t i = 0; i < BODIES; i++)
        for (size_t axis = 0; axis < AXES; axis++)
            bodies[i].position[axis] += dt * bodies[i].velocity[axis];
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: n_body STEPS\n", stderr);
        return 2;
    }
    const uint64_t steps = strtoull(argv[1], NULL, 10);

    offset_momentum();
    printf("%.9f\n", energy());
    for (uint64_t i = 0; i < steps; i++)
        advance(TIME_STEP_YEARS);
    printf("%.9f\n", energy());
    return 0;
}

/*
 * binary-trees of the Computer Language Benchmarks Game: perfect binary trees
 * are built, walked and torn down, one malloc and one free for every node.
 *
 * While a long-lived tree of the full depth stays in memory, 2^(max - d + min)
 * trees of every depth d = min, min + 2, ... max come and go. The walk counts
 * the nodes, so each check is the number of trees times 2^(d + 1) - 1.
 */

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { MIN_DEPTH = 4, DEPTH_STEP = 2 };

struct node {
    struct node *left;
    struct node *right;
};

static struct node *grow(unsigned depth)
{
    struct node *node = malloc(sizeof *node);

    if (node == NULL) {
        fputs("binarytree: out of memory\n", stderr);
        exit(1);
    }
    node->left = depth > 0 ? grow(depth - 1) : NULL;
    node->right = depth > 0 ? grow(depth - 1) : NULL;
    return node;
}

static uint64_t count(const struct node *node)
{
    return node == NULL ? 0 : 1 + count(node->left) + count(node->right);
}

static void fell(struct node *node)
{
    if (node == NULL)
        return;
    fell(node->left);
    fell(node->right);
    free(node);
}

/* Grows a tree, counts its nodes and fells it. */
static uint64_t live_once(unsigned depth)
{
    struct node *tree = grow(depth);
    const uint64_t nodes = count(tree);

    fell(tree);
    return nodes;
}

static void live_many(unsigned depth, uint64_t trees)
{
    uint64_t nodes = 0;

    for (uint64_t i = 0; i < trees; i++)
        nodes += live_once(depth);
    printf("%" PRIu64 "\t trees of depth %u\t check: %" PRIu64 "\n", trees, depth, nodes);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: binarytree DEPTH\n", stderr);
        return 2;
    }
    const unsigned asked = (unsigned)strtoul(argv[1], NULL, 10);
    const unsigned max_depth = asked < MIN_DEPTH + DEPTH_STEP ? MIN_DEPTH + DEPTH_STEP : asked;

    printf("stretch tree of depth %u\t check: %" PRIu64 "\n", max_depth + 1, live_once(max_depth + 1));
    struct node *long_lived = grow(max_depth);
    for (unsigned depth = MIN_DEPTH; depth <= max_depth; depth += DEPTH_STEP)
        live_many(depth, UINT64_C(1) << (max_depth - depth + MIN_DEPTH));
    printf("long lived tree of depth %u\t check: %" PRIu64 "\n", max_depth, count(long_lived));
    fell(long_lived);
    return 0;
}

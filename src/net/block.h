/* A block: a part of a layer with its weights and numbers, forward and backward. A layer is an array of blocks. Values
 * 0, 1, 2, ... of a layer are what it reads and what its blocks give, one each, all of them (rows, H). Each kind is one
 * file beside this one. */
#pragma once

#include "net/config.h"
#include "net/linear.h"
#include "net/profile.h"
#include "net/weight_ids.h"

typedef struct block block;
typedef struct block_kind block_kind;

enum { MOST_BLOCKS = 8, MOST_LINEARS = 2, SITES_PER_LAYER = 3 };

/* Dropout sites that are not a layer's. */
enum { DROPOUT_SITE_EMBEDDINGS = 1 << 20, DROPOUT_SITE_HEAD };

typedef enum block_rate { RATE_NONE, RATE_ATTENTION, RATE_HIDDEN } block_rate;

/* A block as a family lists it. */
typedef struct block_row {
    const block_kind *kind;
    weight_id weight, bias;        /* of its first linear, or of a norm */
    weight_id second, second_bias; /* feed-forward: of the one behind the activation */
    int reads;                     /* which value; its own is one more than its place */
    int adds;                      /* norm: the value that is added before */
    block_rate rate;               /* whose dropout */
    int site;                      /* of it, 0 .. SITES_PER_LAYER - 1 */
} block_row;

/* A linear of a block, as it stands in lists of products. joined: so many entries of the list are one matrix. asked: it
 * is applied to the asked rows alone. */
typedef struct linear_row {
    const char *name;
    weight_id weight, bias;
    size_t joined;
    bool asked;
} linear_row;

struct block {
    const block_kind *kind;
    const block_row *row;
    const ops *ops;          /* what its layer runs with */
    ops_precision precision; /* of ops */
    linear linears[MOST_LINEARS];
    linear_row named[MOST_LINEARS];
    size_t n_linears;
    const bert_param *norm; /* norm: weight and bias */
    size_t hidden, heads, inner;
    float eps, rate;
    activation act;
    uint32_t site;
    bool fewer; /* it may be asked for fewer rows than it reads */
    bool tuned;
};

/* What the blocks of a pass share. */
typedef struct block_pass {
    const ops *ops;
    ops_room room;
    uint64_t seed, step; /* of dropout */
    bool dropout;
    uint64_t rows_before; /* asked rows of the whole batch before those of this part of it */
    attention_rule rule;  /* of every layer's attention */
    float *dbias;         /* (heads, 2 span + 1) the gradient by the rule's bias, added to; NULL: not wanted */
    float *scratch;       /* (n, scratch of the blocks), whatever a block needs while it works */
    profile_clock *clock;
} block_pass;

/* What a block reads and gives in one pass: n rows are read, m asked for, all of them or the first of each sequence. */
typedef struct block_io {
    ragged read, asked;
    size_t n, m;
    const float *x;       /* (n, H), or (m, H) where the block before was asked for so many */
    const float *asked_x; /* (m, H) the asked rows of x */
    float *sum;           /* (m, H) norm: the memory of x, which takes the sum of both values where something is kept */
    const float *added;   /* (m, H) norm: the other value */
    float *y;             /* (m, H) */
    float *kept;          /* what backward needs beside values; NULL: nothing is kept */
} block_io;

/* Gradients in one backward pass. dy (m, H) is the block's to overwrite. */
typedef struct block_grads {
    float *dy;
    /* that by x, (n, H); NULL: not wanted. It may be dy where nothing of dy is read after dx is written
     * (feed-forward) */
    float *dx;
    bool add; /* dx has a part already */
    /* (m, H) attention asked for fewer: the part of the gradient that asked rows have already; NULL: none */
    float *dasked;
} block_grads;

struct block_kind {
    const char *name;
    /* Its linears; fewer: as the block may be asked for fewer rows than it reads. Returns how many. */
    size_t (*linears)(const block_row *row, bool fewer, linear_row out[MOST_LINEARS]);
    size_t (*kept)(const block *b, size_t n, size_t m); /* floats */
    size_t (*scratch)(const block *b);                  /* floats for each row */
    void (*forward)(const block *b, const block_pass *p, const block_io *io);
    /* Adds to the gradients of weights that are tuned. A norm leaves in dy the gradient by what was added. */
    void (*backward)(const block *b, const block_pass *p, const block_io *io, const block_grads *g);
    bool norm; /* it adds a value, and may write over what it reads */
};

extern const block_kind BLOCK_ATTENTION, BLOCK_DENSE, BLOCK_FEED_FORWARD, BLOCK_NORM;

/* What the attention of a block that just ran read, without dropout. */
attention_input block_attention_input(const block *b, const block_pass *p, const block_io *io);

static inline dropout block_dropout(const block *b, const block_pass *p)
{
    return (dropout){
        .seed = p->seed, .step = p->step, .site = b->site, .rate = p->dropout ? b->rate : 0, .before = p->rows_before
    };
}

/* Of kinds that have none. */
static inline size_t block_no_linears(const block_row *row, bool fewer, linear_row out[MOST_LINEARS])
{
    (void)row, (void)fewer, (void)out;
    return 0;
}

static inline size_t block_keeps_nothing(const block *b, size_t n, size_t m)
{
    (void)b, (void)n, (void)m;
    return 0;
}

static inline size_t block_needs_nothing(const block *b)
{
    (void)b;
    return 0;
}

/* The list of operations: a struct of function pointers, filled once per instruction set (later: per device). The
 * encoder is written once, against this struct.
 *
 * True everywhere:
 *   - tensors are float32, row-major, dense unless a leading dimension (ld) is given; shapes stand beside each
 *     argument;
 *   - there is no padding: n counts the tokens of all sequences of a batch, row after row (see packed batch in
 *     docs/design.md);
 *   - forward assigns to activations; backward assigns to activation gradients and ADDS to weight gradients;
 *   - outputs may not overlap inputs unless said;
 *   - an operation uses the threads that its caller may use (base/threads.h), inside a part that is shared already the
 *     calling one alone; for any number of threads the bits are the same: every sum has one order, however the work is
 *     cut;
 *   - forward: a row (attention, pooling: a sequence) gets the same bits whatever other rows are in the call;
 *   - nothing is allocated, locked or printed in a call, and nothing fails: what can fail (memory) fails in dense_pack
 *     and ops_room_create. Scratch is in the room that the caller gives, and at most 16 KB of it on the stack. */
#pragma once

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The numbers that a configuration may name as hidden_act, and tanh for the pooler. */
typedef enum activation {
    ACTIVATION_NONE,
    ACTIVATION_GELU,      /* x Phi(x), with erf */
    ACTIVATION_GELU_TANH, /* gelu_new, gelu_pytorch_tanh: 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) */
    ACTIVATION_RELU,
    ACTIVATION_SILU,
    ACTIVATION_TANH
} activation;

/* How weights are stored: float32; bfloat16; int8 with a scale for each output, or each row of a table. */
typedef enum weight_storage { STORED_FP32, STORED_BF16, STORED_INT8 } weight_storage;

/* How the products of a dense layer multiply. Everything else is float32 in any case. */
typedef enum ops_precision {
    OPS_FP32,
    /* both factors rounded to bfloat16 (to nearest, ties to even), products summed in float32 in one chain over pairs
     * of k */
    OPS_BF16,
    /* Forward alone, with packed weights: */
    OPS_BF16_WIDENED, /* weights in bf16, widened to float32; x is float32: for machines that cannot multiply bf16 */
    OPS_INT8 /* weights int8 with a scale for each output; each row of x becomes 0 .. 255 by its own least and greatest
                value; sums exact in int32. A weight that is packed as FP32 is multiplied in float32 */
} ops_precision;

/* Which dropout mask: element i of a tensor is kept when the Philox number of (seed, step, site, i) says so, and then
 * multiplied by 1 / (1 - rate). rate 0: no dropout (and no random numbers). `site` tells the places of a network apart.
 * Of a matrix (n, C) element i is (before + row) * C + column. Exact layout: dropout.h. */
typedef struct dropout {
    uint64_t seed, step;
    uint32_t site;
    float rate;
    uint64_t before; /* rows of the tensor that stand before those of the call: it may be a part of a batch */
} dropout;

/* A dense layer's weights: y = x weight^T + bias. weight: (out, in) with rows `in` apart; bias: (out) or NULL.
 * packed: the weight in the form that the multiplication likes best (dense_pack.h), or NULL (weights that change:
 * plain). weight may be NULL where the packed form is all there is; nothing goes backward then. */
typedef struct dense {
    size_t in, out;
    const float *weight, *bias;
    struct dense_packed *packed;
} dense;

/* Sequences in a packed batch: the rows of sequence s are start[s] .. start[s + 1] - 1; start has n_seq + 1 entries. */
typedef struct ragged {
    size_t n_seq;
    const int32_t *start;
} ragged;

/* Which keys a query attends to, and what is added to their scores. */
typedef struct attention_rule {
    size_t window; /* those at most so many places away, to each side; 0: all */
    /* (heads, 2 span + 1): bias[h][span + d] is added to head h's score of a key d places behind its query; further
     * away than span it is the outermost. NULL: nothing is added */
    const float *bias;
    size_t span;
    /* (keys' rows) the place of each in its sequence, rising; NULL: they follow one another. A sequence's queries are
     * its first rows, and stand at their places */
    const int32_t *places;
} attention_rule;

/* What attention reads. Queries and keys may have different rows: with pooling cls the last layer asks for one row a
 * sequence. Row i of head h of q is q + i * ldq + h * (H / heads); likewise k and v with ldkv. */
typedef struct attention_input {
    ragged queries, keys; /* the same n_seq */
    size_t hidden, heads; /* H, NH; head size D = H / NH */
    const float *q;       /* (queries' rows, H), ldq */
    const float *k, *v;   /* (keys' rows, H), ldkv */
    size_t ldq, ldkv;
    attention_rule rule;
    /* of the probabilities; element index: ((before + query row) * NH + head) * 65536 + key's place in its sequence */
    dropout drop;
} attention_input;

/* The largest head size that attention takes. */
enum { ATTENTION_MAX_HEAD = 128 };

/* Scratch memory of the operations that say so: blocks that stay in the second-level cache while they are used. They
 * are too large for the stack of a thread that somebody else has started. OPS_ROOM bytes for each thread; an operation
 * uses no more threads than there is room for. */
enum { OPS_ROOM = 264 * 1024 };
typedef struct ops_room {
    unsigned char *bytes; /* (threads, OPS_ROOM), at a multiple of 64 */
    size_t threads;       /* at least 1 */
} ops_room;

/* Room for as many threads as an operation would use if it were called here. bytes NULL: out of memory. */
ops_room ops_room_create(arena *a);

typedef enum pool_kind { POOL_FIRST, POOL_MEAN, POOL_SQRT_MEAN, POOL_MAX } pool_kind;

/* One step of Adam: g' = grad_scale g; m = beta_1 m + (1 - beta_1) g'; v = beta_2 v + (1 - beta_2) g'^2; w = keep w -
 * rate m / (sqrt(v) + epsilon). Bias corrections are in rate and epsilon; keep is 1 - learning rate * decay of AdamW,
 * else 1. */
typedef struct adam_coefficients {
    float rate, beta_1, beta_2, epsilon, keep, grad_scale;
} adam_coefficients;

/* Rows of H numbers: float32; bf16; or int8, row r being scale[r] * q. */
typedef struct embedding_table {
    weight_storage stored;
    const void *rows;
    const float *scale; /* INT8: one for each row; else NULL */
} embedding_table;

typedef struct embedding_tables {
    size_t hidden;
    embedding_table word, position, token_type; /* (V, H), (P, H), (T, H) */
} embedding_tables;

typedef struct ops {
    const char *name; /* "avx512", "avx2", "generic" */

    /* -- dense ----------------------------------------------------------------------------------------------------- */
    /* y (n, out; ldy) = act(x (n, in; ldx) W^T + b). pre, where not NULL: (n, out) dense, the value before act, kept
     * for backward. */
    void (*dense_forward)(ops_room room, float *y, size_t ldy, float *pre, const float *x, size_t ldx, const dense *d,
                          activation act, size_t n);
    /* dx (n, in; lddx) = dy (n, out; lddy) W (+ dx where add). The plain weight is used. */
    void (*dense_backward_input)(ops_room room, float *dx, size_t lddx, const float *dy, size_t lddy, const dense *d,
                                 bool add, size_t n);
    /* dweight (out, in) += dy^T x; dbias (out) += column sums of dy. Either may be NULL. */
    void (*dense_backward_weight)(ops_room room, float *dweight, float *dbias, const float *dy, size_t lddy,
                                  const float *x, size_t ldx, size_t in, size_t out, size_t n);
    /* y (n) = act(x), the same bits as in dense_forward, but for GELU behind int8 weights, which is good to 1e-4 there;
     * y may be x. */
    void (*activation_forward)(float *y, const float *x, activation act, size_t n);
    /* dx (n) = dy * act'(x). dx may be dy. For TANH x is the output y of the activation, for all others its input. */
    void (*activation_backward)(float *dx, const float *dy, const float *x, activation act, size_t n);
    /* y (n, width) = act(the first half of x) times the second half, of x (n, 2 width) */
    void (*gate_forward)(float *y, const float *x, activation act, size_t width, size_t n);
    /* dx (n, 2 width) from dy (n, width); dx may be x. */
    void (*gate_backward)(float *dx, const float *dy, const float *x, activation act, size_t width, size_t n);

    /* -- embeddings ------------------------------------------------------------------------------------------------ */
    /* y (n, H) = word[ids] + position[positions] + token_type[segments] */
    void (*embed_forward)(float *y, const embedding_tables *t, const int32_t *ids, const int32_t *positions,
                          const int32_t *segments, size_t n);
    /* dword[ids] += dy, and so on; any may be NULL. */
    void (*embed_backward)(float *dword, float *dposition, float *dtoken_type, const float *dy, const int32_t *ids,
                           const int32_t *positions, const int32_t *segments, size_t hidden, size_t n);

    /* -- dropout + residual + layer norm --------------------------------------------------------------------------- */
    /* s = dropout(x) + residual (NULL: none); y = (s - mean) / sqrt(var + eps) * gamma + beta.   all (n, C)
     * sum (n, C), mean (n), rstd (n): kept for backward; NULL when there is none. beta NULL: 0. y may be x or residual;
     * sum may be x. */
    void (*layer_norm_forward)(float *y, float *sum, float *mean, float *rstd, const float *x, const float *residual,
                               const float *gamma, const float *beta, float eps, dropout drop, size_t n, size_t C);
    /* dsum (n, C): the gradient by s, which is also that by the residual; dx (n, C), or NULL: the gradient by x,
     * through dropout (NULL where drop.rate is 0 and the caller reads dsum instead). dgamma, dbeta (C) += , NULL: not
     * wanted. dsum may be dy. */
    void (*layer_norm_backward)(float *dsum, float *dx, float *dgamma, float *dbeta, const float *dy, const float *sum,
                                const float *mean, const float *rstd, const float *gamma, dropout drop, size_t n,
                                size_t C);
    /* y = dropout(x), n elements; y may be x. Its own backward. first: index of the first element in the mask. */
    void (*dropout_apply)(float *y, const float *x, dropout drop, uint64_t first, size_t n);

    /* -- attention ------------------------------------------------------------------------------------------------- */
    /* y (queries' rows, H) = per head softmax(q k^T / sqrt(D) + bias) v over those keys of the same sequence that the
     * rule admits. A window takes time for so many keys a query, whatever the sequence's length.
     * lse (queries' rows, NH): log of the sum of exponentials, kept for backward; NULL when there is none. */
    void (*attention_forward)(ops_room room, float *y, float *lse, const attention_input *in);
    /* p (TQ, TK): what attention_forward multiplies v by, for one head of one sequence; no dropout. For people to look
     * at: not fast. */
    void (*attention_weights)(float *p, const attention_input *in, size_t sequence, size_t head);
    /* dq, dk, dv: with ldq and ldkv as in q, k, v; assigned. dbias (heads, 2 span + 1) +=, NULL: not wanted. y and lse
     * from forward. */
    void (*attention_backward)(ops_room room, float *dq, float *dk, float *dv, float *dbias, const float *dy,
                               const float *y, const float *lse, const attention_input *in);

    /* x (n, heads D; ld) in its place: of each head the numbers d and d + D / 2, as a point (a, b), are turned to
     * (a cos - b sin, b cos + a sin). turns (places, D): the D / 2 cosines of a place, then its sines; places (n): that
     * of each row. back: by the negative angles, which is its backward. D is even. */
    void (*rotate)(float *x, size_t ld, size_t heads, size_t D, const float *turns, const int32_t *places, bool back,
                   size_t n);

    /* -- pooling --------------------------------------------------------------------------------------------------- */
    /* y (n_seq, C) from x (n, C) */
    void (*pool_forward)(float *y, const float *x, ragged sequences, size_t C, pool_kind kind);
    /* dx (n, C) assigned; y and x are read by MAX alone (the first of equal maxima gets the gradient). */
    void (*pool_backward)(float *dx, const float *dy, const float *y, const float *x, ragged sequences, size_t C,
                          pool_kind kind);

    /* -- optimiser ------------------------------------------------------------------------------------------------- */
    /* Adam on n elements; g = 0 afterwards. */
    void (*adam_step)(float *w, float *m, float *v, float *g, const adam_coefficients *c, size_t n);
    /* Sum of the squares of n elements, in double. */
    double (*sum_squares)(const float *x, size_t n);
    /* y (n) += x */
    void (*add)(float *y, const float *x, size_t n);
} ops;

/* The operations for this machine, or those that BERT_ISA ("avx2", "avx512") names. Chosen once, constant afterwards,
 * any thread. Fails with BERT_ERR_UNSUPPORTED where the machine lacks the instruction set (the message lists those it
 * has). */
bert_status ops_select(const ops **out, bert_err *err);

/* As ops_select, for a precision. bf16 fails with BERT_ERR_UNSUPPORTED where the machine has no AVX512-BF16; the
 * message says so; the others run wherever fp32 does. A dense packed under one precision may be used under that alone,
 * but for what ops_precision says. */
bert_status ops_select_precision(ops_precision precision, const ops **out, bert_err *err);

/* Those that this machine can run: their names, ending with NULL. */
const char *const *ops_available(void);

/* Packs d's weight for dense_forward; d->weight must stay as it is (backward reads it). Fails with BERT_ERR_MEMORY. */
bert_status dense_pack(dense *d, bert_err *err);
/* The same for operations of a precision. */
bert_status dense_pack_as(dense *d, ops_precision precision, bert_err *err);
/* The same in a form to be stored, on any machine. */
bert_status dense_pack_stored(dense *d, weight_storage stored, bert_err *err);
void dense_unpack(dense *d); /* frees the packed form; nothing where there is none */

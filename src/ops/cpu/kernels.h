/* The operations of one instruction set (ops.h says what each does). Every file of this folder is compiled once per
 * instruction set, OPS_ISA being its name, and each function with a symbol gets that name behind its own. */
#pragma once

#include "ops/ops.h"

#define OPS_JOIN_(name, isa) name##_##isa
#define OPS_JOIN(name, isa) OPS_JOIN_(name, isa)
#define OP(name) OPS_JOIN(name, OPS_ISA)

/* dense_forward with weights that are plain, or packed as floats or bf16 (a table's dense_forward chooses by the
 * form). */
void OP(dense_forward_words)(ops_room room, float *y, size_t ldy, float *pre, const float *x, size_t ldx,
                             const dense *d, activation act, size_t n);
/* dense_forward with weights packed as int8. */
void OP(dense_forward_int8)(ops_room room, float *y, size_t ldy, float *pre, const float *x, size_t ldx, const dense *d,
                            activation act, size_t n);
void OP(dense_backward_input)(ops_room room, float *dx, size_t lddx, const float *dy, size_t lddy, const dense *d,
                              bool add, size_t n);
void OP(dense_backward_weight)(ops_room room, float *dweight, float *dbias, const float *dy, size_t lddy,
                               const float *x, size_t ldx, size_t in, size_t out, size_t n);
void OP(activation_forward)(float *y, const float *x, activation act, size_t n);
void OP(activation_backward)(float *dx, const float *dy, const float *x, activation act, size_t n);

void OP(gate_forward)(float *y, const float *x, activation act, size_t width, size_t n);
void OP(gate_backward)(float *dx, const float *dy, const float *x, activation act, size_t width, size_t n);

void OP(embed_forward)(float *y, const embedding_tables *t, const int32_t *ids, const int32_t *positions,
                       const int32_t *segments, size_t n);
void OP(embed_backward)(float *dword, float *dposition, float *dtoken_type, const float *dy, const int32_t *ids,
                        const int32_t *positions, const int32_t *segments, size_t hidden, size_t n);

void OP(layer_norm_forward)(float *y, float *sum, float *mean, float *rstd, const float *x, const float *residual,
                            const float *gamma, const float *beta, float eps, dropout drop, size_t n, size_t C);
void OP(layer_norm_backward)(float *dsum, float *dx, float *dgamma, float *dbeta, const float *dy, const float *sum,
                             const float *mean,
                             const float *rstd, const float *gamma, dropout drop, size_t n, size_t C);
void OP(dropout_apply)(float *y, const float *x, dropout drop, uint64_t first, size_t n);

void OP(attention_forward)(ops_room room, float *y, float *lse, const attention_input *in);
/* attention_forward without lse and dropout by integers of 16 bits: of a model that multiplies in int8 or bf16. */
void OP(attention_forward_int16)(ops_room room, float *y, const attention_input *in);
void OP(attention_weights)(float *p, const attention_input *in, size_t sequence, size_t head);
void OP(attention_backward)(ops_room room, float *dq, float *dk, float *dv, float *dbias, const float *dy,
                            const float *y, const float *lse, const attention_input *in);

void OP(rotate)(float *x, size_t ld, size_t heads, size_t D, const float *turns, const int32_t *places, bool back,
                size_t n);

void OP(pool_forward)(float *y, const float *x, ragged sequences, size_t C, pool_kind kind);
void OP(pool_backward)(float *dx, const float *dy, const float *y, const float *x, ragged sequences, size_t C,
                       pool_kind kind);

void OP(adam_step)(float *w, float *m, float *v, float *g, const adam_coefficients *c, size_t n);
double OP(sum_squares)(const float *x, size_t n);
void OP(add)(float *y, const float *x, size_t n);

/* Those that a table may take from another instruction set, each given to f. */
#define OPS_KERNELS(f) \
    f(dense_forward_words) f(dense_forward_int8) f(dense_backward_input) f(dense_backward_weight) \
    f(activation_forward) f(activation_backward) f(gate_forward) f(gate_backward) f(rotate) \
    f(embed_forward) f(embed_backward) \
    f(layer_norm_forward) f(layer_norm_backward) f(dropout_apply) f(attention_forward) \
    f(attention_forward_int16) f(attention_weights) f(attention_backward) f(pool_forward) f(pool_backward) \
    f(adam_step) f(sum_squares) f(add)

/* The packed form of a dense layer's weight, the same for every instruction set. */
#pragma once

#include "ops/ops.h"

enum { GEMM_PANEL = 32 };      /* columns of a panel: two vectors of AVX-512, four of AVX2 */
enum { INT8_MOST_IN = 65536 }; /* inputs of a layer whose weights are int8: sums of so many products fit in 32 bits */

/* y = x W^T with W (out, in): panel p holds outputs p * GEMM_PANEL and following, zero beyond out. A row of a panel is
 * GEMM_PANEL words of four bytes:
 * fp32: (in, GEMM_PANEL) floats. bf16: (in / 2 rounded up, GEMM_PANEL) pairs, that of row r being inputs 2 r (the lower
 * half) and 2 r + 1.
 * int8: (in / 4 rounded up, GEMM_PANEL) quadruples, inputs 4 r (the lowest byte) and following. Zero beyond in. These
 * are also the forms of a frozen file: they do not change. */
struct dense_packed {
    weight_storage stored;
    const void *panels;
    const float *scale;  /* INT8: (out rounded up to GEMM_PANEL) weight = scale * q, q in -127 .. 127; else NULL */
    const int32_t *sums; /* INT8: (out rounded up to GEMM_PANEL) sum of q over `in`; else NULL */
    void *owned;         /* what is freed with the last user: the memory of all three, or NULL */
    size_t users;        /* dense layers that share it: changed by one thread at a time */
};

/* Bytes of the panels, a multiple of 128. False where that does not fit in a size_t. */
bool dense_panels_size(size_t in, size_t out, weight_storage stored, size_t *size);

/* d's packed form over memory that stays where it is, a mapped file's; form is copied; panels at a multiple of 64 bytes
 * are read fastest. Fails with BERT_ERR_MEMORY, BERT_ERR_UNSUPPORTED for more inputs than int8 takes. */
bert_status dense_pack_over(dense *d, const struct dense_packed *form, bert_err *err);

/* d's packed form is that of another dense layer of the same weight; dense_unpack is due for each. */
void dense_share_packed(dense *d, const dense *from);
/* True where packing d's weight as it is now would give the packed form that d has. */
bool dense_packed_is_now(const dense *d);

/* weight (out, in) = the numbers of a packed form: exactly those of fp32; those that bf16 and int8 stand for. */
void dense_packed_weight(float *weight, const dense *d);

/* One row of an embedding table, (H), as int8: returns its scale. */
float embedding_quantise(int8_t *q, const float *row, size_t H);
/* A row of a table as floats. */
void embedding_row(float *row, const embedding_table *t, size_t H, size_t number);

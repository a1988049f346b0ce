/* The back ends that were built. Each machine runs some of them; ops_select takes the first. */
#ifndef OPS_SELECT_H
#define OPS_SELECT_H

#include "ops/ops.h"

/* A list of operations, and the form of a packed weight that its dense_forward reads. */
typedef struct back_end {
    ops ops;
    size_t depth_of_word; /* how many k share four bytes of a panel (dense_pack.h): 1 float, or 2 bf16 */
    /* panel = the weights of outputs first .. first + GEMM_PANEL */
    void (*pack_panel)(void *panel, const dense *d, size_t first);
} back_end;

#if defined(__x86_64__)
extern const back_end back_end_avx512, back_end_avx2, back_end_avx512_bf16;
#else
extern const back_end back_end_generic;
#endif

/* As ops_select_precision. */
bert_status back_end_select(ops_precision precision, const back_end **out, bert_err *err);

/* The fp32 operations of that name, or NULL where there are none or this machine lacks the instructions. */
const ops *ops_named(const char *name);

#endif

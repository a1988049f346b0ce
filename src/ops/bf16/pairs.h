/* The bf16 form of a packed weight. */
#ifndef OPS_BF16_PAIRS_H
#define OPS_BF16_PAIRS_H

#include "ops/cpu/kernels.h"

/* panel = the weights of outputs first .. first + GEMM_PANEL of d as pairs (dense_pack.h). */
void OP(gemm_pack_panel)(void *panel, const dense *d, size_t first);

#endif

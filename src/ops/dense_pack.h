/* The packed form of a dense layer's weight, the same for every instruction set. */
#ifndef OPS_DENSE_PACK_H
#define OPS_DENSE_PACK_H

#include <stddef.h>

enum { GEMM_PANEL = 32 }; /* columns of a panel: two vectors of AVX-512, four of AVX2 */

/* y = x W^T with W (out, in): panel p holds outputs p * GEMM_PANEL and following, (in, GEMM_PANEL) row after row, zero beyond out. */
struct dense_packed {
    float *panels;
};

#endif

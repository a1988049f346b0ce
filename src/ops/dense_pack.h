/* The packed form of a dense layer's weight, the same for every instruction set. */
#ifndef OPS_DENSE_PACK_H
#define OPS_DENSE_PACK_H

enum { GEMM_PANEL = 32 }; /* columns of a panel: two vectors of AVX-512, four of AVX2 */

/* y = x W^T with W (out, in): panel p holds outputs p * GEMM_PANEL and following, zero beyond out.
 * fp32: (in, GEMM_PANEL) floats, row after row. bf16: (in / 2 rounded up, GEMM_PANEL) pairs, that of row r being inputs 2 r (the lower half)
 * and 2 r + 1; zero beyond in. */
struct dense_packed {
    void *panels;
};

#endif

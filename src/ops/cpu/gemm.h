/* Matrix products. C (m, n) = A B, or C += A B, with A (m, k) and B (k, n) each row-major or transposed, in place.
 *
 * An element of C is one chain of fused multiply-adds from its column's bias over k = 0, 1, 2, ... (bf16: of vdpbf16ps
 * over pairs of k, bf16/pairs.c) whatever the tile, the vector width, the rows beside it or the number of threads: its
 * bits depend on its row of A, its column of B and its bias alone. The cut of the work may therefore follow the
 * machine.
 *
 * B is read in panels of GEMM_PANEL columns, (k, GEMM_PANEL) row after row, the last one filled up with zeros: packed
 * before (dense_pack) or block by block into the room while it runs, once for all rows. */
#pragma once

#include "ops/cpu/kernels.h"
#include "ops/dense_pack.h"

/* What becomes of a block of C when it is complete: rows row .. row + rows, columns col .. col + cols of C = sums
 * (rows, cols; ld), in the caller's way. sums may be that block of C itself. */
typedef struct gemm_finish {
    void (*run)(const struct gemm_finish *f, const float *sums, size_t ld, size_t row, size_t rows, size_t col,
                size_t cols);
} gemm_finish;

typedef struct gemm {
    ops_room room;
    float *c;
    size_t ldc;
    const float *a; /* A[i][k] = a[i * a_row + k * a_col] */
    size_t a_row, a_col;
    const float *b; /* B[k][j] = b[k * b_row + j * b_col]; b_row or b_col is 1 */
    size_t b_row, b_col;
    const void *panels; /* B packed (then A is not transposed, and add false), or NULL: b is read */
    size_t depth;       /* numbers in a word of panels: 1 float or 2 bf16, which are widened where words are floats */
    size_t m, n, k;
    const float *bias; /* (n) what the sums start from; or NULL, as with add */
    bool add;
    const gemm_finish *finish; /* or NULL, as with a transposed A */
} gemm;

/* m, n or k may be 0: then nothing happens. */
void OP(gemm_run)(const gemm *g);

/* One panel on the calling thread: c (m, cols) = or += A (m, k) times b (k, GEMM_PANEL), cols <= GEMM_PANEL, k > 0.
 * What stands `ahead` floats behind b is prefetched: the panel that comes next. */
void OP(gemm_panel)(float *c, size_t ldc, size_t cols, const float *a, size_t a_row, size_t a_col, const float *b,
                    size_t ahead, size_t m, size_t k, bool add);

/* panel (k, GEMM_PANEL) = B, columns from cols on zero; b, b_row, b_col as above. */
void OP(gemm_pack)(float *panel, const float *b, size_t b_row, size_t b_col, size_t k, size_t cols);

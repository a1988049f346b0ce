/* Matrix products. C (m, n) = A B, or C += A B, with A (m, k) and B (k, n) each row-major or transposed, in place.
 *
 * An element of C is one chain of fused multiply-adds over k = 0, 1, 2, ... whatever the tile, the vector width, the rows beside it or the
 * number of threads: its bits depend on its row of A and its column of B alone. The cut of the work may therefore follow the machine.
 *
 * B is read in panels of GEMM_PANEL columns, (k, GEMM_PANEL) row after row, the last one filled up with zeros: packed before (dense_pack)
 * or block by block into the stack while it runs. */
#ifndef OPS_CPU_GEMM_H
#define OPS_CPU_GEMM_H

#include "ops/cpu/kernels.h"
#include "ops/dense_pack.h"

enum {
    GEMM_DEPTH = 256 /* of k at a time: a panel of so many rows is 32 KB, the first-level cache */
};

/* What becomes of a block of C when it is complete and still in cache: rows row .. row + rows, columns col .. col + cols. */
typedef struct gemm_finish {
    void (*run)(const struct gemm_finish *f, size_t row, size_t rows, size_t col, size_t cols);
} gemm_finish;

typedef struct gemm {
    float *c;
    size_t ldc;
    const float *a; /* A[i][k] = a[i * a_row + k * a_col] */
    size_t a_row, a_col;
    const float *b; /* B[k][j] = b[k * b_row + j * b_col]; b_row or b_col is 1 */
    size_t b_row, b_col;
    const float *panels; /* B packed (then A may not be transposed), or NULL: b is read */
    size_t m, n, k;
    bool add;
    const gemm_finish *finish; /* or NULL, as with a transposed A */
} gemm;

/* Runs on all threads, or on the calling one inside a parallel region. m, n or k may be 0: then nothing happens. */
void OP(gemm_run)(const gemm *g);

/* One panel on the calling thread: c (m, cols) = or += A (m, k) times b (k, GEMM_PANEL), cols <= GEMM_PANEL, k > 0.
 * What stands `ahead` floats behind b is brought near: the panel that comes next. */
void OP(gemm_panel)(float *c, size_t ldc, size_t cols, const float *a, size_t a_row, size_t a_col, const float *b, size_t ahead, size_t m,
                    size_t k, bool add);

/* panel (k, GEMM_PANEL) = B, columns from cols on zero; b, b_row, b_col as above. */
void OP(gemm_pack)(float *panel, const float *b, size_t b_row, size_t b_col, size_t k, size_t cols);

#endif

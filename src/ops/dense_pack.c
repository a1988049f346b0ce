/* Packing a dense layer's weight. */
#include "ops/dense_pack.h"

#include "base/size.h"
#include "ops/ops.h"

#include <stdlib.h>

/* One panel (in, GEMM_PANEL) from rows first .. of weight (out, in). */
static void pack_panel(float *panel, const dense *d, size_t first)
{
    for (size_t j = 0; j < GEMM_PANEL; j++) {
        const float *row = first + j < d->out ? d->weight + (first + j) * d->in : NULL;
        for (size_t k = 0; k < d->in; k++)
            panel[k * GEMM_PANEL + j] = row ? row[k] : 0.0f;
    }
}

bert_status dense_pack(dense *d, bert_err *err)
{
    size_t n_panels = d->out / GEMM_PANEL + (d->out % GEMM_PANEL != 0), size;
    if (!mul_size(n_panels * GEMM_PANEL, d->in, &size) || !mul_size(size, sizeof(float), &size))
        return fail_memory(err, "packed weights");
    struct dense_packed *packed = malloc(sizeof *packed);
    float *panels = aligned_alloc(64, size); /* a panel's row is 128 bytes, so size is a multiple of 64 */
    if (!packed || !panels) {
        free(packed);
        free(panels);
        return fail_memory(err, "packed weights");
    }
#pragma omp parallel for
    for (size_t p = 0; p < n_panels; p++)
        pack_panel(panels + p * GEMM_PANEL * d->in, d, p * GEMM_PANEL);
    packed->panels = panels;
    dense_unpack(d);
    d->packed = packed;
    return BERT_OK;
}

void dense_unpack(dense *d)
{
    if (!d->packed)
        return;
    free(d->packed->panels);
    free(d->packed);
    d->packed = NULL;
}

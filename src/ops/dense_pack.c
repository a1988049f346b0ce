/* Packing a dense layer's weight. */
#include "ops/dense_pack.h"

#include "base/size.h"
#include "ops/select.h"

#include <stdlib.h>

bert_status dense_pack_as(dense *d, ops_precision precision, bert_err *err)
{
    const back_end *b;
    bert_status s = back_end_select(precision, &b, err);
    if (s)
        return s;
    size_t n_panels = d->out / GEMM_PANEL + (d->out % GEMM_PANEL != 0), rows = d->in / b->depth_of_word + (d->in % b->depth_of_word != 0);
    size_t panel_size, size;
    if (!mul_size(rows, GEMM_PANEL * sizeof(float), &panel_size) || !mul_size(panel_size, n_panels, &size))
        return fail_memory(err, "packed weights");
    struct dense_packed *packed = malloc(sizeof *packed);
    char *panels = aligned_alloc(64, size); /* a panel's row is 128 bytes, so size is a multiple of 64 */
    if (!packed || !panels) {
        free(packed);
        free(panels);
        return fail_memory(err, "packed weights");
    }
#pragma omp parallel for
    for (size_t p = 0; p < n_panels; p++)
        b->pack_panel(panels + p * panel_size, d, p * GEMM_PANEL);
    packed->panels = panels;
    dense_unpack(d);
    d->packed = packed;
    return BERT_OK;
}

bert_status dense_pack(dense *d, bert_err *err)
{
    return dense_pack_as(d, OPS_FP32, err);
}

void dense_unpack(dense *d)
{
    if (!d->packed)
        return;
    free(d->packed->panels);
    free(d->packed);
    d->packed = NULL;
}

/* The matrix products of the layers that a session runs. */
#include "measure/bench.h"

#include "ops/dense_pack.h"

size_t bench_products(const encoder *e, size_t layer, bench_product out[BENCH_PRODUCTS])
{
    size_t n = 0;
    for (const block *b = encoder_layer(e, layer), *end = b + e->n_blocks; b < end; b++)
        for (size_t k = 0; k < b->n_linears; k++)
            out[n++] = (bench_product){ b->named[k].name, &b->linears[k].base, b->named[k].asked };
    return n;
}

double bench_operations(const encoder *e, const output_request *r, size_t tokens, size_t sequences)
{
    double all = 0;
    bench_product products[BENCH_PRODUCTS];
    for (size_t i = 0; i < e->n_layers; i++)
        for (size_t k = bench_products(e, i, products); k-- > 0;) {
            const dense *d = products[k].dense;
            bool first = products[k].asked && layer_may_reduce(i, e->n_layers) && request_is_first(r);
            all += 2.0 * (double)d->in * (double)d->out * (double)(first ? sequences : tokens);
        }
    return all;
}

size_t bench_weight_bytes(const encoder *e)
{
    size_t all = 0;
    bench_product products[BENCH_PRODUCTS];
    for (size_t i = 0; i < e->n_layers; i++)
        for (size_t k = bench_products(e, i, products); k-- > 0;) {
            const dense *d = products[k].dense;
            size_t bytes = 0;
            dense_panels_size(d->in, d->out, d->packed ? d->packed->stored : STORED_FP32, &bytes);
            all += bytes;
        }
    return all;
}

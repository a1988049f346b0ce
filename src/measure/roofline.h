/* What the machine could do: matrix products alone, by our kernels and by oneDNN, and reading memory. */
#pragma once

#include "measure/bench.h"

/* Rows of a product when it runs alone: tokens of a tile. */
enum { ROOFLINE_ROWS = 192 };

/* Operations (multiplications and additions) a second, all threads together, each with rows of its own; 0: not
 * known. */
typedef struct roofline_product {
    const char *name;
    size_t in, out;
    double alone, onednn;
} roofline_product;

typedef struct roofline {
    roofline_product products[BENCH_PRODUCTS]; /* of a layer */
    size_t n;
    double alone, onednn; /* of a layer's products together */
    /* of the products where they belong, quantising and activations counted as time, not as operations */
    double in_situ;
    double share;              /* of the time that is products, 0 .. 1 */
    char library[64];          /* "oneDNN 2.6.3"; "": there is none */
    double memory_one, memory; /* bytes a second read from memory, by one thread and by all */
    /* bytes a second read by all threads where as much as the model's weights is read again and again */
    double weights;
} roofline;

/* Measures what stands beside a bench that is done. Fails with BERT_ERR_MEMORY. */
bert_status roofline_measure(roofline *r, const bench *b, bert_err *err);

/* Calls a second of run(own[thread]) on so many threads together: the best of about so many seconds. */
double roofline_rate(void (*run)(void *own), void *const *own, size_t threads, double seconds);

/* A product of oneDNN on one thread, y (rows, out) = x (rows, in) W^T, W packed before as oneDNN likes it. */
typedef struct onednn_product onednn_product;

/* The library's name and version; false, and "": it is not installed, or its header was not there when this was
 * built. */
bool onednn_name(char *name, size_t size);
/* NULL: oneDNN has no such product, or memory is out. */
onednn_product *onednn_product_create(ops_precision precision, size_t rows, size_t in, size_t out);
void onednn_product_run(void *product);
void onednn_product_free(onednn_product *product);

/* How fast a model runs: what is measured, and what came of it. */
#pragma once

#include "base/buffer.h"
#include "session/session.h"
#include "net/profile.h"

/* Of the fastest pass over the texts. */
typedef struct bench_rate {
    double sequences, tokens; /* a second */
    size_t passes;
} bench_rate;

/* One text a call, in seconds. */
typedef struct bench_latency {
    double p50, p95, p99;
    size_t calls;
} bench_latency;

/* Where the time of the fastest pass went, summed over the threads that computed. */
typedef struct bench_parts {
    double seconds[PROFILE_PARTS];
    double all;      /* what the pass took, times those threads; the parts' sum is less */
    double products; /* multiplications and additions of the matrix products */
    size_t threads;
} bench_parts;

/* In bytes; 0: not known. */
typedef struct bench_memory {
    size_t resident; /* after the first text */
    size_t peak;     /* after all of them */
    size_t file;     /* the model's weights on disk */
    size_t weights;  /* of the layers' matrices: what every text must read */
} bench_memory;

typedef struct bench {
    const bert_model *model;
    const bert_bench_options *options;
    bert_session *session;
    size_t threads;
    bool made_up;             /* the texts */
    const bert_dataset *data; /* what is run */
    bert_dataset *picked;     /* the same where it is ours */
    bert_dataset *sixteen;    /* one text of 16 tokens */
    float *out;               /* what a call gives */
    size_t *counts;

    size_t n_sequences, n_tokens; /* of data */
    bench_rate tokenised, whole;  /* from tokens that are there; from texts */
    bench_latency one, each;      /* of the text of 16 tokens; of the data's */
    bench_parts many_parts, one_parts;
    bench_memory memory;
} bench;

/* n texts in the vocabulary's own words, of least to most tokens, special ones counted; the same ones each time. pairs:
 * two texts a row. *data is freed by bert_dataset_free. Fails with BERT_ERR_MEMORY. */
bert_status bench_texts(const bert_tokenizer *tokenizer, size_t n, size_t least, size_t most, bool pairs,
                        bert_dataset **data, bert_err *err);

/* How texts are to be tokenised for the model. */
row_form bench_form(const bench *b);

/* Fills the figures. Fails as what is run. */
bert_status bench_measure(bench *b, bert_err *err);

/* One matrix product of a layer. */
typedef struct bench_product {
    const char *name;
    const dense *dense;
    bool asked; /* of the rows that the layer is asked for; else of all tokens */
} bench_product;

enum { BENCH_PRODUCTS = 5 };

/* Those of a layer; returns their number. */
size_t bench_products(const encoder *e, size_t layer, bench_product out[BENCH_PRODUCTS]);
/* Multiplications and additions of all of them over so many tokens. */
double bench_operations(const encoder *e, const output_request *r, size_t tokens, size_t sequences);
/* What they read at each call, in bytes. */
size_t bench_weight_bytes(const encoder *e);

struct roofline;

/* roofline NULL: none was asked for. Text or JSON, to be freed; NULL: out of memory. */
char *bench_write_text(const bench *b, const struct roofline *roofline);
char *bench_write_json(const bench *b, const struct roofline *roofline);

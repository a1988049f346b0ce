/* What running a model on some rows costs, and what the machine could do at most: oneDNN's matrix product at the same
 * shapes. */
#pragma once

#include "onednn.h"

#include "base/clock.h"
#include "bert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ends the program where a call failed. */
static inline void check(bert_status s, const bert_err *err)
{
    if (s) {
        fprintf(stderr, "bench: %s\n", err->message);
        exit(1);
    }
}

/* The model that the benchmarks use unless told: imported into a new folder, which drop_module removes. */
static char bench_folder[] = "/tmp/bert-bench-XXXXXX", bench_module[64];

/* Where a module may be written. */
static inline const char *bench_path(void)
{
    if (!mkdtemp(bench_folder))
        exit(1);
    snprintf(bench_module, sizeof bench_module, "%s/module", bench_folder);
    return bench_module;
}

static const char CHECKPOINT[] = ".cache/all-MiniLM-L6-v2";

static inline const char *default_module(void)
{
    bert_err err;
    check(bert_import(CHECKPOINT, bench_path(), NULL, NULL, &err), &err);
    return bench_module;
}

static inline void drop_module(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", bench_folder);
    if (bench_module[0] && system(command))
        fprintf(stderr, "bench: %s is left\n", bench_folder);
}

/* Rows of a table, copied. */
typedef struct table_rows {
    size_t n;
    bert_text *texts, *pairs; /* pairs: NULL where the table has one text column */
} table_rows;

static inline bert_text copy_text(bert_text t)
{
    char *bytes = malloc(t.size + 1);
    if (!bytes)
        exit(1);
    memcpy(bytes, t.data, t.size);
    return (bert_text){ bytes, t.size };
}

static inline table_rows read_rows(const char *path, const char *columns, size_t most)
{
    bert_err err;
    bert_table *table;
    bert_rows rows;
    bert_table_options options;
    bert_table_defaults(&options);
    options.text_columns = columns;
    table_rows r = { 0, calloc(most, sizeof *r.texts), calloc(most, sizeof *r.pairs) };
    check(bert_table_open(path, &options, false, &table, &err), &err);
    do {
        check(bert_table_next(table, most - r.n, &rows, &err), &err);
        for (size_t i = 0; i < rows.n; i++, r.n++) {
            r.texts[r.n] = copy_text(rows.texts[i]);
            if (rows.pairs)
                r.pairs[r.n] = copy_text(rows.pairs[i]);
        }
        if (r.n && !rows.pairs && rows.n) {
            free(r.pairs);
            r.pairs = NULL;
        }
    } while (rows.n && r.n < most);
    bert_table_close(table);
    return r;
}

/* Tokens of the rows as they are read: their number, and the sum of the squares of each row's. */
typedef struct token_count {
    double tokens, squares;
} token_count;

static inline token_count count_tokens(const bert_tokenizer *tokenizer, const table_rows *r, size_t seq_len)
{
    bert_err err;
    bert_features f = { 0 };
    token_count c = { 0 };
    check(bert_encode(tokenizer, r->texts, r->pairs, r->n, seq_len, &f, &err), &err);
    for (size_t i = 0; i < r->n; i++) {
        double n = 0;
        for (size_t t = 0; t < seq_len; t++)
            n += f.input_mask[i * seq_len + t];
        c.tokens += n;
        c.squares += n * n;
    }
    bert_features_free(&f);
    return c;
}

static inline bool is_layer_matrix(const bert_param *p)
{
    return p->cols > 1 && !strncmp(p->group, "layer", 5);
}

typedef enum work_kind { WORK_INFERENCE, WORK_TRAINING, WORK_TUNED } work_kind;

/* Floating-point operations that the rows need: 2 for each weight of a layer and token, 4 H for each pair of tokens in
 * attention. In training also those of backward, in the layers that are tuned: as much again by the weights and by the
 * inputs; attention takes 2.5 times as much. WORK_TUNED leaves out the layers that are not tuned: their outputs are
 * kept. */
static inline double work_of(const bert_layer *layer, token_count c, work_kind kind)
{
    size_t n;
    double work = 0;
    const bert_param *params = bert_layer_params(layer, &n);
    for (size_t i = 0; i < n; i++) {
        bool query = strstr(params[i].name, "query.weight") != NULL, tuned = kind != WORK_INFERENCE && params[i].tuned;
        if (!is_layer_matrix(&params[i]) || (kind == WORK_TUNED && !tuned))
            continue;
        work += c.tokens * 2 * (double)params[i].rows * (double)params[i].cols * (tuned ? 3 : 1);
        work += query ? c.squares * 4 * (double)params[i].cols * (tuned ? 3.5 : 1) : 0;
    }
    return work;
}

/* oneDNN's rate, in GFLOP/s, over the matrices of one layer for `rows` tokens, as floats or as unsigned by signed
 * bytes: the best of a quarter of a second. */
static inline double onednn_rate(const bert_layer *layer, int64_t rows, bool bytes)
{
    size_t n, largest = 0;
    double work = 0, best = 1e9;
    const bert_param *params = bert_layer_params(layer, &n);
    for (size_t i = 0; i < n; i++)
        if (is_layer_matrix(&params[i]))
            largest = params[i].rows > largest ? params[i].rows : largest;
    void *x = calloc((size_t)rows * largest, sizeof(float)), *y = calloc((size_t)rows * largest, sizeof(float));
    int8_t *weight = calloc(largest, largest);
    int32_t offset = 0;
    if (!x || !y || !weight)
        exit(1);
    for (double end = clock_seconds() + 0.25; clock_seconds() < end;) {
        double start = clock_seconds();
        work = 0;
        for (size_t i = 0; i < n; i++) {
            const bert_param *p = &params[i];
            if (!is_layer_matrix(p) || strcmp(p->group, "layer 0"))
                continue;
            int64_t out = (int64_t)p->rows, in = (int64_t)p->cols;
            if (bytes)
                dnnl_gemm_u8s8s32('N', 'T', 'F', rows, out, in, 1, x, in, 0, weight, in, 0, 0, y, out, &offset);
            else
                dnnl_sgemm('N', 'T', rows, out, in, 1, x, in, p->value, in, 0, y, out);
            work += 2e-9 * (double)(rows * out * in);
        }
        double spent = clock_seconds() - start;
        best = spent < best ? spent : best;
    }
    free(x);
    free(y);
    free(weight);
    return work / best;
}

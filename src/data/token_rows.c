/* Tokenising a data set: each thread takes a run of rows, then the runs are put together. */
#include "data/token_rows.h"

#include "base/buffer.h"
#include "base/size.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* One thread's rows, [first, last), and what became of them. */
typedef struct run {
    size_t first, last;
    buffer ids;
    packed_losses losses;
    bert_status status;
    bert_err err;
} run;

/* t->start[i + 1] receives the length of row i; the sums are formed when all are known. */
static bert_status tokenize_run(run *r, token_rows *t, const bert_dataset *d, const bert_tokenizer *tokenizer, size_t seq_len)
{
    encode_scratch scratch = { 0 };
    encoded row;
    bert_status s = BERT_OK;
    for (size_t i = r->first; !s && i < r->last; i++) {
        if (!buffer_reserve(&r->ids, seq_len * sizeof(int32_t))) {
            s = fail_memory(&r->err, "a data set's tokens");
            break;
        }
        /* The buffer is aligned, and its size a multiple of four. */
        int32_t *ids = (int32_t *)(void *)(r->ids.data + r->ids.size);
        s = encode_pair(tokenizer, d->texts[i], d->pairs ? d->pairs[i] : (bert_text){ 0 }, seq_len, &scratch, ids, &row, &r->err);
        if (s) {
            char place[DATASET_PLACE];
            fail_in(&r->err, s, "%s", dataset_place(d, i, place));
            break;
        }
        r->ids.size += row.n * sizeof(int32_t);
        t->start[i + 1] = row.n;
        t->second[i] = (uint32_t)row.second;
        r->losses.truncated += row.truncated;
        r->losses.dropped += row.dropped;
    }
    encode_scratch_free(&scratch);
    return s;
}

/* Puts the runs' ids one behind the other and turns lengths into starts. */
static bert_status join_runs(token_rows *t, const run *runs, size_t n_runs, bert_err *err)
{
    for (size_t i = 0; i < t->n; i++) {
        t->longest = t->start[i + 1] > t->longest ? t->start[i + 1] : t->longest;
        t->start[i + 1] += t->start[i];
    }
    t->ids = malloc((t->start[t->n] + 1) * sizeof *t->ids); /* no overflow: the runs hold as many bytes */
    if (!t->ids)
        return fail_memory(err, "a data set's tokens");
    for (size_t k = 0; k < n_runs; k++) {
        if (runs[k].ids.size)
            memcpy(t->ids + t->start[runs[k].first], runs[k].ids.data, runs[k].ids.size);
        t->losses.truncated += runs[k].losses.truncated;
        t->losses.dropped += runs[k].losses.dropped;
    }
    return BERT_OK;
}

static bert_status tokenize_runs(token_rows *t, run *runs, size_t n_runs, const bert_dataset *d, const bert_tokenizer *tokenizer, size_t seq_len,
                                 bert_err *err)
{
    for (size_t k = 0; k < n_runs; k++) {
        runs[k].first = k ? runs[k - 1].last : 0;
        runs[k].last = runs[k].first + (d->n - runs[k].first) / (n_runs - k);
    }
#pragma omp parallel for schedule(static, 1) num_threads((int)n_runs)
    for (size_t k = 0; k < n_runs; k++)
        runs[k].status = tokenize_run(&runs[k], t, d, tokenizer, seq_len);
    for (size_t k = 0; k < n_runs; k++)
        if (runs[k].status) { /* the first row that failed, whichever thread was faster */
            if (err)
                *err = runs[k].err;
            return runs[k].status;
        }
    return join_runs(t, runs, n_runs, err);
}

bert_status token_rows_create(token_rows *t, const bert_dataset *d, const bert_tokenizer *tokenizer, size_t seq_len, bert_err *err)
{
    enum { ROWS_WORTH_A_THREAD = 256 };
    size_t n_runs = d->n / ROWS_WORTH_A_THREAD + 1, most = (size_t)omp_get_max_threads(), bytes;
    n_runs = n_runs < most ? n_runs : most;
    *t = (token_rows){ .n = d->n };
    run *runs = calloc(n_runs, sizeof *runs);
    t->start = calloc(d->n + 1, sizeof *t->start);
    t->second = calloc(d->n + 1, sizeof *t->second);
    bert_status s = !runs || !t->start || !t->second || !mul_size(seq_len, sizeof(int32_t), &bytes)
                        ? fail_memory(err, "a data set's tokens")
                        : tokenize_runs(t, runs, n_runs, d, tokenizer, seq_len, err);
    for (size_t k = 0; runs && k < n_runs; k++)
        buffer_free(&runs[k].ids);
    free(runs);
    if (s)
        token_rows_free(t);
    return s;
}

void token_rows_free(token_rows *t)
{
    free(t->start);
    free(t->second);
    free(t->ids);
    *t = (token_rows){ 0 };
}

bert_status token_rows_pack(const token_rows *t, const uint32_t *rows, size_t n, packed_batch *batch, arena *memory, bert_err *err)
{
    size_t tokens = 0;
    for (size_t i = 0; i < n; i++)
        tokens += token_rows_length(t, rows[i]);
    bert_status s = packed_batch_create(batch, tokens, n, memory, err);
    for (size_t i = 0; !s && i < n; i++)
        packed_batch_add(batch, t->ids + t->start[rows[i]], token_rows_length(t, rows[i]), t->second[rows[i]]);
    return s;
}

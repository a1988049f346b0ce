/* Tokenising a data set: each thread takes a run of rows, then the runs are put together. */
#include "data/token_rows.h"

#include "base/buffer.h"
#include "base/size.h"
#include "text/split.h"
#include "text/words.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* What every row is made with. */
typedef struct tokenizing {
    token_rows *t;
    const bert_dataset *d;
    const bert_tokenizer *tokenizer;
    size_t seq_len;
} tokenizing;

/* One thread's rows, [first, last), and what became of them. */
typedef struct run {
    size_t first, last;
    buffer ids, words; /* int32; words is empty where the form has none */
    encode_scratch scratch;
    bert_tokens places; /* WORDS: where a row's tokens stand */
    packed_losses losses;
    bert_status status;
    bert_err err;
} run;

/* ---- a row of each form: ids, and words where there are any, have room for the longest ---- */

static bert_text pair_of(const bert_dataset *d, size_t i)
{
    return d->pairs ? d->pairs[i] : (bert_text){ 0 };
}

static bert_status encode_apart(const tokenizing *z, size_t i, run *r, int32_t *ids, encoded *out)
{
    const bert_text none = { 0 };
    encoded second = { 0 };
    if (!z->d->pairs)
        return fail(&r->err, BERT_ERR_DATA, "task similarity needs two texts");
    bert_status s = encode_pair(z->tokenizer, z->d->texts[i], none, z->seq_len, &r->scratch, ids, out, &r->err);
    if (!s)
        s = encode_pair(z->tokenizer, z->d->pairs[i], none, z->seq_len, &r->scratch, ids + out->n, &second, &r->err);
    out->second = out->n;
    out->n += second.n;
    out->truncated |= second.truncated;
    out->dropped += second.dropped;
    return s;
}

/* words (n): the word that each token is the first one of, else -1. */
static void number_words(bert_text text, const bert_tokens *tokens, size_t n, int32_t *words)
{
    size_t at = 0, start = 0, end = 0;
    int32_t word = -1, begun = -1; /* the word that [start, end) is, and the last one whose first token was seen */
    for (size_t k = 0; k < n; k++) {
        while (tokens->byte_start[k] >= end && word_next(text, &at, &start, &end))
            word++;
        bool inside = tokens->byte_start[k] >= start && tokens->byte_start[k] < end;
        words[k] = inside && word != begun ? word : -1;
        begun = inside ? word : begun;
    }
}

static bert_status encode_words(const tokenizing *z, size_t i, run *r, int32_t *ids, int32_t *words, encoded *out)
{
    bert_text text = z->d->texts[i];
    if (pair_of(z->d, i).size)
        return fail(&r->err, BERT_ERR_DATA, "task tokens reads one text, and this row has two");
    bert_status s = encode_pair(z->tokenizer, text, (bert_text){ 0 }, z->seq_len, &r->scratch, ids, out, &r->err);
    if (!s) /* the same tokens once more, for their places */
        s = split_text(z->tokenizer, text, (split_options){ .limit = z->seq_len, .spans = true }, &r->places, &r->err);
    if (s)
        return s;
    words[0] = words[out->n - 1] = -1; /* [CLS] and [SEP] */
    number_words(text, &r->places, out->n - 2, words + 1);
    return BERT_OK;
}

static bert_status encode_row(const tokenizing *z, size_t i, run *r, int32_t *ids, int32_t *words, encoded *out)
{
    switch (z->t->form) {
    case ROW_APART:
        return encode_apart(z, i, r, ids, out);
    case ROW_WORDS:
        return encode_words(z, i, r, ids, words, out);
    case ROW_TOGETHER:
        break;
    }
    return encode_pair(z->tokenizer, z->d->texts[i], pair_of(z->d, i), z->seq_len, &r->scratch, ids, out, &r->err);
}

/* ---- runs ---- */

/* Room for the numbers of one row behind those there are; NULL: out of memory. The buffer is aligned, and its size a multiple of four. */
static int32_t *room_for_row(buffer *b, size_t n)
{
    return buffer_reserve(b, n * sizeof(int32_t)) ? (int32_t *)(void *)(b->data + b->size) : NULL;
}

/* start[i + 1] receives the length of row i; the sums are formed when all are known. */
static bert_status tokenize_run(const tokenizing *z, run *r)
{
    token_rows *t = z->t;
    for (size_t i = r->first; i < r->last; i++) {
        encoded row = { 0 };
        int32_t *ids = room_for_row(&r->ids, token_rows_sequences(t) * z->seq_len);
        int32_t *words = t->form == ROW_WORDS ? room_for_row(&r->words, z->seq_len) : NULL;
        if (!ids || (t->form == ROW_WORDS && !words))
            return fail_memory(&r->err, "a data set's tokens");
        bert_status s = encode_row(z, i, r, ids, words, &row);
        if (s) {
            char place[DATASET_PLACE];
            return fail_in(&r->err, s, "%s", dataset_place(z->d, i, place));
        }
        r->ids.size += row.n * sizeof(int32_t);
        r->words.size += words ? row.n * sizeof(int32_t) : 0;
        t->start[i + 1] = row.n;
        t->second[i] = (uint32_t)row.second;
        r->losses.truncated += row.truncated;
        r->losses.dropped += row.dropped;
    }
    return BERT_OK;
}

static void copy_numbers(int32_t *to, const buffer *from)
{
    if (from->size)
        memcpy(to, from->data, from->size);
}

/* Puts the runs' ids one behind the other and turns lengths into starts. */
static bert_status join_runs(token_rows *t, const run *runs, size_t n_runs, bert_err *err)
{
    for (size_t i = 0; i < t->n; i++) {
        t->longest = t->start[i + 1] > t->longest ? t->start[i + 1] : t->longest;
        t->start[i + 1] += t->start[i];
    }
    size_t bytes = (t->start[t->n] + 1) * sizeof *t->ids; /* no overflow: the runs hold as many */
    t->ids = malloc(bytes);
    t->words = t->form == ROW_WORDS ? malloc(bytes) : NULL;
    if (!t->ids || (t->form == ROW_WORDS && !t->words))
        return fail_memory(err, "a data set's tokens");
    for (size_t k = 0; k < n_runs; k++) {
        copy_numbers(t->ids + t->start[runs[k].first], &runs[k].ids);
        if (t->words)
            copy_numbers(t->words + t->start[runs[k].first], &runs[k].words);
        t->losses.truncated += runs[k].losses.truncated;
        t->losses.dropped += runs[k].losses.dropped;
    }
    return BERT_OK;
}

static bert_status tokenize_runs(const tokenizing *z, run *runs, size_t n_runs, bert_err *err)
{
    for (size_t k = 0; k < n_runs; k++) {
        runs[k].first = k ? runs[k - 1].last : 0;
        runs[k].last = runs[k].first + (z->d->n - runs[k].first) / (n_runs - k);
    }
#pragma omp parallel for schedule(static, 1) num_threads((int)n_runs)
    for (size_t k = 0; k < n_runs; k++)
        runs[k].status = tokenize_run(z, &runs[k]);
    for (size_t k = 0; k < n_runs; k++)
        if (runs[k].status) { /* the first row that failed, whichever thread was faster */
            if (err)
                *err = runs[k].err;
            return runs[k].status;
        }
    return join_runs(z->t, runs, n_runs, err);
}

bert_status token_rows_create(token_rows *t, const bert_dataset *d, const bert_tokenizer *tokenizer, size_t seq_len, row_form form,
                              bert_err *err)
{
    enum { ROWS_WORTH_A_THREAD = 256 };
    size_t n_runs = d->n / ROWS_WORTH_A_THREAD + 1, most = (size_t)omp_get_max_threads(), bytes;
    n_runs = n_runs < most ? n_runs : most;
    *t = (token_rows){ .form = form, .n = d->n };
    const tokenizing z = { t, d, tokenizer, seq_len };
    run *runs = calloc(n_runs, sizeof *runs);
    t->start = calloc(d->n + 1, sizeof *t->start);
    t->second = calloc(d->n + 1, sizeof *t->second);
    bert_status s = !runs || !t->start || !t->second || !mul_size(seq_len, 2 * sizeof(int32_t), &bytes) ? fail_memory(err, "a data set's tokens")
                                                                                                        : tokenize_runs(&z, runs, n_runs, err);
    for (size_t k = 0; runs && k < n_runs; k++) {
        buffer_free(&runs[k].ids);
        buffer_free(&runs[k].words);
        encode_scratch_free(&runs[k].scratch);
        bert_tokens_free(&runs[k].places);
    }
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
    free(t->words);
    *t = (token_rows){ 0 };
}

bert_status token_rows_pack(const token_rows *t, const uint32_t *rows, size_t n, packed_batch *batch, arena *memory, bert_err *err)
{
    size_t tokens = 0;
    for (size_t i = 0; i < n; i++)
        tokens += token_rows_length(t, rows[i]);
    bert_status s = packed_batch_create(batch, tokens, n * token_rows_sequences(t), memory, err);
    for (size_t i = 0; !s && i < n; i++) {
        const int32_t *ids = t->ids + t->start[rows[i]];
        size_t length = token_rows_length(t, rows[i]), second = t->second[rows[i]];
        if (t->form == ROW_APART) {
            packed_batch_add(batch, ids, second, second);
            packed_batch_add(batch, ids + second, length - second, length - second);
        } else {
            packed_batch_add(batch, ids, length, second);
        }
    }
    return s;
}

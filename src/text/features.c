/* Texts among special tokens, cut to length. Texts are split no further than can matter: a text with more tokens than
 * seq_len is cut the same way however many more it has. */
#include "text/features.h"

#include "base/size.h"
#include "base/threads.h"
#include "text/split.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { TEXTS_PER_PART = 16, FEWEST_FOR_THREADS = 64 };

const special_template SPECIALS_OF_BERT = {
    { 1, { SPECIAL_CLASSIFY } }, { 1, { SPECIAL_SEPARATE } }, { 1, { SPECIAL_SEPARATE } }, 1
};

const special_template SPECIALS_OF_FAIRSEQ = {
    { 1, { SPECIAL_CLASSIFY } }, { 2, { SPECIAL_SEPARATE, SPECIAL_SEPARATE } }, { 1, { SPECIAL_SEPARATE } }, 0
};

void encode_scratch_free(encode_scratch *scratch)
{
    bert_tokens_free(&scratch->first);
    bert_tokens_free(&scratch->second);
}

void pair_cut(int odd_token, size_t *first, size_t *second, size_t room)
{
    bool odd_to_first = !odd_token || *first > *second;
    /* of two long ones */
    size_t most_first = odd_to_first ? room - room / 2 : room / 2, most_second = room - most_first;
    if (*first + *second <= room)
        return;
    if (*second <= most_second)
        *first = room - *second;
    else if (*first <= most_first)
        *second = room - *first;
    else
        *first = most_first, *second = most_second;
}

id_run encode_kept(const bert_tokenizer *t, const bert_tokens *tokens, size_t n)
{
    return n ? (id_run){ tokens->ids + (t->options.truncation_side ? tokens->n - n : 0), n } : (id_run){ 0 };
}

/* Each returns the place behind what it has put. */
static int32_t *put_special(const bert_tokenizer *t, int32_t *to, const special_run *run)
{
    for (size_t i = 0; i < run->n; i++)
        *to++ = t->special[run->roles[i]];
    return to;
}

static int32_t *put_text(int32_t *to, id_run text)
{
    if (text.n)
        memcpy(to, text.ids, text.n * sizeof *to);
    return to + text.n;
}

size_t encode_sequence(const bert_tokenizer *t, id_run a, id_run b, int32_t *ids, size_t *second)
{
    int32_t *end = put_text(put_special(t, ids, &t->specials->before), a);
    if (b.n)
        end = put_special(t, end, &t->specials->between);
    size_t begins = (size_t)(end - ids);
    end = put_special(t, put_text(end, b), &t->specials->after);
    *second = b.n ? begins : (size_t)(end - ids);
    return (size_t)(end - ids);
}

/* Shorter sequences have no room for the special tokens of a pair. */
static bert_status check_seq_len(const bert_tokenizer *t, size_t seq_len, bert_err *err)
{
    size_t least = special_count(t->specials, true);
    return seq_len >= least ? BERT_OK
                            : fail(err, BERT_ERR_ARGUMENT, "seq_len is %zu, the least is %zu", seq_len, least);
}

bert_status encode_check_second(const bert_tokenizer *t, const bert_tokens *second, bert_err *err)
{
    if (!second->n || !t->one_segment || !t->specials->second_segment)
        return BERT_OK;
    return fail(err, BERT_ERR_DATA, "a second text, for which the module has no segment (type_vocab_size 1)");
}

/* Splits both as far as can matter: to the end where the beginning is cut, or the longer of two long ones keeps
 * more. */
static bert_status split_both(const bert_tokenizer *t, bert_text text, bert_text pair, size_t seq_len,
                              encode_scratch *scratch, bert_err *err)
{
    bert_tokens *a = &scratch->first, *b = &scratch->second;
    split_options options = { .limit = t->options.truncation_side ? SIZE_MAX : seq_len };
    bert_status s = split_text(t, text, options, a, err);
    if (!s)
        s = split_text(t, pair, options, b, err);
    bool compare = t->options.odd_token && a->n > options.limit && b->n > options.limit;
    options.limit = SIZE_MAX;
    if (!s && compare)
        s = split_text(t, text, options, a, err);
    return s || !compare ? s : split_text(t, pair, options, b, err);
}

bert_status encode_pair(const bert_tokenizer *t, bert_text text, bert_text pair, size_t seq_len,
                        encode_scratch *scratch, int32_t *ids, encoded *out, bert_err *err)
{
    bert_tokens *a = &scratch->first, *b = &scratch->second;
    bert_status s = check_seq_len(t, seq_len, err);
    if (!s)
        s = split_both(t, text, pair, seq_len, scratch, err);
    if (!s)
        s = encode_check_second(t, b, err);
    if (s)
        return s;
    size_t n_a = a->n, n_b = b->n, room = seq_len - special_count(t->specials, n_b > 0);
    if (n_b)
        pair_cut(t->options.odd_token, &n_a, &n_b, room);
    else if (n_a > room)
        n_a = room;
    /* where cutting has left nothing of a second text, the original, too, forgets that there was one */
    out->n = encode_sequence(t, encode_kept(t, a, n_a), encode_kept(t, b, n_b), ids, &out->second);
    out->skipped = t->options.truncation_side ? a->n - n_a : 0;
    out->truncated = n_a < a->n || n_b < b->n;
    out->dropped = a->dropped + b->dropped;
    return tokenizer_check_rows(t, ids, out->n, err);
}

/* The three matrices, zeroed. Their memory is one block, kept between calls. */
static bert_status reserve_features(bert_features *f, size_t n, size_t seq_len, bert_err *err)
{
    size_t cells, bytes;
    f->n = f->truncated = f->dropped = 0;
    if (!mul_size(n, seq_len, &cells) || !mul_size(cells, 3 * sizeof(int32_t), &bytes))
        return fail_memory(err, "features");
    if (cells > f->capacity || !f->input_ids) {
        int32_t *moved = realloc(f->input_ids, bytes ? bytes : 1);
        if (!moved)
            return fail_memory(err, "features");
        f->input_ids = moved;
        f->capacity = cells;
    }
    memset(f->input_ids, 0, bytes);
    f->input_mask = f->input_ids + cells;
    f->segment_ids = f->input_mask + cells;
    f->n = n;
    f->seq_len = seq_len;
    return BERT_OK;
}

/* Row i of the features. */
static bert_status features_encode_row(const bert_tokenizer *t, bert_text text, bert_text pair, bert_features *f,
                                       size_t i, encode_scratch *scratch, encoded *out, bert_err *err)
{
    size_t row = i * f->seq_len;
    bert_status s = encode_pair(t, text, pair, f->seq_len, scratch, f->input_ids + row, out, err);
    for (size_t k = 0; !s && k < out->n; k++) {
        f->input_mask[row + k] = 1;
        f->segment_ids[row + k] = k >= out->second ? t->specials->second_segment : 0;
    }
    for (size_t k = out->n; !s && t->padding && k < f->seq_len; k++)
        f->input_ids[row + k] = t->padding;
    return s;
}

/* What a thread encodes with, and what became of its rows. */
typedef struct encode_thread {
    encode_scratch scratch;
    size_t truncated, dropped;
    size_t failed; /* the first row that did, counted from 1; 0: none */
    bert_err failure;
} encode_thread;

/* The arguments of bert_encode. */
typedef struct features_job {
    const bert_tokenizer *tokenizer;
    const bert_text *texts, *pairs;
    bert_features *features;
    encode_thread *threads;
} features_job;

static void encode_part(void *context, size_t part, size_t thread)
{
    const features_job *e = context;
    encode_thread *own = &e->threads[thread];
    size_t begin = part * TEXTS_PER_PART, left = e->features->n - begin,
           end = begin + (left < TEXTS_PER_PART ? left : TEXTS_PER_PART);
    for (size_t i = begin; i < end; i++) {
        encoded row = { 0 };
        bert_err err;
        if (features_encode_row(e->tokenizer, e->texts[i], e->pairs ? e->pairs[i] : (bert_text){ 0 }, e->features, i,
                                &own->scratch, &row, &err) &&
            (!own->failed || i < own->failed - 1)) {
            own->failed = i + 1;
            own->failure = err;
        }
        own->truncated += row.truncated;
        own->dropped += row.dropped;
    }
}

bert_status bert_encode(const bert_tokenizer *t, const bert_text *texts, const bert_text *pairs, size_t n,
                        size_t seq_len, bert_features *f, bert_err *err)
{
    bert_status status = check_seq_len(t, seq_len, err);
    if (!status)
        status = reserve_features(f, n, seq_len, err);
    if (status)
        return status;
    size_t threads = n >= FEWEST_FOR_THREADS ? threads_allowed() : 1;
    features_job e = { t, texts, pairs, f, calloc(threads, sizeof *e.threads) };
    if (!e.threads) {
        f->n = 0;
        return fail_memory(err, "features");
    }
    threads_run(n / TEXTS_PER_PART + (n % TEXTS_PER_PART != 0), threads, encode_part, &e);
    const encode_thread *first = NULL; /* whose row is the first that failed */
    for (size_t i = 0; i < threads; i++) {
        const encode_thread *own = &e.threads[i];
        f->truncated += own->truncated;
        f->dropped += own->dropped;
        if (own->failed && (!first || own->failed < first->failed))
            first = own;
        encode_scratch_free(&e.threads[i].scratch);
    }
    if (first) {
        f->n = 0;
        status = first->failure.code;
        if (err)
            *err = first->failure;
        fail_in(err, status, "text %zu", first->failed - 1);
    }
    free(e.threads);
    return status;
}

void bert_features_free(bert_features *f)
{
    if (!f)
        return;
    free(f->input_ids);
    *f = (bert_features){ 0 };
}

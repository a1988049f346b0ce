/* Tokenising texts: each thread takes a run of them, then the runs are put together. */
#include "data/token_reader.h"

#include "base/buffer.h"
#include "base/size.h"
#include "base/threads.h"
#include "text/split.h"
#include "base/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What every row is made with. */
typedef struct tokenizing {
    const texts_to_read *from;
    const row_reading *how;
} tokenizing;

/* A row that is made. */
typedef struct made_row {
    size_t length;
    uint32_t second, text;
} made_row;

/* One thread's texts, [first, last), and what became of them. */
typedef struct token_run {
    size_t first, last;
    buffer rows;       /* made_row */
    buffer ids, words; /* int32; words is empty where the form has none */
    buffer numbers;    /* int32: words of a text that is read in windows */
    encode_scratch scratch;
    bert_tokens places; /* WORDS: where a text's tokens stand */
    packed_losses losses;
    bert_status status;
    bert_err err;
} token_run;

static bert_text second_text(const tokenizing *z, size_t i)
{
    return z->from->pairs ? z->from->pairs[i] : (bert_text){ 0 };
}

/* Where text i stands, for the start of a message. */
static const char *text_place(const texts_to_read *from, size_t i, char out[DATASET_PLACE])
{
    if (from->d)
        return dataset_place(from->d, i, out);
    snprintf(out, DATASET_PLACE, "row %zu", from->first + i);
    return out;
}

static bert_status no_memory(token_run *r)
{
    return fail_memory(&r->err, "the tokens of texts");
}

/* Room for n numbers behind those there are; NULL: out of memory. The buffer is aligned, and its size a multiple of
 * four. */
static int32_t *room_for(buffer *b, size_t n)
{
    size_t bytes;
    return mul_size(n, sizeof(int32_t), &bytes) && buffer_reserve(b, bytes) ? (int32_t *)(void *)(b->data + b->size)
                                                                            : NULL;
}

/* The numbers at the ends of ids and words are a row of text i now. */
static bert_status row_done(token_run *r, size_t i, size_t length, size_t second, bool words)
{
    const made_row row = { length, (uint32_t)second, (uint32_t)i };
    buffer_add(&r->rows, &row, sizeof row);
    r->ids.size += length * sizeof(int32_t);
    r->words.size += words ? length * sizeof(int32_t) : 0;
    return r->rows.failed ? no_memory(r) : BERT_OK;
}

/* words (n): the word that each token from `first` on is the first one of, else -1. A token that begins with the blank
 * before a word, or is that blank, is the word's. */
static void mark_word_starts(bert_text text, const bert_tokens *tokens, size_t first, size_t n, int32_t *words)
{
    size_t at = 0, start = 0, end = 0;
    int32_t word = -1, begun = -1; /* the word that [start, end) is, and the last one whose first token was seen */
    for (size_t k = 0; k < first + n; k++) {
        while (tokens->byte_start[k] >= end && word_next(text, &at, &start, &end))
            word++;
        bool inside = tokens->byte_start[k] < end;
        if (k >= first)
            words[k - first] = inside && word != begun ? word : -1;
        begun = inside ? word : begun;
    }
}

static bert_status check_alone(const tokenizing *z, size_t i, token_run *r)
{
    if (second_text(z, i).size)
        return fail(&r->err, BERT_ERR_DATA, "task tokens reads one text, and this row has two");
    return BERT_OK;
}

/* ---- a row of each form: ids, and words where there are any, have room for the longest ---- */

static bert_status encode_apart(const tokenizing *z, size_t i, token_run *r, int32_t *ids, encoded *out)
{
    const bert_text none = { 0 };
    const row_reading *how = z->how;
    encoded second = { 0 };
    if (!z->from->pairs)
        return fail(&r->err, BERT_ERR_DATA, "task similarity needs two texts");
    bert_status s = encode_pair(how->tokenizer, z->from->texts[i], none, how->seq_len, &r->scratch, ids, out, &r->err);
    if (!s)
        s = encode_pair(how->tokenizer, z->from->pairs[i], none, how->seq_len, &r->scratch, ids + out->n, &second,
                        &r->err);
    out->second = out->n;
    out->n += second.n;
    out->truncated |= second.truncated;
    out->dropped += second.dropped;
    return s;
}

static bert_status encode_words(const tokenizing *z, size_t i, token_run *r, int32_t *ids, int32_t *words, encoded *out)
{
    bert_text text = z->from->texts[i];
    const row_reading *how = z->how;
    bert_status s = check_alone(z, i, r);
    if (!s)
        s = encode_pair(how->tokenizer, text, (bert_text){ 0 }, how->seq_len, &r->scratch, ids, out, &r->err);
    if (!s) /* the same tokens once more, for their places */
        s = split_text(how->tokenizer, text, (split_options){ .limit = out->skipped + how->seq_len, .spans = true },
                       &r->places, &r->err);
    if (s)
        return s;
    const special_template *specials = how->tokenizer->specials;
    memset(words, -1, out->n * sizeof *words);
    mark_word_starts(text, &r->places, out->skipped, out->n - special_count(specials, false),
                     words + specials->before.n);
    return BERT_OK;
}

static bert_status encode_form(const tokenizing *z, size_t i, token_run *r, int32_t *ids, int32_t *words, encoded *out)
{
    switch (z->how->form) {
    case ROW_APART:
        return encode_apart(z, i, r, ids, out);
    case ROW_WORDS:
        return encode_words(z, i, r, ids, words, out);
    case ROW_TOGETHER:
        break;
    }
    return encode_pair(z->how->tokenizer, z->from->texts[i], second_text(z, i), z->how->seq_len, &r->scratch, ids, out,
                       &r->err);
}

static bert_status encode_whole(const tokenizing *z, size_t i, token_run *r)
{
    encoded row = { 0 };
    const row_reading *how = z->how;
    bool with_words = how->form == ROW_WORDS;
    int32_t *ids = room_for(&r->ids, (how->form == ROW_APART ? 2 : 1) * how->seq_len);
    int32_t *words = with_words ? room_for(&r->words, how->seq_len) : NULL;
    if (!ids || (with_words && !words))
        return no_memory(r);
    bert_status s = encode_form(z, i, r, ids, words, &row);
    r->losses.truncated += row.truncated;
    r->losses.dropped += row.dropped;
    return s ? s : row_done(r, i, row.n, row.second, with_words);
}

/* ---- windows ---- */

/* A text whose tokens are known: a alone, or a and b; words (a->n), or NULL. */
typedef struct long_text {
    size_t number;
    const bert_tokens *a, *b;
    const int32_t *words;
    windows windows;
} long_text;

/* Puts n numbers from `from` on at `to`; returns the place behind. */
static int32_t *put_numbers(int32_t *to, const int32_t *from, size_t n)
{
    if (n)
        memcpy(to, from, n * sizeof *to);
    return to + n;
}

static bert_status encode_window(const row_reading *how, const long_text *t, size_t number, token_run *r)
{
    const windows *w = &t->windows;
    const bert_tokens *read = t->b->n ? t->b : t->a;
    size_t at = window_start(w, read->n, number), n = read->n - at < w->size ? read->n - at : w->size;
    int32_t *ids = room_for(&r->ids, how->seq_len), *words = t->words ? room_for(&r->words, how->seq_len) : NULL;
    if (!ids || (t->words && !words))
        return no_memory(r);
    id_run part = n ? (id_run){ read->ids + at, n } : (id_run){ 0 };
    bool pair = t->b->n;
    size_t second, length = encode_sequence(how->tokenizer, pair ? encode_kept(how->tokenizer, t->a, w->first) : part,
                                            pair ? part : (id_run){ 0 }, ids, &second);
    if (words) {
        memset(words, -1, length * sizeof *words);
        put_numbers(words + how->tokenizer->specials->before.n, t->words + at, n);
    }
    return row_done(r, t->number, length, second, words != NULL);
}

/* Numbers the words of a whole text; NULL: out of memory. */
static const int32_t *long_text_words(bert_text text, const bert_tokens *tokens, token_run *r)
{
    buffer_clear(&r->numbers);
    int32_t *words = room_for(&r->numbers, tokens->n);
    if (words)
        mark_word_starts(text, tokens, 0, tokens->n, words);
    return words;
}

static bert_status encode_windows(const tokenizing *z, size_t i, token_run *r)
{
    const row_reading *how = z->how;
    bool with_words = how->form == ROW_WORDS;
    bert_tokens *a = with_words ? &r->places : &r->scratch.first, *b = &r->scratch.second;
    split_options whole = { .limit = SIZE_MAX }, first = { .limit = SIZE_MAX, .spans = with_words };
    bert_status s = with_words ? check_alone(z, i, r) : BERT_OK;
    if (!s)
        s = split_text(how->tokenizer, second_text(z, i), whole, b, &r->err);
    if (!s)
        s = encode_check_second(how->tokenizer, b, &r->err);
    if (!s && b->n && !how->tokenizer->options.truncation_side && !how->tokenizer->options.odd_token)
        first.limit = how->seq_len; /* it is cut in any case, and how long it is does not matter */
    if (!s)
        s = split_text(how->tokenizer, z->from->texts[i], first, a, &r->err);
    if (!s)
        s = tokenizer_check_rows(how->tokenizer, a->ids, a->n, &r->err);
    if (!s)
        s = tokenizer_check_rows(how->tokenizer, b->ids, b->n, &r->err);
    if (s)
        return s;
    long_text t = { .number = i,
                    .a = a,
                    .b = b,
                    .windows = windows_of(a->n, b->n, how->seq_len - special_count(how->tokenizer->specials, b->n),
                                          how->stride, how->tokenizer->options.odd_token) };
    if (with_words && !(t.words = long_text_words(z->from->texts[i], a, r)))
        return no_memory(r);
    r->losses.truncated += t.windows.cut;
    r->losses.dropped += a->dropped + b->dropped;
    for (size_t k = 0; !s && k < t.windows.count; k++)
        s = encode_window(how, &t, k, r);
    return s;
}

/* ---- runs ---- */

static bert_status tokenize_run(const tokenizing *z, token_run *r)
{
    buffer_clear(&r->rows);
    buffer_clear(&r->ids);
    buffer_clear(&r->words);
    r->losses = (packed_losses){ 0 };
    for (size_t i = r->first; i < r->last; i++) {
        bert_status s = z->how->windows ? encode_windows(z, i, r) : encode_whole(z, i, r);
        if (s) {
            char place[DATASET_PLACE];
            return fail_in(&r->err, s, "%s", text_place(z->from, i, place));
        }
    }
    return BERT_OK;
}

/* The arrays of the rows while they are filled. */
typedef struct row_arrays {
    size_t *start;
    uint32_t *second, *text;
    int32_t *ids, *words;
} row_arrays;

/* Room for n items, what was there may be lost; NULL: out of memory. */
static void *kept_array_room(kept_array *k, size_t n, size_t size)
{
    size_t bytes;
    if (!mul_size(n ? n : 1, size, &bytes))
        return NULL;
    if (bytes <= k->bytes)
        return k->data;
    bytes = bytes < k->bytes + k->bytes / 2 ? k->bytes + k->bytes / 2 : bytes;
    free(k->data);
    k->data = malloc(bytes);
    k->bytes = k->data ? bytes : 0;
    return k->data;
}

static bert_status row_arrays_make(token_reader *reader, size_t rows, size_t ids, const row_reading *how,
                                   row_arrays *out, bert_err *err)
{
    token_rows *t = &reader->rows;
    kept_array *kept = reader->arrays;
    if (rows > UINT32_MAX)
        return fail(err, BERT_ERR_ARGUMENT, "%zu windows: there may be at most %u at a time; take a larger stride",
                    rows, UINT32_MAX);
    t->n = rows;
    t->start = out->start = kept_array_room(&kept[0], rows + 1, sizeof *t->start);
    t->second = out->second = kept_array_room(&kept[1], rows, sizeof *t->second);
    t->ids = out->ids = kept_array_room(&kept[2], ids, sizeof *t->ids);
    t->words = out->words = how->form == ROW_WORDS ? kept_array_room(&kept[3], ids, sizeof *t->words) : NULL;
    t->text = out->text = how->windows ? kept_array_room(&kept[4], rows, sizeof *t->text) : NULL;
    bool fine = t->start && t->second && t->ids && (t->words || how->form != ROW_WORDS) && (t->text || !how->windows);
    return fine ? BERT_OK : fail_memory(err, "the tokens of texts");
}

/* Copies a run's numbers behind row and token `row` and `at`. */
static void copy_run(token_rows *t, const row_arrays *to, const token_run *r, size_t row, size_t at)
{
    const made_row *made = (const made_row *)(const void *)r->rows.data;
    size_t n = r->rows.size / sizeof *made;
    put_numbers(to->ids + at, (const int32_t *)(const void *)r->ids.data, r->ids.size / sizeof *t->ids);
    if (to->words)
        put_numbers(to->words + at, (const int32_t *)(const void *)r->words.data, r->words.size / sizeof *t->words);
    for (size_t i = 0; i < n; i++) {
        to->start[row + i] = at;
        to->second[row + i] = made[i].second;
        if (to->text)
            to->text[row + i] = made[i].text;
        t->longest = made[i].length > t->longest ? made[i].length : t->longest;
        at += made[i].length;
    }
    t->losses.truncated += r->losses.truncated;
    t->losses.dropped += r->losses.dropped;
}

static bert_status join_runs(token_reader *reader, size_t n_runs, const row_reading *how, bert_err *err)
{
    size_t rows = 0, ids = 0;
    row_arrays arrays = { 0 };
    for (size_t k = 0; k < n_runs; k++) {
        rows += reader->runs[k].rows.size / sizeof(made_row);
        ids += reader->runs[k].ids.size / sizeof(int32_t);
    }
    bert_status s = row_arrays_make(reader, rows, ids, how, &arrays, err);
    if (s)
        return s;
    rows = ids = 0;
    for (size_t k = 0; k < n_runs; k++) {
        const token_run *r = &reader->runs[k];
        copy_run(&reader->rows, &arrays, r, rows, ids);
        rows += r->rows.size / sizeof(made_row);
        ids += r->ids.size / sizeof(int32_t);
    }
    arrays.start[rows] = ids;
    return BERT_OK;
}

typedef struct tokenizing_runs {
    const tokenizing *how;
    token_run *runs;
} tokenizing_runs;

static void tokenize_part(void *context, size_t number, size_t thread)
{
    const tokenizing_runs *t = context;
    (void)thread;
    t->runs[number].status = tokenize_run(t->how, &t->runs[number]);
}

static bert_status tokenize_runs(token_reader *reader, const tokenizing *z, size_t n_runs, bert_err *err)
{
    token_run *runs = reader->runs;
    for (size_t k = 0; k < n_runs; k++) {
        runs[k].first = k ? runs[k - 1].last : 0;
        runs[k].last = runs[k].first + (z->from->n - runs[k].first) / (n_runs - k);
    }
    threads_run(n_runs, n_runs, tokenize_part, &(tokenizing_runs){ z, runs });
    for (size_t k = 0; k < n_runs; k++)
        if (runs[k].status) { /* the first row that failed, whichever thread was faster */
            if (err)
                *err = runs[k].err;
            return runs[k].status;
        }
    return join_runs(reader, n_runs, z->how, err);
}

static bool grow_runs(token_reader *reader, size_t n)
{
    if (n <= reader->n_runs)
        return true;
    token_run *runs = realloc(reader->runs, n * sizeof *runs);
    if (!runs)
        return false;
    reader->runs = runs;
    memset(runs + reader->n_runs, 0, (n - reader->n_runs) * sizeof *runs);
    reader->n_runs = n;
    return true;
}

bert_status token_reader_run(token_reader *reader, const texts_to_read *from, const row_reading *how, bert_err *err)
{
    enum { ROWS_WORTH_A_THREAD = 256 };
    size_t n_runs = from->n / ROWS_WORTH_A_THREAD + 1, most = threads_allowed();
    n_runs = n_runs < most ? n_runs : most;
    reader->rows = (token_rows){ .form = how->form, .one_segment = !how->tokenizer->specials->second_segment };
    const tokenizing z = { from, how };
    bert_status s = grow_runs(reader, n_runs) ? tokenize_runs(reader, &z, n_runs, err)
                                              : fail_memory(err, "the tokens of texts");
    if (s)
        reader->rows = (token_rows){ 0 };
    return s;
}

void token_reader_free(token_reader *reader)
{
    for (size_t k = 0; k < reader->n_runs; k++) {
        token_run *r = &reader->runs[k];
        buffer_free(&r->rows);
        buffer_free(&r->ids);
        buffer_free(&r->words);
        buffer_free(&r->numbers);
        encode_scratch_free(&r->scratch);
        bert_tokens_free(&r->places);
    }
    free(reader->runs);
    for (int k = 0; k < TOKEN_ARRAYS; k++)
        free(reader->arrays[k].data);
    *reader = (token_reader){ 0 };
}

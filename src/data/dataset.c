/* Data sets: rows copied from a table, from the caller or from another data set; their hash. */
#include "data/dataset.h"

#include "base/sha.h"
#include "base/size.h"
#include "data/labels.h"
#include "base/words.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kept_words {
    pthread_mutex_t asking;
    arena memory;
};

/* A data set that grows; the labels become numbers when all are there. */
typedef struct dataset_builder {
    bert_dataset *d;
    arena labels;    /* their bytes, until each different one is kept once */
    size_t capacity; /* rows that the arrays have room for */
} dataset_builder;

const char *dataset_place(const bert_dataset *d, size_t i, char out[DATASET_PLACE])
{
    snprintf(out, DATASET_PLACE, "%s%s%zu", d->name ? d->name : "row", d->name ? ":" : " ", d->lines[i]);
    return out;
}

const char *dataset_word_place(const bert_dataset *d, size_t i, size_t k, char out[DATASET_PLACE])
{
    if (!d->word_lines)
        return dataset_place(d, i, out);
    snprintf(out, DATASET_PLACE, "%s:%zu", d->name, d->lines[i] + k);
    return out;
}

/* ---- rows ---- */

static bool builder_reserve(dataset_builder *b, size_t more, bool with_pairs)
{
    bert_dataset *d = b->d;
    size_t need = d->n + more, capacity = b->capacity ? b->capacity : more; /* no overflow: rows are below 2^32 */
    while (capacity < need)
        capacity *= 2;
    if (capacity == b->capacity)
        return true;
    bool fine = true;
    d->texts = array_sized(d->texts, capacity, sizeof *d->texts, &fine);
    d->lines = array_sized(d->lines, capacity, sizeof *d->lines, &fine);
    d->label = array_sized(d->label, capacity, sizeof *d->label, &fine);
    d->label_texts = array_sized(d->label_texts, capacity, sizeof *d->label_texts, &fine);
    if (with_pairs)
        d->pairs = array_sized(d->pairs, capacity, sizeof *d->pairs, &fine);
    b->capacity = fine ? capacity : b->capacity;
    return fine;
}

/* Copies n texts, their bytes one behind the other. */
static bool copy_texts(arena *memory, bert_text *to, const bert_text *from, size_t n)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++)
        if (!add_size(total, from[i].size, &total))
            return false;
    char *at = arena_alloc_raw(memory, total);
    for (size_t i = 0; at && i < n; i++) {
        if (from[i].size)
            memcpy(at, from[i].data, from[i].size);
        to[i] = (bert_text){ at, from[i].size };
        at += from[i].size;
    }
    return at;
}

/* rows->lines may be NULL: the rows are numbered from 0. */
static bert_status append(dataset_builder *b, const bert_rows *rows, bert_err *err)
{
    bert_dataset *d = b->d;
    if (rows->n > UINT32_MAX - d->n)
        return fail(err, BERT_ERR_DATA, "%s: more than %u rows", d->name ? d->name : "data set", UINT32_MAX);
    if (!builder_reserve(b, rows->n, rows->pairs) || !copy_texts(&d->memory, d->texts + d->n, rows->texts, rows->n) ||
        (rows->pairs && !copy_texts(&d->memory, d->pairs + d->n, rows->pairs, rows->n)) ||
        !copy_texts(&b->labels, d->label_texts + d->n, rows->labels, rows->n))
        return fail_memory(err, d->name ? d->name : "a data set");
    for (size_t i = 0; i < rows->n; i++)
        d->lines[d->n + i] = rows->lines ? rows->lines[i] : d->n + i;
    d->n += rows->n;
    return BERT_OK;
}

/* ---- the whole ---- */

static bool all_empty(const bert_text *texts, size_t n)
{
    size_t i = 0;
    while (i < n && text_blank(texts[i]))
        i++;
    return i == n;
}

/* A column without a single text is most likely the wrong one; a second one that nobody asked for is none. */
static bert_status check_texts(bert_dataset *d, bool pairs_wanted, bert_err *err)
{
    const char *name = d->name ? d->name : "data set";
    if (!d->n)
        return fail(err, BERT_ERR_DATA, "%s: no rows", name);
    if (all_empty(d->texts, d->n))
        return fail(err, BERT_ERR_DATA, "%s: every text is empty", name);
    if (!d->pairs || !all_empty(d->pairs, d->n))
        return BERT_OK;
    if (pairs_wanted)
        return fail(err, BERT_ERR_DATA, "%s: every second text is empty", name);
    free(d->pairs);
    d->pairs = NULL;
    return BERT_OK;
}

/* A row without spans is one whose words are all outside. */
static bert_status fill_tags(dataset_builder *b, bert_err *err)
{
    bert_dataset *d = b->d;
    for (size_t i = 0; d->form == LABELS_SPANS && i < d->n; i++) {
        size_t n = 0, start, end;
        for (size_t at = 0; !d->label_texts[i].size && word_next(d->texts[i], &at, &start, &end);)
            n++;
        if (!n)
            continue;
        char *tags = arena_alloc_raw(&b->labels, 2 * n); /* no overflow: the text is in memory */
        if (!tags)
            return fail_memory(err, d->name);
        for (size_t k = 0; k < n; k++)
            memcpy(tags + 2 * k, "O ", 2);
        d->label_texts[i] = (bert_text){ tags, 2 * n - 1 };
    }
    return BERT_OK;
}

static bert_status keep_notes(bert_dataset *d, bert_table *table, bert_err *err)
{
    while (bert_table_note(table, d->n_notes))
        d->n_notes++;
    d->notes = arena_array(&d->memory, d->n_notes, sizeof *d->notes);
    for (size_t i = 0; d->notes && i < d->n_notes; i++)
        if (!(d->notes[i] = arena_string(&d->memory, bert_table_note(table, i))))
            d->notes = NULL;
    return d->notes ? BERT_OK : fail_memory(err, "notes");
}

static bert_status builder_finish(dataset_builder *b, bool pairs_wanted, bert_err *err)
{
    bert_status s = fill_tags(b, err);
    if (!s)
        s = check_texts(b->d, pairs_wanted, err);
    return s ? s : labels_number(b->d, err);
}

/* ---- data sets ---- */

static bert_status builder_begin(dataset_builder *b, const char *name, bert_err *err)
{
    *b = (dataset_builder){ .d = calloc(1, sizeof *b->d) };
    if (b->d && (b->d->kept = calloc(1, sizeof *b->d->kept)))
        pthread_mutex_init(&b->d->kept->asking, NULL);
    if (!b->d || !b->d->kept ||
        (name && !(b->d->name = arena_string(&b->d->memory, strcmp(name, "-") ? name : "standard input"))))
        return fail_memory(err, name ? name : "a data set");
    return BERT_OK;
}

/* Hands the data set out, or frees it where s says that it failed. */
static bert_status builder_end(dataset_builder *b, bert_status s, bert_dataset **dataset)
{
    if (s) {
        bert_dataset_free(b->d);
        b->d = NULL;
    }
    *dataset = b->d;
    arena_free(&b->labels);
    return s;
}

bert_status bert_dataset_load(const char *path, const bert_table_options *options, bert_dataset **dataset,
                              bert_err *err)
{
    enum { ROWS = 4096 };
    dataset_builder b;
    bert_table *table = NULL;
    bert_rows rows = { .n = 1 };
    bert_status s = builder_begin(&b, path, err);
    if (!s)
        s = bert_table_open(path, options, true, &table, err);
    while (!s && rows.n)
        if (!(s = bert_table_next(table, ROWS, &rows, err)) && rows.n)
            s = append(&b, &rows, err);
    if (!s) {
        table_facts facts = table_facts_of(table);
        b.d->skipped = bert_table_skipped(table);
        b.d->form = facts.form;
        b.d->word_lines = facts.word_lines;
        s = keep_notes(b.d, table, err);
    }
    if (!s && !b.d->n && b.d->skipped)
        s = fail(err, BERT_ERR_DATA, "%s: no rows: all %zu were wrong and left out (--skip-bad-rows); the first: %s",
                 b.d->name, b.d->skipped, table_facts_of(table).skipped_first);
    if (!s)
        s = builder_finish(&b, options && options->text_columns && strchr(options->text_columns, ','), err);
    bert_table_close(table);
    return builder_end(&b, s, dataset);
}

bert_status bert_dataset_create(const bert_text *texts, const bert_text *pairs, const bert_text *labels, size_t n,
                                bert_dataset **dataset, bert_err *err)
{
    *dataset = NULL;
    if (n && (!texts || !labels))
        return fail(err, BERT_ERR_ARGUMENT, "data set: %s are missing", texts ? "labels" : "texts");
    dataset_builder b;
    bert_rows rows = { .n = n, .texts = texts, .pairs = pairs, .labels = labels };
    bert_status s = builder_begin(&b, NULL, err);
    if (!s && n)
        s = append(&b, &rows, err);
    if (!s)
        s = builder_finish(&b, false, err);
    return builder_end(&b, s, dataset);
}

/* out[i] = texts[rows[i]]; NULL where there are none. */
static bert_text *chosen(arena *memory, const bert_text *texts, const uint32_t *rows, size_t n)
{
    bert_text *out = texts ? arena_array(memory, n, sizeof *out) : NULL;
    for (size_t i = 0; out && i < n; i++)
        out[i] = texts[rows[i]];
    return out;
}

bert_status dataset_of_rows(const bert_dataset *d, const uint32_t *rows, size_t n, bert_dataset **dataset,
                            bert_err *err)
{
    dataset_builder b;
    arena memory = { 0 };
    bert_rows part = { .n = n,
                       .texts = chosen(&memory, d->texts, rows, n),
                       .labels = chosen(&memory, d->label_texts, rows, n) };
    part.pairs = chosen(&memory, d->pairs, rows, n);
    size_t *lines = arena_array(&memory, n, sizeof *lines);
    bert_status s = builder_begin(&b, d->name, err);
    if (!s && (!part.texts || !part.labels || !lines || (d->pairs && !part.pairs)))
        s = fail_memory(err, "a part of a data set");
    for (size_t i = 0; !s && i < n; i++)
        lines[i] = d->lines[rows[i]];
    part.lines = lines;
    if (!s)
        s = append(&b, &part, err);
    if (!s) {
        b.d->form = d->form;
        b.d->word_lines = d->word_lines;
        s = labels_number(b.d, err);
    }
    arena_free(&memory);
    return builder_end(&b, s, dataset);
}

size_t dataset_pairs(const bert_dataset *d)
{
    size_t n = 0;
    for (size_t i = 0; d->pairs && i < d->n; i++)
        n += !text_blank(d->pairs[i]);
    return n;
}

void bert_dataset_free(bert_dataset *d)
{
    if (!d)
        return;
    free(d->texts);
    free(d->pairs);
    free(d->lines);
    free(d->label_texts);
    free(d->label);
    arena_free(&d->memory);
    if (d->kept) {
        arena_free(&d->kept->memory);
        pthread_mutex_destroy(&d->kept->asking);
    }
    free(d->kept);
    free(d);
}

const char *const *dataset_keep_words(const bert_dataset *d, const bert_text *words, size_t n)
{
    kept_words *kept = d->kept;
    pthread_mutex_lock(&kept->asking);
    const char **copies = arena_array(&kept->memory, n, sizeof *copies);
    for (size_t i = 0; copies && i < n; i++)
        if (!(copies[i] = arena_copy(&kept->memory, words[i].data, words[i].size)))
            copies = NULL;
    pthread_mutex_unlock(&kept->asking);
    return copies;
}

size_t bert_dataset_size(const bert_dataset *d)
{
    return d->n;
}

size_t bert_dataset_skipped(const bert_dataset *d)
{
    return d->skipped;
}

const char *bert_dataset_note(const bert_dataset *d, size_t i)
{
    return i < d->n_notes ? d->notes[i] : NULL;
}

size_t bert_dataset_labels(const bert_dataset *d, const char *const **labels)
{
    if (labels)
        *labels = d->labels;
    return d->n_labels;
}

/* ---- hash ---- */

static void hash_one_text(sha *h, bert_text text)
{
    uint64_t size = text.size; /* little-endian, as the machines that libbert runs on */
    sha_add(h, &size, sizeof size);
    sha_add(h, text.data, text.size);
}

void dataset_hash(const bert_dataset *d, unsigned char hash[32])
{
    sha h;
    sha256_begin(&h);
    for (size_t i = 0; i < d->n; i++) {
        hash_one_text(&h, d->texts[i]);
        hash_one_text(&h, dataset_pair(d, i));
        hash_one_text(&h, d->label_texts[i]);
    }
    sha_end(&h, hash);
}

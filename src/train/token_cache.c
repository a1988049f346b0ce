/* The file is a header and the arrays of token_rows behind it, in their order, each beginning at a multiple of eight
 * bytes. What is read is mapped; a checksum tells damage, and every number that is later an index is held to its
 * bounds. */
#include "train/token_cache.h"

#include "base/checksum.h"
#include "base/sha.h"
#include "base/size.h"
#include "formats/json.h"
#include "modules/tokenizer_info.h"
#include "text/token_pipeline.h"
#include "text/tokenizer.h"
#include "base/words.h"

#include <stdlib.h>
#include <string.h>

enum { N_ARRAYS = 4 };

typedef struct header {
    char magic[8];
    unsigned char key[32];
    uint64_t form, rows, tokens, longest, truncated, dropped;
    uint64_t crc; /* of all that stands behind the header */
} header;

static const char TOKEN_CACHE_MAGIC[8] = "BERTTOK1";

/* What a pipeline has beside its tokens. */
static void pipeline_hash(const bert_tokenizer *t, sha *h)
{
    bert_text rules = pipeline_rules(t->pipeline);
    size_t n_merges;
    const uint32_t *merges = pipeline_merges(t->pipeline, &n_merges);
    const double *scores = pipeline_scores(t->pipeline);
    sha_add(h, rules.data, rules.size);
    sha_add(h, merges, 2 * n_merges * sizeof *merges);
    if (scores)
        sha_add(h, scores, t->vocabulary.n * sizeof *scores);
}

/* Everything that decides what tokens a text has. */
static bert_status add_tokenizer(sha *h, const bert_tokenizer *tokenizer, bert_err *err)
{
    json_t *info = tokenizer_to_json(tokenizer);
    char *rules = info ? json_compact(info) : NULL;
    json_decref(info);
    if (!rules)
        return fail_memory(err, "a hash");
    sha_add(h, rules, strlen(rules));
    free(rules);
    if (tokenizer->pipeline)
        pipeline_hash(tokenizer, h);
    for (size_t i = 0; i < bert_tokenizer_size(tokenizer); i++) {
        size_t n;
        const char *token = bert_tokenizer_token(tokenizer, (int32_t)i, &n);
        uint64_t size = n;
        sha_add(h, &size, sizeof size);
        sha_add(h, token, n);
    }
    return BERT_OK;
}

bert_status token_key(const unsigned char data[32], const bert_tokenizer *tokenizer, size_t seq_len, row_form form,
                      unsigned char key[32], bert_err *err)
{
    sha h;
    uint64_t numbers[] = { seq_len, form, bert_tokenizer_size(tokenizer), tokenizer->rows };
    sha256_begin(&h);
    sha_add(&h, data, 32);
    sha_add(&h, numbers, sizeof numbers);
    bert_status s = add_tokenizer(&h, tokenizer, err);
    sha_end(&h, key);
    return s;
}

/* ---- layout ------------------------------------------------------------------------------------------------------ */

/* One array: its bytes, and where it begins. */
typedef struct array_place {
    size_t at, size;
} array_place;

/* The arrays of so many rows and tokens; the end of the file, or 0 where that does not fit. */
static size_t lay_out(uint64_t rows, uint64_t tokens, bool words, array_place places[N_ARRAYS])
{
    size_t count, end = sizeof(header);
    if (rows > SIZE_MAX / 64 || tokens > SIZE_MAX / 64)
        return 0;
    const struct {
        size_t n, size;
    } arrays[N_ARRAYS] = { { rows + 1, sizeof(size_t) },
                           { rows, sizeof(uint32_t) },
                           { tokens, sizeof(int32_t) },
                           { words ? tokens : 0, sizeof(int32_t) } };
    for (int i = 0; i < N_ARRAYS; i++) {
        if (!mul_size(arrays[i].n, arrays[i].size, &count))
            return 0;
        places[i] = (array_place){ end, count };
        if (!add_size(end, (count + 7) & ~(size_t)7, &end))
            return 0;
    }
    return end;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static size_t count_words(bert_text text)
{
    size_t n = 0, at = 0, start, end;
    while (word_next(text, &at, &start, &end))
        n++;
    return n;
}

static bool words_are_sound(const token_rows *t, const bert_dataset *d)
{
    for (size_t i = 0; i < t->n; i++) {
        int64_t n = (int64_t)count_words(d->texts[i]), last = -1;
        for (size_t k = t->start[i]; k < t->start[i + 1]; k++) {
            if (t->words[k] == -1)
                continue;
            if (t->words[k] <= last || t->words[k] >= n)
                return false;
            last = t->words[k];
        }
    }
    return true;
}

/* A sequence has its special tokens, and no more than it was cut to: there are no positions for them. */
static bool length_is_sound(size_t n, const bert_tokenizer *tokenizer, size_t seq_len)
{
    return n >= special_count(tokenizer->specials, false) && n <= seq_len;
}

static bool row_is_sound(const token_rows *t, size_t row, const bert_tokenizer *k, size_t seq_len)
{
    size_t n = token_rows_length(t, row), second = t->second[row];
    if (t->form == ROW_APART)
        return second <= n && length_is_sound(second, k, seq_len) && length_is_sound(n - second, k, seq_len);
    return length_is_sound(n, k, seq_len) && second >= 1 && second <= n;
}

/* Indices are what later code trusts. */
static bool rows_are_sound(const token_rows *t, const bert_dataset *d, const bert_tokenizer *k, size_t seq_len)
{
    size_t longest = 0, n_ids = bert_tokenizer_size(k) < k->rows ? bert_tokenizer_size(k) : k->rows;
    for (size_t i = 0; i < t->n; i++) {
        if (t->start[i + 1] < t->start[i] || !row_is_sound(t, i, k, seq_len))
            return false;
        longest = token_rows_length(t, i) > longest ? token_rows_length(t, i) : longest;
    }
    bool sound = longest == t->longest && t->losses.truncated <= t->n && (!t->words || words_are_sound(t, d));
    for (size_t i = 0; i < t->start[t->n]; i++)
        sound &= t->ids[i] >= 0 && (size_t)t->ids[i] < n_ids;
    return sound;
}

/* Points rows into the mapped file. False where it is damaged; where it is of something else, *other. */
static bool read_cached_tokens(cached_tokens *t, const unsigned char key[32], row_form form, const bert_dataset *d,
                               const bert_tokenizer *tokenizer, size_t seq_len, bool *other)
{
    header h;
    array_place p[N_ARRAYS];
    *other = false;
    if (t->file.size < sizeof h)
        return false;
    memcpy(&h, t->file.data, sizeof h);
    if (memcmp(h.magic, TOKEN_CACHE_MAGIC, sizeof TOKEN_CACHE_MAGIC))
        return false;
    if (memcmp(h.key, key, sizeof h.key) || h.form != form || h.rows != d->n)
        return *other = true, false;
    size_t end = lay_out(h.rows, h.tokens, form == ROW_WORDS, p);
    if (end != t->file.size || crc32c(0, t->file.data + sizeof h, end - sizeof h) != h.crc)
        return false;
    const unsigned char *base = t->file.data;
    t->rows = (token_rows){ .form = form,
                            .n = d->n,
                            .start = (const size_t *)(const void *)(base + p[0].at),
                            .second = (const uint32_t *)(const void *)(base + p[1].at),
                            .ids = (const int32_t *)(const void *)(base + p[2].at),
                            .words = form == ROW_WORDS ? (const int32_t *)(const void *)(base + p[3].at) : NULL,
                            .one_segment = !tokenizer->specials->second_segment,
                            .longest = (size_t)h.longest,
                            .losses = { (size_t)h.truncated, (size_t)h.dropped } };
    return t->rows.start[0] == 0 && t->rows.start[d->n] == h.tokens && rows_are_sound(&t->rows, d, tokenizer, seq_len);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* A disk without room is no error: *note says so. */
static bert_status write_cached_tokens(const token_rows *t, const unsigned char key[32], const char *path,
                                       const char **note, bert_err *err)
{
    static const char ZEROS[8];
    array_place p[N_ARRAYS];
    const void *arrays[N_ARRAYS] = { t->start, t->second, t->ids, t->words };
    header h = { .form = t->form,
                 .rows = t->n,
                 .tokens = t->start[t->n],
                 .longest = t->longest,
                 .truncated = t->losses.truncated,
                 .dropped = t->losses.dropped };
    memcpy(h.magic, TOKEN_CACHE_MAGIC, sizeof TOKEN_CACHE_MAGIC);
    memcpy(h.key, key, sizeof h.key);
    lay_out(h.rows, h.tokens, t->form == ROW_WORDS, p);
    uint32_t crc = 0;
    for (int i = 0; i < N_ARRAYS; i++) {
        crc = p[i].size ? crc32c(crc, arrays[i], p[i].size) : crc;
        crc = crc32c(crc, ZEROS, -p[i].size & 7);
    }
    h.crc = crc;
    file_writer w;
    bert_status s = file_create(&w, path, err);
    if (s)
        return s;
    file_write(&w, &h, sizeof h);
    for (int i = 0; i < N_ARRAYS; i++) {
        file_write(&w, arrays[i], p[i].size);
        file_write(&w, ZEROS, -p[i].size & 7);
    }
    if (file_commit(&w, NULL))
        *note = "the file of tokens cannot be written whole: they stay in memory";
    return BERT_OK;
}

/* ---- tokens, from the cache or made ------------------------------------------------------------------------------ */

bert_status cached_tokens_create(cached_tokens *t, const bert_dataset *d, const bert_tokenizer *tokenizer,
                                 size_t seq_len, row_form form, const unsigned char key[32], const char *path,
                                 const char **note, bert_err *err)
{
    bool other = false;
    *t = (cached_tokens){ 0 };
    if (path && file_exists(path)) {
        bert_status s = file_map(&t->file, path, err);
        if (s)
            return s;
        if (read_cached_tokens(t, key, form, d, tokenizer, seq_len, &other))
            return BERT_OK;
        *note = other ? "the file of tokens is of other data, another vocabulary or another seq_len: it is made anew"
                      : "the file of tokens is damaged: it is made anew";
        file_unmap(&t->file);
        t->rows = (token_rows){ 0 };
    }
    bert_status s = token_rows_create(&t->rows, d, tokenizer, seq_len, form, err);
    return s || !path ? s : write_cached_tokens(&t->rows, key, path, note, err);
}

void cached_tokens_free(cached_tokens *t)
{
    file_unmap(&t->file);
    token_rows_free(&t->rows);
    *t = (cached_tokens){ 0 };
}

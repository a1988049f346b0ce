/* A text is cut at the added tokens that stand in it as they are; each section is normalized, cut at those of the
 * normal form, split into pieces; words that a thread has seen lately are taken from its cache. */
#include "text/token_pipeline.h"

#include "base/size.h"
#include "base/utf8.h"
#include "text/post_processor.h"
#include "text/tokens.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct component_pipeline {
    component_list normalizers, pretokenizers;
    piece_model model;
    offset_trim trim;
    special_template specials;
    bool needs_places;
    uint64_t serial; /* no other tokenizer of the process has it */
    bert_text rules;
    uint32_t *merges; /* (n_merges, 2) as they came */
    size_t n_merges;
};

/* ---- the cache of words ------------------------------------------------------------------------------------------ */

enum { CACHE_BITS = 14, CACHED_BYTES = 26, CACHED_TOKENS = 8 };

/* A piece and its tokens. 80 bytes. */
typedef struct cached_word {
    uint32_t hash;
    uint8_t size, n; /* size 0: empty */
    unsigned char bytes[CACHED_BYTES];
    int32_t ids[CACHED_TOKENS];
    uint8_t start[CACHED_TOKENS], end[CACHED_TOKENS];
} cached_word;

struct pipeline_scratch {
    text_work text;
    model_work model;
    cached_word *words; /* (1 << CACHE_BITS) of the pipeline with this serial */
    uint64_t serial;
    uint32_t *characters; /* (size + 1) how many begin before each byte of the text */
    size_t characters_capacity;
};

void pipeline_work_free(pipeline_scratch *w)
{
    if (w) {
        text_work_free(&w->text);
        model_work_free(&w->model);
        free(w->words);
        free(w->characters);
    }
    free(w);
}

static inline uint64_t load_tail(const unsigned char *bytes, size_t n)
{
    uint64_t value = 0;
    memcpy(&value, bytes, n);
    return value;
}

static inline uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 32;
}

/* Of 1 to 26 bytes. */
static inline uint64_t hash_word(const unsigned char *bytes, size_t n)
{
    uint64_t hash = n;
    for (; n > 8; n -= 8, bytes += 8)
        hash = mix(hash, load_le64(bytes));
    return mix(hash, load_tail(bytes, n)) * 0xD6E8FEB86659FD93u;
}

/* The place of a word in the cache; NULL: it is too long for it. */
static inline cached_word *cache_place(pipeline_scratch *w, const unsigned char *bytes, size_t n, uint32_t *hash)
{
    if (n > CACHED_BYTES)
        return NULL;
    uint64_t h = hash_word(bytes, n);
    *hash = (uint32_t)h;
    return &w->words[h >> (64 - CACHE_BITS)];
}

static void cache_put(cached_word *c, uint32_t hash, const unsigned char *bytes, size_t n, const model_work *m)
{
    if (m->n > CACHED_TOKENS)
        return;
    c->hash = hash;
    c->size = (uint8_t)n;
    c->n = (uint8_t)m->n;
    memcpy(c->bytes, bytes, n);
    for (size_t i = 0; i < m->n; i++) {
        c->ids[i] = m->tokens[i].id;
        c->start[i] = (uint8_t)size_least(m->tokens[i].start, n);
        c->end[i] = (uint8_t)size_least(m->tokens[i].end, n);
    }
}

/* ---- making ------------------------------------------------------------------------------------------------------ */

static bert_status read_components(component_pipeline *p, json_t *json, component_reader *r)
{
    size_t n;
    const component_kind *kinds = normalizer_kinds(&n);
    bert_status s = components_read(&p->normalizers, json_object_get(json, "normalizer"), "normalizer", "normalizers",
                                    kinds, n, r);
    kinds = pretokenizer_kinds(&n);
    if (!s)
        s = components_read(&p->pretokenizers, json_object_get(json, "pre_tokenizer"), "pre_tokenizer", "pretokenizers",
                            kinds, n, r);
    for (size_t i = 0; !s && i < p->pretokenizers.n; i++) {
        p->needs_places |= component_needs_places(&p->pretokenizers.items[i]);
        if (component_makes_bytes(&p->pretokenizers.items[i]) && i + 1 < p->pretokenizers.n)
            s = fail(r->err, BERT_ERR_UNSUPPORTED, "%s: pre_tokenizer ByteLevel before another is not known to libbert",
                     r->where);
    }
    return s;
}

static bool ends_in_bytes(const component_pipeline *p)
{
    const component_list *l = &p->pretokenizers;
    return l->n && component_makes_bytes(&l->items[l->n - 1]);
}

static bert_status pipeline_read(component_pipeline *p, bert_tokenizer *t, json_t *json,
                                 const packed_vocabulary *packed, component_reader *r)
{
    bert_status s = read_components(p, json, r);
    if (!s)
        s = piece_model_read(&p->model, json_object_get(json, "model"), packed, &t->vocabulary, ends_in_bytes(p), r);
    return s ? s : post_processor_read(json_object_get(json, "post_processor"), t, &p->specials, &p->trim, r);
}

bert_status pipeline_create(bert_tokenizer *t, const packed_vocabulary *packed, const char *where, bert_err *err)
{
    static atomic_uint_fast64_t made; /* tokenizers so far: what a thread's cache of words knows its own by */
    component_pipeline *p = arena_alloc(&t->memory, sizeof *p);
    json_t *json = NULL;
    component_reader r = { &t->memory, where, err };
    if (!p)
        return fail_memory(err, where);
    p->n_merges = packed->n_merges;
    p->merges = arena_array(&t->memory, 2 * p->n_merges, sizeof *p->merges);
    for (size_t i = 0; p->merges && i < 2 * p->n_merges; i++)
        p->merges[i] = packed_merge(packed, i);
    p->serial = atomic_fetch_add(&made, 1) + 1;
    p->rules = (bert_text){ arena_copy(&t->memory, packed->rules.data, packed->rules.size), packed->rules.size };
    t->pipeline = p;
    bert_status s = p->rules.data && p->merges ? json_read_bytes(&json, p->rules.data, p->rules.size, where, err)
                                               : fail_memory(err, where);
    if (!s)
        s = pipeline_read(p, t, json, packed, &r);
    t->specials = &p->specials;
    json_decref(json);
    return s;
}

void pipeline_free(component_pipeline *p)
{
    if (p)
        piece_model_free(&p->model);
}

bert_text pipeline_rules(const component_pipeline *p)
{
    return p->rules;
}

const uint32_t *pipeline_merges(const component_pipeline *p, size_t *n)
{
    *n = p->n_merges;
    return p->merges;
}

const char *pipeline_model_name(const component_pipeline *p)
{
    return p->model.kind->name;
}

bool pipeline_has_merges(const component_pipeline *p)
{
    return p->model.kind == &MODEL_BPE;
}

int32_t pipeline_unknown(const component_pipeline *p)
{
    return p->model.unknown;
}

const double *pipeline_scores(const component_pipeline *p)
{
    return p->model.scores;
}

/* ---- a section --------------------------------------------------------------------------------------------------- */

static void run_all(const component_list *list, text_work *w)
{
    for (size_t i = 0; i < list->n && !w->failed && !w->refused; i++)
        if (list->items[i].run)
            list->items[i].run(&list->items[i], w);
}

bool pipeline_normalize(const component_pipeline *p, bert_text text, text_work *w, bert_text *out)
{
    text_work_begin(w, (const unsigned char *)text.data, 0, text.size, false);
    run_all(&p->normalizers, w);
    *out = (bert_text){ (const char *)w->text.bytes, w->text.size };
    return !w->failed && !w->refused;
}

/* One split of a text. */
typedef struct splitting {
    const bert_tokenizer *tokenizer;
    const component_pipeline *p;
    pipeline_scratch *w;
    bert_text text;
    const split_options *options;
    bert_tokens *out;
    bool places; /* they are filled */
    bool failed;
} splitting;

static bool goes_on(const splitting *s)
{
    return !s->failed && !s->w->text.failed && !s->w->text.refused && !s->w->model.failed && !s->w->model.unknown &&
           s->out->n <= s->options->limit;
}

/* Where the token with bytes [start, end) of a piece stands. */
static inline token_span span_of(const splitting *s, text_piece piece, int32_t id, size_t start, size_t end)
{
    const normal_text *t = &s->w->text.text;
    size_t last = piece.end - 1, from = size_least(piece.start + start, last);
    size_t to = end > start ? size_least(piece.start + end - 1, last) : from;
    token_span span = { .byte_start = t->start[from], .byte_end = t->end[to] };
    if (s->p->trim.trims)
        post_processor_trim(&s->p->trim, s->text, s->tokenizer->vocabulary.tokens[id], !s->out->n, &span);
    return span;
}

static void add_cached(splitting *s, const cached_word *c, text_piece piece)
{
    bert_tokens *out = s->out;
    if (!tokens_reserve(out, CACHED_TOKENS, s->options->spans)) {
        s->failed = true;
        return;
    }
    if (!s->options->spans) {
        memcpy(out->ids + out->n, c->ids, sizeof c->ids);
        out->n += c->n;
        return;
    }
    for (size_t i = 0; i < c->n; i++)
        tokens_add(out, c->ids[i], span_of(s, piece, c->ids[i], c->start[i], c->end[i]), true);
}

static void add_tokens(splitting *s, text_piece piece)
{
    const model_work *m = &s->w->model;
    s->failed |= !tokens_reserve(s->out, m->n, s->options->spans);
    for (size_t i = 0; !s->failed && i < m->n; i++) {
        token_span span = { 0 };
        if (s->options->spans)
            span = span_of(s, piece, m->tokens[i].id, m->tokens[i].start, m->tokens[i].end);
        tokens_add(s->out, m->tokens[i].id, span, s->options->spans);
    }
}

static void split_piece(splitting *s, text_piece piece)
{
    pipeline_scratch *w = s->w;
    const unsigned char *bytes = w->text.text.bytes + piece.start;
    size_t n = piece.end - piece.start;
    uint32_t hash = 0;
    cached_word *c = cache_place(w, bytes, n, &hash);
    if (c && c->hash == hash && c->size == n && !memcmp(c->bytes, bytes, n)) {
        add_cached(s, c, piece);
        return;
    }
    w->model.n = 0;
    s->p->model.kind->run(&s->p->model, bytes, n, &w->model);
    if (w->model.failed || w->model.unknown)
        return;
    if (c)
        cache_put(c, hash, bytes, n, &w->model);
    add_tokens(s, piece);
}

/* The normal text from byte `start` to `end`; it changes, for pre-tokenizers write. */
static void split_part_of_text(splitting *s, size_t start, size_t end)
{
    text_work *w = &s->w->text;
    pieces_begin(w, start, end);
    run_all(&s->p->pretokenizers, w);
    for (size_t i = 0; i < w->n_pieces && goes_on(s); i++)
        split_piece(s, w->pieces[i]);
}

static void add_added(splitting *s, int32_t id, size_t start, size_t end)
{
    token_span span = { .byte_start = (uint32_t)start, .byte_end = (uint32_t)end };
    if (s->p->trim.trims) /* the white space that it takes is part of it */
        post_processor_trim(&s->p->trim, s->text, (bert_text){ s->text.data + start, end - start }, !s->out->n, &span);
    s->failed |= !tokens_append(s->out, id, span, s->options->spans);
}

static void begin_section(splitting *s, size_t begin, size_t end)
{
    text_work_begin(&s->w->text, (const unsigned char *)s->text.data, begin, end, s->places);
    run_all(&s->p->normalizers, &s->w->text);
}

/* A section whose normal form may hold added tokens: found ones are noted first, since what stands between them is
 * normalized again for each part (few texts have any). */
static void split_with_added(splitting *s, size_t begin, size_t end)
{
    const added_set *set = &s->tokenizer->added.normal;
    added_search search = { 0 };
    added_match m = { 0 };
    size_t from = 0;
    const normal_text *t = &s->w->text.text;
    while (goes_on(s) && added_find(set, t->bytes, t->size, &search, &m)) {
        uint32_t first = t->start[m.start], behind = t->end[m.end - 1];
        split_part_of_text(s, from, m.start);
        add_added(s, m.id, first, behind);
        from = m.end;
        begin_section(s, begin, end);
    }
    if (goes_on(s))
        split_part_of_text(s, from, t->size);
}

/* Bytes [begin, end) of the text. */
static void split_section(splitting *s, size_t begin, size_t end)
{
    if (begin >= end || !goes_on(s))
        return;
    const added_set *normal = &s->tokenizer->added.normal;
    s->places = s->options->spans || s->p->needs_places || normal->n;
    begin_section(s, begin, end);
    if (!goes_on(s))
        return;
    s->out->dropped += s->w->text.dropped;
    if (normal->n)
        split_with_added(s, begin, end);
    else
        split_part_of_text(s, 0, s->w->text.text.size);
}

/* ---- places in characters ---------------------------------------------------------------------------------------- */

/* How many characters begin before each byte. */
static bool count_places(splitting *s)
{
    pipeline_scratch *w = s->w;
    const unsigned char *bytes = (const unsigned char *)s->text.data;
    size_t size = s->text.size, length;
    bool fine = ARRAY_HOLDS(w->characters, w->characters_capacity, size + 1);
    uint32_t n = 0, cp;
    for (size_t at = 0; fine && at < size; at += length ? length : 1, n += length > 0) {
        length = utf8_decode(bytes + at, size - at, &cp);
        w->characters[at] = n;
        for (size_t k = 1; k < length; k++)
            w->characters[at + k] = n + 1;
    }
    if (fine)
        w->characters[size] = n;
    return fine;
}

static void fill_characters(splitting *s)
{
    bert_tokens *out = s->out;
    bool ascii = true;
    for (size_t i = 0; ascii && i < s->text.size; i++)
        ascii = (unsigned char)s->text.data[i] < 128;
    s->failed |= !ascii && !count_places(s);
    for (size_t i = 0; !s->failed && i < out->n; i++) {
        out->char_start[i] = ascii ? out->byte_start[i] : s->w->characters[out->byte_start[i]];
        out->char_end[i] = ascii ? out->byte_end[i] : s->w->characters[out->byte_end[i]];
    }
}

/* ------------------------------------------------------------------------------------------------------------------ */

static bert_status begin_splitting(splitting *s, bert_err *err)
{
    tokens_scratch *scratch = tokens_scratch_of(s->out);
    if (scratch && !scratch->pipeline)
        scratch->pipeline = calloc(1, sizeof *scratch->pipeline);
    s->w = scratch ? scratch->pipeline : NULL;
    if (s->w && !s->w->words)
        s->w->words = calloc((size_t)1 << CACHE_BITS, sizeof *s->w->words);
    if (!s->w || !s->w->words)
        return fail_memory(err, "the tokens of a text");
    if (s->w->serial != s->p->serial)
        memset(s->w->words, 0, sizeof *s->w->words << CACHE_BITS);
    s->w->serial = s->p->serial;
    s->w->model.failed = s->w->model.unknown = s->w->text.failed = s->w->text.refused = false;
    return BERT_OK;
}

bert_status pipeline_split(const bert_tokenizer *t, bert_text text, const split_options *options, bert_tokens *out,
                           bert_err *err)
{
    splitting s = { .tokenizer = t, .p = t->pipeline, .text = text, .options = options, .out = out };
    bert_status status = begin_splitting(&s, err);
    if (status)
        return status;
    added_search search = { 0 };
    added_match m;
    size_t at = 0;
    while (t->added.raw.n && goes_on(&s) &&
           added_find(&t->added.raw, (const unsigned char *)text.data, text.size, &search, &m)) {
        split_section(&s, at, m.start);
        if (goes_on(&s))
            add_added(&s, m.id, m.start, m.end);
        at = m.end;
    }
    split_section(&s, at, text.size);
    if (options->spans && !s.failed)
        fill_characters(&s);
    if (s.failed || s.w->text.failed || s.w->model.failed)
        return fail_memory(err, "the tokens of a text");
    if (s.w->text.refused)
        return fail(err, BERT_ERR_DATA, "a text on which a pattern of the tokenizer takes too many steps");
    if (s.w->model.unknown)
        return fail(err, BERT_ERR_DATA,
                    "a text with a character that the tokenizer has no token for, nor one for the unknown");
    return BERT_OK;
}

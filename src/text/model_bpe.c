/* Byte pair encoding (Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units", 2016): of a
 * word's symbols the two whose merge was learned first become one, until none can, the leftmost of equal ones first.
 * As in `tokenizers`. Short words search their pairs one by one; long ones keep a heap. */
#include "text/piece_model.h"

#include "base/size.h"
#include "base/utf8.h"
#include "text/byte_words.h"

#include <stdlib.h>
#include <string.h>

enum { SHORT_WORD = 40 };

/* ---- merges ------------------------------------------------------------------------------------------------------ */

static inline size_t merge_place(const piece_model *m, uint64_t pair)
{
    return (size_t)(pair * 0x9E3779B97F4A7C15u >> m->merge_shift);
}

static inline const merge_entry *merge_of(const piece_model *m, int32_t left, int32_t right)
{
    uint64_t pair = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
    size_t mask = ((size_t)1 << (64 - m->merge_shift)) - 1;
    for (size_t i = merge_place(m, pair);; i = (i + 1) & mask) {
        const merge_entry *e = &m->merges[i];
        if (e->pair == pair)
            return e;
        if (e->pair == UINT64_MAX)
            return NULL;
    }
}

static void merge_put(piece_model *m, uint64_t pair, uint32_t rank, int32_t id)
{
    size_t mask = ((size_t)1 << (64 - m->merge_shift)) - 1, i = merge_place(m, pair);
    while (m->merges[i].pair != UINT64_MAX && m->merges[i].pair != pair)
        i = (i + 1) & mask;
    m->merges[i] = (merge_entry){ pair, rank, id };
}

static bert_status read_merges(component_reader *r, const packed_vocabulary *packed, piece_model *m)
{
    const vocabulary *v = m->vocabulary;
    size_t places = 256;
    m->merge_shift = 64 - 8;
    while (places < 2 * packed->n_merges)
        places *= 2, m->merge_shift--;
    if (!(m->merges = malloc(places * sizeof *m->merges)))
        return fail_memory(r->err, r->where);
    memset(m->merges, 0xFF, places * sizeof *m->merges);
    for (size_t i = 0; i < packed->n_merges; i++) {
        uint32_t left = packed_merge(packed, 2 * i), right = packed_merge(packed, 2 * i + 1);
        if (left >= v->n || right >= v->n)
            return fail(r->err, BERT_ERR_FORMAT, "%s: merge %zu is of tokens that are not there", r->where, i);
        bert_text a = v->tokens[left], b = v->tokens[right];
        size_t skip = m->prefix.size;
        int32_t id = b.size < skip ? -1
                                   : vocabulary_id_within(v, a, (const unsigned char *)b.data + skip, b.size - skip,
                                                          (bert_text){ "", 0 });
        if (id < 0)
            return fail(r->err, BERT_ERR_FORMAT, "%s: merge %zu, \"%.100s %.100s\": the vocabulary has no token for it",
                        r->where, i, a.data, b.data);
        merge_put(m, (uint64_t)left << 32 | right, (uint32_t)i, id);
    }
    return BERT_OK;
}

static void byte_level_tokens(piece_model *m)
{
    for (int i = 0; i < 256; i++) {
        unsigned char bytes[4];
        size_t n = utf8_encode(byte_character((unsigned char)i), bytes);
        m->bytes[i] = vocabulary_id(m->vocabulary, (const char *)bytes, n);
    }
}

static bert_status optional_text(component_reader *r, json_t *json, const char *key, bert_text *text)
{
    return json_object_get(json, key) && !json_is_null(json_object_get(json, key)) ? component_text(r, json, key, text)
                                                                                   : BERT_OK;
}

static bert_status read_bpe(component_reader *r, json_t *json, const packed_vocabulary *packed, piece_model *m)
{
    double dropout = 0;
    bert_status s = model_unknown(r, json, m);
    if (!s)
        s = json_get_real_or(json, "dropout", 0, 1, 0, &dropout, r->where, r->err);
    if (!s && dropout > 0)
        s = fail(r->err, BERT_ERR_UNSUPPORTED, "%s: BPE with dropout gives other tokens each time: not in libbert",
                 r->where);
    if (!s)
        s = optional_text(r, json, "continuing_subword_prefix", &m->prefix);
    if (!s)
        s = optional_text(r, json, "end_of_word_suffix", &m->suffix);
    if (!s)
        s = json_get_bool_or(json, "fuse_unk", false, &m->fuses_unknown, r->where, r->err);
    if (!s)
        s = json_get_bool_or(json, "byte_fallback", false, &m->byte_fallback, r->where, r->err);
    if (!s)
        s = json_get_bool_or(json, "ignore_merges", false, &m->whole_words, r->where, r->err);
    if (!s && m->by_bytes && (m->prefix.size || m->suffix.size || m->byte_fallback))
        s = fail(r->err, BERT_ERR_UNSUPPORTED,
                 "%s: BPE behind ByteLevel with a prefix, a suffix or byte_fallback is not known to libbert", r->where);
    if (s)
        return s;
    if (m->by_bytes)
        byte_level_tokens(m);
    else
        model_byte_tokens(m);
    return read_merges(r, packed, m);
}

/* ---- symbols ----------------------------------------------------------------------------------------------------- */

static void symbol_add(model_work *w, size_t *n, int32_t id, size_t start, size_t size)
{
    if (ARRAY_HOLDS(w->symbols, w->symbols_capacity, *n + 1))
        w->symbols[(*n)++] = (word_symbol){ .id = id, .start = (uint32_t)start, .size = (uint32_t)size };
    else
        w->failed = true;
}

/* The bytes of an unknown symbol, with what is put to it, as tokens of their own; false: one has none. */
static bool add_bytes(const piece_model *m, bert_text before, const unsigned char *bytes, size_t size, bert_text behind,
                      model_work *w, size_t *n, size_t *place)
{
    const bert_text parts[] = { before, { (const char *)bytes, size }, behind };
    for (int p = 0; p < 3; p++)
        for (size_t i = 0; i < parts[p].size; i++)
            if (m->bytes[(unsigned char)parts[p].data[i]] < 0)
                return false;
    for (int p = 0; p < 3; p++)
        for (size_t i = 0; i < parts[p].size; i++)
            symbol_add(w, n, m->bytes[(unsigned char)parts[p].data[i]], (*place)++, 1);
    return true;
}

/* The symbols that a word begins with. Places are counted by the sizes of those before: what the vocabulary has not,
 * and nothing stands for, is dropped and counts for nothing; an unknown one comes behind the bytes of those that
 * follow. */
static size_t word_symbols(const piece_model *m, const unsigned char *bytes, size_t n, model_work *w)
{
    size_t count = 0, place = 0, unknown = 0; /* unknown: the size of what is unknown so far */
    for (size_t at = 0, size; at < n && !w->failed; at += size) {
        size = m->by_bytes ? 1 : character_size(bytes[at]);
        bert_text before = at ? m->prefix : (bert_text){ "", 0 },
                  behind = at + size == n ? m->suffix : (bert_text){ "", 0 };
        int32_t id = m->by_bytes ? m->bytes[bytes[at]]
                                 : vocabulary_id_within(m->vocabulary, before, bytes + at, size, behind);
        if (id < 0 && m->byte_fallback && add_bytes(m, before, bytes + at, size, behind, w, &count, &place))
            continue;
        if (id < 0 && m->unknown < 0)
            continue;
        if (unknown && (id >= 0 || !m->fuses_unknown)) {
            symbol_add(w, &count, m->unknown, place, unknown);
            place += unknown;
            unknown = 0;
        }
        if (id < 0) {
            unknown += size;
            continue;
        }
        symbol_add(w, &count, id, place, size);
        place += size;
    }
    if (unknown)
        symbol_add(w, &count, m->unknown, place, unknown);
    return w->failed ? 0 : count;
}

/* ---- merging ----------------------------------------------------------------------------------------------------- */

/* symbols[0 .. n) merged in place; returns how many are left. */
static size_t merge_short(const piece_model *m, word_symbol *s, size_t n)
{
    const merge_entry *merges[SHORT_WORD];
    for (size_t i = 0; i + 1 < n; i++)
        merges[i] = merge_of(m, s[i].id, s[i + 1].id);
    while (n > 1) {
        size_t best = n;
        uint32_t rank = UINT32_MAX;
        for (size_t i = 0; i + 1 < n; i++)
            if (merges[i] && merges[i]->rank < rank) {
                rank = merges[i]->rank;
                best = i;
            }
        if (best == n)
            break;
        s[best].id = merges[best]->id;
        s[best].size += s[best + 1].size;
        n--;
        memmove(&s[best + 1], &s[best + 2], (n - best - 1) * sizeof *s);
        memmove(&merges[best], &merges[best + 1], (n - best - 1) * sizeof *merges);
        if (best + 1 < n)
            merges[best] = merge_of(m, s[best].id, s[best + 1].id);
        if (best)
            merges[best - 1] = merge_of(m, s[best - 1].id, s[best].id);
    }
    return n;
}

static bool sooner(const merge_candidate *a, const merge_candidate *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

static void heap_push(model_work *w, size_t *n, merge_candidate c)
{
    if (!ARRAY_HOLDS(w->heap, w->heap_capacity, *n + 1)) {
        w->failed = true;
        return;
    }
    size_t i = (*n)++;
    for (; i && sooner(&c, &w->heap[(i - 1) / 2]); i = (i - 1) / 2)
        w->heap[i] = w->heap[(i - 1) / 2];
    w->heap[i] = c;
}

static merge_candidate heap_pop(model_work *w, size_t *n)
{
    merge_candidate top = w->heap[0], last = w->heap[--*n];
    size_t i = 0;
    for (size_t child = 1; child < *n; child = 2 * i + 1) {
        child += child + 1 < *n && sooner(&w->heap[child + 1], &w->heap[child]);
        if (!sooner(&w->heap[child], &last))
            break;
        w->heap[i] = w->heap[child];
        i = child;
    }
    if (*n)
        w->heap[i] = last;
    return top;
}

static void offer_merge(const piece_model *m, model_work *w, size_t *heap, int32_t at)
{
    if (at < 0 || w->symbols[at].behind < 0)
        return;
    const merge_entry *e = merge_of(m, w->symbols[at].id, w->symbols[w->symbols[at].behind].id);
    if (e)
        heap_push(w, heap, (merge_candidate){ e->rank, (uint32_t)at, e->id });
}

static size_t merge_long(const piece_model *m, model_work *w, size_t n)
{
    word_symbol *s = w->symbols;
    size_t heap = 0, kept = 0;
    for (size_t i = 0; i < n; i++) {
        s[i].before = (int32_t)i - 1;
        s[i].behind = i + 1 < n ? (int32_t)i + 1 : -1;
    }
    for (size_t i = 0; i + 1 < n && !w->failed; i++)
        offer_merge(m, w, &heap, (int32_t)i);
    while (heap && !w->failed) {
        merge_candidate c = heap_pop(w, &heap);
        word_symbol *left = &s[c.at];
        if (!left->size || left->behind < 0)
            continue;
        word_symbol *right = &s[left->behind];
        const merge_entry *e = merge_of(m, left->id, right->id);
        if (!e || e->id != c.id) /* one of them has merged with another since */
            continue;
        left->id = c.id;
        left->size += right->size;
        left->behind = right->behind;
        right->size = 0;
        if (left->behind >= 0)
            s[left->behind].before = (int32_t)c.at;
        offer_merge(m, w, &heap, left->before);
        offer_merge(m, w, &heap, (int32_t)c.at);
    }
    for (size_t i = 0; i < n; i++)
        if (s[i].size)
            s[kept++] = s[i];
    return kept;
}

/* The word as a token of the vocabulary; -1: it is none. */
static int32_t whole_word(const piece_model *m, const unsigned char *bytes, size_t n)
{
    const trie *pieces = &m->vocabulary->trie;
    int32_t node = TRIE_ROOT;
    if (!m->by_bytes)
        return vocabulary_id(m->vocabulary, (const char *)bytes, n);
    for (size_t i = 0; i < n && node >= 0; i++) {
        unsigned char written[4];
        node = trie_walk(pieces, node, written, utf8_encode(byte_character(bytes[i]), written));
    }
    return node < 0 ? -1 : pieces->nodes[node].id;
}

static void run_bpe(const piece_model *m, const unsigned char *bytes, size_t n, model_work *w)
{
    int32_t whole = m->whole_words ? whole_word(m, bytes, n) : -1;
    if (whole >= 0) {
        piece_token_add(w, whole, 0, n);
        return;
    }
    size_t count = word_symbols(m, bytes, n, w);
    count = count <= SHORT_WORD ? merge_short(m, w->symbols, count) : merge_long(m, w, count);
    for (size_t i = 0; i < count; i++)
        piece_token_add(w, w->symbols[i].id, w->symbols[i].start, w->symbols[i].start + w->symbols[i].size);
}

const piece_model_kind MODEL_BPE = {
    "BPE",
    read_bpe,
    run_bpe,
    { "unk_token", "dropout", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", "byte_fallback",
      "ignore_merges", "vocab", "merges" },
};

/* The kinds of models, and the two that look words up. */
#include "text/piece_model.h"

#include "base/size.h"

#include <stdlib.h>
#include <string.h>

void model_work_free(model_work *w)
{
    free(w->tokens);
    free(w->symbols);
    free(w->heap);
    free(w->ways);
    *w = (model_work){ 0 };
}

void piece_token_add(model_work *w, int32_t id, size_t start, size_t end)
{
    if (ARRAY_HOLDS(w->tokens, w->capacity, w->n + 1))
        w->tokens[w->n++] = (piece_token){ id, (uint32_t)start, (uint32_t)end };
    else
        w->failed = true;
}

int32_t vocabulary_id_within(const vocabulary *v, bert_text before, const unsigned char *bytes, size_t n,
                             bert_text behind)
{
    int32_t node = trie_walk(&v->trie, TRIE_ROOT, (const unsigned char *)before.data, before.size);
    node = node < 0 ? -1 : trie_walk(&v->trie, node, bytes, n);
    node = node < 0 ? -1 : trie_walk(&v->trie, node, (const unsigned char *)behind.data, behind.size);
    return node < 0 ? -1 : v->trie.nodes[node].id;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

bert_status model_unknown(component_reader *r, json_t *json, piece_model *m)
{
    const char *word = NULL;
    bert_status s = json_get_string_or(json, "unk_token", NULL, &word, r->where, r->err);
    m->unknown = word ? vocabulary_id(m->vocabulary, word, strlen(word)) : -1;
    if (!s && word && m->unknown < 0)
        return fail(r->err, BERT_ERR_FORMAT, "%s: the model's unk_token \"%.100s\" is not in its vocabulary", r->where,
                    word);
    return s;
}

bert_status piece_model_read(piece_model *m, json_t *json, const packed_vocabulary *packed, const vocabulary *v,
                             bool by_bytes, component_reader *r)
{
    static const piece_model_kind *const KINDS[] = { &MODEL_WORD_PIECE, &MODEL_BPE, &MODEL_UNIGRAM, &MODEL_WORD_LEVEL };
    const char *type = packed_model_type(json);
    *m = (piece_model){
        .vocabulary = v, .unknown = -1, .by_bytes = by_bytes, .prefix = { "", 0 }, .suffix = { "", 0 }
    };
    for (size_t i = 0; type && i < sizeof KINDS / sizeof *KINDS; i++)
        m->kind = !strcmp(KINDS[i]->name, type) ? KINDS[i] : m->kind;
    if (!m->kind)
        return fail(r->err, BERT_ERR_UNSUPPORTED, "%s: model %.100s is not known to libbert", r->where,
                    type ? type : "without a type");
    if (by_bytes && m->kind != &MODEL_BPE)
        return fail(r->err, BERT_ERR_UNSUPPORTED, "%s: model %s behind pre_tokenizer ByteLevel is not known to libbert",
                    r->where, type);
    bert_status s = component_members(r, json, "model", m->kind->members,
                                      sizeof m->kind->members / sizeof *m->kind->members);
    return s ? s : m->kind->read(r, json, packed, m);
}

void piece_model_free(piece_model *m)
{
    free(m->merges);
    free(m->scores);
    *m = (piece_model){ 0 };
}

/* ---- WordPiece --------------------------------------------------------------------------------------------------- */

static bert_status read_word_piece(component_reader *r, json_t *json, const packed_vocabulary *packed, piece_model *m)
{
    const char *prefix;
    int64_t most;
    (void)packed;
    bert_status s = model_unknown(r, json, m);
    if (!s)
        s = json_get_string_or(json, "continuing_subword_prefix", "##", &prefix, r->where, r->err);
    if (!s)
        s = json_get_int_or(json, "max_input_chars_per_word", 0, INT32_MAX, 100, &most, r->where, r->err);
    if (s)
        return s;
    m->most = (size_t)most;
    m->prefix.size = strlen(prefix);
    m->prefix.data = arena_copy(r->a, prefix, m->prefix.size);
    return m->prefix.data ? BERT_OK : fail_memory(r->err, r->where);
}

/* The word as one unknown token. */
static void unknown_word(const piece_model *m, size_t n, model_work *w)
{
    w->n = 0;
    w->unknown |= m->unknown < 0;
    piece_token_add(w, m->unknown, 0, n);
}

static void run_word_piece(const piece_model *m, const unsigned char *bytes, size_t n, model_work *w)
{
    const trie *pieces = &m->vocabulary->trie;
    size_t characters = 0;
    for (size_t i = 0; i < n; i++)
        characters += (bytes[i] & 0xC0) != 0x80;
    int32_t behind = trie_walk(pieces, TRIE_ROOT, (const unsigned char *)m->prefix.data, m->prefix.size);
    for (size_t start = 0; characters <= m->most && start < n;) {
        int32_t node = start ? behind : TRIE_ROOT, id = -1;
        size_t end = start;
        for (size_t i = start; i < n && node >= 0; i++) {
            node = trie_step(pieces, node, bytes[i]);
            bool whole = i + 1 == n || (bytes[i + 1] & 0xC0) != 0x80;
            if (node >= 0 && pieces->nodes[node].id >= 0 && whole) {
                id = pieces->nodes[node].id;
                end = i + 1;
            }
        }
        if (id < 0) {
            unknown_word(m, n, w);
            return;
        }
        piece_token_add(w, id, start, end);
        start = end;
    }
    if (characters > m->most)
        unknown_word(m, n, w);
}

const piece_model_kind MODEL_WORD_PIECE = {
    "WordPiece",
    read_word_piece,
    run_word_piece,
    { "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab" },
};

/* ---- WordLevel --------------------------------------------------------------------------------------------------- */

static bert_status read_word_level(component_reader *r, json_t *json, const packed_vocabulary *packed, piece_model *m)
{
    (void)packed;
    const char *word = NULL;
    bert_status s = json_get_string_or(json, "unk_token", "<unk>", &word, r->where, r->err);
    if (!s)
        m->unknown = vocabulary_id(m->vocabulary, word, strlen(word));
    return s;
}

static void run_word_level(const piece_model *m, const unsigned char *bytes, size_t n, model_work *w)
{
    int32_t id = vocabulary_id(m->vocabulary, (const char *)bytes, n);
    if (id < 0)
        unknown_word(m, n, w);
    else
        piece_token_add(w, id, 0, n);
}

const piece_model_kind MODEL_WORD_LEVEL = { "WordLevel", read_word_level, run_word_level, { "unk_token", "vocab" } };

/* Unigram (Kudo, "Subword Regularization", 2018): the way through the pieces whose scores sum to most, by Viterbi. As
 * in `tokenizers`: a character that no piece is gets the least score minus 10; unknown ones beside each other are one;
 * of two ways that are equally good the one whose last piece begins first. */
#include "text/piece_model.h"

#include "base/size.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double UNKNOWN_PENALTY = 10;

/* The ids of <0x00> to <0xFF>. */
void model_byte_tokens(piece_model *m)
{
    for (int i = 0; i < 256; i++) {
        char name[8];
        snprintf(name, sizeof name, "<0x%02X>", i);
        m->bytes[i] = vocabulary_id(m->vocabulary, name, 6);
    }
}

static bert_status read_scores(component_reader *r, const packed_vocabulary *packed, piece_model *m)
{
    size_t n = m->vocabulary->n;
    double least = INFINITY;
    if (!packed->scores)
        return fail(r->err, BERT_ERR_FORMAT, "%s: a vocabulary without scores for model Unigram", r->where);
    if (!(m->scores = malloc(n * sizeof *m->scores)))
        return fail_memory(r->err, r->where);
    for (size_t i = 0; i < n; i++) {
        double score = packed_score(packed, i);
        if (!isfinite(score))
            return fail(r->err, BERT_ERR_FORMAT, "%s: the score of token %zu is no finite number", r->where, i);
        least = fmin(least, score);
        m->scores[i] = score;
    }
    m->unknown_score = least - UNKNOWN_PENALTY;
    return BERT_OK;
}

static bert_status read_unigram(component_reader *r, json_t *json, const packed_vocabulary *packed, piece_model *m)
{
    int64_t unknown = -1;
    bert_status s = BERT_OK;
    if (!json_is_null(json_object_get(json, "unk_id")) && json_object_get(json, "unk_id"))
        s = json_get_int(json, "unk_id", 0, (int64_t)m->vocabulary->n - 1, &unknown, r->where, r->err);
    if (!s)
        s = json_get_bool_or(json, "byte_fallback", false, &m->byte_fallback, r->where, r->err);
    m->unknown = (int32_t)unknown;
    model_byte_tokens(m);
    return s ? s : read_scores(r, packed, m);
}

static bool reserve_ways(model_work *w, size_t n)
{
    bool fine = ARRAY_HOLDS(w->ways, w->ways_capacity, n);
    w->failed |= !fine;
    return fine;
}

static inline void offer_way(best_way *way, double score, size_t from, int32_t id)
{
    if (way->id < 0 || score > way->score)
        *way = (best_way){ score, (uint32_t)from, id };
}

/* Fills ways[1 .. n]. false: an unknown character, and no token for it. */
static bool find_ways(const piece_model *m, const unsigned char *bytes, size_t n, best_way *ways)
{
    const trie *pieces = &m->vocabulary->trie;
    for (size_t i = 0; i <= n; i++)
        ways[i] = (best_way){ .id = -1 };
    for (size_t at = 0; at < n;) {
        size_t whole = at + character_size(bytes[at]);
        double here = ways[at].score;
        bool single = false;
        int32_t node = TRIE_ROOT;
        for (size_t i = at; i < n && (node = trie_step(pieces, node, bytes[i])) >= 0; i++) {
            int32_t id = pieces->nodes[node].id;
            if (id < 0)
                continue;
            offer_way(&ways[i + 1], m->scores[id] + here, at, id);
            single |= i + 1 == whole;
        }
        if (!single) {
            if (m->unknown < 0)
                return false;
            offer_way(&ways[whole], m->unknown_score + here, at, m->unknown);
        }
        at = whole;
    }
    return true;
}

/* A run of unknown characters: a token by chance, its bytes, or the unknown one. */
static void add_unknown(const piece_model *m, const unsigned char *bytes, size_t start, size_t end, model_work *w)
{
    int32_t id = vocabulary_id(m->vocabulary, (const char *)bytes + start, end - start);
    bool all = m->byte_fallback && id < 0;
    for (size_t i = start; all && i < end; i++)
        all = m->bytes[bytes[i]] >= 0;
    if (!all) {
        piece_token_add(w, id >= 0 ? id : m->unknown, start, end);
        return;
    }
    for (size_t i = end; i > start; i--) /* the list is turned round */
        piece_token_add(w, m->bytes[bytes[i - 1]], start, end);
}

static void run_unigram(const piece_model *m, const unsigned char *bytes, size_t n, model_work *w)
{
    if (!reserve_ways(w, n + 1))
        return;
    if (!find_ways(m, bytes, n, w->ways)) {
        w->unknown = true;
        return;
    }
    for (size_t end = n; end && !w->failed;) {
        size_t start = w->ways[end].from;
        int32_t id = w->ways[end].id;
        bool known = m->unknown < 0 || id != m->unknown;
        while (!known && start && w->ways[start].id == m->unknown)
            start = w->ways[start].from;
        if (known)
            piece_token_add(w, id, start, end);
        else
            add_unknown(m, bytes, start, end, w);
        end = start;
    }
    for (size_t i = 0, k = w->n; i + 1 < k; i++) {
        piece_token last = w->tokens[--k];
        w->tokens[k] = w->tokens[i];
        w->tokens[i] = last;
    }
}

const piece_model_kind MODEL_UNIGRAM = {
    "Unigram",
    read_unigram,
    run_unigram,
    { "unk_id", "byte_fallback", "vocab" },
};

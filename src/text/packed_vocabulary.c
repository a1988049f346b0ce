/* Writing and opening; every size is checked before it is used. */
#include "text/packed_vocabulary.h"

static const char MAGIC[8] = "\0bertok1";

enum { PACKED_HEADER = 32, HAS_SCORES = 1 };

bool packed_vocabulary_is(const char *bytes, size_t size)
{
    return size >= sizeof MAGIC && !memcmp(bytes, MAGIC, sizeof MAGIC);
}

bert_status packed_vocabulary_open(packed_vocabulary *p, const char *bytes, size_t size, const char *name,
                                   bert_err *err)
{
    *p = (packed_vocabulary){ 0 };
    if (size < PACKED_HEADER || size >= INT32_MAX)
        return fail(err, BERT_ERR_FORMAT, "%s: a packed tokenizer of %zu bytes", name, size);
    uint32_t flags = load_le32(bytes + 8), rules = load_le32(bytes + 20);
    uint64_t tokens = load_le64(bytes + 24);
    p->n = load_le32(bytes + 12);
    p->n_merges = load_le32(bytes + 16);
    size_t scores = flags & HAS_SCORES ? 8 * p->n : 0;
    size_t need = PACKED_HEADER + scores + 4 * p->n + 8 * p->n_merges + rules; /* of 32 bits each: no overflow */
    if (flags > HAS_SCORES)
        return fail(err, BERT_ERR_UNSUPPORTED, "%s: a packed tokenizer with flags %u", name, flags);
    if (need > size || tokens != size - need || !p->n)
        return fail(err, BERT_ERR_FORMAT, "%s: a packed tokenizer of %zu bytes, whose parts do not fit", name, size);
    p->scores = scores ? bytes + PACKED_HEADER : NULL;
    p->ends = bytes + PACKED_HEADER + scores;
    p->merges = p->ends + 4 * p->n;
    p->rules = (bert_text){ p->merges + 8 * p->n_merges, rules };
    p->tokens = (bert_text){ p->rules.data + rules, (size_t)tokens };
    for (size_t i = 0, last = 0; i < p->n; i++) {
        uint32_t end = load_le32(p->ends + 4 * i);
        if (end < last || end > tokens)
            return fail(err, BERT_ERR_FORMAT, "%s: a packed tokenizer, whose token %zu does not fit", name, i);
        last = end;
    }
    return BERT_OK;
}

static void pack_number(buffer *b, size_t value)
{
    uint32_t v = (uint32_t)value;
    buffer_add(b, &v, sizeof v);
}

void packer_token(vocabulary_packer *p, const char *bytes, size_t size, const double *score)
{
    buffer_add(&p->tokens, bytes, size);
    pack_number(&p->ends, p->tokens.size);
    if (score)
        buffer_add(&p->scores, score, sizeof *score);
}

void packer_merge(vocabulary_packer *p, uint32_t left, uint32_t right)
{
    pack_number(&p->merges, left);
    pack_number(&p->merges, right);
}

void packer_free(vocabulary_packer *p)
{
    buffer_free(&p->scores);
    buffer_free(&p->ends);
    buffer_free(&p->merges);
    buffer_free(&p->tokens);
}

bert_status packer_end(vocabulary_packer *p, const char *rules, buffer *out, const char *where, bert_err *err)
{
    bert_status s = BERT_OK;
    uint64_t tokens = p->tokens.size;
    size_t all = p->scores.size + p->ends.size + p->merges.size + p->tokens.size + strlen(rules) + PACKED_HEADER;
    if (all >= INT32_MAX)
        s = fail(err, BERT_ERR_FORMAT, "%s: a vocabulary of %zu bytes; it has less than 2 GiB", where, all);
    buffer_add(out, MAGIC, sizeof MAGIC);
    pack_number(out, p->scores.size ? HAS_SCORES : 0);
    pack_number(out, p->ends.size / 4);
    pack_number(out, p->merges.size / 8);
    pack_number(out, strlen(rules));
    buffer_add(out, &tokens, sizeof tokens);
    buffer_add(out, p->scores.data, p->scores.size);
    buffer_add(out, p->ends.data, p->ends.size);
    buffer_add(out, p->merges.data, p->merges.size);
    buffer_string(out, rules);
    buffer_add(out, p->tokens.data, p->tokens.size);
    if (!s && (out->failed || p->scores.failed || p->ends.failed || p->merges.failed || p->tokens.failed))
        s = fail_memory(err, where);
    packer_free(p);
    return s;
}

const char *packed_model_type(const json_t *model)
{
    const char *type = json_string_value(json_object_get(model, "type"));
    if (type || !model)
        return type;
    return json_object_get(model, "merges")                      ? "BPE"
           : json_object_get(model, "continuing_subword_prefix") ? "WordPiece"
           : json_object_get(model, "unk_id")                    ? "Unigram"
                                                                 : "WordLevel";
}

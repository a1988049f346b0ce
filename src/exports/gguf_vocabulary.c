/* A vocabulary as llama.cpp reads BERT's: a word's first piece has U+2581 before it, what continues a word has no "##",
 * special tokens stand as they are. No two tokens may be equal then. */
#include "exports/gguf_vocabulary.h"
#include "base/words.h"

#include <stdlib.h>
#include <string.h>

enum { TYPE_NORMAL = 1, TYPE_CONTROL = 3, TYPE_USER_DEFINED = 4, TYPE_UNUSED = 5 };

static const char WORD_BEGINS[] = "\xe2\x96\x81"; /* U+2581 */

/* Special tokens, and the keys that hold their ids. */
static const struct {
    size_t offset;
    const char *key, *also;
} SPECIAL[] = {
    { offsetof(bert_tokenizer_options, cls_token), "tokenizer.ggml.bos_token_id", "tokenizer.ggml.cls_token_id" },
    /* spelt as there */
    { offsetof(bert_tokenizer_options, sep_token), "tokenizer.ggml.seperator_token_id", "tokenizer.ggml.eos_token_id" },
    { offsetof(bert_tokenizer_options, unk_token), "tokenizer.ggml.unknown_token_id", NULL },
    { offsetof(bert_tokenizer_options, pad_token), "tokenizer.ggml.padding_token_id", NULL },
    { offsetof(bert_tokenizer_options, mask_token), "tokenizer.ggml.mask_token_id", NULL },
};
enum { N_SPECIAL = sizeof SPECIAL / sizeof *SPECIAL };

static const char *special_token(const bert_tokenizer *t, int i)
{
    return *(const char *const *)((const char *)bert_tokenizer_settings(t) + SPECIAL[i].offset);
}

typedef struct piece {
    bert_text text;
    int32_t id, type;
} piece;

/* The type of a token that stands in a text as it is; normal: it does not. */
static int vocabulary_type_of(const bert_tokenizer *t, bert_text token)
{
    const bert_tokenizer_options *o = bert_tokenizer_settings(t);
    for (int i = 0; i < N_SPECIAL; i++)
        if (text_is(token, special_token(t, i)))
            return TYPE_CONTROL;
    for (size_t i = 0; i < o->n_added_tokens; i++)
        if (text_is(token, o->added_tokens[i].content))
            return o->added_tokens[i].special ? TYPE_CONTROL : TYPE_USER_DEFINED;
    return TYPE_NORMAL;
}

static piece piece_of(const bert_tokenizer *t, bert_text token, int32_t id, arena *a)
{
    const char *prefix = bert_tokenizer_settings(t)->prefix;
    size_t n = strlen(prefix);
    int type = vocabulary_type_of(t, token);
    if (type != TYPE_NORMAL)
        return (piece){ token, id, type };
    if (n && token.size > n && !memcmp(token.data, prefix, n))
        return (piece){ { token.data + n, token.size - n }, id, TYPE_NORMAL };
    char *text = arena_alloc(a, sizeof WORD_BEGINS + token.size);
    if (text) {
        memcpy(text, WORD_BEGINS, sizeof WORD_BEGINS - 1);
        memcpy(text + sizeof WORD_BEGINS - 1, token.data, token.size);
    }
    return (piece){ { text, sizeof WORD_BEGINS - 1 + token.size }, id, TYPE_NORMAL };
}

/* A row of the word embedding that no token has. */
static piece row_without_token(size_t id, arena *a)
{
    char *name = arena_printf(a, "[row %zu]", id);
    return (piece){ { name, name ? strlen(name) : 0 }, (int32_t)id, TYPE_UNUSED };
}

/* Equal texts side by side, the one that counts first: a special token, then the last line. */
static int by_text(const void *left, const void *right)
{
    const piece *a = left, *b = right;
    size_t n = a->text.size < b->text.size ? a->text.size : b->text.size;
    int order = memcmp(a->text.data, b->text.data, n);
    if (order)
        return order;
    if (a->text.size != b->text.size)
        return a->text.size < b->text.size ? -1 : 1;
    if (a->type != b->type)
        return a->type > b->type ? -1 : 1;
    return a->id > b->id ? -1 : 1;
}

/* A token that another one hides gets a name that no text has. */
static bool hide_equals(piece *pieces, size_t n, arena *a)
{
    qsort(pieces, n, sizeof *pieces, by_text);
    bert_text before = { "", 0 };
    for (size_t i = 0; i < n; i++) {
        bert_text text = pieces[i].text;
        if (i && text_equal(text, before)) {
            char *name = arena_printf(a, "[hidden %d]", pieces[i].id);
            if (!name)
                return false;
            pieces[i].text = (bert_text){ name, strlen(name) };
            pieces[i].type = TYPE_UNUSED;
        }
        before = text;
    }
    return true;
}

/* One for each of n rows. */
static bool make_pieces(const bert_tokenizer *tokenizer, size_t n, bert_text *tokens, int32_t *types, arena *a)
{
    piece *pieces = arena_array(a, n, sizeof *pieces);
    if (!pieces)
        return false;
    for (size_t i = 0; i < n; i++) {
        bert_text token;
        token.data = bert_tokenizer_token(tokenizer, (int32_t)i, &token.size);
        pieces[i] = token.data ? piece_of(tokenizer, token, (int32_t)i, a) : row_without_token(i, a);
        if (!pieces[i].text.data)
            return false;
    }
    if (!hide_equals(pieces, n, a))
        return false;
    for (size_t i = 0; i < n; i++) {
        tokens[pieces[i].id] = pieces[i].text;
        types[pieces[i].id] = pieces[i].type;
    }
    return true;
}

static void vocabulary_add_special(gguf_file *g, const bert_tokenizer *tokenizer, size_t rows)
{
    for (int i = 0; i < N_SPECIAL; i++) {
        int32_t id = bert_tokenizer_id(tokenizer, special_token(tokenizer, i), strlen(special_token(tokenizer, i)));
        if (id < 0 || (size_t)id >= rows)
            continue;
        gguf_uint32(g, SPECIAL[i].key, (uint32_t)id);
        if (SPECIAL[i].also)
            gguf_uint32(g, SPECIAL[i].also, (uint32_t)id);
    }
}

bert_status gguf_add_vocabulary(gguf_file *g, const bert_tokenizer *tokenizer, size_t n, uint32_t token_types, arena *a,
                                bert_err *err)
{
    const bert_tokenizer_options *o = bert_tokenizer_settings(tokenizer);
    bert_text *tokens = arena_array(a, n, sizeof *tokens);
    int32_t *types = arena_array(a, n, sizeof *types);
    if (!tokens || !types || !make_pieces(tokenizer, n, tokens, types, a))
        return fail_memory(err, "the vocabulary");
    gguf_string(g, "tokenizer.ggml.model", "bert");
    gguf_uint32(g, "tokenizer.ggml.token_type_count", token_types);
    gguf_strings(g, "tokenizer.ggml.tokens", tokens, n);
    gguf_int32s(g, "tokenizer.ggml.token_type", types, n);
    vocabulary_add_special(g, tokenizer, n);
    gguf_bool(g, "tokenizer.ggml.normalizer.lowercase", o->do_lower_case);
    gguf_bool(g, "tokenizer.ggml.normalizer.strip_accents", o->strip_accents == 1);
    return BERT_OK;
}

/* ---- what llama.cpp reads otherwise ------------------------------------------------------------------------------ */

/* It decomposes a syllable of Hangul and keeps the first letter; of Indic scripts it drops vowel signs, everywhere
 * combining marks. */
static const struct {
    uint32_t first, last;
    const char *script;
} SCRIPTS[] = {
    { 0x0300, 0x036f, "combining marks" },
    { 0x0900, 0x0dff, "Indic scripts" },
    { 0x1100, 0x11ff, "Hangul" },
    { 0xac00, 0xd7a3, "Hangul" },
};
enum { N_SCRIPTS = sizeof SCRIPTS / sizeof *SCRIPTS };

/* The rows of SCRIPTS that a token has characters of, as bits. Its UTF-8 is that of a vocabulary: what is none has no
 * script. */
static unsigned scripts_of(const unsigned char *p, size_t n)
{
    unsigned found = 0;
    for (size_t i = 0; i + 1 < n; i++) {
        uint32_t c = (p[i] & 0xe0) == 0xc0 ? (uint32_t)(p[i] & 31) << 6 | (p[i + 1] & 63) : 0;
        if ((p[i] & 0xf0) == 0xe0 && i + 2 < n)
            c = (uint32_t)(p[i] & 15) << 12 | (uint32_t)(p[i + 1] & 63) << 6 | (p[i + 2] & 63);
        for (int k = 0; c && k < N_SCRIPTS; k++)
            if (c >= SCRIPTS[k].first && c <= SCRIPTS[k].last)
                found |= 1u << k;
    }
    return found;
}

void gguf_tell_scripts(const bert_tokenizer *tokenizer, buffer *notes)
{
    unsigned found = 0;
    const char *before = NULL;
    for (size_t id = 0; id < bert_tokenizer_size(tokenizer); id++) {
        size_t size;
        const char *token = bert_tokenizer_token(tokenizer, (int32_t)id, &size);
        found |= scripts_of((const unsigned char *)token, size);
    }
    for (int k = 0; k < N_SCRIPTS; k++) {
        if (!(found & 1u << k) || (before && !strcmp(before, SCRIPTS[k].script)))
            continue;
        buffer_printf(notes, "%s%s", before ? ", " : "the vocabulary has tokens of ", SCRIPTS[k].script);
        before = SCRIPTS[k].script;
    }
    if (before)
        buffer_string(notes, ": llama.cpp's tokenizer keeps of a Hangul syllable the first letter and drops Indic "
                             "vowel signs and combining marks, so such texts become other tokens there\n");
}

/* The search goes from left to right, the longest token at a place first; one that is passed over for what stands
 * beside it hides those within it, as in the original. */
#include "text/tokenizer.h"

#include "text/chunk.h"
#include "base/utf8.h"
#include "text/token_pipeline.h"

#include <stdlib.h>
#include <string.h>

/* ---- searching --------------------------------------------------------------------------------------------------- */

/* The code point that begins at bytes[0], or ends before bytes + size; 0 where there is none. */
static uint32_t first_character(const unsigned char *bytes, size_t size, size_t *length)
{
    uint32_t cp = 0;
    *length = size ? utf8_decode(bytes, size, &cp) : 0;
    return *length ? cp : 0;
}

static uint32_t last_character(const unsigned char *bytes, size_t size, size_t *length)
{
    size_t n = 1;
    while (n < 4 && n < size && (bytes[size - n] & 0xC0) == 0x80)
        n++;
    uint32_t cp = size ? first_character(bytes + size - n, n, length) : (*length = 0);
    if (*length != n)
        *length = 0;
    return *length ? cp : 0;
}

/* The longest token that begins at `at`: its entry, or NULL; *end is behind it. */
static const added_entry *longest_at(const added_set *set, const unsigned char *text, size_t size, size_t at,
                                     size_t *end)
{
    const added_entry *found = NULL;
    int32_t node = 0;
    for (size_t i = at; i < size && (node = trie_step(&set->trie, node, text[i])) >= 0; i++)
        if (set->trie.nodes[node].id >= 0) {
            found = &set->entries[set->n - 1 - (size_t)set->trie.nodes[node].id]; /* of equal ones the first counts */
            *end = i + 1;
        }
    return found;
}

static bool within_word(const unsigned char *text, size_t size, size_t start, size_t end)
{
    size_t length;
    return character_is_word(last_character(text, start, &length)) ||
           character_is_word(first_character(text + end, size - end, &length));
}

static void take_spaces(const added_entry *e, const unsigned char *text, size_t size, const added_search *search,
                        added_match *m)
{
    size_t length;
    while (e->lstrip && m->start > search->taken && character_is_space(last_character(text, m->start, &length)) &&
           length)
        m->start -= length;
    while (e->rstrip && character_is_space(first_character(text + m->end, size - m->end, &length)) && length)
        m->end += length;
}

bool added_find(const added_set *set, const unsigned char *text, size_t size, added_search *search, added_match *match)
{
    size_t at = search->from;
    for (;;) {
        size_t end = 0;
        while (at < size && !set->first[text[at]])
            at++;
        if (at >= size)
            return false;
        const added_entry *e = longest_at(set, text, size, at, &end);
        search->from = e ? end : at + 1;
        if (e && !e->ignored && !(e->single_word && within_word(text, size, at, end))) {
            *match = (added_match){ at, end, e->id };
            take_spaces(e, text, size, search, match);
            search->taken = match->end;
            return true;
        }
        at = search->from;
    }
}

/* ---- making ------------------------------------------------------------------------------------------------------ */

/* A token that may be looked for. */
typedef struct token_candidate {
    bert_added_token token;
    int32_t id;
    bert_text pattern;
} token_candidate;

static bool is_candidate(const token_candidate *candidates, size_t n, const char *content)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(candidates[i].token.content, content))
            return true;
    return false;
}

/* The id of a token, which gets one where the vocabulary has none and `behind` has room for it; -1: it has none. */
static int32_t added_token_id(bert_tokenizer *t, const char *content, bert_text *behind)
{
    int32_t id = bert_tokenizer_id(t, content, strlen(content));
    if (id >= 0 || !behind)
        return id;
    behind[t->added.n_behind] = (bert_text){ content, strlen(content) };
    return (int32_t)(t->vocabulary.n + t->added.n_behind++);
}

static void add_candidate(bert_tokenizer *t, const bert_added_token *token, bert_text *behind, token_candidate *list,
                          size_t *n)
{
    if (!token->content[0] || is_candidate(list, *n, token->content))
        return;
    int32_t id = added_token_id(t, token->content, behind);
    if (id >= 0)
        list[(*n)++] = (token_candidate){ *token, id, { token->content, strlen(token->content) } };
}

/* The options' tokens, then those special ones among the vocabulary's that they do not name. */
static bert_status list_candidates(bert_tokenizer *t, token_candidate **list, size_t *n, bert_err *err)
{
    const bert_tokenizer_options *o = &t->options;
    if (o->n_added_tokens > MOST_ADDED_TOKENS)
        return fail(err, BERT_ERR_UNSUPPORTED, "%zu added tokens: libbert takes at most %d", o->n_added_tokens,
                    MOST_ADDED_TOKENS);
    const char *const roles[] = { o->unk_token, o->sep_token, o->pad_token, o->cls_token, o->mask_token };
    enum { N_ROLES = sizeof roles / sizeof *roles };
    bert_text *behind = arena_array(&t->memory, o->n_added_tokens + 1, sizeof *behind);
    *n = 0;
    *list = calloc(o->n_added_tokens + N_ROLES, sizeof **list);
    if (!behind || !*list)
        return fail_memory(err, "added tokens");
    t->added.behind = behind;
    for (size_t i = 0; i < o->n_added_tokens; i++)
        add_candidate(t, &o->added_tokens[i], behind, *list, n);
    for (size_t i = 0; !t->pipeline && o->special_in_text && i < N_ROLES; i++)
        add_candidate(t, &(bert_added_token){ .content = roles[i], .special = true }, NULL, *list, n);
    return BERT_OK;
}

/* Fills a set with the candidates of its form, special ones first. */
static bool fill_set(added_set *set, bool normalized, const bert_tokenizer *t, const token_candidate *list, size_t n,
                     arena *a)
{
    trie_key *keys = calloc(n ? n : 1, sizeof *keys);
    added_entry *entries = arena_array(a, n, sizeof *entries);
    set->entries = entries;
    for (int special = 1; keys && entries && special >= 0; special--)
        for (size_t i = 0; i < n; i++) {
            const bert_added_token *token = &list[i].token;
            bert_text form = list[i].pattern;
            if (token->special != special || token->normalized != normalized || !form.size)
                continue;
            bool ignored = special && !t->options.special_in_text;
            keys[set->n] = (trie_key){ (const unsigned char *)form.data, (uint32_t)form.size, 0 };
            entries[set->n++] = (added_entry){ list[i].id, ignored, token->single_word, token->lstrip, token->rstrip };
            set->first[(unsigned char)form.data[0]] = 1;
        }
    for (size_t i = 0; keys && i < set->n; i++)
        keys[i].id = (int32_t)(set->n - 1 - i);
    bool fine = keys && entries && (!set->n || trie_build(&set->trie, keys, set->n));
    free(keys);
    return fine;
}

/* The normal form of a content of the tokenizer's; NULL: out of memory. */
static const char *normal_content(const bert_tokenizer *t, bert_text *content, bert_tokens *scratch, text_work *work)
{
    bool fine = true;
    if (t->pipeline) {
        fine = pipeline_normalize(t->pipeline, *content, work, content);
    } else {
        const text_cursor whole = { .data = (const unsigned char *)content->data, .size = content->size };
        const normal_text *form = chunk_normalize(t, &whole, scratch);
        *content = form ? (bert_text){ (const char *)form->bytes, form->size } : (bert_text){ 0 };
    }
    return fine ? content->data : NULL;
}

/* What a normalized token is looked for as. */
static bool normalize_patterns(const bert_tokenizer *t, token_candidate *list, size_t n, arena *a)
{
    bert_tokens scratch = { 0 };
    text_work work = { 0 };
    bool fine = true;
    for (size_t i = 0; fine && i < n; i++) {
        if (!list[i].token.normalized)
            continue;
        bert_text content = list[i].pattern;
        const char *form = normal_content(t, &content, &scratch, &work);
        list[i].pattern.data = form ? arena_copy(a, form, content.size) : NULL;
        list[i].pattern.size = form ? content.size : 0;
        fine = list[i].pattern.data;
    }
    bert_tokens_free(&scratch);
    text_work_free(&work);
    return fine;
}

bert_status added_tokens_create(bert_tokenizer *t, bert_err *err)
{
    token_candidate *list = NULL;
    size_t n;
    bert_status s = list_candidates(t, &list, &n, err);
    added_tokens *added = &t->added;
    if (!s && !(normalize_patterns(t, list, n, &t->memory) && fill_set(&added->raw, false, t, list, n, &t->memory) &&
                fill_set(&added->normal, true, t, list, n, &t->memory)))
        s = fail_memory(err, "added tokens");
    free(list);
    return s;
}

void added_tokens_free(added_tokens *added)
{
    trie_free(&added->raw.trie);
    trie_free(&added->normal.trie);
    *added = (added_tokens){ 0 };
}

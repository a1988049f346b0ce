/* The pre-tokenizers by their names. Each piece is cut into parts that match and parts that do not; what becomes of
 * them is the split's behaviour. */
#include "text/component.h"

#include "text/byte_words.h"
#include "text/unicode.h"

#include <string.h>

/* ---- behaviours -------------------------------------------------------------------------------------------------- */

/* The part that may still grow. */
typedef struct splitter {
    text_work *w;
    split_behaviour behaviour;
    bool open, matched; /* whether there is one; whether the last part was a match */
    size_t start, end;
} splitter;

static void split_close(splitter *s)
{
    if (s->open)
        piece_add(s->w, s->start, s->end);
    s->open = false;
}

static inline void split_part(splitter *s, size_t start, size_t end, bool match)
{
    if (start == end)
        return;
    bool grows = s->open && ((s->behaviour == SPLIT_CONTIGUOUS && match == s->matched) ||
                             (s->behaviour == SPLIT_MERGED_WITH_PREVIOUS && match && !s->matched) ||
                             (s->behaviour == SPLIT_MERGED_WITH_NEXT && !match && s->matched));
    s->matched = match;
    if (grows) {
        s->end = end;
        return;
    }
    split_close(s);
    s->open = !(match && s->behaviour == SPLIT_REMOVED);
    s->start = start;
    s->end = end;
}

/* ---- at characters of a kind ------------------------------------------------------------------------------------- */

typedef enum character_kind { AT_SPACE, AT_PUNCTUATION, AT_NUMBER } character_kind;

static bool has_kind(character_kind kind, uint32_t cp)
{
    return kind == AT_SPACE         ? unicode_is_space(cp)
           : kind == AT_PUNCTUATION ? unicode_is_punctuation(cp)
           : cp < 128               ? cp >= '0' && cp <= '9'
                                    : unicode_is(cp, CATEGORIES_NUMBER);
}

static void split_at_kind(text_work *w, character_kind kind, split_behaviour behaviour)
{
    for (size_t p = 0; p < w->n_pieces; p++) {
        splitter s = { .w = w, .behaviour = behaviour };
        size_t last = w->pieces[p].start, end = w->pieces[p].end, length;
        for (size_t at = last; at < end; at += length) {
            uint32_t cp = text_character(w->text.bytes + at, &length);
            if (!has_kind(kind, cp))
                continue;
            split_part(&s, last, at, false);
            split_part(&s, at, at + length, true);
            last = at + length;
        }
        split_part(&s, last, end, false);
        split_close(&s);
    }
    pieces_end(w);
}

static void run_white(const component *c, text_work *w)
{
    (void)c;
    split_at_kind(w, AT_SPACE, SPLIT_REMOVED);
}

static void run_bert_words(const component *c, text_work *w)
{
    (void)c;
    split_at_kind(w, AT_SPACE, SPLIT_REMOVED);
    split_at_kind(w, AT_PUNCTUATION, SPLIT_ISOLATED);
}

static void run_punctuation(const component *c, text_work *w)
{
    split_at_kind(w, AT_PUNCTUATION, c->behaviour);
}

static void run_digits(const component *c, text_work *w)
{
    split_at_kind(w, AT_NUMBER, c->options[0] ? SPLIT_ISOLATED : SPLIT_CONTIGUOUS);
}

/* \w+|[^\w\s]+ */
static void run_word_or_not(const component *c, text_work *w)
{
    (void)c;
    for (size_t p = 0; p < w->n_pieces; p++) {
        size_t end = w->pieces[p].end, start = w->pieces[p].start, length;
        int last = 0; /* what the run is of: 0 white space, 1 words, 2 others */
        for (size_t at = start; at < end; at += length) {
            uint32_t cp = text_character(w->text.bytes + at, &length);
            int kind = unicode_is_space(cp) ? 0 : unicode_is_word(cp) ? 1 : 2;
            if (kind != last) {
                piece_add(w, start, last ? at : start);
                start = at;
            }
            last = kind;
        }
        piece_add(w, start, last ? end : start);
    }
    pieces_end(w);
}

/* ---- Split ------------------------------------------------------------------------------------------------------- */

static const char *const BEHAVIOURS[] = { "Removed",        "Isolated",   "MergedWithPrevious",
                                          "MergedWithNext", "Contiguous", NULL };

static bert_status read_behaviour(component_reader *r, json_t *json, split_behaviour absent, component *c)
{
    int choice = (int)absent;
    bert_status s = json_object_get(json, "behavior") ? component_choice(r, json, "behavior", BEHAVIOURS, &choice)
                                                      : BERT_OK;
    c->behaviour = (split_behaviour)choice;
    return s;
}

static bert_status read_split(component_reader *r, json_t *json, component *c)
{
    bert_status s = component_pattern(r, json, "pattern", &c->pattern);
    if (!s && !json_object_get(json, "behavior"))
        s = fail(r->err, BERT_ERR_FORMAT, "%s: pre_tokenizer Split without \"behavior\"", r->where);
    if (!s)
        s = read_behaviour(r, json, SPLIT_REMOVED, c);
    return s ? s : json_get_bool_or(json, "invert", false, &c->options[0], r->where, r->err);
}

static void run_split(const component *c, text_work *w)
{
    size_t steps = pattern_steps(w->text.size), start, stop;
    bool match = !c->options[0];
    for (size_t p = 0; p < w->n_pieces && !w->refused && !w->failed; p++) {
        splitter s = { .w = w, .behaviour = c->behaviour };
        size_t at = w->pieces[p].start, end = w->pieces[p].end;
        while (pattern_find(c->pattern, w, at, end, &start, &stop, &steps)) {
            split_part(&s, at, start, !match);
            split_part(&s, start, stop, match);
            at = stop;
        }
        split_part(&s, at, end, !match);
        split_close(&s);
    }
    pieces_end(w);
}

static bert_status read_punctuation(component_reader *r, json_t *json, component *c)
{
    return read_behaviour(r, json, SPLIT_ISOLATED, c);
}

static bert_status read_digit_splits(component_reader *r, json_t *json, component *c)
{
    return json_get_bool_or(json, "individual_digits", false, &c->options[0], r->where, r->err);
}

/* ---- ByteLevel --------------------------------------------------------------------------------------------------- */

enum { BYTES_PREFIX, BYTES_TRIM, BYTES_SPLIT };

static bert_status read_byte_level(component_reader *r, json_t *json, component *c)
{
    static const char *const KEYS[] = { "add_prefix_space", "trim_offsets", "use_regex" };
    bert_status s = BERT_OK;
    for (int i = 0; !s && i < 3; i++)
        s = json_get_bool_or(json, KEYS[i], true, &c->options[i], r->where, r->err);
    return s;
}

/* A blank before each piece that does not begin with one. */
static void put_blanks(text_work *w)
{
    size_t n = 0;
    for (size_t p = 0; p < w->n_pieces; p++)
        n += w->text.bytes[w->pieces[p].start] != ' ';
    if (!n)
        return;
    next_begin(w, w->text.size + n + 1);
    for (size_t p = 0; p < w->n_pieces && !w->failed; p++) {
        text_piece from = w->pieces[p];
        size_t start = w->next.size;
        if (w->text.bytes[from.start] != ' ')
            next_put(w, " ", 1, from.start);
        next_copy(w, from.start, from.end);
        piece_add(w, start, w->next.size);
    }
    next_end(w);
    pieces_end(w);
}

static void run_bytes(const component *c, text_work *w)
{
    if (c->options[BYTES_PREFIX])
        put_blanks(w);
    if (!c->options[BYTES_SPLIT] || w->failed)
        return;
    for (size_t p = 0; p < w->n_pieces; p++) {
        size_t end = w->pieces[p].end, stop;
        for (size_t at = w->pieces[p].start; at < end; at = stop) {
            stop = byte_word_end(w->text.bytes, at, end);
            piece_add(w, at, stop);
        }
    }
    pieces_end(w);
}

bool component_makes_bytes(const component *c)
{
    return c->run == run_bytes;
}

/* ---- Metaspace --------------------------------------------------------------------------------------------------- */

enum { PREPEND_ALWAYS, PREPEND_FIRST, PREPEND_NEVER };

static bert_status read_metaspace(component_reader *r, json_t *json, component *c)
{
    static const char *const SCHEMES[] = { "always", "first", "never", NULL };
    bool prefix = true;
    bert_status s = component_text(r, json, "replacement", &c->text);
    if (!s)
        s = json_get_bool_or(json, "add_prefix_space", true, &prefix, r->where, r->err);
    c->form = PREPEND_ALWAYS;
    if (!s)
        s = component_choice(r, json, "prepend_scheme", SCHEMES, &c->form);
    if (!s)
        s = json_get_bool_or(json, "split", true, &c->options[0], r->where, r->err);
    if (s)
        return s;
    if (!prefix && json_object_get(json, "prepend_scheme") && c->form != PREPEND_NEVER)
        return fail(r->err, BERT_ERR_FORMAT, "%s: Metaspace: add_prefix_space is not what prepend_scheme says",
                    r->where);
    if (!prefix)
        c->form = PREPEND_NEVER;
    if (!c->text.size || character_size((unsigned char)c->text.data[0]) != c->text.size)
        return fail(r->err, BERT_ERR_FORMAT, "%s: Metaspace: the replacement is no single character", r->where);
    return BERT_OK;
}

/* The piece with its blanks replaced. */
static void write_replaced(const component *c, text_work *w, text_piece from)
{
    size_t at = from.start;
    while (at < from.end) {
        const unsigned char *blank = memchr(w->text.bytes + at, ' ', from.end - at);
        size_t stop = blank ? (size_t)(blank - w->text.bytes) : from.end;
        next_copy(w, at, stop);
        if (blank)
            next_put(w, c->text.data, c->text.size, stop);
        at = stop + (blank != NULL);
    }
}

/* Cuts what was written from `start` on before each replacement. */
static void cut_replaced(const component *c, text_work *w, size_t start)
{
    const normal_text *t = &w->next;
    size_t n = c->text.size, from = start;
    for (size_t at = start; at + n <= t->size;) {
        const unsigned char *first = memchr(t->bytes + at, c->text.data[0], t->size - n + 1 - at);
        at = first ? (size_t)(first - t->bytes) : t->size;
        if (first && !memcmp(first, c->text.data, n)) {
            piece_add(w, from, at);
            from = at;
        }
        at++;
    }
    piece_add(w, from, t->size);
}

static void run_metaspace(const component *c, text_work *w)
{
    next_begin(w, w->text.size + w->text.size / 2 + 16);
    for (size_t p = 0; p < w->n_pieces && !w->failed; p++) {
        text_piece from = w->pieces[p];
        size_t start = w->next.size, n = c->text.size;
        const unsigned char *bytes = w->text.bytes + from.start;
        bool begins = bytes[0] == ' ' || (from.end - from.start >= n && !memcmp(bytes, c->text.data, n));
        if (!begins && (c->form == PREPEND_ALWAYS || (c->form == PREPEND_FIRST && !w->text.start[from.start])))
            next_put(w, c->text.data, n, from.start);
        write_replaced(c, w, from);
        if (w->failed)
            return;
        if (c->options[0])
            cut_replaced(c, w, start);
        else
            piece_add(w, start, w->next.size);
    }
    next_end(w);
    pieces_end(w);
}

bool component_needs_places(const component *c)
{
    return c->run == run_metaspace && c->form == PREPEND_FIRST;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static const component_kind PRETOKENIZERS[] = {
    { "BertPreTokenizer", NULL, run_bert_words, { NULL }, 0 },
    { "Whitespace", NULL, run_word_or_not, { NULL }, 0 },
    { "WhitespaceSplit", NULL, run_white, { NULL }, 0 },
    { "Punctuation", read_punctuation, run_punctuation, { "behavior" }, 0 },
    { "Digits", read_digit_splits, run_digits, { "individual_digits" }, 0 },
    { "ByteLevel", read_byte_level, run_bytes, { "add_prefix_space", "trim_offsets", "use_regex" }, 0 },
    { "Metaspace",
      read_metaspace,
      run_metaspace,
      { "replacement", "add_prefix_space", "prepend_scheme", "split", "str_rep" },
      0 },
    { "Split", read_split, run_split, { "pattern", "behavior", "invert" }, 0 },
};

const component_kind *pretokenizer_kinds(size_t *n)
{
    *n = sizeof PRETOKENIZERS / sizeof *PRETOKENIZERS;
    return PRETOKENIZERS;
}

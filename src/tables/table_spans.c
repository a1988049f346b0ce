/* Stretches of a text, as annotation tools write them, to tags of its words: [start, end, name], or an object with
 * start (start_offset), end (end_offset) and label (or labels, a list of one). Places count code points. A span takes
 * every word that it touches: the words of a text are what blanks divide, and a model tags them whole. */
#include "tables/table_labels.h"

#include <inttypes.h>
#include <string.h>

typedef struct word {
    size_t start, end; /* [start, end) in code points */
    size_t span;       /* the number of the span that it belongs to, from 1; 0: none */
} word;

typedef struct tagged_span {
    json_int_t start, end;
    const json_t *name;
} tagged_span;

static bert_status span_wrong(const table_records *r, size_t i, const char *why, bert_err *err)
{
    return fail(err, BERT_ERR_DATA, "%s:%zu: span %zu %s", r->lines.name, r->line, i + 1, why);
}

/* The words of a text, one behind the other in a buffer; *characters: how many code points the text has. */
static size_t text_words(bert_text text, buffer *words, size_t *characters)
{
    word w = { 0 };
    bool inside = false;
    *characters = 0;
    for (size_t i = 0; i <= text.size; i++) {
        bool blank = i == text.size || word_blank(text.data[i]);
        if (inside && blank) {
            w.end = *characters;
            buffer_add(words, &w, sizeof w);
        } else if (!inside && !blank)
            w.start = *characters;
        inside = !blank;
        *characters += i < text.size && (text.data[i] & 0xC0) != 0x80;
    }
    return words->size / sizeof w;
}

/* The first of two members that is there. */
static const json_t *either(const json_t *object, const char *one, const char *other)
{
    const json_t *value = json_object_get(object, one);
    return value ? value : json_object_get(object, other);
}

static bool read_span(const json_t *item, tagged_span *out)
{
    bool list = json_is_array(item);
    const json_t *start = list ? json_array_get(item, 0) : either(item, "start", "start_offset");
    const json_t *end = list ? json_array_get(item, 1) : either(item, "end", "end_offset");
    out->name = list ? json_array_get(item, 2) : either(item, "label", "labels");
    if (json_is_array(out->name) && json_array_size(out->name) == 1)
        out->name = json_array_get(out->name, 0);
    out->start = json_integer_value(start);
    out->end = json_integer_value(end);
    bool named = json_string_length(out->name) > 0 || json_is_integer(out->name);
    return json_is_integer(start) && json_is_integer(end) && named && (!list || json_array_size(item) == 3);
}

/* The first word that ends behind a place. */
static size_t first_behind(const word *words, size_t n, size_t place)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (words[middle].end > place)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static bert_status mark_words(table_records *r, word *words, size_t n, const tagged_span *s, size_t i, bert_err *err)
{
    size_t first = first_behind(words, n, (size_t)s->start), last = first;
    if (first == n || words[first].start >= (size_t)s->end)
        return span_wrong(r, i, "holds no word", err);
    for (; last < n && words[last].start < (size_t)s->end; last++) {
        if (words[last].span)
            return span_wrong(r, i, "and another one touch the same word", err);
        words[last].span = i + 1;
    }
    r->told.spans++;
    r->told.within += words[first].start < (size_t)s->start || words[last - 1].end > (size_t)s->end;
    return BERT_OK;
}

/* Appends a name as a part of a tag: its number's where it is one; blanks become "_". */
static bert_status add_span_name(table_records *r, buffer *out, const json_t *name, size_t i, bert_err *err)
{
    char number[32];
    snprintf(number, sizeof number, "%" PRId64, (int64_t)json_integer_value(name));
    bert_text text = json_is_string(name) ? (bert_text){ json_string_value(name), json_string_length(name) }
                                          : (bert_text){ number, strlen(number) };
    text = text_bare(text);
    size_t place = r->n_names ? table_name_place(r, text) : SIZE_MAX;
    if (r->n_names && place == SIZE_MAX)
        return span_wrong(r, i, "has a label that is neither one of --label-names nor a number among theirs", err);
    if (r->n_names) {
        text = r->names[place];
        r->uses[place]++;
    }
    if (!text.size || memchr(text.data, 0, text.size))
        return span_wrong(r, i, "has a label that is no word", err);
    bool blanks = false;
    for (size_t k = 0; k < text.size; k++) {
        blanks |= word_blank(text.data[k]);
        buffer_char(out, word_blank(text.data[k]) ? '_' : text.data[k]);
    }
    r->told.renamed += blanks;
    return BERT_OK;
}

static bert_status add_span_tags(table_records *r, const word *words, size_t n, const json_t *list, buffer *out,
                                 bert_err *err)
{
    tagged_span s;
    bert_status status = BERT_OK;
    for (size_t k = 0; k < n && !status; k++) {
        if (k)
            buffer_char(out, ' ');
        if (!words[k].span) {
            buffer_char(out, 'O');
            continue;
        }
        buffer_string(out, k && words[k - 1].span == words[k].span ? "I-" : "B-");
        read_span(json_array_get(list, words[k].span - 1), &s);
        status = add_span_name(r, out, s.name, words[k].span - 1, err);
    }
    return status;
}

bert_status table_spans_read(table_records *r, const json_t *list, bert_text text, buffer *out, bert_err *err)
{
    buffer words = { 0 };
    size_t characters, n = text_words(text, &words, &characters), i;
    word *word_list = (word *)(void *)words.data;
    json_t *item;
    bert_status status = words.failed ? fail_memory(err, r->lines.name) : BERT_OK;
    if (r->form < LABELS_SPANS)
        r->form = LABELS_SPANS;
    r->tagged = true;
    json_array_foreach(list, i, item)
    {
        tagged_span s;
        if (status)
            break;
        if (!read_span(item, &s))
            status = span_wrong(r, i, "is not [start, end, name], or an object with start, end and label", err);
        else if (s.start < 0 || s.end <= s.start || (size_t)s.end > characters)
            status = fail(err, BERT_ERR_DATA,
                          "%s:%zu: span %zu goes from %" PRId64 " to %" PRId64 ", in a text of %zu characters",
                          r->lines.name, r->line, i + 1, (int64_t)s.start, (int64_t)s.end, characters);
        else
            status = mark_words(r, word_list, n, &s, i, err);
    }
    if (!status)
        status = add_span_tags(r, word_list, n, list, out, err);
    buffer_free(&words);
    return status;
}

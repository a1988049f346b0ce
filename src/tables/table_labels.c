/* The label of a row. */
#include "tables/table_labels.h"

#include "base/label_word.h"
#include "base/options.h"

#include <math.h>
#include <string.h>

/* ---- names ------------------------------------------------------------------------------------------------------- */

static bool labels_are_flags(const table_records *r)
{
    return r->n_columns > TABLE_LEAST;
}

/* A word of "a,b,c" from *at on, which goes behind it. */
static bert_text list_next(bert_text list, size_t *at)
{
    const char *start = list.data + *at, *comma = memchr(start, ',', list.size - *at);
    size_t size = comma ? (size_t)(comma - start) : list.size - *at;
    *at += size + 1;
    return label_word((bert_text){ start, size });
}

static bert_status check_label_names(const table_records *r, const char *given, bert_err *err)
{
    for (size_t i = 0; i < r->n_names; i++) {
        if (!r->names[i].size)
            return fail(err, BERT_ERR_ARGUMENT, "--label-names: \"%.200s\" has an empty name", given);
        for (size_t k = 0; k < i; k++)
            if (text_equal(r->names[i], r->names[k]))
                return fail(err, BERT_ERR_ARGUMENT, "--label-names: \"%.*s\" is there twice", (int)r->names[i].size,
                            r->names[i].data);
    }
    return BERT_OK;
}

/* The names of several label columns are the labels. */
static void name_by_columns(table_records *r, bert_text *names)
{
    r->n_names = r->n_columns - TABLE_LABEL;
    for (size_t i = 0; i < r->n_names; i++)
        names[i] = label_word(
            (bert_text){ r->columns[TABLE_LABEL + i].name, strlen(r->columns[TABLE_LABEL + i].name) });
}

bert_status table_names_open(table_records *r, const char *given, arena *memory, bert_err *err)
{
    char *copy = given ? arena_string(memory, given) : NULL;
    bert_text list = { copy, copy ? strlen(copy) : 0 };
    size_t most = r->n_columns;
    for (size_t i = 0; i < list.size; i++)
        most += list.data[i] == ',';
    bert_text *names = arena_array(memory, most + 1, sizeof *names);
    r->uses = arena_array(memory, most + 1, sizeof *r->uses);
    if (!names || !r->uses || (given && !copy))
        return fail_memory(err, "names of labels");
    r->names = names;
    if (given)
        for (size_t at = 0; at <= list.size;)
            names[r->n_names++] = list_next(list, &at);
    else if (labels_are_flags(r))
        name_by_columns(r, names);
    if (given && labels_are_flags(r) && r->n_names != r->n_columns - TABLE_LABEL)
        return fail(err, BERT_ERR_ARGUMENT, "--label-names: %zu names for %zu columns of labels", r->n_names,
                    r->n_columns - TABLE_LABEL);
    return check_label_names(r, given ? given : "", err);
}

size_t table_name_place(const table_records *r, bert_text word)
{
    size_t number = 0;
    for (size_t i = 0; i < r->n_names; i++)
        if (text_equal(r->names[i], word))
            return i;
    for (size_t i = 0; i < word.size; i++) {
        if (word.data[i] < '0' || word.data[i] > '9' || number >= r->n_names)
            return SIZE_MAX;
        number = number * 10 + (size_t)(word.data[i] - '0');
    }
    return word.size && number < r->n_names ? number : SIZE_MAX;
}

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

/* The number that a label with an exponent is; 0x1p63 and more is none, as in JSON. */
static bool exponent_number(bert_text label, double *number)
{
    char text[32];
    label = text_bare(label);
    if (!label.size || label.size >= sizeof text)
        return false;
    memcpy(text, label.data, label.size);
    text[label.size] = 0;
    bool plain = strspn(text, "0123456789+-.eE") == label.size && strpbrk(text, "eE");
    return plain && number_read(text, number) && fabs(*number) < 0x1p63;
}

bool table_label_has_exponent(bert_text label)
{
    double number;
    return exponent_number(label, &number);
}

/* ---- labels ------------------------------------------------------------------------------------------------------ */

static bert_status flag_unknown(const table_records *r, bert_text word, bert_err *err)
{
    return fail(err, BERT_ERR_DATA, "%s:%zu: label \"%.*s\" is neither one of --label-names nor a number from 0 to %zu",
                r->lines.name, r->line, word.size < 100 ? (int)word.size : 100, word.data, r->n_names - 1);
}

/* 0 or 1; -1: no flag. */
static int flag_value(bert_text word)
{
    static const char *const FLAGS[] = { "0", "1", "false", "true" };
    for (int i = 0; i < 4; i++)
        if (text_is(word, FLAGS[i]))
            return i & 1;
    return -1;
}

static void add_flag_name(table_records *r, buffer *out, size_t place, size_t before)
{
    if (out->size > before)
        buffer_char(out, ',');
    buffer_add(out, r->names[place].data, r->names[place].size);
    r->uses[place]++;
}

static bert_status add_flags(table_records *r, buffer *out, bert_err *err)
{
    size_t before = out->size;
    r->form = r->form > LABELS_LISTS ? r->form : LABELS_LISTS;
    for (size_t i = TABLE_LABEL; i < r->n_columns; i++) {
        const table_column *c = &r->columns[i];
        bert_text word = label_word(table_field(r, i));
        int flag = flag_value(word);
        if (flag < 0)
            return fail(err, BERT_ERR_DATA, "%s:%zu: column \"%s\": \"%.*s\" is neither 0 nor 1", r->lines.name,
                        r->line, c->name, word.size < 100 ? (int)word.size : 100, word.data);
        if (flag)
            add_flag_name(r, out, i - TABLE_LABEL, before);
    }
    return BERT_OK;
}

/* A list of as many 0 and 1 as there are names has a flag for each. */
static bool is_flags(const table_records *r, bert_text list)
{
    size_t n = 0;
    bool flags = true;
    for (size_t at = 0; flags && at <= list.size; n++)
        flags = flag_value(list_next(list, &at)) >= 0;
    return flags && n == r->n_names && n > 1;
}

/* [1, 0] is one thing as flags and another as numbers: a table has either. */
static bert_status check_flags(table_records *r, bool flags, bert_err *err)
{
    static const char *const ARE[] = { "names or numbers of labels", "a 0 or 1 for each of --label-names" };
    if (!r->flags_line) {
        r->flags_line = r->line;
        r->flags = flags;
    }
    return flags == r->flags ? BERT_OK
                             : fail(err, BERT_ERR_DATA, "%s:%zu: %s, and line %zu has %s; a table has one or the other",
                                    r->lines.name, r->line, ARE[flags], r->flags_line, ARE[r->flags]);
}

static bert_status add_named(table_records *r, buffer *out, bert_text list, bert_err *err)
{
    size_t before = out->size, n = 0;
    bool flags = is_flags(r, list);
    bert_status s = check_flags(r, flags, err);
    for (size_t at = 0; !s && at <= list.size; n++) {
        bert_text word = list_next(list, &at);
        size_t place = flags ? n : table_name_place(r, word);
        if (place == SIZE_MAX)
            return flag_unknown(r, word, err);
        if (!flags || flag_value(word))
            add_flag_name(r, out, place, before);
    }
    if (n > 1 && r->form == LABELS_WORDS)
        r->form = LABELS_LISTS;
    return s;
}

static bert_status add_tags_of_words(table_records *r, buffer *out, bert_text tags, bert_err *err)
{
    table_tags_start(r);
    for (size_t i = 0, n = 0, start; i < tags.size; i++) {
        for (start = i; i < tags.size && !word_blank(tags.data[i]); i++) {
        }
        bert_text tag = { tags.data + start, i - start };
        if (!tag.size)
            continue;
        if (n++)
            buffer_char(out, ' ');
        const char *why = table_add_tag(r, out, tag);
        if (why)
            return table_tag_wrong(r, r->line, tag, why, err);
    }
    return BERT_OK;
}

bert_status table_label_add(table_records *r, buffer *out, bert_err *err)
{
    bert_text field = table_field(r, TABLE_LABEL);
    if (labels_are_flags(r))
        return add_flags(r, out, err);
    if (r->word_tags && !r->tagged)
        return add_tags_of_words(r, out, field, err);
    if (r->n_names && !r->tagged && text_bare(field).size)
        return add_named(r, out, field, err);
    double number;
    if (!r->tagged && exponent_number(field, &number))
        number_text(out, number);
    else
        buffer_add(out, field.data, field.size);
    return BERT_OK;
}

void table_tags_start(table_records *r)
{
    r->form = LABELS_TAGS;
    r->tagged = true;
    table_tags_begin(&r->tags);
}

bert_status table_tag_wrong(const table_records *r, size_t line, bert_text tag, const char *why, bert_err *err)
{
    return fail(err, BERT_ERR_DATA, "%s:%zu: \"%.*s\" %s", r->lines.name, line, tag.size < 100 ? (int)tag.size : 100,
                tag.data, why);
}

const char *table_add_tag(table_records *r, buffer *out, bert_text tag)
{
    if (!r->columns[TABLE_LABEL].required) {
        buffer_add(out, tag.data, tag.size);
        return NULL;
    }
    if (r->n_names) {
        size_t place = table_name_place(r, label_word(tag));
        if (place == SIZE_MAX)
            return "is neither one of --label-names nor a number among theirs";
        r->uses[place]++;
        tag = r->names[place];
    }
    return table_tags_add(&r->tags, out, tag);
}

/* Records of conll files: a sentence's words with a space between them, and its tags likewise. The format is that of
 * the shared tasks of CoNLL-2000 and CoNLL-2003 (Tjong Kim Sang and De Meulder); CoNLL-U's, whose first column counts
 * the words, is read where the column of the words is given. */
#include "tables/table_labels.h"
#include "tables/table_records.h"

#include <string.h>

enum { CONLLU_COLUMNS = 10 };

/* What a line's columns are to a sentence. */
typedef struct conll_line {
    size_t n; /* columns */
    bert_text first, last;
    bert_text text, label; /* of size 0 where the line lacks it */
} conll_line;

/* Tabs divide the columns where there is one, and blanks around them do not count; else blanks divide. */
static conll_line split_line(const table_records *r, bert_text line)
{
    const table_column *text = &r->columns[TABLE_TEXT], *label = &r->columns[TABLE_LABEL];
    conll_line out = { 0 };
    bool tabs = line.size && memchr(line.data, '\t', line.size);
    line = text_bare((bert_text){ line.data, line.size });
    for (size_t i = 0, start; i < line.size; i++) {
        for (start = i; i < line.size && (tabs ? line.data[i] != '\t' : !word_blank(line.data[i])); i++) {
        }
        if (!tabs && i == start)
            continue;
        out.last = text_bare((bert_text){ line.data + start, i - start });
        out.first = out.n++ ? out.first : out.last;
        out.text = text->number == out.n ? out.last : out.text;
        out.label = label->present && label->number == out.n ? out.last : out.label;
    }
    if (label->present && !label->number && out.n > 1)
        out.label = out.last;
    return out;
}

static bool conll_begins(bert_text line, const char *words)
{
    return line.size >= strlen(words) && !memcmp(line.data, words, strlen(words));
}

/* What stands between documents does, too: of CoNLL-2003 and of CoNLL-2012. */
static bool ends_sentence(const conll_line *line, bert_text text)
{
    return !line->n || text_is(line->first, "-DOCSTART-") || conll_begins(text, "#begin document") ||
           conll_begins(text, "#end document");
}

/* A comment stands before a sentence; a word "#" has a tag behind it. */
static bool is_comment(const table_records *r, const conll_line *line, bert_text text)
{
    bool tag = text_is(line->last, "O") ||
               (line->last.size > 2 && line->last.data[1] == '-' && memchr("BIESULMW", line->last.data[0], 8));
    bool mark = conll_begins(text, "#") &&
                (text_is(line->first, "#") || (line->first.size > 1 && word_blank(line->first.data[1])));
    bool alone = line->n == 1 && text_is(line->first, "#");
    return mark && !tag && (!alone || r->columns[TABLE_LABEL].required);
}

/* The number that a text begins with; *size: its digits. */
static size_t leading_number(bert_text text, size_t *size)
{
    size_t number = 0;
    for (*size = 0; *size < text.size && *size < 9 && text.data[*size] >= '0' && text.data[*size] <= '9'; ++*size)
        number = number * 10 + (size_t)(text.data[*size] - '0');
    return number;
}

/* "1-2" are two words that are written as one, "1.1" is a word that is not written. */
static bool is_range(const conll_line *line)
{
    size_t digits;
    leading_number(line->first, &digits);
    return line->n == CONLLU_COLUMNS && digits && digits + 1 < line->first.size &&
           (line->first.data[digits] == '-' || line->first.data[digits] == '.');
}

/* Where no column was chosen, that of the words must not be one that counts them. */
static void look_at_index(table_records *r, const conll_line *line, size_t word)
{
    size_t digits, number = leading_number(line->first, &digits);
    bool counts = line->n > 2 && digits == line->first.size && (number == word || number + 1 == word);
    r->told.indexed = counts && (word == 1 || r->told.indexed);
}

static bert_status check_index(table_records *r, size_t words, bert_err *err)
{
    if (r->columns[TABLE_TEXT].named || r->told.index_known || words < 2)
        return BERT_OK;
    r->lost = r->told.indexed; /* what is read wrongly is so to the end */
    r->told.index_known = true;
    return r->told.indexed ? fail(err, BERT_ERR_DATA,
                                  "%s:%zu: the first column counts the words, as in CoNLL-U: say which one has them "
                                  "(--text-columns 2) and which the tags (--label-column N)",
                                  r->lines.name, r->line)
                           : BERT_OK;
}

static bert_status lacks(const table_records *r, const conll_line *line, size_t number, bert_err *err)
{
    return fail(err, BERT_ERR_DATA,
                line->n < number ? "%s:%zu: columns: %zu, column %zu is wanted"
                                 : "%s:%zu: columns: %zu, column %zu is empty",
                r->lines.name, r->lines.number, line->n, number);
}

/* Adds a word and its tag. *tagged becomes false where the tag is missing and may be. */
static bert_status conll_add_word(table_records *r, const conll_line *line, bool *tagged, bert_err *err)
{
    table_column *text = &r->columns[TABLE_TEXT], *label = &r->columns[TABLE_LABEL];
    if (!line->text.size)
        return lacks(r, line, text->number, err);
    if (!line->label.size && label->required)
        return lacks(r, line, label->number ? label->number : 2, err);
    if (label->required && !label->number && r->told.width && line->n != r->told.width)
        return fail(err, BERT_ERR_DATA,
                    "%s:%zu: columns: %zu, the first line has %zu; tabs divide columns with blanks in them",
                    r->lines.name, r->lines.number, line->n, r->told.width);
    r->told.width = r->told.width ? r->told.width : line->n;
    if (text->bytes.size) {
        buffer_char(&text->bytes, ' ');
        buffer_char(&label->bytes, ' ');
    }
    table_add_word(&text->bytes, line->text);
    const char *why = table_add_tag(r, &label->bytes, line->label);
    if (why)
        return table_tag_wrong(r, r->lines.number, line->label, why, err);
    if (text->bytes.failed || label->bytes.failed)
        return fail_memory(err, r->lines.name);
    *tagged &= line->label.size > 0;
    r->lost = text->bytes.size > LINE_MOST || label->bytes.size > LINE_MOST;
    return r->lost ? line_too_long(&r->lines, r->line, err) : BERT_OK;
}

/* Reads lines up to the end of the next sentence; *words: how many it has. */
static bert_status read_sentence(table_records *r, size_t *words, bool *tagged, bert_err *err)
{
    for (*words = 0;;) {
        bert_text text = { 0 };
        bool end;
        bert_status s = table_records_line(r, &text, &end, err);
        if (s)
            return s;
        conll_line line = split_line(r, text);
        if (end || ends_sentence(&line, text)) {
            if (end || *words)
                return check_index(r, *words, err);
            r->passing = false;
        } else if (!*words && is_comment(r, &line, text)) {
            r->told.comments++;
        } else if (is_range(&line)) {
            r->told.ranges = true;
        } else if (!r->passing) {
            r->line = *words ? r->line : r->lines.number;
            look_at_index(r, &line, ++*words);
            if ((s = conll_add_word(r, &line, tagged, err))) {
                r->passing = true;
                return s;
            }
        }
    }
}

bert_status table_conll_next(table_records *r, bool *end, bert_err *err)
{
    bool tagged = true;
    size_t words;
    r->n = 0;
    r->blank = false;
    table_tags_start(r);
    for (size_t i = 0; i < r->n_columns; i++)
        buffer_clear(&r->columns[i].bytes);
    bert_status s = read_sentence(r, &words, &tagged, err);
    *end = !words;
    for (size_t i = 0; !s && words && i < r->n_columns; i++) {
        const table_column *c = &r->columns[i];
        bool there = c->present && (i != TABLE_LABEL || tagged);
        s = table_records_add(r, there ? c->bytes.data : "", there ? c->bytes.size : 0, err);
    }
    return s;
}

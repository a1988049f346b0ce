/* Tags to BIO. */
#include "tables/table_tags.h"
#include "base/words.h"

#include <stdio.h>
#include <string.h>

/* What a prefix becomes; whether it needs an entity to go on with; whether the entity ends here. */
static const struct prefix {
    char is, becomes;
    bool goes_on, ends;
} PREFIXES[] = {
    { 'B', 'B', false, false }, { 'I', 'I', false, false }, { 'S', 'B', false, true }, { 'U', 'B', false, true },
    { 'W', 'B', false, true },  { 'E', 'I', true, true },   { 'L', 'I', true, true },  { 'M', 'I', true, false },
};

static const struct prefix *prefix_of(bert_text tag)
{
    for (size_t i = 0; tag.size > 2 && tag.data[1] == '-' && i < sizeof PREFIXES / sizeof *PREFIXES; i++)
        if (PREFIXES[i].is == tag.data[0])
            return &PREFIXES[i];
    return NULL;
}

static bool is_b_or_i(char c)
{
    return c == 'B' || c == 'I';
}

/* B_PER, PER-B and the like: tags of BIO that are written in another way. */
static bool is_odd(bert_text tag)
{
    static const char DIVIDERS[] = "_-.:/|";
    return tag.size > 2 &&
           ((is_b_or_i(tag.data[0]) && memchr(DIVIDERS, tag.data[1], sizeof DIVIDERS - 1)) ||
            (is_b_or_i(tag.data[tag.size - 1]) && memchr(DIVIDERS, tag.data[tag.size - 2], sizeof DIVIDERS - 1)));
}

/* A word like PER, or a letter that means nothing in tags. */
static bool is_bare(bert_text tag)
{
    unsigned char first = tag.size ? (unsigned char)tag.data[0] : 0;
    bool letter = (first | 0x20) >= 'a' && (first | 0x20) <= 'z';
    return (letter || first >= 0x80) && (tag.size == 1 ? !strchr("BIESULMW", tag.data[0]) : tag.data[1] != '-');
}

/* Appends PREFIX-NAME and remembers the first tag that was written otherwise. */
static void put_tag(table_tags *t, buffer *out, bert_text tag, char prefix, bert_text name)
{
    size_t before = out->size;
    bool same = tag.size > name.size && tag.data[0] == prefix;
    buffer_char(out, prefix);
    buffer_char(out, '-');
    t->name = out->size;
    t->size = name.size;
    buffer_add(out, name.data, name.size);
    if (same || *t->from || out->failed)
        return;
    snprintf(t->from, sizeof t->from, "%.*s", tag.size < 60 ? (int)tag.size : 60, tag.data);
    snprintf(t->became, sizeof t->became, "%.*s", out->size - before < 60 ? (int)(out->size - before) : 60,
             out->data + before);
}

const char *table_tags_add(table_tags *t, buffer *out, bert_text tag)
{
    const struct prefix *p = prefix_of(tag);
    bert_text name = p ? (bert_text){ tag.data + 2, tag.size - 2 } : tag;
    bool same = t->size && text_equal(name, (bert_text){ out->data + t->name, t->size });
    if (tag.size == 1 && tag.data[0] == 'O') {
        buffer_char(out, 'O');
        t->size = 0;
        return NULL;
    }
    if (!p && is_odd(tag))
        return "is a tag in another form than B-NAME and I-NAME";
    if (!p && !is_bare(tag))
        return "is no tag: O, B-NAME or I-NAME is expected (or E-, S-, L-, U-NAME)";
    if (p ? t->bare : t->prefixed)
        return "is a tag of another kind than those before: with B- and I-, or without";
    if (p && p->goes_on && (!same || t->closed))
        return "goes on with an entity that has not begun";
    if (p && p->becomes == 'I' && same && t->closed)
        return "goes on with an entity that has ended";
    put_tag(t, out, tag, same && !(p && p->becomes == 'B') ? 'I' : 'B', name);
    t->prefixed |= p != NULL;
    t->bare |= !p;
    t->closed = p && p->ends;
    return NULL;
}

/* Changes are counted as the original counts them: a string that becomes a shorter one takes the rest away with its
 * last character, or with the character before it where nothing is left. */
#include "text/charsmap.h"

#include "base/size.h"
#include "base/utf8.h"
#include "text/unicode.h"

#include <string.h>

enum { MOST_GRAPHEME = 5 }; /* bytes of one that is looked up as a whole */

/* What the shortest entry that is a prefix becomes; NULL: there is none. */
static const char *charsmap_find(const charsmap *c, const unsigned char *key, size_t n)
{
    size_t at = 0;
    uint32_t unit = c->units[0];
    at ^= (size_t)(unit >> 10) << ((unit & 1u << 9) >> 6);
    for (size_t i = 0; i < n && key[i]; i++) {
        at ^= key[i];
        if (at >= c->n_units)
            return NULL;
        unit = c->units[at];
        if ((unit & (1u << 31 | 0xFF)) != key[i])
            return NULL;
        at ^= (size_t)(unit >> 10) << ((unit & 1u << 9) >> 6);
        if (unit >> 8 & 1) {
            if (at >= c->n_units)
                return NULL;
            size_t place = c->units[at] & 0x7FFFFFFF;
            return place < c->size && (!place || (c->strings[place] & 0xC0) != 0x80) ? c->strings + place : NULL;
        }
    }
    return NULL;
}

bert_status charsmap_read(charsmap *c, const void *bytes, size_t size, arena *a, const char *where, bert_err *err)
{
    size_t trie = size >= 4 ? load_le32(bytes) : SIZE_MAX;
    if (trie > size - 4 || trie % 4 || !trie)
        return fail(err, BERT_ERR_FORMAT, "%s: a precompiled charsmap of %zu bytes that is cut", where, size);
    uint32_t *units = arena_array(a, trie / 4, sizeof *units);
    const char *strings = (const char *)bytes + 4 + trie;
    c->size = size - 4 - trie;
    c->n_units = trie / 4;
    c->units = units;
    c->strings = arena_copy(a, strings, c->size);
    if (!units || !c->strings)
        return fail_memory(err, where);
    memcpy(units, (const char *)bytes + 4, trie);
    if (!c->size || c->strings[c->size - 1] || !utf8_is_valid(c->strings, c->size))
        return fail(err, BERT_ERR_FORMAT, "%s: the strings of a precompiled charsmap are cut", where);
    for (unsigned char i = 0; i < 128; i++)
        c->plain[i] = i != '\r' && !charsmap_find(c, &i, 1);
    return BERT_OK;
}

static void add_replaced(text_work *w, const unsigned char *from, size_t size, const char *to)
{
    int32_t old = 0, n = 0;
    size_t length, first = w->n_changes;
    for (size_t i = 0; i < size; i++)
        old += (from[i] & 0xC0) != 0x80;
    for (const unsigned char *at = (const unsigned char *)to; *at; at += length, n++)
        text_change_add(w, text_character(at, &length), 0);
    if (w->failed)
        return;
    for (int32_t i = n - 1; i >= 0 && i >= old; i--)
        w->changes[first + (size_t)i].change = 1;
    if (n < old && w->n_changes)
        w->changes[w->n_changes - 1].change += n - old;
}

/* The end of the grapheme that begins at `at`. */
static size_t grapheme_end(const normal_text *t, size_t at)
{
    size_t length, end;
    int32_t state = 0;
    uint32_t cp = text_character(t->bytes + at, &length);
    for (end = at + length; end < t->size; end += length) {
        uint32_t next = text_character(t->bytes + end, &length);
        if (utf8proc_grapheme_break_stateful((utf8proc_int32_t)cp, (utf8proc_int32_t)next, &state))
            break;
        cp = next;
    }
    return end;
}

/* The n bytes from `at` on, which are one character or grapheme; false: they stay as they are. */
static bool replace_whole(const charsmap *c, text_work *w, size_t at, size_t n)
{
    const char *to = charsmap_find(c, w->text.bytes + at, n);
    if (to)
        add_replaced(w, w->text.bytes + at, n, to);
    return to;
}

static bool replace_parts(const charsmap *c, text_work *w, size_t at, size_t end)
{
    bool any = false;
    size_t length;
    for (; at < end; at += length) {
        uint32_t cp = text_character(w->text.bytes + at, &length);
        if (replace_whole(c, w, at, length))
            any = true;
        else
            text_change_add(w, cp, 0);
    }
    return any;
}

/* Whether nothing would change: ASCII alone, of which nothing becomes anything. */
static bool charsmap_keeps(const charsmap *c, const normal_text *t)
{
    size_t at = 0;
    while (at < t->size && t->bytes[at] < 128 && c->plain[t->bytes[at]])
        at++;
    return at == t->size;
}

void charsmap_normalize(const charsmap *c, text_work *w)
{
    const normal_text *t = &w->text;
    bool any = false;
    if (charsmap_keeps(c, t))
        return;
    w->n_changes = 0;
    for (size_t at = 0, end; at < t->size && !w->failed; at = end) {
        unsigned char first = t->bytes[at], behind = at + 1 < t->size ? t->bytes[at + 1] : 'x';
        if (first < 128 && behind < 128 && first != '\r') {
            end = at + 1;
        } else
            end = grapheme_end(t, at);
        bool whole = end - at <= MOST_GRAPHEME && replace_whole(c, w, at, end - at);
        any |= whole || replace_parts(c, w, at, end);
    }
    if (any)
        text_change_apply(w, 0);
    w->n_changes = 0;
}

/* Places are counted as the crate unicode-normalization-alignments does: of what a character decomposes into the first
 * replaces it, the others are put in; of what is composed all but the first is taken away. */
#include "text/normalize_unicode.h"

#include "text/unicode.h"

static unsigned combining_class(uint32_t cp)
{
    return (unsigned)utf8proc_get_property((utf8proc_int32_t)cp)->combining_class;
}

/* ---- decomposing ------------------------------------------------------------------------------------------------- */

/* Puts changes[from .. n) in the order of their combining classes; equal ones stay as they are. */
static void order_marks(text_change *changes, size_t from, size_t n)
{
    for (size_t i = from + 1; i < n; i++) {
        text_change c = changes[i];
        unsigned class = combining_class(c.cp);
        size_t k = i;
        for (; k > from && combining_class(changes[k - 1].cp) > class; k--)
            changes[k] = changes[k - 1];
        changes[k] = c;
    }
}

enum { MOST_DECOMPOSED = 32, MOST_MARKS = 4096 };

static void unicode_decompose(text_work *w, bool compatible)
{
    const normal_text *t = &w->text;
    size_t marks = 0, length; /* marks: where a run of characters of a class other than 0 begins */
    w->n_changes = 0;
    for (size_t at = 0; at < t->size && !w->failed; at += length) {
        utf8proc_int32_t parts[MOST_DECOMPOSED];
        int boundary = 0;
        uint32_t cp = text_character(t->bytes + at, &length);
        utf8proc_ssize_t n = utf8proc_decompose_char((utf8proc_int32_t)cp, parts, MOST_DECOMPOSED,
                                                     UTF8PROC_DECOMPOSE | (compatible ? UTF8PROC_COMPAT : 0),
                                                     &boundary);
        if (n < 1 || n > MOST_DECOMPOSED) {
            n = 1;
            parts[0] = (utf8proc_int32_t)cp;
        }
        for (utf8proc_ssize_t i = 0; i < n; i++) {
            bool starter = !combining_class((uint32_t)parts[i]);
            if (starter || w->n_changes - marks > MOST_MARKS) {
                order_marks(w->changes, marks, w->n_changes);
                marks = w->n_changes + starter;
            }
            text_change_add(w, (uint32_t)parts[i], i > 0);
        }
    }
    order_marks(w->changes, marks, w->n_changes);
}

/* ---- composing --------------------------------------------------------------------------------------------------- */

/* The character that two compose to, or 0. */
static uint32_t compose_two(uint32_t a, uint32_t b)
{
    utf8proc_int32_t both[2] = { (utf8proc_int32_t)a, (utf8proc_int32_t)b };
    if (b < 0x300)
        return 0;
    return utf8proc_normalize_utf32(both, 2, UTF8PROC_COMPOSE | UTF8PROC_STABLE) == 1 ? (uint32_t)both[0] : 0;
}

/* changes[base + 1 .. to) are marks behind a starter that none of them composed with; the list is made shorter in
 * place. */
static void unicode_compose(text_work *w)
{
    text_change *c = w->changes;
    size_t to = 0, base = SIZE_MAX;
    unsigned last = 0; /* the class of the last mark that stayed */
    for (size_t i = 0; i < w->n_changes; i++) {
        text_change this = c[i];
        unsigned class = combining_class(this.cp);
        uint32_t both = base != SIZE_MAX && (last == 0 || last < class) ? compose_two(c[base].cp, this.cp) : 0;
        if (both) {
            c[base] = (text_change){ both, c[base].change + this.change - 1 };
            continue;
        }
        if (!class) {
            base = to;
            last = 0;
        } else if (base != SIZE_MAX)
            last = class;
        c[to++] = this;
    }
    w->n_changes = to;
}

void normalize_form(text_work *w, unicode_form form)
{
    if (text_is_ascii(&w->text))
        return;
    unicode_decompose(w, form == UNICODE_NFKC || form == UNICODE_NFKD);
    if (!w->failed && (form == UNICODE_NFC || form == UNICODE_NFKC))
        unicode_compose(w);
    text_change_apply(w, 0);
}

/* ---- single characters ------------------------------------------------------------------------------------------- */

static bool is_chinese(uint32_t cp)
{
    return (cp >= 0x4E00 && cp <= 0x9FFF) || (cp >= 0x3400 && cp <= 0x4DBF) || (cp >= 0x20000 && cp <= 0x2A6DF) ||
           (cp >= 0x2A700 && cp <= 0x2B73F) || (cp >= 0x2B740 && cp <= 0x2B81F) || (cp >= 0x2B920 && cp <= 0x2CEAF) ||
           (cp >= 0xF900 && cp <= 0xFAFF) || (cp >= 0x2F800 && cp <= 0x2FA1F);
}

static bool nmt_drops(uint32_t cp)
{
    return (cp >= 1 && cp <= 8) || cp == 0x0B || (cp >= 0x0E && cp <= 0x1F) || cp == 0x7F || cp == 0x8F || cp == 0x9F;
}

static bool nmt_blanks(uint32_t cp)
{
    return cp == 0x09 || cp == 0x0A || cp == 0x0C || cp == 0x0D || cp == 0x1680 || (cp >= 0x200B && cp <= 0x200F) ||
           cp == 0x2028 || cp == 0x2029 || cp == 0x2581 || cp == 0xFEFF || cp == 0xFFFD;
}

static bool clean_drops(uint32_t cp)
{
    return !cp || cp == 0xFFFD || (cp != '\t' && cp != '\n' && cp != '\r' && unicode_is(cp, CATEGORIES_OTHER));
}

/* What a character becomes; 0 with *drop: nothing. */
static uint32_t filter_character(unicode_filter filter, uint32_t cp, bool *drop)
{
    switch (filter) {
    case UNICODE_LOWER:
        return cp == 0x130 ? 'i' : (uint32_t)utf8proc_tolower((utf8proc_int32_t)cp);
    case UNICODE_NO_MARKS:
        *drop = unicode_is(cp, CATEGORIES_MARK);
        return cp;
    case UNICODE_NMT:
        *drop = nmt_drops(cp);
        return nmt_blanks(cp) ? ' ' : cp;
    case UNICODE_NO_NONSPACING:
        *drop = unicode_is(cp, 1 << UTF8PROC_CATEGORY_MN);
        return cp;
    case UNICODE_CLEAN:
        *drop = clean_drops(cp);
        return unicode_is_space(cp) ? ' ' : cp;
    case UNICODE_CHINESE:
        return cp;
    }
    return cp;
}

/* Characters that change take the place of what they were, so nothing is counted: the next text is written at once. */
void normalize_characters(text_work *w, unicode_filter filter)
{
    const normal_text *t = &w->text;
    size_t length, kept = 0; /* kept: from here on nothing has been copied yet */
    bool any = false;
    for (size_t at = 0; at < t->size && !w->failed; at += length) {
        uint32_t cp = text_character(t->bytes + at, &length);
        bool drop = false, chinese = filter == UNICODE_CHINESE && cp >= 0x3400 && is_chinese(cp);
        uint32_t becomes = filter_character(filter, cp, &drop);
        if (becomes == cp && !drop && !chinese)
            continue;
        if (!any)
            next_begin(w, t->size + t->size / 2 + 16);
        any = true;
        next_copy(w, kept, at);
        kept = at + length;
        char bytes[8];
        size_t n = drop ? 0 : utf8proc_encode_char((utf8proc_int32_t)becomes, (utf8proc_uint8_t *)bytes);
        if (filter == UNICODE_LOWER && cp == 0x130) /* the one character that becomes two */
            n += (size_t)utf8proc_encode_char(0x307, (utf8proc_uint8_t *)bytes + n);
        if (chinese)
            next_put(w, " ", 1, at);
        next_put(w, bytes, n, at);
        if (chinese)
            next_put(w, " ", 1, at);
    }
    if (!any || w->failed)
        return;
    next_copy(w, kept, t->size);
    next_end(w);
}

void normalize_bert(text_work *w, bool clean, bool chinese, bool strip, bool lower)
{
    if (clean)
        normalize_characters(w, UNICODE_CLEAN);
    if (chinese)
        normalize_characters(w, UNICODE_CHINESE);
    if (strip) {
        normalize_form(w, UNICODE_NFD);
        normalize_characters(w, UNICODE_NO_NONSPACING);
    }
    if (lower)
        normalize_characters(w, UNICODE_LOWER);
}

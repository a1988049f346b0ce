/* The normalizers by their names, and those that are a few lines. */
#include "text/component.h"

#include "base/base64.h"
#include "base/size.h"
#include "text/normalize_unicode.h"
#include "text/unicode.h"

#include <string.h>

/* ---- Strip, Replace, Prepend ------------------------------------------------------------------------------------- */

static size_t white_start(const normal_text *t)
{
    size_t at = 0, length;
    while (at < t->size && unicode_is_space(text_character(t->bytes + at, &length)))
        at += length;
    return at;
}

static size_t white_end(const normal_text *t, size_t from)
{
    size_t end = t->size, at, length;
    for (at = end; at > from; end = at) {
        do
            at--;
        while ((t->bytes[at] & 0xC0) == 0x80);
        if (!unicode_is_space(text_character(t->bytes + at, &length)))
            break;
    }
    return end;
}

static void run_strip(const component *c, text_work *w)
{
    size_t from = c->options[0] ? white_start(&w->text) : 0;
    size_t to = c->options[1] ? white_end(&w->text, from) : w->text.size;
    if (from == 0 && to == w->text.size)
        return;
    next_begin(w, to - from + 1);
    next_copy(w, from, to);
    next_end(w);
}

static void run_replace(const component *c, text_work *w)
{
    size_t at = 0, size = w->text.size, start, end, steps = pattern_steps(size);
    bool any = false;
    while (pattern_find(c->pattern, w, at, size, &start, &end, &steps)) {
        if (!any)
            next_begin(w, size + 1);
        any = true;
        next_copy(w, at, start);
        next_put(w, c->text.data, c->text.size, end - 1);
        at = end;
    }
    if (!any || w->failed || w->refused)
        return;
    next_copy(w, at, size);
    next_end(w);
}

static void run_prepend(const component *c, text_work *w)
{
    if (!w->text.size)
        return;
    next_begin(w, w->text.size + c->text.size + 1);
    next_put(w, c->text.data, c->text.size, 0);
    next_copy(w, 0, w->text.size);
    next_end(w);
}

static bert_status read_strip(component_reader *r, json_t *json, component *c)
{
    bert_status s = json_get_bool_or(json, "strip_left", true, &c->options[0], r->where, r->err);
    return s ? s : json_get_bool_or(json, "strip_right", true, &c->options[1], r->where, r->err);
}

static bert_status read_replace(component_reader *r, json_t *json, component *c)
{
    bert_status s = component_pattern(r, json, "pattern", &c->pattern);
    return s ? s : component_text(r, json, "content", &c->text);
}

static bert_status read_prepend(component_reader *r, json_t *json, component *c)
{
    return component_text(r, json, "prepend", &c->text);
}

/* ---- Precompiled ------------------------------------------------------------------------------------------------- */

static bert_status read_precompiled(component_reader *r, json_t *json, component *c)
{
    size_t n;
    bert_text text;
    const char *key = "precompiled_charsmap";
    if (json_is_null(json_object_get(json, key))) { /* an empty one changes nothing */
        c->run = NULL;
        return BERT_OK;
    }
    bert_status s = component_text(r, json, key, &text);
    if (s || !text.size) {
        c->run = NULL;
        return s;
    }
    unsigned char *bytes = arena_alloc_raw(r->a, text.size);
    if (!bytes)
        return fail_memory(r->err, r->where);
    if (!base64_decode(text, bytes, &n))
        return fail(r->err, BERT_ERR_FORMAT, "%s: %s is not in base 64", r->where, key);
    return charsmap_read(&c->charsmap, bytes, n, r->a, r->where, r->err);
}

static void run_precompiled(const component *c, text_work *w)
{
    charsmap_normalize(&c->charsmap, w);
}

/* ---- BertNormalizer ---------------------------------------------------------------------------------------------- */

static bert_status read_bert(component_reader *r, json_t *json, component *c)
{
    static const char *const KEYS[] = { "clean_text", "handle_chinese_chars", "lowercase" };
    bert_status s = BERT_OK;
    for (int i = 0; !s && i < 3; i++)
        s = json_get_bool_or(json, KEYS[i], true, &c->options[i], r->where, r->err);
    return s ? s : json_get_bool_or(json, "strip_accents", c->options[2], &c->options[3], r->where, r->err);
}

static void run_bert(const component *c, text_work *w)
{
    normalize_bert(w, c->options[0], c->options[1], c->options[3], c->options[2]);
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static void run_form(const component *c, text_work *w)
{
    normalize_form(w, (unicode_form)c->form);
}

static void run_filter(const component *c, text_work *w)
{
    normalize_characters(w, (unicode_filter)c->form);
}

static const component_kind NORMALIZERS[] = {
    { "BertNormalizer",
      read_bert,
      run_bert,
      { "clean_text", "handle_chinese_chars", "strip_accents", "lowercase" },
      0 },
    { "NFC", NULL, run_form, { NULL }, UNICODE_NFC },
    { "NFD", NULL, run_form, { NULL }, UNICODE_NFD },
    { "NFKC", NULL, run_form, { NULL }, UNICODE_NFKC },
    { "NFKD", NULL, run_form, { NULL }, UNICODE_NFKD },
    { "Lowercase", NULL, run_filter, { NULL }, UNICODE_LOWER },
    { "StripAccents", NULL, run_filter, { NULL }, UNICODE_NO_MARKS },
    { "Nmt", NULL, run_filter, { NULL }, UNICODE_NMT },
    { "Strip", read_strip, run_strip, { "strip_left", "strip_right" }, 0 },
    { "Replace", read_replace, run_replace, { "pattern", "content" }, 0 },
    { "Prepend", read_prepend, run_prepend, { "prepend" }, 0 },
    { "Precompiled", read_precompiled, run_precompiled, { "precompiled_charsmap" }, 0 },
};

const component_kind *normalizer_kinds(size_t *n)
{
    *n = sizeof NORMALIZERS / sizeof *NORMALIZERS;
    return NORMALIZERS;
}

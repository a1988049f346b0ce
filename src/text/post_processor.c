/* A template is two lists; a special_template holds those of which the pair's begins and ends as the single text's. */
#include "text/post_processor.h"

#include "base/utf8.h"
#include "text/unicode.h"

#include <string.h>

/* ---- templates --------------------------------------------------------------------------------------------------- */

/* One list: what stands before, between and behind its texts. */
typedef struct template_list {
    special_run runs[3];
    int segments[5]; /* before, a, between, b, after; -1: nothing there */
    int texts;
} template_list;

typedef struct processor_reader {
    component_reader *r;
    bert_tokenizer *t;
    size_t n_specials;
    bool has_template;
} processor_reader;

/* Puts an id at the end of a run. */
static bert_status run_put(processor_reader *p, special_run *run, int64_t id)
{
    size_t role = 0;
    while (role < p->n_specials && p->t->special[role] != id)
        role++;
    if (id < 0 || id > INT32_MAX || role >= MOST_SPECIALS || run->n >= MOST_SPECIAL_RUN)
        return fail(p->r->err, BERT_ERR_UNSUPPORTED,
                    "%s: post_processor: more than %d special tokens, %d of them together, or one without an id",
                    p->r->where, MOST_SPECIALS, MOST_SPECIAL_RUN);
    p->t->special[role] = (int32_t)id;
    p->n_specials += role == p->n_specials;
    run->roles[run->n++] = (unsigned char)role;
    return BERT_OK;
}

/* A special token of a template: its ids are those that the file gives it. */
static bert_status template_special(processor_reader *p, json_t *tokens, const char *name, special_run *run)
{
    json_t *ids = json_object_get(name ? json_object_get(tokens, name) : NULL, "ids");
    bert_status s = json_is_array(ids)
                        ? BERT_OK
                        : fail(p->r->err, BERT_ERR_FORMAT, "%s: post_processor: special token \"%.100s\" has no ids",
                               p->r->where, name ? name : "");
    for (size_t i = 0; !s && i < json_array_size(ids); i++)
        s = run_put(p, run, json_integer_value(json_array_get(ids, i)));
    return s;
}

static bert_status read_template_list(processor_reader *p, json_t *list, json_t *tokens, template_list *out)
{
    bert_status s = BERT_OK;
    *out = (template_list){ .segments = { -1, -1, -1, -1, -1 } };
    for (size_t i = 0; !s && i < json_array_size(list); i++) {
        json_t *item = json_array_get(list, i), *special = json_object_get(item, "SpecialToken"),
               *text = json_object_get(item, "Sequence");
        json_int_t segment = json_integer_value(json_object_get(special ? special : text, "type_id"));
        const char *id = json_string_value(json_object_get(special ? special : text, "id"));
        int place = 2 * out->texts + (text != NULL);
        bool wrong = (!special && !text) || (text && (!id || strcmp(id, out->texts ? "B" : "A") || out->texts == 2)) ||
                     segment < 0 || segment > 1 ||
                     (!text && out->segments[place] >= 0 && out->segments[place] != segment);
        if (wrong)
            return fail(p->r->err, BERT_ERR_UNSUPPORTED,
                        "%s: post_processor: a template whose item %zu is not known to libbert", p->r->where, i);
        out->segments[place] = (int)segment;
        if (text)
            out->texts++;
        else
            s = template_special(p, tokens, id, &out->runs[out->texts]);
    }
    return s;
}

static bool same_run(const special_run *a, const special_run *b)
{
    return a->n == b->n && !memcmp(a->roles, b->roles, a->n);
}

/* Whether the parts have the segments that a special_template gives them. */
static bool segments_fit(const template_list *single, const template_list *pair, int *second)
{
    *second = pair->segments[3];
    for (int i = 0; i < 3; i++)
        if (single->segments[i] > 0 || pair->segments[i] > 0)
            return false;
    return *second >= 0 && (pair->segments[4] < 0 || pair->segments[4] == *second);
}

static bert_status read_template_processing(processor_reader *p, json_t *json, special_template *specials)
{
    static const char *const MEMBERS[] = { "single", "pair", "special_tokens" };
    template_list single, pair;
    bert_status s = component_members(p->r, json, "post_processor TemplateProcessing", MEMBERS, 3);
    json_t *tokens = json_object_get(json, MEMBERS[2]);
    if (!s)
        s = read_template_list(p, json_object_get(json, MEMBERS[0]), tokens, &single);
    if (!s)
        s = read_template_list(p, json_object_get(json, MEMBERS[1]), tokens, &pair);
    if (s)
        return s;
    int second;
    if (single.texts != 1 || pair.texts != 2 || !segments_fit(&single, &pair, &second) ||
        !same_run(&single.runs[0], &pair.runs[0]) || !same_run(&single.runs[1], &pair.runs[2]))
        return fail(p->r->err, BERT_ERR_UNSUPPORTED,
                    "%s: post_processor: a template whose pair does not begin and end as its single text, or with type "
                    "ids other than 0, and 1 from the second text on, is not known to libbert",
                    p->r->where);
    *specials = (special_template){ pair.runs[0], pair.runs[1], pair.runs[2], second };
    return BERT_OK;
}

/* ["[SEP]", 102] */
static bert_status named_special(processor_reader *p, json_t *json, const char *key, special_run *run)
{
    json_t *id = json_array_get(json_object_get(json, key), 1);
    return json_is_integer(id) ? run_put(p, run, json_integer_value(id))
                               : fail(p->r->err, BERT_ERR_FORMAT, "%s: post_processor: \"%s\" is no token with its id",
                                      p->r->where, key);
}

/* BERT's: cls a sep, cls a sep b sep; RoBERTa's: cls a sep, cls a sep sep b sep, of one segment. */
static bert_status read_named(processor_reader *p, json_t *json, bool roberta, special_template *specials)
{
    *specials = (special_template){ .second_segment = !roberta };
    bert_status s = named_special(p, json, "cls", &specials->before);
    for (int i = 0; !s && i < 1 + roberta; i++)
        s = named_special(p, json, "sep", &specials->between);
    return s ? s : named_special(p, json, "sep", &specials->after);
}

static bert_status read_trim(processor_reader *p, json_t *json, offset_trim *trim)
{
    offset_trim read = { false, false };
    bert_status s = json_get_bool_or(json, "trim_offsets", true, &read.trims, p->r->where, p->r->err);
    if (!s)
        s = json_get_bool_or(json, "add_prefix_space", true, &read.keeps_first, p->r->where, p->r->err);
    if (!s && read.trims && trim->trims)
        return fail(p->r->err, BERT_ERR_UNSUPPORTED, "%s: post_processor: offsets that are trimmed twice", p->r->where);
    *trim = read.trims ? read : *trim;
    return s;
}

static bert_status read_processor(processor_reader *p, json_t *json, special_template *specials, offset_trim *trim,
                                  int depth)
{
    static const char *const BERT[] = { "sep", "cls" },
                             *const ROBERTA[] = { "sep", "cls", "trim_offsets", "add_prefix_space" },
                             *const BYTES[] = { "trim_offsets", "add_prefix_space", "use_regex" },
                             *const LIST[] = { "processors" };
    const char *type = json_string_value(json_object_get(json, "type"));
    component_reader *r = p->r;
    bool template = false;
    bert_status s = BERT_OK;
    if (type && !strcmp(type, "Sequence") && depth < 4) {
        json_t *list = json_object_get(json, LIST[0]);
        s = component_members(r, json, "post_processor Sequence", LIST, 1);
        for (size_t i = 0; !s && i < json_array_size(list); i++)
            s = read_processor(p, json_array_get(list, i), specials, trim, depth + 1);
        return s;
    }
    if (type && !strcmp(type, "ByteLevel")) {
        s = component_members(r, json, "post_processor ByteLevel", BYTES, 3);
        return s ? s : read_trim(p, json, trim);
    }
    if (type && !strcmp(type, "TemplateProcessing")) {
        template = true;
        s = read_template_processing(p, json, specials);
    } else if (type && !strcmp(type, "BertProcessing")) {
        template = true;
        s = component_members(r, json, "post_processor BertProcessing", BERT, 2);
        s = s ? s : read_named(p, json, false, specials);
    } else if (type && !strcmp(type, "RobertaProcessing")) {
        template = true;
        s = component_members(r, json, "post_processor RobertaProcessing", ROBERTA, 4);
        s = s ? s : read_named(p, json, true, specials);
        s = s ? s : read_trim(p, json, trim);
    } else
        return fail(r->err, BERT_ERR_UNSUPPORTED, "%s: post_processor %.100s is not known to libbert", r->where,
                    type ? type : "without a type");
    if (!s && template && p->has_template)
        s = fail(r->err, BERT_ERR_UNSUPPORTED, "%s: post_processor: two templates", r->where);
    p->has_template |= template;
    return s;
}

bert_status post_processor_read(json_t *json, bert_tokenizer *t, special_template *specials, offset_trim *trim,
                                component_reader *r)
{
    processor_reader p = { .r = r, .t = t };
    *specials = (special_template){ .second_segment = 1 };
    return !json || json_is_null(json) ? BERT_OK : read_processor(&p, json, specials, trim, 0);
}

/* ---- offsets ----------------------------------------------------------------------------------------------------- */

static bool is_blank(uint32_t cp)
{
    return cp == 0x120 || unicode_is_space(cp); /* Ġ: a blank of ByteLevel */
}

/* How many blanks a token begins and ends with. */
static void count_blanks(bert_text token, size_t *leading, size_t *trailing)
{
    const unsigned char *bytes = (const unsigned char *)token.data;
    bool only = true;
    *leading = *trailing = 0;
    uint32_t cp;
    for (size_t at = 0, length; at < token.size; at += length ? length : 1) {
        length = utf8_decode(bytes + at, token.size - at, &cp);
        bool blank = length && is_blank(cp);
        only &= blank;
        *leading += only;
        *trailing = blank ? *trailing + 1 : 0;
    }
}

/* Goes n characters on from `at`, or back, but not beyond `edge`; *whole: it need not have. */
static uint32_t step_characters(bert_text text, uint32_t at, size_t n, uint32_t edge, bool back, bool *whole)
{
    const unsigned char *bytes = (const unsigned char *)text.data;
    *whole = true;
    for (; n; n--) {
        if (at == edge) {
            *whole = false;
            return at;
        }
        do
            at += back ? -1u : 1u;
        while (at != edge && (bytes[at] & 0xC0) == 0x80);
    }
    return at;
}

void post_processor_trim(const offset_trim *trim, bert_text text, bert_text token, bool first, token_span *span)
{
    size_t leading, trailing;
    bool whole;
    count_blanks(token, &leading, &trailing);
    if (leading == 1 && trim->keeps_first && (first || span->byte_start == 0)) /* more were not put there */
        leading = 0;
    span->byte_start = step_characters(text, span->byte_start, leading, span->byte_end, false, &whole);
    uint32_t end = step_characters(text, span->byte_end, trailing, 0, true, &whole);
    if (whole) /* the text has as many before it */
        span->byte_end = end > span->byte_start ? end : span->byte_start;
}

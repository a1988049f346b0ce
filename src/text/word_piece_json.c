/* The parts of a tokenizer.json: a normalizer, a pre-tokenizer, a model, a post-processor; each has a type by which it
 * is known. */
#include "text/word_piece_json.h"

#include "base/words.h"
#include "formats/json_build.h"
#include "text/component.h"
#include "text/tokenizer_json.h"

#include <stdint.h>
#include <string.h>

static bert_status keep_string(const char **string, arena *a, const char *where, bert_err *err)
{
    return (*string = arena_string(a, *string)) ? BERT_OK : fail_memory(err, where);
}

static bert_status unsupported(const json_t *json, const char *part, const char *expected, const char *where,
                               bert_err *err)
{
    buffer found = { 0 };
    component_name(&found, json_object_get(json, part));
    bert_status s = found.failed ? fail_memory(err, where)
                                 : fail(err, BERT_ERR_UNSUPPORTED, "%s: the %s is %s; libbert has %s alone", where,
                                        part, found.data, expected);
    buffer_free(&found);
    return s;
}

static bool has_type(const json_t *json, const char *part, const char *type)
{
    const char *found = json_string_value(json_object_get(json_object_get(json, part), "type"));
    return found && !strcmp(found, type);
}

/* ---- the normalizer ---------------------------------------------------------------------------------------------- */

static bert_status read_normalizer(const json_t *json, bert_tokenizer_options *o, const char *where, bert_err *err)
{
    const json_t *normalizer = json_object_get(json, "normalizer");
    bool strip = false;
    if (!normalizer || json_is_null(normalizer)) {
        o->do_lower_case = o->tokenize_chinese_chars = o->clean_text = false;
        o->strip_accents = 2;
        return BERT_OK;
    }
    if (!has_type(json, "normalizer", "BertNormalizer"))
        return unsupported(json, "normalizer", "BertNormalizer", where, err);
    bert_status s = json_get_bool_or(normalizer, "clean_text", true, &o->clean_text, where, err);
    if (!s)
        s = json_get_bool_or(normalizer, "handle_chinese_chars", true, &o->tokenize_chinese_chars, where, err);
    if (!s)
        s = json_get_bool_or(normalizer, "lowercase", true, &o->do_lower_case, where, err);
    if (!s)
        s = json_get_bool_or(normalizer, "strip_accents", false, &strip, where, err);
    o->strip_accents = !json_is_boolean(json_object_get(normalizer, "strip_accents")) ? 0 : strip ? 1 : 2;
    return s;
}

/* ---- the post-processor ------------------------------------------------------------------------------------------ */

static void template_item(json_t **list, const char *what, const char *id, int segment)
{
    json_add(list, json_pack("{s:{s:s,s:i}}", what, "id", id, "type_id", segment));
}

static void template_run(json_t **list, const special_run *run, const char *const tokens[], int segment)
{
    for (size_t i = 0; i < run->n; i++)
        template_item(list, "SpecialToken", tokens[run->roles[i]], segment);
}

json_t *template_to_json(const special_template *s, const char *const tokens[N_SPECIAL_ROLES], bool pair)
{
    json_t *list = json_array();
    template_run(&list, &s->before, tokens, 0);
    template_item(&list, "Sequence", "A", 0);
    if (pair) {
        template_run(&list, &s->between, tokens, 0);
        template_item(&list, "Sequence", "B", s->second_segment);
    }
    template_run(&list, &s->after, tokens, pair ? s->second_segment : 0);
    return list;
}

json_t *template_processing_to_json(const special_template *specials, const char *const tokens[N_SPECIAL_ROLES],
                                    const json_int_t ids[N_SPECIAL_ROLES])
{
    const char *cls = tokens[SPECIAL_CLASSIFY], *sep = tokens[SPECIAL_SEPARATE];
    return json_pack("{s:s, s:o, s:o, s:{s:{s:s,s:[I],s:[s]}, s:{s:s,s:[I],s:[s]}}}", "type", "TemplateProcessing",
                     "single", template_to_json(specials, tokens, false), "pair",
                     template_to_json(specials, tokens, true), "special_tokens", cls, "id", cls, "ids",
                     ids[SPECIAL_CLASSIFY], "tokens", cls, sep, "id", sep, "ids", ids[SPECIAL_SEPARATE], "tokens", sep);
}

static const char *special_of(const json_t *list, size_t i)
{
    return json_string_value(json_object_get(json_object_get(json_array_get(list, i), "SpecialToken"), "id"));
}

/* The template that is expected, whatever its special tokens are called. */
static bert_status read_template(const json_t *processor, const special_template *specials, bert_tokenizer_options *o,
                                 const char *where, bert_err *err)
{
    static const char *const MEMBERS[] = { "single", "pair" };
    const json_t *single = json_object_get(processor, MEMBERS[0]);
    const char *const tokens[] = { [SPECIAL_CLASSIFY] = o->cls_token = special_of(single, 0),
                                   [SPECIAL_SEPARATE] = o->sep_token = special_of(single, 2) };
    bool same = tokens[0] && tokens[1];
    for (int pair = 0; same && pair < 2; pair++) {
        json_t *expected = template_to_json(specials, tokens, pair);
        if (!expected)
            return fail_memory(err, where);
        same = json_equal(expected, json_object_get(processor, MEMBERS[pair]));
        json_decref(expected);
    }
    return same ? BERT_OK
                : fail(err, BERT_ERR_UNSUPPORTED,
                       "%s: the post_processor's template is not that of the module's family", where);
}

/* Post-processors that stand for a template. */
static const struct {
    const char *type;
    size_t between; /* how many separators stand between two texts */
    int second_segment;
} NAMED[] = { { "BertProcessing", 1, 1 }, { "RobertaProcessing", 2, 0 } };

static bert_status read_post_processor(const json_t *json, const special_template *specials, bert_tokenizer_options *o,
                                       const char *where, bert_err *err)
{
    const json_t *processor = json_object_get(json, "post_processor");
    if (has_type(json, "post_processor", "TemplateProcessing"))
        return read_template(processor, specials, o, where, err);
    for (size_t i = 0; i < sizeof NAMED / sizeof *NAMED; i++) {
        if (!has_type(json, "post_processor", NAMED[i].type) || specials->between.n != NAMED[i].between ||
            specials->second_segment != NAMED[i].second_segment)
            continue;
        o->cls_token = json_string_value(json_array_get(json_object_get(processor, "cls"), 0));
        o->sep_token = json_string_value(json_array_get(json_object_get(processor, "sep"), 0));
        return o->cls_token && o->sep_token
                   ? BERT_OK
                   : fail(err, BERT_ERR_FORMAT, "%s: %s without \"cls\" and \"sep\"", where, NAMED[i].type);
    }
    return unsupported(json, "post_processor", "the template of the module's family", where, err);
}

/* ---- the model --------------------------------------------------------------------------------------------------- */

/* A model of before they had types is one of word pieces where it has their prefix. */
static bert_status check_model(const json_t *json, const char *where, bert_err *err)
{
    const json_t *model = json_object_get(json, "model");
    bool untyped = !json_object_get(model, "type") && json_object_get(model, "continuing_subword_prefix") &&
                   !json_object_get(model, "merges");
    if (!untyped && !has_type(json, "model", "WordPiece"))
        return unsupported(json, "model", "WordPiece", where, err);
    return json_is_object(json_object_get(model, "vocab"))
               ? BERT_OK
               : fail(err, BERT_ERR_FORMAT, "%s: the model has no object \"vocab\"", where);
}

static bert_status read_model(const json_t *json, bert_tokenizer_options *o, const char *where, bert_err *err)
{
    const json_t *model = json_object_get(json, "model");
    bert_status s = check_model(json, where, err);
    if (!s)
        s = json_get_string_or(model, "unk_token", "[UNK]", &o->unk_token, where, err);
    if (!s)
        s = json_get_string_or(model, "continuing_subword_prefix", "##", &o->prefix, where, err);
    return s ? s
             : json_get_int_or(model, "max_input_chars_per_word", 1, INT32_MAX, 100, &o->max_word_chars, where, err);
}

bert_status word_piece_rules(const json_t *json, const special_template *specials, bert_tokenizer_options *o, arena *a,
                             const char *where, bert_err *err)
{
    bert_status s = read_normalizer(json, o, where, err);
    if (!s && !has_type(json, "pre_tokenizer", "BertPreTokenizer"))
        s = unsupported(json, "pre_tokenizer", "BertPreTokenizer", where, err);
    if (!s)
        s = read_model(json, o, where, err);
    if (!s)
        s = read_post_processor(json, specials, o, where, err);
    const char **const strings[] = { &o->unk_token, &o->prefix, &o->cls_token, &o->sep_token };
    for (size_t i = 0; !s && i < sizeof strings / sizeof *strings; i++)
        s = keep_string(strings[i], a, where, err);
    return s;
}

/* ---- members that are passed over -------------------------------------------------------------------------------- */

/* Those of a part that are read here or elsewhere, or that change no id. */
static const struct {
    const char *part; /* NULL: the file itself */
    const char *known[12];
} MEMBERS[] = {
    { NULL,
      { "version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "model", "post_processor",
        "decoder", NULL } },
    { "normalizer", { "type", "clean_text", "handle_chinese_chars", "lowercase", "strip_accents", NULL } },
    { "pre_tokenizer", { "type", NULL } },
    { "model", { "type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab", NULL } },
};

void word_piece_unknown(json_t *json, buffer *names)
{
    const char *key;
    json_t *value;
    for (size_t i = 0; i < sizeof MEMBERS / sizeof *MEMBERS; i++) {
        const char *part = MEMBERS[i].part;
        json_object_foreach(part ? json_object_get(json, part) : json, key, value)
        {
            if (!word_listed(MEMBERS[i].known, key))
                buffer_printf(names, "%s%s%s\n", part ? part : "", part ? "." : "", key);
        }
    }
}

/* ---- the vocabulary ---------------------------------------------------------------------------------------------- */

/* Whether a line gives the piece back. White space alone is no line at the end. */
static bool fits_line(const char *token, size_t id)
{
    size_t n = strlen(token);
    return strspn(token, " \t\r\n\v\f") < n && !strchr(token, '\n') && token[n - 1] != '\r' &&
           !(id == 0 && !strncmp(token, "\xEF\xBB\xBF", 3));
}

bert_status word_piece_lines(json_t *json, buffer *lines, arena *a, const char *where, buffer *notes, bert_err *err)
{
    const char **pieces = NULL;
    size_t n = 0, hidden = 0;
    bert_status s = check_model(json, where, err);
    if (!s)
        s = tokenizer_json_order(json_object_get(json_object_get(json, "model"), "vocab"), a, &pieces, &n, where, err);
    for (size_t i = 0; !s && i < n; i++) {
        bool fits = pieces[i] && fits_line(pieces[i], i);
        if (fits)
            buffer_printf(lines, "%s\n", pieces[i]);
        else
            buffer_printf(lines, "[hidden %zu]\n", i);
        hidden += !fits;
    }
    if (hidden)
        buffer_printf(notes,
                      "%s: %zu ids have no word piece that a text could give; vocab.txt calls them [hidden ID]\n",
                      where, hidden);
    return s ? s : lines->failed ? fail_memory(err, where) : BERT_OK;
}

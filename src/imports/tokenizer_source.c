/* Which file wins is transformers' choice: its BertTokenizer takes the vocabulary and the added tokens of
 * tokenizer.json and all else of tokenizer_config.json; a PreTrainedTokenizerFast, and who has no
 * tokenizer_config.json, obeys tokenizer.json. */
#include "imports/tokenizer_source.h"

#include "base/file.h"
#include "formats/foreign.h"
#include "imports/hf_tokenizer_json.h"
#include "imports/tokenizer_files.h"
#include "modules/tokenizer_info.h"
#include "text/cased.h"
#include "text/tokenizer.h"

#include <string.h>

enum { THEIR_WORD_CHARS = 100 };

/* ---- the rules --------------------------------------------------------------------------------------------------- */

/* As transformers does it where no file says otherwise. */
static void start_as_transformers(bert_tokenizer_options *o)
{
    o->normalizer = 1;
    o->max_word_chars = THEIR_WORD_CHARS;
    o->special_in_text = 1;
    o->odd_token = 1;
}

static bert_status tokenizer_source_settings(const tokenizer_files *f, tokenizer_source *t, bert_err *err)
{
    bert_tokenizer_options *o = &t->options;
    const char *where = tokenizer_files_where(f, SETTINGS_FILE), *side = NULL;
    bool strip, split;
    bert_status s = BERT_OK;
    if (!f->obey_json) {
        s = json_get_bool_or(f->json[SETTINGS_FILE], "do_lower_case", true, &o->do_lower_case, where, err);
        if (!s)
            s = json_get_bool_or(f->json[SETTINGS_FILE], "tokenize_chinese_chars", true, &o->tokenize_chinese_chars,
                                 where, err);
        if (!s)
            s = json_get_bool_or(f->json[SETTINGS_FILE], "strip_accents", true, &strip, where, err);
        o->strip_accents = s || !json_is_boolean(json_object_get(f->json[SETTINGS_FILE], "strip_accents")) ? 0
                           : strip                                                                         ? 1
                                                                                                           : 2;
    }
    if (!s)
        s = json_get_bool_or(f->json[SETTINGS_FILE], "split_special_tokens", false, &split, where, err);
    if (!s)
        s = json_get_string_or(f->json[SETTINGS_FILE], "truncation_side", NULL, &side, where, err);
    if (!s && side && strcmp(side, "left") && strcmp(side, "right"))
        s = fail(err, BERT_ERR_FORMAT, "%s: truncation_side \"%s\" is neither left nor right", where, side);
    if (s)
        return s;
    o->special_in_text = !split;
    const char *direction = json_string_value(
        json_object_get(json_object_get(f->json[TOKENIZER_FILE], "truncation"), "direction"));
    o->truncation_side = side ? !strcmp(side, "left") : direction && !strcmp(direction, "Left");
    return special_tokens_read(f, o, err);
}

/* What tokenizer.json says otherwise, where it is not obeyed. */
static void compare_rules(const tokenizer_files *f, const tokenizer_source *t)
{
    static const char *const KEYS[] = { "do_lower_case", "strip_accents",  "tokenize_chinese_chars",
                                        "clean_text",    "max_word_chars", "prefix" };
    bert_tokenizer_options theirs;
    bert_err err;
    bert_tokenizer_defaults(&theirs);
    if (hf_tokenizer_rules(f->json[TOKENIZER_FILE], &theirs, f->a, "tokenizer.json", &err)) {
        buffer_printf(f->notes,
                      "%s; passed over, as by transformers' BertTokenizer, which obeys tokenizer_config.json\n",
                      err.message);
        return;
    }
    bert_tokenizer_options own = t->options;
    own.strip_accents = tokenizer_strips(&own) ? 1 : 2;
    theirs.strip_accents = tokenizer_strips(&theirs) ? 1 : 2;
    json_t *ours = tokenizer_info_to_json(&own), *other = tokenizer_info_to_json(&theirs);
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++)
        if (ours && other && !json_equal(json_object_get(ours, KEYS[i]), json_object_get(other, KEYS[i])))
            buffer_printf(f->notes,
                          "tokenizer.json has another %s than tokenizer_config.json, which is obeyed, as by "
                          "transformers' BertTokenizer\n",
                          KEYS[i]);
    json_decref(ours);
    json_decref(other);
}

static bert_status read_rules(const tokenizer_files *f, tokenizer_source *t, bert_err *err)
{
    bert_tokenizer_options *o = &t->options;
    start_as_transformers(o);
    if (f->obey_json)
        o->pad_token = o->mask_token = ""; /* unless tokenizer_config.json names them */
    bert_status s = f->obey_json ? hf_tokenizer_rules(f->json[TOKENIZER_FILE], o, f->a,
                                                      tokenizer_files_where(f, TOKENIZER_FILE), err)
                                 : BERT_OK;
    if (!s)
        s = tokenizer_source_settings(f, t, err);
    if (!s && !f->obey_json && f->json[TOKENIZER_FILE])
        compare_rules(f, t);
    return s;
}

/* ---- the vocabulary ---------------------------------------------------------------------------------------------- */

static bert_status find_lines(const tokenizer_files *f, char **path, bert_err *err)
{
    const char *named = f->place->hub ? f->place->hub->vocab_file : NULL;
    const char *const names[] = { "vocab.txt", "assets/vocab.txt",
                                  named ? arena_printf(f->a, "assets/%s", path_name(named)) : "assets/vocab.txt" };
    *path = NULL;
    for (size_t i = 0; !*path && i < sizeof names / sizeof *names; i++) {
        char *joined = names[i] ? path_join(f->a, f->place->folder, names[i]) : NULL;
        if (!joined)
            return fail_memory(err, f->place->folder);
        if (file_exists(joined))
            *path = joined;
    }
    return BERT_OK;
}

static bert_status read_lines(const tokenizer_files *f, tokenizer_source *t, char *path, bert_err *err)
{
    file_mapping file;
    bert_status s = file_map(&file, path, err);
    if (!s && file.size)
        s = foreign_check_bytes(file.data, file.size, path, err);
    if (s) {
        file_unmap(&file);
        return s;
    }
    t->vocabulary_path = path;
    t->vocabulary_size = file.size;
    t->vocabulary = arena_copy(f->a, (const char *)file.data, file.size);
    file_unmap(&file);
    return t->vocabulary ? BERT_OK : fail_memory(err, path);
}

static bool same_lines(const tokenizer_source *t, const buffer *lines)
{
    size_t n = t->vocabulary_size - (t->vocabulary_size && t->vocabulary[t->vocabulary_size - 1] == '\n');
    return n + 1 == lines->size && !memcmp(t->vocabulary, lines->data, n);
}

/* The word pieces of tokenizer.json; those of vocab.txt where they are the same. */
static bert_status read_pieces(const tokenizer_files *f, tokenizer_source *t, bert_err *err)
{
    buffer lines = { 0 };
    const char *where = tokenizer_files_where(f, TOKENIZER_FILE);
    bert_status s = where ? hf_tokenizer_vocabulary(f->json[TOKENIZER_FILE], &lines, f->a, where, f->notes, err)
                          : fail_memory(err, f->place->folder);
    if (!s && !(t->vocabulary && same_lines(t, &lines))) {
        if (t->vocabulary)
            buffer_printf(f->notes, "%s is not the vocabulary of tokenizer.json, which is read, as by transformers\n",
                          t->vocabulary_path);
        t->vocabulary_path = arena_string(f->a, where);
        t->vocabulary = arena_copy(f->a, lines.size ? lines.data : "", lines.size);
        t->vocabulary_size = lines.size;
        if (!t->vocabulary || !t->vocabulary_path)
            s = fail_memory(err, where);
    }
    buffer_free(&lines);
    return s;
}

static bert_status tokenizer_source_vocabulary(const tokenizer_files *f, tokenizer_source *t, bert_err *err)
{
    char *path;
    bert_status s = find_lines(f, &path, err);
    if (!s && path)
        s = read_lines(f, t, path, err);
    return s || !f->json[TOKENIZER_FILE] ? s : read_pieces(f, t, err);
}

/* ---- case -------------------------------------------------------------------------------------------------------- */

/* Nothing tells whether texts are lower-cased: the vocabulary decides by its share of tokens with capitals. Where
 * tokenizer_config.json is silent, transformers lower-cases; that is told where the vocabulary speaks against it. */
static bert_status settle_case(const tokenizer_files *f, tokenizer_source *t, bert_err *err)
{
    const tf_hub_info *hub = f->place->hub;
    if (!f->json[SETTINGS_FILE] && !f->json[TOKENIZER_FILE] && hub && hub->graph && hub->do_lower_case >= 0) {
        t->options.do_lower_case = hub->do_lower_case;
        return BERT_OK;
    }
    if (!t->vocabulary || f->obey_json || json_object_get(f->json[SETTINGS_FILE], "do_lower_case"))
        return BERT_OK;
    cased_lines lines;
    bert_status s = cased_lines_count(&lines, t->vocabulary, t->vocabulary_size, err);
    bool cased = cased_lines_are_many(&lines);
    if (s)
        return s;
    if (!f->json[SETTINGS_FILE])
        t->options.do_lower_case = !cased;
    else if (!cased)
        return BERT_OK;
    t->guess = arena_printf(
        f->a,
        f->json[SETTINGS_FILE]
            ? "%s: tokenizer_config.json lacks do_lower_case: texts are lower-cased, as by transformers, though of the "
              "vocabulary's %zu tokens with letters %zu have capitals; --do-lower-case settles it"
            : "%s: nothing tells whether texts are lower-cased; of the vocabulary's %zu tokens with letters %zu have "
              "capitals, so %s; --do-lower-case settles it",
        f->place->folder, lines.letters, lines.capitals, cased ? "they are not" : "they are");
    return t->guess ? BERT_OK : fail_memory(err, f->place->folder);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

/* libbert's own folder says it itself. */
static bert_status read_module(const tokenizer_files *f, tokenizer_source *t, json_t *module, bert_err *err)
{
    json_t *info = json_object_get(json_object_get(module, "signatures"), "tokenization_info");
    char *where = path_join(f->a, f->place->folder, "module.json"),
         *lines = path_join(f->a, f->place->folder, "vocab.txt");
    bert_status s = where && lines ? tokenizer_info_from_json(info, &t->options, f->a, where, err)
                                   : fail_memory(err, f->place->folder);
    return s ? s : read_lines(f, t, lines, err);
}

static bert_status read_files(tokenizer_files *f, tokenizer_source *t, bert_err *err)
{
    bert_status s = tokenizer_files_open(f, err);
    bool theirs = f->json[SETTINGS_FILE] || f->json[TOKENIZER_FILE] || f->place->transformers;
    if (!s && theirs)
        s = tokenizer_files_class(f, err);
    if (!s)
        s = tokenizer_source_vocabulary(f, t, err);
    if (!s && theirs)
        s = read_rules(f, t, err);
    if (!s)
        s = settle_case(f, t, err);
    if (!s)
        tokenizer_files_note(f);
    return s || !theirs ? s : added_tokens_read(f, t, err);
}

bert_status tokenizer_source_read(tokenizer_source *t, const tokenizer_place *place, arena *a, buffer *notes,
                                  bert_err *err)
{
    tokenizer_files f = { .place = place, .a = a, .notes = notes };
    json_t *module = NULL;
    *t = (tokenizer_source){ 0 };
    bert_tokenizer_defaults(&t->options);
    bert_status s = json_read_beside(&module, place->folder, "module.json", err);
    if (!s)
        s = module ? read_module(&f, t, module, err) : read_files(&f, t, err);
    json_decref(module);
    tokenizer_files_close(&f);
    return s;
}

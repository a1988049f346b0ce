/* Which file wins is transformers' choice for BERT's tokeniser: its BertTokenizer takes the vocabulary and the added
 * tokens of tokenizer.json and all else of tokenizer_config.json. Any other tokeniser, and who has no
 * tokenizer_config.json, is what tokenizer.json says. */
#include "imports/tokenizer_source.h"

#include "base/file.h"
#include "formats/foreign.h"
#include "imports/tokenizer_files.h"
#include "modules/tokenizer_info.h"
#include "text/cased.h"
#include "text/packed_vocabulary.h"
#include "text/tokenizer.h"
#include "text/tokenizer_json.h"
#include "text/word_piece_json.h"

#include <string.h>

bool tokenizer_source_is_pipeline(const tokenizer_source *t)
{
    return t->vocabulary && packed_vocabulary_is(t->vocabulary, t->vocabulary_size);
}

/* ---- the rules --------------------------------------------------------------------------------------------------- */

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
    return special_tokens_read(f, tokenizer_source_is_pipeline(t), o, err);
}

/* What tokenizer.json says otherwise, where it is not obeyed. */
static void compare_rules(const tokenizer_files *f, const tokenizer_source *t)
{
    static const char *const KEYS[] = { "do_lower_case", "strip_accents",  "tokenize_chinese_chars",
                                        "clean_text",    "max_word_chars", "prefix" };
    bert_tokenizer_options theirs;
    bert_err err;
    bert_tokenizer_defaults(&theirs);
    if (word_piece_rules(f->json[TOKENIZER_FILE], f->place->specials, &theirs, f->a, "tokenizer.json", &err)) {
        buffer_printf(f->notes,
                      "%s; passed over, as by transformers' BertTokenizer, which obeys tokenizer_config.json\n",
                      err.message);
        return;
    }
    bert_tokenizer_options own = t->options;
    own.strip_accents = tokenizer_strips(&own) ? 1 : 2;
    theirs.strip_accents = tokenizer_strips(&theirs) ? 1 : 2;
    json_t *ours = tokenizer_info_to_json(&own, false), *other = tokenizer_info_to_json(&theirs, false);
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++)
        if (ours && other && !json_equal(json_object_get(ours, KEYS[i]), json_object_get(other, KEYS[i])))
            buffer_printf(f->notes,
                          "tokenizer.json has another %s than tokenizer_config.json, which is obeyed, as by "
                          "transformers' BertTokenizer\n",
                          KEYS[i]);
    json_decref(ours);
    json_decref(other);
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

/* Takes a tokenizer.json's vocabulary; that of vocab.txt where it is the same. */
static bert_status take_vocabulary(const tokenizer_files *f, tokenizer_source *t, const buffer *bytes,
                                   const char *where, bert_err *err)
{
    bool packed = packed_vocabulary_is(bytes->data, bytes->size);
    if (!packed && t->vocabulary && same_lines(t, bytes))
        return BERT_OK;
    if (!packed && t->vocabulary)
        buffer_printf(f->notes, "%s is not the vocabulary of tokenizer.json, which is read, as by transformers\n",
                      t->vocabulary_path);
    t->vocabulary_path = arena_string(f->a, where);
    t->vocabulary = arena_copy(f->a, bytes->size ? bytes->data : "", bytes->size);
    t->vocabulary_size = bytes->size;
    return t->vocabulary && t->vocabulary_path ? BERT_OK : fail_memory(err, where);
}

/* Of one that is not obeyed: the word pieces alone. */
static bert_status read_word_pieces(const tokenizer_files *f, buffer *lines, const char *where, bert_err *err)
{
    buffer unknown = { 0 };
    char *rest, *name;
    bert_status s = word_piece_lines(f->json[TOKENIZER_FILE], lines, f->a, where, f->notes, err);
    word_piece_unknown(f->json[TOKENIZER_FILE], &unknown);
    for (rest = unknown.data; rest && (name = strsep(&rest, "\n")) && *name;)
        buffer_printf(f->notes, "%s: %s is not known to libbert and passed over\n", where, name);
    s = !s && unknown.failed ? fail_memory(err, where) : s;
    buffer_free(&unknown);
    return s;
}

static bert_status read_json(const tokenizer_files *f, tokenizer_source *t, bert_err *err)
{
    buffer bytes = { 0 };
    const char *where = tokenizer_files_where(f, TOKENIZER_FILE);
    bert_status s = !where         ? fail_memory(err, f->place->folder)
                    : f->obey_json ? tokenizer_json_read(f->json[TOKENIZER_FILE], f->place->specials, &t->options,
                                                         &bytes, f->a, f->notes, where, err)
                                   : read_word_pieces(f, &bytes, where, err);
    if (!s)
        s = take_vocabulary(f, t, &bytes, where, err);
    buffer_free(&bytes);
    return s;
}

static bert_status tokenizer_source_vocabulary(const tokenizer_files *f, tokenizer_source *t, bert_err *err)
{
    char *path = NULL;
    bool may_be_lines = !f->obey_json || f->json[TOKENIZER_FILE];
    bert_status s = may_be_lines ? find_lines(f, &path, err) : BERT_OK;
    if (!s && path)
        s = read_lines(f, t, path, err);
    return s || !f->json[TOKENIZER_FILE] ? s : read_json(f, t, err);
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
    char *where = path_join(f->a, f->place->folder, "module.json");
    const char *name;
    if (!info) /* it reads no texts */
        return BERT_OK;
    bert_status s = where ? tokenizer_info_file(info, &name, where, err) : fail_memory(err, f->place->folder);
    if (!s)
        s = tokenizer_info_from_json(info, &t->options, f->a, where, err);
    char *path = s ? NULL : path_join(f->a, f->place->folder, name);
    return s ? s : path ? read_lines(f, t, path, err) : fail_memory(err, f->place->folder);
}

/* The words of special tokens where no file has them. */
static void start_words(const tokenizer_files *f, bert_tokenizer_options *o)
{
    if (f->obey_json)
        o->pad_token = o->mask_token = ""; /* unless tokenizer_config.json names them */
    else if (f->class->words)
        tokenizer_class_words(f->class, o);
}

static bert_status read_files(tokenizer_files *f, tokenizer_source *t, bert_err *err)
{
    bert_status s = tokenizer_files_open(f, err);
    bool theirs = f->json[SETTINGS_FILE] || f->json[TOKENIZER_FILE] || f->place->transformers;
    if (!s && theirs)
        s = tokenizer_files_class(f, err);
    t->looked_for = f->obey_json ? "tokenizer.json, vocab.json with merges.txt or SentencePiece model, which its "
                                   "tokenizer_class reads"
                                 : "vocab.txt or tokenizer.json";
    if (!s && theirs) {
        tokenizer_start_as_transformers(&t->options);
        start_words(f, &t->options);
    }
    if (!s)
        s = tokenizer_source_vocabulary(f, t, err);
    if (!s && theirs)
        s = tokenizer_source_settings(f, t, err);
    if (!s && theirs && !f->obey_json && f->json[TOKENIZER_FILE])
        compare_rules(f, t);
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

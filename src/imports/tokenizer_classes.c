/* The tokenisers of transformers that are known by their class, and what its class makes of the entries of an older
 * folder, which has no tokenizer.json: that of transformers 5. */
#include "imports/tokenizer_files.h"

#include "base/base64.h"
#include "base/file.h"
#include "base/utf8.h"
#include "formats/json_build.h"
#include "formats/sentencepiece.h"
#include "text/special_tokens.h"
#include "text/tokenizer.h"
#include "text/word_piece_json.h"

#include <string.h>

/* unk, sep, pad, cls, mask */
static const char *const WORDS_ANGLED[] = { "<unk>", "</s>", "<pad>", "<s>", "<mask>" },
                         *const WORDS_MIXED[] = { "[UNK]", "</s>", "<pad>", "<s>", "<mask>" },
                         *const WORDS_SQUARE[] = { "<unk>", "[SEP]", "<pad>", "[CLS]", "[MASK]" };
enum { WORD_UNKNOWN, WORD_SEPARATE, WORD_PAD, WORD_CLASSIFY, WORD_MASK, N_WORDS };

void tokenizer_class_words(const tokenizer_class *class, bert_tokenizer_options *o)
{
    const char **const fields[N_WORDS] = { &o->unk_token, &o->sep_token, &o->pad_token, &o->cls_token, &o->mask_token };
    for (int i = 0; i < N_WORDS; i++)
        *fields[i] = class->words[i];
}

/* ---- parts ------------------------------------------------------------------------------------------------------- */

/* What is put together, and what for. */
typedef struct json_maker {
    tokenizer_files *f;
    const char *words[N_WORDS]; /* those of the files, else of the class */
    json_t *added;
} json_maker;

static bert_status begin_json(json_maker *m, tokenizer_files *f, bert_err *err)
{
    bert_tokenizer_options o;
    bert_tokenizer_defaults(&o);
    tokenizer_class_words(f->class, &o);
    bert_status s = special_tokens_read(f, true, &o, err);
    *m = (json_maker){ .f = f,
                       .words = { o.unk_token, o.sep_token, o.pad_token, o.cls_token, o.mask_token },
                       .added = json_array() };
    return s;
}

/* One that is there twice is taken once where the list is read. */
static void class_add_token(json_maker *m, const char *content, json_int_t id, bool special)
{
    bool takes_blanks = m->f->class->mask_takes_blanks && !strcmp(content, m->words[WORD_MASK]);
    json_add(&m->added, json_pack("{s:I, s:s, s:b, s:b, s:b}", "id", id, "content", content, "special", special,
                                  "lstrip", takes_blanks, "normalized", 0));
}

static bert_status setting(const json_maker *m, const char *key, bool otherwise, bool *value, bert_err *err)
{
    return json_get_bool_or(m->f->json[SETTINGS_FILE], key, otherwise, value,
                            tokenizer_files_where(m->f, SETTINGS_FILE), err);
}

/* The whole; takes all that it is given. */
static bert_status end_json(json_maker *m, json_t *normalizer, json_t *pretokenizer, json_t *model, json_t *processor,
                            json_t *decoder, bert_err *err)
{
    m->f->json[TOKENIZER_FILE] = json_pack("{s:s, s:n, s:n, s:o, s:o, s:o, s:o, s:o, s:o}", "version", "1.0",
                                           "truncation", "padding", "added_tokens", m->added, "normalizer", normalizer,
                                           "pre_tokenizer", pretokenizer, "post_processor", processor, "decoder",
                                           decoder, "model", model);
    m->added = NULL;
    return m->f->json[TOKENIZER_FILE] ? BERT_OK : fail_memory(err, m->f->place->folder);
}

/* A file of the folder that stands for its tokenizer.json; NULL: out of memory. */
static const char *class_take_file(tokenizer_files *f, const char *name)
{
    f->made_of = name;
    return path_join(f->a, f->place->folder, name);
}

/* ---- byte-level BPE: vocab.json and merges.txt ------------------------------------------------------------------- */

/* A line a merge, "#version" before them. */
static bert_status class_read_merges(const tokenizer_files *f, json_t **merges, bert_err *err)
{
    const char *path = path_join(f->a, f->place->folder, "merges.txt");
    file_mapping file;
    bert_status s = path ? file_map(&file, path, err) : fail_memory(err, f->place->folder);
    if (s)
        return s;
    const char *line = (const char *)file.data, *end = line + file.size;
    *merges = json_array();
    for (size_t number = 1; !s && line < end; number++) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        size_t n = newline ? (size_t)(newline - line) : (size_t)(end - line), kept = n;
        kept -= n && line[n - 1] == '\r';
        bool version = number == 1 && kept >= 8 && !memcmp(line, "#version", 8);
        if (!utf8_is_valid(line, kept))
            s = fail(err, BERT_ERR_FORMAT, "%s: line %zu is not UTF-8", path, number);
        else if (kept && !version)
            json_add(merges, json_stringn(line, kept));
        line = newline ? newline + 1 : end;
    }
    file_unmap(&file);
    return s || *merges ? s : fail_memory(err, path);
}

static bert_status byte_level_parts(json_maker *m, json_t *entries, json_t *merges, bert_err *err)
{
    const char *where = tokenizer_files_where(m->f, TOKENIZER_FILE);
    json_int_t ids[N_WORDS];
    bool prefix;
    bert_status s = setting(m, "add_prefix_space", false, &prefix, err);
    for (int i = 0; !s && i < N_WORDS; i++) {
        const json_t *id = json_object_get(entries, m->words[i]);
        ids[i] = json_integer_value(id);
        if (id)
            class_add_token(m, m->words[i], ids[i], true);
        else if (i == WORD_CLASSIFY || i == WORD_SEPARATE)
            s = fail(err, BERT_ERR_FORMAT, "%s: no %s among its tokens", where, m->words[i]);
    }
    if (s)
        return s;
    return end_json(m, json_null(),
                    json_pack("{s:s, s:b, s:b, s:b}", "type", "ByteLevel", "add_prefix_space", prefix, "trim_offsets",
                              1, "use_regex", 1),
                    json_pack("{s:s, s:n, s:O, s:O}", "type", "BPE", "unk_token", "vocab", entries, "merges", merges),
                    json_pack("{s:s, s:[s,I], s:[s,I], s:b, s:b}", "type", "RobertaProcessing", "sep",
                              m->words[WORD_SEPARATE], ids[WORD_SEPARATE], "cls", m->words[WORD_CLASSIFY],
                              ids[WORD_CLASSIFY], "trim_offsets", 1, "add_prefix_space", prefix),
                    json_pack("{s:s}", "type", "ByteLevel"), err);
}

static bert_status make_byte_level(tokenizer_files *f, bert_err *err)
{
    json_t *entries = NULL, *merges = NULL;
    json_maker m = { 0 };
    bert_status s = class_take_file(f, "vocab.json") ? json_read_beside(&entries, f->place->folder, f->made_of, err)
                                                     : fail_memory(err, f->place->folder);
    if (!s && !entries) { /* that nothing is there is told where it is wanted */
        f->made_of = NULL;
        return BERT_OK;
    }
    if (!s)
        s = class_read_merges(f, &merges, err);
    if (!s)
        s = begin_json(&m, f, err);
    if (!s)
        s = byte_level_parts(&m, entries, merges, err);
    json_decref(m.added);
    json_decref(entries);
    json_decref(merges);
    return s;
}

/* ---- SentencePiece ----------------------------------------------------------------------------------------------- */

/* How a class's ids come from those of the model. */
typedef struct piece_shift {
    const char *before[5]; /* stand before the model's, each in place of so many of those: "" ends them */
    double scores[5];
    size_t skipped;    /* of the model's first ones, which are among those before */
    bool mask_is_last; /* behind all */
    int unknown;
} piece_shift;

static const piece_shift SHIFT_NONE = { .unknown = -1 },
                         SHIFT_FAIRSEQ = { { "<s>", "<pad>", "</s>", "<unk>" }, { 0 }, 3, true, 3 },
                         SHIFT_CAMEMBERT = { { "<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED" },
                                             { 0, 0, 0, 0, -100 },
                                             1,
                                             true,
                                             3 };

/* Adds one behind the others; the class's special tokens, and the model's control and user-defined ones, are added
 * tokens, too. */
static void class_add_piece(json_maker *m, json_t **list, const sentence_piece *p)
{
    json_int_t id = (json_int_t)json_array_size(*list);
    bool role = false;
    for (int k = 0; k < N_WORDS; k++)
        role |= !strcmp(p->piece, m->words[k]);
    if (role || p->type == PIECE_CONTROL || p->type == PIECE_USER_DEFINED)
        class_add_token(m, p->piece, id, role || p->type == PIECE_CONTROL);
    json_add(list, json_pack("[s, f]", p->piece, p->score));
}

static json_t *scored_pieces(json_maker *m, const sentencepiece_model *model, const piece_shift *shift)
{
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof shift->before / sizeof *shift->before && shift->before[i]; i++)
        class_add_piece(m, &list, &(sentence_piece){ shift->before[i], shift->scores[i], 0 });
    for (size_t i = shift->skipped; i < model->n; i++)
        class_add_piece(m, &list, &model->pieces[i]);
    if (shift->mask_is_last)
        class_add_piece(m, &list, &(sentence_piece){ m->words[WORD_MASK], 0, 0 });
    return list;
}

/* {"type": "Precompiled"} of the model's table; null: it has none. */
static json_t *precompiled(const sentencepiece_model *model)
{
    buffer text = { 0 };
    if (!model->charsmap.size)
        return json_null();
    base64_encode(&text, model->charsmap);
    json_t *json = text.failed ? NULL
                               : json_pack("{s:s, s:s}", "type", "Precompiled", "precompiled_charsmap", text.data);
    buffer_free(&text);
    return json;
}

/* Words begin with U+2581; a blank divides them. */
static json_t *metaspace(bool split_first, bool prefix)
{
    json_t *one = json_pack("{s:s, s:s, s:s, s:b}", "type", "Metaspace", "replacement", "\xe2\x96\x81",
                            "prepend_scheme", prefix ? "always" : "never", "split", 1);
    return split_first
               ? json_pack("{s:s, s:[{s:s}, o]}", "type", "Sequence", "pretokenizers", "type", "WhitespaceSplit", one)
               : one;
}

/* The id of a special token among the pieces; -1: it is none of them. */
static json_int_t piece_id(const json_t *entries, const char *word)
{
    size_t i;
    json_t *item;
    json_array_foreach(entries, i, item)
    {
        if (!strcmp(json_string_value(json_array_get(item, 0)), word))
            return (json_int_t)i;
    }
    return -1;
}

/* What a class does with a SentencePiece model beside its pieces. */
typedef struct piece_recipe {
    const piece_shift *shift;
    const special_template *specials;
    json_t *(*normalizer)(const json_maker *m, const sentencepiece_model *model, bert_status *s, bert_err *err);
} piece_recipe;

static bert_status pieces_to_json(json_maker *m, const sentencepiece_model *model, const piece_recipe *recipe,
                                  bert_err *err)
{
    const char *where = tokenizer_files_where(m->f, TOKENIZER_FILE);
    bool prefix;
    bert_status s = setting(m, "add_prefix_space", true, &prefix, err);
    json_t *normalizer = s ? NULL : recipe->normalizer(m, model, &s, err), *entries = NULL;
    const char *const tokens[] = { m->words[WORD_CLASSIFY], m->words[WORD_SEPARATE] };
    json_int_t ids[2] = { 0 };
    if (!s && !(entries = scored_pieces(m, model, recipe->shift)))
        s = fail_memory(err, where);
    for (int i = 0; !s && i < 2; i++)
        if ((ids[i] = piece_id(entries, tokens[i])) < 0)
            s = fail(err, BERT_ERR_FORMAT, "%s: no %s among its pieces", where, tokens[i]);
    json_int_t unknown = recipe->shift->unknown < 0 ? (json_int_t)model->unknown : recipe->shift->unknown;
    if (s) {
        json_decref(normalizer);
        json_decref(entries);
        return s;
    }
    return end_json(
        m, normalizer, metaspace(true, prefix),
        json_pack("{s:s, s:I, s:o, s:b}", "type", "Unigram", "unk_id", unknown, "vocab", entries, "byte_fallback", 0),
        template_processing_to_json(recipe->specials, tokens, ids), metaspace(false, prefix), err);
}

static bert_status class_of_pieces(tokenizer_files *f, const piece_recipe *recipe, bert_err *err)
{
    static const char *const NAMES[] = { "sentencepiece.bpe.model", "spiece.model", "sentencepiece.model",
                                         "tokenizer.model" };
    const char *path = NULL;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        path = class_take_file(f, NAMES[i]);
        if (!path)
            return fail_memory(err, f->place->folder);
        if (file_exists(path))
            break;
        path = NULL;
    }
    if (!path) {
        f->made_of = NULL;
        return BERT_OK;
    }
    sentencepiece_model model;
    json_maker m = { 0 };
    bert_status s = sentencepiece_read(&model, path, f->a, err);
    if (!s)
        s = begin_json(&m, f, err);
    if (!s)
        s = pieces_to_json(&m, &model, recipe, err);
    json_decref(m.added);
    return s;
}

static json_t *normalize_by_charsmap(const json_maker *m, const sentencepiece_model *model, bert_status *s,
                                     bert_err *err)
{
    (void)m, (void)s, (void)err;
    return precompiled(model);
}

static json_t *replace(const char *what, const char *by)
{
    return json_pack("{s:s, s:{s:s}, s:s}", "type", "Replace", "pattern", "String", what, "content", by);
}

/* Quotes of TeX, accents and case as tokenizer_config.json says, then the table. */
static json_t *normalize_words(const json_maker *m, const sentencepiece_model *model, bert_status *s, bert_err *err)
{
    bool accents, lower;
    *s = setting(m, "keep_accents", false, &accents, err);
    if (!*s)
        *s = setting(m, "do_lower_case", true, &lower, err);
    if (*s)
        return NULL;
    json_t *list = json_array();
    json_add(&list, replace("``", "\""));
    json_add(&list, replace("''", "\""));
    if (!accents)
        json_add(&list, json_pack("{s:s}", "type", "NFKD"));
    if (!accents)
        json_add(&list, json_pack("{s:s}", "type", "StripAccents"));
    if (lower)
        json_add(&list, json_pack("{s:s}", "type", "Lowercase"));
    if (model->charsmap.size)
        json_add(&list, precompiled(model));
    return json_pack("{s:s, s:o}", "type", "Sequence", "normalizers", list);
}

static bert_status make_fairseq(tokenizer_files *f, bert_err *err)
{
    return class_of_pieces(f, &(piece_recipe){ &SHIFT_FAIRSEQ, &SPECIALS_OF_FAIRSEQ, normalize_by_charsmap }, err);
}

static bert_status make_camembert(tokenizer_files *f, bert_err *err)
{
    return class_of_pieces(f, &(piece_recipe){ &SHIFT_CAMEMBERT, &SPECIALS_OF_FAIRSEQ, normalize_by_charsmap }, err);
}

static bert_status make_albert(tokenizer_files *f, bert_err *err)
{
    return class_of_pieces(f, &(piece_recipe){ &SHIFT_NONE, &SPECIALS_OF_BERT, normalize_words }, err);
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static const tokenizer_class CLASSES[] = {
    { "BertTokenizer", true, NULL, false, NULL },
    { "DistilBertTokenizer", true, NULL, false, NULL },
    { "ElectraTokenizer", true, NULL, false, NULL },
    { "MPNetTokenizer", true, WORDS_MIXED, true, NULL },
    { "RobertaTokenizer", false, WORDS_ANGLED, false, make_byte_level },
    { "XLMRobertaTokenizer", false, WORDS_ANGLED, false, make_fairseq },
    { "CamembertTokenizer", false, WORDS_ANGLED, true, make_camembert },
    { "AlbertTokenizer", false, WORDS_SQUARE, false, make_albert },
    { "PreTrainedTokenizer", false, NULL, false, NULL },
    { "TokenizersBackend", false, NULL, false, NULL },
};

const tokenizer_class *tokenizer_class_of(const char *name)
{
    for (size_t i = 0; i < sizeof CLASSES / sizeof *CLASSES; i++) {
        size_t n = strlen(CLASSES[i].name);
        if (!strncmp(name, CLASSES[i].name, n) && (!name[n] || !strcmp(name + n, "Fast")))
            return &CLASSES[i];
    }
    return NULL;
}

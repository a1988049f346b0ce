/* Writing a module folder: what Hugging Face and sentence-transformers read, and module.json. */
#include "model/layer.h"

#include "base/file.h"
#include "base/sha.h"
#include "base/utf8.h"
#include "io/json.h"
#include "io/json_build.h"
#include "io/safetensors.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The files of a module beside module.json; libbert itself reads the first three. */
static const char *const FILES[] = { "config.json",    "model.safetensors",     "vocab.txt",
                                     "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json" };
enum { N_FILES = sizeof FILES / sizeof *FILES, N_NEEDED = 3 };

/* The special tokens and the names that Hugging Face gives their roles. */
static const struct {
    const char *role, *token;
} SPECIAL[] = {
    { "unk_token", "[UNK]" }, { "sep_token", "[SEP]" }, { "pad_token", "[PAD]" }, { "cls_token", "[CLS]" }, { "mask_token", "[MASK]" },
};
enum { N_SPECIAL = sizeof SPECIAL / sizeof *SPECIAL };

static json_t *special_tokens_map(void)
{
    json_t *map = json_object();
    for (int i = 0; i < N_SPECIAL; i++)
        json_put(&map, SPECIAL[i].role, json_string(SPECIAL[i].token));
    return map;
}

static json_t *tokenizer_config(const module_parts *p)
{
    json_t *json = special_tokens_map();
    json_put(&json, "do_lower_case", json_boolean(p->do_lower_case));
    json_put(&json, "tokenize_chinese_chars", json_true());
    json_put(&json, "strip_accents", json_null());
    int64_t most = p->vectors.seq_len ? p->vectors.seq_len : p->config->max_position_embeddings;
    json_put(&json, "model_max_length", json_integer((json_int_t)most));
    json_put(&json, "tokenizer_class", json_string("BertTokenizer"));
    return json;
}

/* [CLS] $A [SEP], and for pairs [CLS] $A [SEP] $B:1 [SEP]:1 */
static json_t *post_processor(const bert_tokenizer *tok)
{
    int cls = (int)bert_tokenizer_id(tok, "[CLS]", 5), sep = (int)bert_tokenizer_id(tok, "[SEP]", 5);
    return json_pack("{s:s, s:[{s:{s:s,s:i}},{s:{s:s,s:i}},{s:{s:s,s:i}}],"
                     " s:[{s:{s:s,s:i}},{s:{s:s,s:i}},{s:{s:s,s:i}},{s:{s:s,s:i}},{s:{s:s,s:i}}],"
                     " s:{s:{s:s,s:[i],s:[s]}, s:{s:s,s:[i],s:[s]}}}",
                     "type", "TemplateProcessing", "single", "SpecialToken", "id", "[CLS]", "type_id", 0, "Sequence", "id", "A", "type_id", 0,
                     "SpecialToken", "id", "[SEP]", "type_id", 0, "pair", "SpecialToken", "id", "[CLS]", "type_id", 0, "Sequence", "id", "A",
                     "type_id", 0, "SpecialToken", "id", "[SEP]", "type_id", 0, "Sequence", "id", "B", "type_id", 1, "SpecialToken", "id",
                     "[SEP]", "type_id", 1, "special_tokens", "[CLS]", "id", "[CLS]", "ids", cls, "tokens", "[CLS]", "[SEP]", "id", "[SEP]",
                     "ids", sep, "tokens", "[SEP]");
}

/* The whole tokenizer in the `tokenizers` library's form. */
static json_t *tokenizer_json(const module_parts *p, const bert_tokenizer *tok)
{
    json_t *added = json_array(), *vocabulary = json_object();
    for (size_t id = 0; id < bert_tokenizer_size(tok); id++) {
        size_t size;
        const char *token = bert_tokenizer_token(tok, (int32_t)id, &size);
        char key[1024];
        if (size >= sizeof key || memchr(token, 0, size) || !utf8_is_valid(token, size))
            continue; /* longer than any word that is split, or with a character that is cleaned away, or not UTF-8: never found */
        memcpy(key, token, size);
        key[size] = 0;
        json_put(&vocabulary, key, json_integer((json_int_t)id));
        for (int i = 0; i < N_SPECIAL; i++)
            if (!strcmp(key, SPECIAL[i].token))
                json_add(&added, json_pack("{s:I, s:s, s:b, s:b, s:b, s:b, s:b}", "id", (json_int_t)id, "content", key, "single_word", 0,
                                           "lstrip", 0, "rstrip", 0, "normalized", 0, "special", 1));
    }
    return json_pack("{s:s, s:n, s:n, s:o, s:{s:s,s:b,s:b,s:n,s:b}, s:{s:s}, s:o, s:{s:s,s:s,s:b}, s:{s:s,s:s,s:s,s:i,s:o}}", "version", "1.0",
                     "truncation", "padding", "added_tokens", added, "normalizer", "type", "BertNormalizer", "clean_text", 1,
                     "handle_chinese_chars", 1, "strip_accents", "lowercase", p->do_lower_case, "pre_tokenizer", "type", "BertPreTokenizer",
                     "post_processor", post_processor(tok), "decoder", "type", "WordPiece", "prefix", "##", "cleanup", 1, "model", "type",
                     "WordPiece", "unk_token", "[UNK]", "continuing_subword_prefix", "##", "max_input_chars_per_word", 200, "vocab", vocabulary);
}

static json_t *vector_signature(const vector_spec *v)
{
    return json_pack("{s:s, s:b, s:I}", "pooling", POOLING_WORDS[v->pooling], "normalize", v->normalize, "seq_len", (json_int_t)v->seq_len);
}

static json_t *signatures(const module_parts *p)
{
    json_t *outputs = json_array();
    if (p->weights->pooler)
        json_add(&outputs, json_string("pooled_output"));
    json_add(&outputs, json_string("sequence_output"));
    json_add(&outputs, json_string("token_output"));
    json_t *json = json_pack("{s:{s:[s,s,s], s:o, s:I, s:I}, s:{s:s, s:b}}", "tokens", "inputs", "input_ids", "input_mask", "segment_ids",
                             "outputs", outputs, "seq_layer", (json_int_t)p->seq_layer, "tok_layer", (json_int_t)p->tok_layer,
                             "tokenization_info", "vocab_file", "vocab.txt", "do_lower_case", p->do_lower_case);
    if (p->vectors.pooling != BERT_POOLING_AUTO) /* else nothing is told of them */
        json_put(&json, "vectors", vector_signature(&p->vectors));
    return json;
}

/* Size and SHA-256 of each file that was written. */
static bert_status describe_files(arena *a, const char *folder, json_t **files, bert_err *err)
{
    bert_status s = BERT_OK;
    for (int i = 0; !s && i < N_FILES; i++) {
        char *path = path_join(a, folder, FILES[i]), hex[SHA256_HEX];
        struct stat st;
        s = path ? sha256_file(path, hex, err) : fail_memory(err, FILES[i]);
        if (!s && stat(path, &st))
            s = fail_errno(err, "%s: cannot stat", path);
        if (!s)
            json_put(files, FILES[i], json_pack("{s:I, s:s}", "size", (json_int_t)st.st_size, "sha256", hex));
    }
    return s;
}

static bert_status write_json(arena *a, const char *folder, const char *name, json_t *json, bert_err *err)
{
    char *path = path_join(a, folder, name);
    bert_status s = path && json ? json_write_file(json, path, err) : fail_memory(err, name);
    json_decref(json);
    return s;
}

static bert_status write_weights(arena *a, const char *folder, const weight_list *weights, bert_err *err)
{
    tensor *items = arena_array(a, weights->n, sizeof *items);
    char *path = path_join(a, folder, "model.safetensors");
    if (!items || !path)
        return fail_memory(err, "model.safetensors");
    return safetensors_write_torch(path, items, weights_to_tensors(weights, false, items), NULL, err);
}

bert_status module_write_tokenizer(const module_parts *p, const char *folder, bert_err *err)
{
    arena a = { 0 };
    bert_tokenizer *tok = NULL;
    char *vocabulary = path_join(&a, folder, "vocab.txt");
    bert_status s = vocabulary ? bert_tokenizer_create(p->vocabulary, p->vocabulary_size, "vocab.txt", p->do_lower_case, &tok, err)
                               : fail_memory(err, folder);
    if (!s)
        s = file_write_whole(vocabulary, p->vocabulary, p->vocabulary_size, err);
    if (!s)
        s = write_json(&a, folder, "tokenizer.json", tokenizer_json(p, tok), err);
    if (!s)
        s = write_json(&a, folder, "tokenizer_config.json", tokenizer_config(p), err);
    if (!s)
        s = write_json(&a, folder, "special_tokens_map.json", special_tokens_map(), err);
    bert_tokenizer_free(tok);
    arena_free(&a);
    return s;
}

static bert_status write_files(const module_parts *p, arena *a, const char *folder, bert_err *err)
{
    bert_status s = module_write_tokenizer(p, folder, err);
    if (!s)
        s = write_json(a, folder, "config.json", config_to_json(p->config), err);
    if (!s)
        s = write_weights(a, folder, p->weights, err);
    if (s)
        return s;
    json_t *files = json_object();
    s = describe_files(a, folder, &files, err);
    json_t *module = json_pack("{s:s, s:i, s:[[s],[]], s:o}", "format", "libbert.module", "version", MODULE_VERSION, "tags", "train",
                               "signatures", signatures(p));
    if (p->source)
        json_put(&module, "source", json_incref(p->source));
    json_put(&module, "files", files);
    if (s)
        json_decref(module);
    return s ? s : write_json(a, folder, "module.json", module, err);
}

bert_status module_write(const module_parts *parts, const char *folder, bert_err *err)
{
    folder_writer w;
    bert_status s = folder_begin(&w, folder, err);
    if (s)
        return s;
    arena a = { 0 };
    s = write_files(parts, &a, w.temporary, err);
    arena_free(&a);
    return folder_end(&w, s, err);
}

static bert_status copy_file(arena *a, const bert_module *m, const char *folder, const char *name, bool needed, bert_err *err)
{
    char *from = path_join(a, m->folder, name), *to = path_join(a, folder, name);
    if (!from || !to)
        return fail_memory(err, name);
    return needed || file_exists(from) ? file_copy(from, to, err) : BERT_OK;
}

bert_status module_copy(const bert_module *m, const char *folder, bert_err *err)
{
    folder_writer w;
    bert_status s = bert_output_check(folder, BERT_OUTPUT_MODULE, false, err);
    if (!s)
        s = folder_begin(&w, folder, err);
    if (s)
        return s;
    arena a = { 0 };
    for (int i = 0; !s && i < N_FILES; i++)
        s = copy_file(&a, m, w.temporary, FILES[i], i < N_NEEDED, err);
    if (!s)
        s = copy_file(&a, m, w.temporary, "module.json", true, err);
    arena_free(&a);
    return folder_end(&w, s, err);
}

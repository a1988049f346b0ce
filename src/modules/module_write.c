/* Writing a module folder: what Hugging Face and sentence-transformers read, and module.json. */
#include "modules/module.h"

#include "base/file.h"
#include "base/sha.h"
#include "formats/json.h"
#include "formats/json_build.h"
#include "formats/safetensors.h"
#include "modules/hf_tokenizer.h"
#include "modules/tokenizer_info.h"
#include "text/tokenizer.h"

#include <stdlib.h>
#include <string.h>

/* The files of a module beside module.json; libbert itself reads the first two and the vocabulary. */
static const char *const FILES[] = {
    "config.json",    "model.safetensors",     VOCABULARY_LINES,         VOCABULARY_PACKED,
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"
};
enum { N_FILES = sizeof FILES / sizeof *FILES, N_NEEDED = 2 };

static const char *vocabulary_file(const bert_tokenizer *t)
{
    return t->pipeline ? VOCABULARY_PACKED : VOCABULARY_LINES;
}

static json_t *vector_signature(const vector_spec *v)
{
    return json_pack("{s:s, s:b, s:I}", "pooling", POOLING_WORDS[v->pooling], "normalize", v->normalize, "seq_len",
                     (json_int_t)v->seq_len);
}

static json_t *signatures(const module_parts *p)
{
    json_t *outputs = json_array();
    if (p->weights->pooler)
        json_add(&outputs, json_string("pooled_output"));
    json_add(&outputs, json_string("sequence_output"));
    json_add(&outputs, json_string("token_output"));
    json_t *json = json_pack("{s:{s:[s,s,s], s:o, s:I, s:I}}", "tokens", "inputs", "input_ids", "input_mask",
                             "segment_ids", "outputs", outputs, "seq_layer", (json_int_t)p->seq_layer, "tok_layer",
                             (json_int_t)p->tok_layer);
    if (p->tokenizer) {
        json_t *info = json_pack("{s:s}", "vocab_file", vocabulary_file(p->tokenizer));
        json_put_all(&info, tokenizer_to_json(p->tokenizer));
        json_put(&json, "tokenization_info", info);
    }
    if (p->vectors.pooling != BERT_POOLING_AUTO) /* else nothing is told of them */
        json_put(&json, "vectors", vector_signature(&p->vectors));
    return json;
}

/* Size and checksums of each file that was written. */
static bert_status describe_files(arena *a, const char *folder, json_t **files, bert_err *err)
{
    bert_status s = BERT_OK;
    for (int i = 0; !s && i < N_FILES; i++) {
        char *path = path_join(a, folder, FILES[i]), sha256[SHA256_HEX], crc[CRC32C_HEX];
        file_mapping file;
        if (path && i >= N_NEEDED && !file_exists(path))
            continue;
        s = path ? file_map(&file, path, err) : fail_memory(err, FILES[i]);
        if (s)
            break;
        sha256_mapped(&file, 0, sha256);
        crc32c_mapped_hex(&file, crc);
        json_put(files, FILES[i],
                 json_pack("{s:I, s:s, s:s}", "size", (json_int_t)file.size, "sha256", sha256, "crc32c", crc));
        file_unmap(&file);
    }
    return s;
}

static bert_status module_write_json(arena *a, const char *folder, const char *name, json_t *json, bert_err *err)
{
    char *path = path_join(a, folder, name);
    bert_status s = path && json ? json_write_file(json, path, err) : fail_memory(err, name);
    json_decref(json);
    return s;
}

static bert_status module_write_weights(arena *a, const char *folder, const weight_list *weights, bert_err *err)
{
    tensor *items = arena_array(a, weights->n, sizeof *items);
    char *path = path_join(a, folder, "model.safetensors");
    if (!items || !path)
        return fail_memory(err, "model.safetensors");
    return safetensors_write_torch(path, items, weights_to_tensors(weights, false, items), NULL, err);
}

/* A pipeline's packed form is libbert's own. */
static bert_status write_vocabulary(arena *a, const module_parts *p, const char *folder, bert_err *err)
{
    char *path = path_join(a, folder, vocabulary_file(p->tokenizer));
    return path ? file_write_whole(path, p->vocabulary, p->vocabulary_size, err) : fail_memory(err, folder);
}

/* What Hugging Face reads of a tokenizer. */
static bert_status write_their_tokenizer(arena *a, const module_parts *p, const char *folder, bert_err *err)
{
    const bert_tokenizer *t = p->tokenizer;
    int64_t seq_len = p->vectors.seq_len ? p->vectors.seq_len : config_positions(p->config);
    bert_status s = module_write_json(a, folder, "tokenizer.json", hf_tokenizer_json(t), err);
    if (!s)
        s = module_write_json(a, folder, "tokenizer_config.json", hf_tokenizer_config(t, seq_len), err);
    return s ? s : module_write_json(a, folder, "special_tokens_map.json", hf_special_tokens_map(t), err);
}

bert_status module_write_tokenizer(const module_parts *p, const char *folder, bert_err *err)
{
    arena a = { 0 };
    bert_status s = BERT_OK;
    if (p->tokenizer && !p->tokenizer->pipeline)
        s = write_vocabulary(&a, p, folder, err);
    if (!s && p->tokenizer)
        s = write_their_tokenizer(&a, p, folder, err);
    arena_free(&a);
    return s;
}

static bert_status module_write_files(const module_parts *p, arena *a, const char *folder, bert_err *err)
{
    bert_status s = module_write_tokenizer(p, folder, err);
    if (!s && p->tokenizer && p->tokenizer->pipeline)
        s = write_vocabulary(a, p, folder, err);
    if (!s)
        s = module_write_json(a, folder, "config.json", config_to_json(p->config), err);
    if (!s)
        s = module_write_weights(a, folder, p->weights, err);
    if (s)
        return s;
    json_t *files = json_object();
    s = describe_files(a, folder, &files, err);
    json_t *module = json_pack("{s:s, s:i, s:[[s],[]], s:o}", "format", "libbert.module", "version", MODULE_VERSION,
                               "tags", "train", "signatures", signatures(p));
    if (p->source)
        json_put(&module, "source", json_incref(p->source));
    json_put(&module, "files", files);
    if (s)
        json_decref(module);
    return s ? s : module_write_json(a, folder, "module.json", module, err);
}

bert_status module_write(const module_parts *parts, const char *folder, bert_err *err)
{
    folder_writer w;
    bert_status s = folder_begin(&w, folder, err);
    if (s)
        return s;
    arena a = { 0 };
    s = module_write_files(parts, &a, w.temporary, err);
    arena_free(&a);
    bert_module *written = NULL;
    if (!s && (s = bert_module_open(w.temporary, &written, err)))
        fail_in(err, s, "%s: what was written does not open", folder);
    bert_module_free(written);
    return folder_end(&w, s, err);
}

static bert_status copy_file(arena *a, const bert_module *m, const char *folder, const char *name, bool needed,
                             bert_err *err)
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
    for (int i = 0; !s && i < N_FILES; i++) /* the module would not be open without its vocabulary */
        s = copy_file(&a, m, w.temporary, FILES[i], i < N_NEEDED, err);
    if (!s)
        s = copy_file(&a, m, w.temporary, "module.json", true, err);
    arena_free(&a);
    return folder_end(&w, s, err);
}

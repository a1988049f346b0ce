/* From a published checkpoint to a module. */
#include "base/file.h"
#include "base/options.h"
#include "base/sha.h"
#include "formats/json.h"
#include "formats/json_build.h"
#include "imports/source.h"

#include <string.h>

/* tok_layer of the original exporter (-7), or the first layer in a model that has fewer. */
enum { ORIGINAL_TOK_LAYER = -7 };

static bert_status pick_layers(module_parts *parts, const source *src, const bert_import_options *o, bert_err *err)
{
    int64_t layers = src->config.num_hidden_layers;
    int64_t seq = o->seq_layer, tok = o->tok_layer;
    if (seq == -1 && src->hub.graph && src->hub.seq_layer >= 0)
        seq = src->hub.seq_layer;
    if (tok == ORIGINAL_TOK_LAYER && src->hub.graph && src->hub.tok_layer >= 0)
        tok = src->hub.tok_layer;
    else if (tok == ORIGINAL_TOK_LAYER && layers < -ORIGINAL_TOK_LAYER)
        tok = 0;
    bert_status s = module_resolve_layer(seq, layers, "seq_layer", &parts->seq_layer, err);
    return s ? s : module_resolve_layer(tok, layers, "tok_layer", &parts->tok_layer, err);
}

/* What a person would not expect of the vocabulary and the embedding. */
static void note_rows(source *src, const bert_tokenizer *t)
{
    size_t n = bert_tokenizer_size(t), rows = (size_t)src->config.vocab_size;
    if (n < rows)
        buffer_printf(&src->notes, "%s: %zu tokens; the word embedding has %zu rows more, which nothing reads\n",
                      src->tokenizer.vocabulary_path, n, rows - n);
    if (n > rows)
        buffer_printf(&src->notes,
                      "%s: %zu tokens, the word embedding has %zu rows; a text with a token without a row is refused\n",
                      src->tokenizer.vocabulary_path, n, rows);
}

/* The tokeniser as the options and the source tell it; *t: bert_tokenizer_free. */
static bert_status make_tokenizer(source *src, const bert_import_options *o, bert_tokenizer **t, bert_err *err)
{
    tokenizer_source *from = &src->tokenizer;
    *t = NULL;
    if (o->ids_only)
        return BERT_OK;
    if (!from->vocabulary)
        return fail(err, BERT_ERR_IO, "%s: no %s; --ids-only makes a module that reads ids, no texts", src->folder,
                    from->looked_for);
    if (o->do_lower_case && tokenizer_source_is_pipeline(from))
        return fail(err, BERT_ERR_ARGUMENT,
                    "%s: tells itself whether texts are lower-cased: --do-lower-case says nothing",
                    from->vocabulary_path);
    if (o->do_lower_case)
        from->options.do_lower_case = o->do_lower_case == 1;
    else if (from->guess)
        buffer_printf(&src->notes, "%s\n", from->guess);
    if (o->special_in_text)
        from->options.special_in_text = o->special_in_text - 1;
    bert_status s = bert_tokenizer_create(from->vocabulary, from->vocabulary_size, from->vocabulary_path,
                                          &from->options, t, err);
    if (!s)
        note_rows(src, *t);
    return s;
}

/* Adds the hash of a file under its name, once. */
static bert_status describe_file(json_t **files, const char *path, bert_err *err)
{
    char hex[SHA256_HEX];
    json_t *name = json_of_bytes(path_name(path));
    bert_status s = BERT_OK;
    if (!json_object_get(*files, json_string_value(name))) {
        s = sha256_file(path, hex, err);
        if (!s)
            json_put(files, json_string_value(name), json_string(hex));
    }
    json_decref(name);
    return s;
}

/* What the module was made from, for module.json. */
static bert_status describe_source(const source *src, json_t **out, bert_err *err)
{
    json_t *files = json_object();
    bert_status s = BERT_OK;
    for (size_t i = 0; !s && i < src->tensors.n; i++)
        if (src->tensors.items[i].file)
            s = describe_file(&files, src->tensors.items[i].file, err);
    *out = json_pack("{s:s, s:o, s:o}", "kind", src->kind, "path", json_of_bytes(src->folder), "sha256", files);
    if (!s && !*out)
        s = fail_memory(err, src->folder);
    if (s) {
        json_decref(*out);
        *out = NULL;
    }
    return s;
}

bert_status source_to_module(source *src, const char *folder, const bert_import_options *o, bert_err *err)
{
    arena a = { 0 };
    bert_tokenizer *tokenizer = NULL;
    bert_status s = make_tokenizer(src, o, &tokenizer, err);
    module_parts parts = { .config = &src->config,
                           .tokenizer = tokenizer,
                           .vocabulary = src->tokenizer.vocabulary,
                           .vocabulary_size = src->tokenizer.vocabulary_size };
    if (!s)
        s = pick_layers(&parts, src, o, err);
    if (!s)
        s = source_vectors(src, &parts.vectors, err);
    bool pooler = weights_have_pooler(&src->tensors, src->naming);
    weight_list weights;
    if (!s)
        s = weights_create(&weights, &a, &src->config, (size_t)src->config.num_hidden_layers, pooler, NULL, err);
    if (!s)
        s = weights_read(&weights, &a, &src->tensors, src->naming, src->weights_path, err);
    if (!s)
        s = weights_check_finite(&weights, src->weights_path, err);
    if (!s)
        weights_tell_zeros(&weights, src->weights_path, &src->notes);
    for (size_t i = 0; !s && i < weights.n; i++)
        source_mark_read(src, weights_find(&src->tensors, src->naming, weights.places[i].id, weights.places[i].layer));
    if (!s && !pooler && !src->pooler_unused)
        buffer_string(&src->notes, "the checkpoint has no pooler: pooling `cls` will start a new one\n");
    if (!s)
        s = describe_source(src, &parts.source, err);
    parts.weights = &weights;
    if (!s)
        s = module_write(&parts, folder, err);
    json_decref(parts.source);
    bert_tokenizer_free(tokenizer);
    arena_free(&a);
    return s;
}

bert_status source_import(const char *path, const char *folder, const bert_import_options *options, source_write *write,
                          char **note, bert_err *err)
{
    bert_import_options defaults;
    if (!options) {
        bert_import_defaults(&defaults);
        options = &defaults;
    }
    if (note)
        *note = NULL;
    bert_status s = options_check(options, bert_import_option_table(), err);
    if (s)
        return s;
    source src;
    s = bert_output_check(folder, BERT_OUTPUT_IMPORT, options->force, err);
    if (s)
        return s;
    s = source_open(&src, path, options, err);
    if (s)
        return s;
    s = write(&src, folder, options, err);
    source_tell_unread(&src);
    if (!s && note && src.notes.size) {
        if (src.notes.data[src.notes.size - 1] == '\n')
            src.notes.data[--src.notes.size] = 0;
        *note = buffer_take(&src.notes);
    }
    source_close(&src);
    return s;
}

bert_status module_import(const char *path, const char *folder, const bert_import_options *options, char **note,
                          bert_err *err)
{
    return source_import(path, folder, options, source_to_module, note, err);
}

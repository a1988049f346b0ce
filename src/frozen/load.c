/* bert_model_load: a model folder, a frozen file, or a module. */
#include "base/file.h"
#include "frozen/frozen.h"

/* A module by itself gives vectors, as it says itself, else the mean over its tokens, unless a session asks for another
 * pooling. */
static bert_status model_of_module(const char *path, bert_model **model, bert_err *err)
{
    bert_module *module;
    bert_status s = bert_module_open(path, &module, err);
    if (s)
        return s;
    bert_layer_spec spec;
    bert_layer_defaults(&spec);
    spec.module = path;
    const vector_spec *vectors = &module->vectors;
    bool normalize = vectors->normalize;
    spec.seq_len = vectors->seq_len ? vectors->seq_len : config_positions(&module->config);
    spec.pooling = vectors->pooling != BERT_POOLING_AUTO ? vectors->pooling : (int)BERT_POOLING_MEAN;
    spec.n_tune_layers = 0;
    spec.do_preprocessing = module->tokenizer != NULL;
    s = model_create(module, &spec, NULL, 0, model, err);
    if (!s)
        (*model)->normalize = normalize;
    return s;
}

/* A folder is what its description says; a model's weights without one are a model that was cut down, and no
 * checkpoint. */
static bert_status open_folder(const char *path, bert_model **model, bert_err *err)
{
    arena a = { 0 };
    char *description = path_join(&a, path, "model.json"), *weights = path_join(&a, path, "weights.safetensors");
    bert_status s;
    if (!description || !weights)
        s = fail_memory(err, path);
    else if (file_exists(description) || file_exists(weights))
        s = model_open_folder(path, model, err); /* which names the file that is missing */
    else
        s = model_of_module(path, model, err);
    arena_free(&a);
    return s;
}

bert_status bert_model_load(const char *path, bert_model **model, bert_err *err)
{
    *model = NULL;
    bert_status s;
    if (file_is_folder(path))
        s = open_folder(path, model, err);
    else if (path_ends(path, ".tar.gz") || path_ends(path, ".tgz") || !file_exists(path))
        s = model_of_module(path, model, err); /* an archive, an address, or nothing: which says so */
    else
        s = frozen_open(path, model, err);
    return s;
}

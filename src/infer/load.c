/* bert_model_load: a model folder, a frozen file, or a module. */
#include "base/file.h"
#include "infer/frozen.h"

/* A module by itself gives vectors: the mean over its tokens, unless a session asks for another pooling. */
static bert_status model_of_module(const char *path, bert_model **model, bert_err *err)
{
    bert_module *module;
    bert_status s = bert_module_open(path, &module, err);
    if (s)
        return s;
    bert_layer_spec spec;
    bert_layer_defaults(&spec);
    spec.module = path;
    spec.seq_len = module->config.max_position_embeddings;
    spec.pooling = BERT_POOLING_MEAN;
    spec.n_tune_layers = 0;
    return model_create(module, &spec, NULL, 0, model, err);
}

bert_status bert_model_load(const char *path, bert_model **model, bert_err *err)
{
    arena a = { 0 };
    *model = NULL;
    char *description = path_join(&a, path, "model.json");
    bert_status s;
    if (!description)
        s = fail_memory(err, path);
    else if (file_is_folder(path))
        s = file_exists(description) ? model_open_folder(path, model, err) : model_of_module(path, model, err);
    else if (path_ends(path, ".tar.gz") || path_ends(path, ".tgz") || !file_exists(path))
        s = model_of_module(path, model, err); /* an archive, an address, or nothing: which says so */
    else
        s = frozen_open(path, model, err);
    arena_free(&a);
    return s;
}

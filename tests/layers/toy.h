/* A small BERT with large random weights, written as a Hugging Face folder: with the usual 0.02 an output hardly
 * depends on its weights. */
#ifndef TESTS_MODEL_TOY_H
#define TESTS_MODEL_TOY_H

#include "base/scratch.h"

#include "base/random.h"
#include "arch/families.h"
#include "formats/json.h"
#include "formats/safetensors.h"
#include "modules/module.h"

/* Words of the toy's vocabulary; its number of lines is TOY_WORDS. */
static const char TOY_VOCABULARY[] =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nthe\ncat\n##s\nsat\non\nmat\n,\n.\n";
enum { TOY_WORDS = 24, TOY_POSITIONS = 16 };

static inline config toy_config(void)
{
    return (config){ .family = &FAMILY_BERT,
                     .vocab_size = TOY_WORDS,
                     .hidden_size = 12,
                     .num_hidden_layers = 3,
                     .num_attention_heads = 3,
                     .intermediate_size = 20,
                     .max_position_embeddings = TOY_POSITIONS,
                     .type_vocab_size = 2,
                     .hidden_act = ACTIVATION_GELU,
                     .hidden_dropout_prob = 0.1,
                     .attention_probs_dropout_prob = 0.2,
                     .head_dropout_prob = 0.1,
                     .layer_norm_eps = 1e-12,
                     .initializer_range = 0.02 };
}

/* The weights of such a model, in arena memory: multiples of 1/64 below 2 in size, which float16 and bfloat16 hold
 * exactly; norms' scales are around 1, the others' deviation is near 0.5. */
static inline weight_list toy_weights(arena *a, const config *c, bool pooler)
{
    weight_list w;
    random_stream r = { 20, 0, 0 };
    assert_works(weights_create(&w, a, c, (size_t)c->num_hidden_layers, pooler, NULL, err));
    for (size_t i = 0; i < w.n; i++) {
        bert_param *p = &w.items[i];
        float centre = path_ends(p->name, "LayerNorm.weight") ? 1 : 0,
              *value = arena_array(a, weight_size(p), sizeof *value);
        for (size_t k = 0; k < weight_size(p); k++)
            value[k] = centre + (float)((int)random_below(&r, 113) - 56) / 64;
        p->value = value;
    }
    return w;
}

static inline void toy_write_weights(const char *path, const weight_list *w)
{
    arena a = { 0 };
    tensor *items = arena_array(&a, w->n, sizeof *items);
    assert_works(safetensors_write(path, items, weights_to_tensors(w, false, items), NULL, err));
    arena_free(&a);
}

static inline void toy_write_config(const char *folder, const config *c)
{
    arena a = { 0 };
    json_t *json = config_to_json(c);
    assert_works(json_write_file(json, path_join(&a, folder, "config.json"), err));
    json_decref(json);
    arena_free(&a);
}

/* The whole folder, in the scratch folder. */
static inline const char *toy_write(const char *name, const config *c, bool pooler)
{
    arena a = { 0 };
    const char *folder = scratch(name);
    weight_list w = toy_weights(&a, c, pooler);
    assert_works(folder_create(folder, err));
    toy_write_config(folder, c);
    assert_works(file_write_whole(path_join(&a, folder, "vocab.txt"), TOY_VOCABULARY, strlen(TOY_VOCABULARY), err));
    toy_write_weights(path_join(&a, folder, "model.safetensors"), &w);
    arena_free(&a);
    return folder;
}

static inline bert_module *toy_open(const char *folder)
{
    bert_module *module = NULL;
    assert_works(bert_module_open(folder, &module, err));
    return module;
}

/* The same, imported and open. */
static inline bert_module *toy_import(const config *c, bool pooler)
{
    assert_works(module_import(toy_write("toy", c, pooler), scratch("module"), NULL, NULL, err));
    return toy_open(scratch("module"));
}

#endif

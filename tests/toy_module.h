/* A small BERT with large random weights: with the usual 0.02 an output hardly depends on its weights. It is written by
 * the test itself, as a module whose words are letters, or smaller, with words of its own, as a Hugging Face folder. */
#pragma once

#include "golden.h"

#include "arch/families.h"
#include "base/buffer.h"
#include "base/random.h"
#include "base/scratch.h"

/* The weights of such a model, in arena memory: multiples of 1 / parts, norms' scales around 1, the others' deviation
 * near 1.7 / sqrt(H). float16 and bfloat16 hold parts of EXACT exactly, those of ROUNDED they do not. */
enum { EXACT = 64, ROUNDED = 65 };
static inline weight_list toy_weights(arena *a, const config *c, bool pooler, int parts)
{
    weight_list w;
    random_stream r = { 20, 0, 0 };
    int range = (int)(194 / sqrt((double)c->hidden_size));
    assert_works(weights_create(&w, a, c, (size_t)c->num_hidden_layers, pooler, NULL, err));
    for (size_t i = 0; i < w.n; i++) {
        bert_param *p = &w.items[i];
        float centre = path_ends(p->name, "LayerNorm.weight") ? 1 : 0,
              *value = arena_array(a, weight_size(p), sizeof *value);
        for (size_t k = 0; k < weight_size(p); k++)
            value[k] = centre + (float)((int)random_below(&r, 2 * range + 1) - range) / (float)parts;
        p->value = value;
    }
    return w;
}

/* ---- of letters -------------------------------------------------------------------------------------------------- */

/* Zero fields are the usual ones: 3 layers of 40 channels in 5 heads, 48 positions, a pooler. */
typedef struct toy {
    int64_t layers, positions, seq_layer, hidden, heads, inner; /* seq_layer: 0 for the last, else counted from 1 */
    bool no_pooler;
} toy;

enum { TOY_HIDDEN = 40, TOY_POSITIONS = 48, TOY_LAYERS = 3 };

static inline config toy_config(toy t)
{
    return (config){ .family = &FAMILY_BERT,
                     .vocab_size = 57,
                     .hidden_size = t.hidden ? t.hidden : TOY_HIDDEN,
                     .num_hidden_layers = t.layers ? t.layers : TOY_LAYERS,
                     .num_attention_heads = t.heads ? t.heads : 5,
                     .intermediate_size = t.inner ? t.inner : 72,
                     .max_position_embeddings = t.positions ? t.positions : TOY_POSITIONS,
                     .type_vocab_size = 2,
                     .hidden_act = ACTIVATION_GELU,
                     .hidden_dropout_prob = 0.1,
                     .attention_probs_dropout_prob = 0.1,
                     .head_dropout_prob = 0.1,
                     .layer_norm_eps = 1e-12,
                     .initializer_range = 0.02 };
}

/* [PAD] ... and the letters, alone and as word ends. */
static inline char *toy_vocabulary(void)
{
    buffer b = { 0 };
    buffer_string(&b, "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n");
    for (char c = 'a'; c <= 'z'; c++)
        buffer_printf(&b, "%c\n##%c\n", c, c);
    char *text = arena_string(&golden_memory, b.data);
    buffer_free(&b);
    return text;
}

/* Writes the module to the scratch folder/name and returns its path. */
static inline const char *toy_module(const char *name, toy t)
{
    char *vocabulary = toy_vocabulary(), *path = path_join(&golden_memory, scratch_folder, name);
    config c = toy_config(t);
    weight_list w = toy_weights(&golden_memory, &c, !t.no_pooler, ROUNDED);
    bert_tokenizer *tokenizer;
    assert_works(bert_tokenizer_create(vocabulary, strlen(vocabulary), "vocabulary", NULL, &tokenizer, err));
    module_parts parts = { .config = &c,
                           .weights = &w,
                           .vocabulary = vocabulary,
                           .vocabulary_size = strlen(vocabulary),
                           .tokenizer = tokenizer,
                           .seq_layer = t.seq_layer ? t.seq_layer - 1 : c.num_hidden_layers - 1 };
    assert_works(module_write(&parts, path, err));
    bert_tokenizer_free(tokenizer);
    return path;
}

/* ---- of words ---------------------------------------------------------------------------------------------------- */

/* The number of its lines is TOY_WORDS. */
static const char TOY_VOCABULARY[] =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nthe\ncat\n##s\nsat\non\nmat\n,\n.\n";
enum { TOY_WORDS = 24, WORDS_POSITIONS = 16 };

static inline config words_config(void)
{
    config c = toy_config((toy){ .hidden = 12, .positions = WORDS_POSITIONS });
    c.vocab_size = TOY_WORDS;
    c.num_attention_heads = 3;
    c.intermediate_size = 20;
    c.attention_probs_dropout_prob = 0.2;
    return c;
}

/* The Hugging Face folder, in the scratch folder. c: NULL for the usual one. */
static inline const char *words_checkpoint(const char *name, const config *c, bool pooler)
{
    arena a = { 0 };
    const char *folder = scratch(name);
    config usual = words_config();
    c = c ? c : &usual;
    weight_list w = toy_weights(&a, c, pooler, EXACT);
    tensor *items = arena_array(&a, w.n, sizeof *items);
    json_t *json = config_to_json(c);
    assert_works(folder_create(folder, err));
    assert_works(json_write_file(json, path_join(&a, folder, "config.json"), err));
    assert_works(file_write_whole(path_join(&a, folder, "vocab.txt"), TOY_VOCABULARY, strlen(TOY_VOCABULARY), err));
    if (strcmp(c->family->tokenizer_class, "BertTokenizer")) /* of word pieces, whatever the family's own reads */
        scratch_text(arena_printf(&a, "%s/tokenizer_config.json", name), "{\"tokenizer_class\": \"BertTokenizer\"}");
    assert_works(safetensors_write(path_join(&a, folder, "model.safetensors"), items,
                                   weights_to_tensors(&w, false, items), NULL, err));
    json_decref(json);
    arena_free(&a);
    return folder;
}

static inline bert_module *open_module(const char *folder)
{
    bert_module *module = NULL;
    assert_works(bert_module_open(folder, &module, err));
    return module;
}

/* The same, imported and open. */
static inline bert_module *words_module(const config *c, bool pooler)
{
    assert_works(module_import(words_checkpoint("toy", c, pooler), scratch("module"), NULL, NULL, err));
    return open_module(scratch("module"));
}

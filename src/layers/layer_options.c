/* The options structs of layers and the optimiser, as tables. */
#include "base/options.h"
#include "layers/layer.h"
#include "layers/optimizer.h"

#include <math.h>

static const bert_option LAYER[] = {
    OPTION_STRING(bert_layer_spec, module, NULL, "MODULE", "folder, .tar.gz or http(s) address of a module"),
    OPTION_INT(bert_layer_spec, seq_len, "0", 0, 65536, "N",
               "tokens of a text or pair, special ones counted, at least 3; 0: 64, or the module's positions where "
               "there are fewer"),
    OPTION_CHOICE(bert_layer_spec, pooling, "cls", POOLING_WORDS, "WORD", "from the tokens' vectors to one"),
    OPTION_INT(bert_layer_spec, n_tune_layers, "-1", -1, 1024, "N",
               "how many of the last layers are trained; -1: three, or all there are where there are fewer"),
    OPTION_BOOL(bert_layer_spec, tune_embeddings, "false", "train the embeddings, too"),
    OPTION_INT(bert_layer_spec, use_layers, "0", 0, 1024, "N", "keep the first N layers and drop those above; 0: all"),
    OPTION_STRING(bert_layer_spec, outputs, "output", "NAMES",
                  "outputs by name, comma-separated: output, sequence_output, layer_0, ..."),
    OPTION_BOOL(bert_layer_spec, do_preprocessing, "true", "texts go in; else the three matrices"),
};

const char *const OPTIMIZER_WORDS[] = { "adam", "adamw", NULL };

static const bert_option OPTIMIZER[] = {
    OPTION_CHOICE(bert_optimizer_options, optimizer, "adam", OPTIMIZER_WORDS, "WORD",
                  "adam as Keras, or adamw as PyTorch"),
    OPTION_FLOAT(bert_optimizer_options, learning_rate, "1e-5", 0, INFINITY, "X", "learning rate"),
    OPTION_FLOAT(bert_optimizer_options, beta_1, "0.9", 0, 0.999999, "X", "decay of the mean of gradients"),
    OPTION_FLOAT(bert_optimizer_options, beta_2, "0.999", 0, 0.999999, "X", "decay of the mean of squared gradients"),
    OPTION_FLOAT(bert_optimizer_options, epsilon, "1e-7", 0, 1, "X", "added to the root of the mean of squares"),
    OPTION_FLOAT(bert_optimizer_options, weight_decay, "0.01", 0, 1, "X",
                 "weight decay of adamw; biases and layer norms are left out"),
    OPTION_FLOAT(bert_optimizer_options, clip_norm, "0", 0, INFINITY, "X",
                 "largest global norm of the gradients; 0: no limit"),
    OPTION_FLOAT(bert_optimizer_options, layer_decay, "1", 0, 1, "X",
                 "a layer's rate is this times that of the layer above"),
};

bert_option_table bert_layer_option_table(void)
{
    return OPTION_TABLE(LAYER);
}

bert_option_table bert_optimizer_option_table(void)
{
    return OPTION_TABLE(OPTIMIZER);
}

void bert_layer_defaults(bert_layer_spec *spec)
{
    bert_options_defaults(spec, bert_layer_option_table());
}

void bert_optimizer_defaults(bert_optimizer_options *options)
{
    bert_options_defaults(options, bert_optimizer_option_table());
}

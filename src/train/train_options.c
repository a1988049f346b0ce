/* The options of a training run as a table, and as text. */
#include "train/train_options.h"

#include "base/options.h"
#include "formats/json_build.h"
#include "layers/optimizer.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const SCHEDULE_WORDS[] = { "constant", "linear", "cosine", NULL };
static const char *const TRAIN_PRECISIONS[] = { "fp32", "bf16", NULL };

static const char *const FROZEN_LAYERS_PRECISIONS[] = { "same", "fp32", "bf16", "int8", NULL };

static const bert_option TRAIN[] = {
    OPTION_INT(bert_train_options, epochs, "5", 1, 100000, "N", "times through the training data"),
    OPTION_INT(bert_train_options, batch_size, "32", 1, 65536, "N", "rows of a batch"),
    OPTION_INT(bert_train_options, max_steps, "0", 0, 1e15, "N", "stop after so many steps; 0: after the epochs"),
    OPTION_INT(bert_train_options, accumulate, "1", 1, 65536, "N", "batches whose gradients make one step"),
    OPTION_FLOAT(bert_train_options, learning_rate, "1e-5", 0, INFINITY, "X", "learning rate"),
    OPTION_FLOAT(bert_train_options, beta_1, "0.9", 0, 0.999999, "X", "Adam's decay of the mean of gradients"),
    OPTION_FLOAT(bert_train_options, beta_2, "0.999", 0, 0.999999, "X",
                 "Adam's decay of the mean of squared gradients"),
    OPTION_FLOAT(bert_train_options, epsilon, "1e-7", 0, 1, "X", "Adam's addend to the root of the mean of squares"),
    OPTION_CHOICE(bert_train_options, optimizer, "adam", OPTIMIZER_WORDS, "WORD", "adam as Keras, or adamw as PyTorch"),
    OPTION_FLOAT(bert_train_options, weight_decay, "0.01", 0, 1, "X",
                 "weight decay of adamw; biases and layer norms are left out"),
    OPTION_FLOAT(bert_train_options, clip_norm, "0", 0, INFINITY, "X",
                 "largest global norm of the gradients; 0: no limit"),
    OPTION_FLOAT(bert_train_options, layer_decay, "1", 0, 1, "X",
                 "a layer's rate is this times that of the layer above"),
    OPTION_CHOICE(bert_train_options, schedule, "constant", SCHEDULE_WORDS, "WORD",
                  "the learning rate after the warm-up"),
    OPTION_FLOAT(bert_train_options, warmup, "0", 0, 1e15, "N",
                 "steps in which the rate rises from zero; below 1: that share of all steps"),
    OPTION_INT(bert_train_options, unfreeze_every, "0", 0, 100000, "N",
               "start with head and pooler, one layer more after each N epochs; 0: all at once"),
    OPTION_STRING(bert_train_options, class_weights, NULL, "WEIGHTS",
                  "balanced, or LABEL=X,...: a row's loss is multiplied by its label's weight"),
    OPTION_FLOAT(bert_train_options, label_smoothing, "0", 0, 0.999, "X",
                 "share of a target that is spread over all labels"),
    OPTION_STRING(bert_train_options, watch, NULL, "METRIC",
                  "the metric that tells the best epoch; default: the task's"),
    OPTION_INT(bert_train_options, patience, "0", 0, 100000, "N", "stop after N epochs without a better one; 0: never"),
    OPTION_BOOL(bert_train_options, choose_threshold, "false",
                "choose the threshold that is best on the validation data"),
    OPTION_INT(bert_train_options, seed, "42", 0, 9007199254740991, "N",
               "of the order of rows, dropout and the head's first weights"),
    OPTION_CHOICE(bert_train_options, precision, "fp32", TRAIN_PRECISIONS, "WORD",
                  "of matrix products: fp32, or bf16 where the processor has it"),
    OPTION_CHOICE(bert_train_options, frozen_precision, "same", FROZEN_LAYERS_PRECISIONS, "WORD",
                  "of the products of layers below the tuned ones; same: as --precision"),
    OPTION_BOOL(bert_train_options, frozen_dropout, "false",
                "dropout in the layers that are not tuned, too, as the original Keras layer"),
    OPTION_INT(bert_train_options, cache_budget, "-1", -1, 1e12, "MIB",
               "for outputs of frozen layers, computed once; -1: half of the free memory"),
    OPTION_CHOICE(bert_train_options, cache_precision, "fp32", TRAIN_PRECISIONS, "WORD",
                  "how these are kept; bf16 takes half the memory"),
    OPTION_STRING(bert_train_options, cache, NULL, "DIR",
                  "a folder that keeps tokens and these outputs from run to run"),
    OPTION_INT(bert_train_options, length_window, "50", 1, 100000, "N",
               "batches of like length are cut from windows of N batches; 1: none"),
    OPTION_STRING(bert_train_options, checkpoint_every, "15m", "TIME",
                  "between checkpoints: 15m, 90s, 2h, or 500 for steps; 0: each epoch's end alone"),
    OPTION_BOOL(bert_train_options, resume, "false",
                "go on from the folder's checkpoint, with the same data and options"),
    OPTION_BOOL(bert_train_options, force, "false", OPTION_FORCE_HELP),
    OPTION_BOOL(bert_train_options, tensorboard, "true", "event files for TensorBoard in the folder's logs/"),
    OPTION_BOOL(bert_train_options, report, "true", "the folder's report.html, after every epoch"),
};

const char *const RESUME_FREE[] = { "epochs",       "max_steps",        "patience", "cache",
                                    "cache_budget", "checkpoint_every", "resume",   "force",
                                    "tensorboard",  "report",           NULL };

bert_option_table bert_train_option_table(void)
{
    return OPTION_TABLE(TRAIN);
}

void bert_train_defaults(bert_train_options *options)
{
    bert_options_defaults(options, bert_train_option_table());
}

ops_precision precision_of_tuned(const bert_train_options *o)
{
    return o->precision ? OPS_BF16 : OPS_FP32;
}

ops_precision precision_of_frozen(const bert_train_options *o)
{
    const ops_precision by_word[] = { precision_of_tuned(o), OPS_FP32, OPS_BF16, OPS_INT8 };
    return by_word[o->frozen_precision];
}

bool rate_depends_on_steps(const bert_train_options *o)
{
    return o->schedule != SCHEDULE_CONSTANT || (o->warmup > 0 && o->warmup < 1);
}

bert_status checkpoint_interval_parse(const char *text, checkpoint_interval *interval, bert_err *err)
{
    static const struct {
        const char *unit;
        double seconds;
    } UNITS[] = { { "s", 1 }, { "m", 60 }, { "h", 3600 } };
    char *end;
    *interval = (checkpoint_interval){ 0 };
    errno = 0;
    int64_t n = text ? strtoll(text, &end, 10) : 0;
    if (!text)
        return BERT_OK;
    bool number = end != text && n >= 0 && !errno;
    if (number && !*end)
        return interval->steps = n, BERT_OK;
    for (size_t i = 0; number && i < sizeof UNITS / sizeof *UNITS; i++)
        if (!strcmp(end, UNITS[i].unit))
            return interval->seconds = (double)n * UNITS[i].seconds, BERT_OK;
    return fail(err, BERT_ERR_ARGUMENT,
                "--checkpoint-every: \"%s\" is neither a time (15m, 90s, 2h) nor a number of steps", text);
}

/* ---- as JSON ----------------------------------------------------------------------------------------------------- */

json_t *options_to_texts(const void *options, bert_option_table table)
{
    json_t *json = json_object();
    for (size_t i = 0; i < table.n; i++) {
        buffer text = { 0 };
        bool some = option_text(options, &table.options[i], &text);
        json_put(&json, table.options[i].name,
                 !some         ? json_null()
                 : text.failed ? NULL
                               : json_of_bytes(text.data ? text.data : ""));
        buffer_free(&text);
    }
    return json;
}

/* ---- differences ------------------------------------------------------------------------------------------------- */

void text_difference(buffer *out, const char *name, const char *was, const char *now)
{
    if (was == now || (was && now && !strcmp(was, now)))
        return;
    buffer_printf(out, "%s%s: %s in the checkpoint, %s now", out->size ? "; " : "", name, was ? was : "none",
                  now ? now : "none");
}

static bool is_listed(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (!strcmp(name, *names))
            return true;
    return false;
}

/* The option's value as text, in b's memory; NULL: none is given. */
static const char *text_of_option(const void *options, const bert_option *o, buffer *b)
{
    buffer_clear(b);
    buffer_string(b, "");
    return option_text(options, o, b) ? b->data : NULL;
}

void options_differences(buffer *out, const void *options, bert_option_table table, const json_t *texts,
                         const char *const *free)
{
    enum { LARGEST_STRUCT = 1024 };
    _Alignas(max_align_t) unsigned char defaults[LARGEST_STRUCT];
    buffer before = { 0 }, now = { 0 };
    bert_options_defaults(defaults, table);
    for (size_t i = 0; i < table.n; i++) {
        const bert_option *o = &table.options[i];
        const json_t *text = json_object_get(texts, o->name);
        if (!is_listed(o->name, free)) /* what a run was begun without had its default */
            text_difference(out, o->name, text ? json_string_value(text) : text_of_option(defaults, o, &before),
                            text_of_option(options, o, &now));
    }
    out->failed |= before.failed || now.failed;
    buffer_free(&before);
    buffer_free(&now);
}

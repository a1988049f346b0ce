/* Adam over a list of tensors: Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015), in the form of
 * Keras; and AdamW, Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019), in that of PyTorch. Both are
 * the same operation with other coefficients. */
#include "layers/optimizer.h"

#include "base/options.h"
#include "base/size.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EMBEDDINGS_LEVEL = -1, TOP_LEVEL = INT_MAX };

/* ---- what a tensor is -------------------------------------------------------------------------------------------- */

static int level_of(const bert_param *p)
{
    return p->layer ? p->layer < 0 ? EMBEDDINGS_LEVEL : (int)p->layer - 1 : TOP_LEVEL;
}

/* The highest layer among the parameters, tuned or not; -1: there is none. */
static int last_layer(const bert_param *params, size_t n)
{
    int last = EMBEDDINGS_LEVEL;
    for (size_t i = 0; i < n; i++) {
        int level = level_of(&params[i]);
        last = level != TOP_LEVEL && level > last ? level : last;
    }
    return last;
}

static bert_status add_slot(bert_optimizer *o, const bert_param *p, int last, bert_err *err)
{
    size_t size;
    if (!p->grad || !mul_size(p->rows, p->cols, &size))
        return fail(err, BERT_ERR_ARGUMENT, "parameter %s is tuned, and %s", p->name ? p->name : "without a name",
                    p->grad ? "larger than memory" : "has no gradient");
    optimizer_slot *t = &o->slots[o->n_slots++];
    *t = (optimizer_slot){ .name = p->name,
                           .value = p->tuned,
                           .grad = p->grad,
                           .n = p->rows * p->cols,
                           .level = level_of(p),
                           .decays = !p->no_decay };
    t->rate = t->level == TOP_LEVEL ? 1 : pow(o->options.layer_decay, last - t->level);
    t->m = arena_array(&o->memory, t->n, sizeof *t->m);
    t->v = arena_array(&o->memory, t->n, sizeof *t->v);
    return t->m && t->v ? BERT_OK : fail_memory(err, "an optimiser");
}

/* ---- its life ---------------------------------------------------------------------------------------------------- */

bert_status bert_optimizer_create(const bert_param *params, size_t n, const bert_optimizer_options *options,
                                  bert_optimizer **optimizer, bert_err *err)
{
    *optimizer = NULL;
    bert_status s = options_check(options, bert_optimizer_option_table(), err);
    if (s)
        return s;
    bert_optimizer *o = calloc(1, sizeof *o);
    if (!o)
        return fail_memory(err, "an optimiser");
    o->options = *options;
    o->lowest = EMBEDDINGS_LEVEL;
    o->slots = arena_array(&o->memory, n, sizeof *o->slots);
    s = o->slots ? ops_select(&o->ops, err) : fail_memory(err, "an optimiser");
    int last = last_layer(params, n);
    for (size_t i = 0; !s && i < n; i++)
        if (params[i].tuned)
            s = add_slot(o, &params[i], last, err);
    if (s) {
        bert_optimizer_free(o);
        return s;
    }
    *optimizer = o;
    return BERT_OK;
}

void bert_optimizer_free(bert_optimizer *optimizer)
{
    if (!optimizer)
        return;
    arena_free(&optimizer->memory);
    free(optimizer);
}

void bert_optimizer_set_rate(bert_optimizer *optimizer, double learning_rate)
{
    optimizer->options.learning_rate = learning_rate;
}

void optimizer_set_lowest(bert_optimizer *optimizer, int layer)
{
    optimizer->lowest = layer;
}

/* ---- a step ------------------------------------------------------------------------------------------------------ */

static double global_norm(const bert_optimizer *o)
{
    double sum = 0;
    for (size_t i = 0; i < o->n_slots; i++)
        if (o->slots[i].level >= o->lowest)
            sum += o->ops->sum_squares(o->slots[i].grad, o->slots[i].n);
    return sqrt(sum);
}

/* The coefficients of a tensor's step number `t`, from 1. */
static adam_coefficients coefficients(const bert_optimizer_options *o, const optimizer_slot *slot, double scale)
{
    double t = (double)slot->steps, rate = o->learning_rate * slot->rate;
    double correct_m = 1 - pow(o->beta_1, t), correct_v = sqrt(1 - pow(o->beta_2, t));
    adam_coefficients c = { .rate = (float)(rate * correct_v / correct_m),
                            .beta_1 = (float)o->beta_1,
                            .beta_2 = (float)o->beta_2,
                            .epsilon = (float)o->epsilon,
                            .keep = 1,
                            .grad_scale = (float)scale };
    if (o->optimizer == BERT_OPTIMIZER_ADAMW) {
        /* PyTorch adds epsilon to the corrected root, Keras to the root itself. */
        c.epsilon = (float)(o->epsilon * correct_v);
        c.keep = slot->decays ? (float)(1 - rate * o->weight_decay) : 1;
    }
    return c;
}

double optimizer_step(bert_optimizer *optimizer, double scale)
{
    const bert_optimizer_options *o = &optimizer->options;
    double norm = o->clip_norm > 0 ? scale * global_norm(optimizer) : 0;
    if (norm > o->clip_norm)
        scale *= o->clip_norm / norm;
    for (size_t i = 0; i < optimizer->n_slots; i++) {
        optimizer_slot *slot = &optimizer->slots[i];
        if (slot->level < optimizer->lowest)
            continue;
        if (!slot->steps++) {
            arena_populate(slot->m, slot->n * sizeof *slot->m);
            arena_populate(slot->v, slot->n * sizeof *slot->v);
        }
        adam_coefficients c = coefficients(o, slot, scale);
        optimizer->ops->adam_step(slot->value, slot->m, slot->v, slot->grad, &c, slot->n);
    }
    return norm;
}

double bert_optimizer_step(bert_optimizer *optimizer)
{
    return optimizer_step(optimizer, 1);
}

/* Adam over a list of tensors. Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015), in the form of Keras. */
#include "base/arena.h"
#include "base/error.h"
#include "base/options.h"
#include "ops/ops.h"

#include <math.h>
#include <stdlib.h>

/* One tensor and its two running means. */
typedef struct slot {
    float *value, *grad, *m, *v;
    size_t n;
} slot;

struct bert_optimizer {
    arena memory;
    const ops *ops;
    bert_optimizer_options options;
    slot *slots;
    size_t n_slots;
    int64_t step;
};

bert_status bert_optimizer_create(const bert_param *params, size_t n, const bert_optimizer_options *options, bert_optimizer **optimizer,
                                  bert_err *err)
{
    *optimizer = NULL;
    bert_status s = options_check(options, bert_optimizer_option_table(), err);
    if (s)
        return s;
    bert_optimizer *o = calloc(1, sizeof *o);
    if (!o)
        return fail_memory(err, "an optimiser");
    o->options = *options;
    s = ops_select(&o->ops, err);
    o->slots = arena_array(&o->memory, n, sizeof *o->slots);
    for (size_t i = 0; !s && o->slots && i < n; i++) {
        const bert_param *p = &params[i];
        if (!p->tuned)
            continue;
        slot *t = &o->slots[o->n_slots++];
        *t = (slot){ .value = p->tuned, .grad = p->grad, .n = p->rows * p->cols };
        t->m = arena_array(&o->memory, t->n, sizeof *t->m);
        t->v = arena_array(&o->memory, t->n, sizeof *t->v);
        if (!t->m || !t->v)
            s = fail_memory(err, "an optimiser");
    }
    if (!s && !o->slots)
        s = fail_memory(err, "an optimiser");
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

void bert_optimizer_step(bert_optimizer *optimizer)
{
    const bert_optimizer_options *o = &optimizer->options;
    double t = (double)++optimizer->step;
    float lr_t = (float)(o->learning_rate * sqrt(1 - pow(o->beta_2, t)) / (1 - pow(o->beta_1, t)));
    for (size_t i = 0; i < optimizer->n_slots; i++) {
        const slot *s = &optimizer->slots[i];
        optimizer->ops->adam_step(s->value, s->m, s->v, s->grad, lr_t, (float)o->beta_1, (float)o->beta_2, (float)o->epsilon, s->n);
    }
}

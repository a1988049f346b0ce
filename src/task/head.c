/* The head, forward and backward. Dropout stands before each dense layer, where the family's classifiers have it; a
 * cosine has none. */
#include "task/head.h"

#include "net/cosine.h"

#include <string.h>

/* Of the vectors that the head reads, and of its hidden layer. */
enum { SITE_INPUT = DROPOUT_SITE_HEAD, SITE_HIDDEN = DROPOUT_SITE_HEAD + 1 };

/* ---- the head of a model ----------------------------------------------------------------------------------------- */

static linear linear_of(const weight_list *list, weight_id weight)
{
    const bert_param *w = weight_at(list, weight, 0);
    return w ? (linear){ { .in = w->cols, .out = w->rows, .weight = w->value, .bias = w[1].value }, w, w + 1 }
             : (linear){ 0 };
}

model_head head_over(const bert_model *m, const weight_list *weights)
{
    const ops *o = m->layer->encoder.ops;
    if (m->module->frozen) /* its head is fp32, whatever its matrices are */
        ops_select(&o, NULL);
    return (model_head){ .ops = o,
                         .hidden_size = (size_t)m->layer->config.hidden_size,
                         .hidden = linear_of(weights, HEAD_HIDDEN_WEIGHT),
                         .last = linear_of(weights, HEAD_WEIGHT),
                         .act = m->layer->config.family->head_activation };
}

/* ---- forward ----------------------------------------------------------------------------------------------------- */

void head_forward(const model_head *h, ops_room room, float *logits, float *hidden, const float *x, size_t n)
{
    const linear *last = &h->last;
    if (!last->base.in) {
        cosine_forward(logits, x, n, h->hidden_size);
        return;
    }
    if (h->hidden.base.in)
        linear_forward(&h->hidden, h->ops, room, hidden, last->base.in, NULL, x, h->hidden.base.in, h->act, n);
    linear_forward(last, h->ops, room, logits, last->base.out, NULL, h->hidden.base.in ? hidden : x, last->base.in,
                   ACTIVATION_NONE, n);
}

/* ---- a training step --------------------------------------------------------------------------------------------- */

/* What one step has at hand. n rows reach the head. */
typedef struct head_step {
    bert_model *model;
    const task *task;
    model_head head;
    const target_rows *y;
    const loss_spec *loss;
    dropout input, hidden;
    float *logits, *dlogits; /* (n, K) */
    head_result *result;
    arena *memory;
    ops_room room;
} head_step;

/* Loss and its gradient by the logits. */
static void head_losses_of_step(head_step *s)
{
    size_t n = s->y->n, all = s->y->all ? s->y->all : n, K = task_width(s->model);
    s->result->n += n;
    s->result->loss = s->task->output->loss(s->result->loss, s->dlogits, NULL, s->logits, s->y, s->loss,
                                            all ? 1.0f / (float)all : 0, K);
    for (size_t i = 0; s->task->kind->right_logits && i < n; i++)
        s->result->correct += s->task->kind->right_logits(s->logits + i * K, s->y, i, K);
}

/* y (n, C) = dropout of x: x itself where there is none; NULL: out of memory. */
static const float *dropped(const head_step *s, const float *x, dropout drop, size_t C)
{
    size_t n = s->y->n;
    float *y = drop.rate > 0 ? arena_alloc_raw(s->memory, n * C * sizeof *y) : NULL;
    if (y)
        s->head.ops->dropout_apply(y, x, drop, drop.before * C, n * C);
    return drop.rate > 0 ? y : x;
}

/* Backward of one linear behind dropout: weight gradients added, dx (n, in) assigned. x: what it read. */
static void dropped_backward(const head_step *s, const linear *l, float *dx, const float *dy, const float *x,
                             dropout drop)
{
    const ops *o = s->head.ops;
    size_t n = s->y->n, in = l->base.in, out = l->base.out;
    linear_backward_weight(l, o, s->room, dy, out, x, in, n);
    linear_backward_input(l, o, s->room, dx, in, dy, out, false, n);
    if (drop.rate > 0)
        o->dropout_apply(dx, dx, drop, drop.before * in, n * in);
}

/* The last linear, the loss, and back: dx (n, in) by what the linear's dropout read. */
static bert_status train_last(head_step *s, const float *x, float *dx, dropout drop, bert_err *err)
{
    const linear *last = &s->head.last;
    const float *read = dropped(s, x, drop, last->base.in);
    if (!read)
        return fail_memory(err, "a training step");
    linear_forward(last, s->head.ops, s->room, s->logits, last->base.out, NULL, read, last->base.in, ACTIVATION_NONE,
                   s->y->n);
    head_losses_of_step(s);
    dropped_backward(s, last, dx, s->dlogits, read, drop);
    return BERT_OK;
}

/* x, dx: (n, H) */
static bert_status train_head(head_step *s, const float *x, float *dx, bert_err *err)
{
    const ops *o = s->head.ops;
    const linear *first = &s->head.hidden;
    if (!first->base.in)
        return train_last(s, x, dx, s->input, err);
    size_t n = s->y->n, out = first->base.out;
    float *h = arena_alloc_raw(s->memory, n * out * sizeof *h), *dh = arena_alloc_raw(s->memory, n * out * sizeof *dh);
    float *pre = arena_alloc_raw(s->memory, n * out * sizeof *pre);
    const float *read = dropped(s, x, s->input, first->base.in);
    if (!h || !dh || !pre || !read)
        return fail_memory(err, "a training step");
    linear_forward(first, o, s->room, h, out, pre, read, first->base.in, s->head.act, n);
    bert_status status = train_last(s, h, dh, s->hidden, err);
    if (status)
        return status;
    o->activation_backward(dh, dh, s->head.act == ACTIVATION_TANH ? h : pre, s->head.act, n * out);
    dropped_backward(s, first, dx, dh, read, s->input);
    return BERT_OK;
}

/* The head reads the vectors of the words alone; the others' gradient is zero. */
static bert_status train_words(head_step *s, const float *x, float *dx, size_t rows, bert_err *err)
{
    size_t n = s->y->n, H = s->head.hidden_size;
    float *words = arena_alloc_raw(s->memory, n * H * sizeof *words),
          *dwords = arena_alloc_raw(s->memory, n * H * sizeof *dwords);
    if (!words || !dwords)
        return fail_memory(err, "a training step");
    for (size_t i = 0; i < n; i++)
        memcpy(words + i * H, x + (size_t)s->y->tokens[i] * H, H * sizeof *words);
    bert_status status = train_head(s, words, dwords, err);
    memset(dx, 0, rows * H * sizeof *dx);
    for (size_t i = 0; !status && i < n; i++)
        memcpy(dx + (size_t)s->y->tokens[i] * H, dwords + i * H, H * sizeof *dx);
    return status;
}

bert_status head_train(bert_model *m, const task *t, const float *x, float *dx, size_t rows, const target_rows *y,
                       const loss_spec *loss, step_dropout drop, float *logits, head_result *result, arena *a,
                       bert_err *err)
{
    size_t n = y->n, K = task_width(m);
    const config *c = &m->layer->config;
    double before = c->family->head_input_dropout ? c->head_dropout_prob : m->head_hidden ? 0 : c->hidden_dropout_prob;
    head_step s = { .model = m,
                    .task = t,
                    .head = head_over(m, &m->layer->weights),
                    .y = y,
                    .loss = loss,
                    .result = result,
                    .memory = a,
                    .room = ops_room_create(a) };
    float after = drop.on ? (float)c->head_dropout_prob : 0;
    s.input = (dropout){ drop.seed, drop.step, SITE_INPUT, drop.on ? (float)before : 0, y->before };
    s.hidden = (dropout){ drop.seed, drop.step, SITE_HIDDEN, after, y->before };
    s.logits = logits ? logits : arena_alloc_raw(a, n * K * sizeof *logits);
    s.dlogits = arena_alloc_raw(a, n * K * sizeof *s.dlogits);
    if (!s.room.bytes || !s.logits || !s.dlogits)
        return fail_memory(err, "a training step");
    if (y->tokens)
        return train_words(&s, x, dx, rows, err);
    if (s.head.last.base.in)
        return train_head(&s, x, dx, err);
    cosine_forward(s.logits, x, n, s.head.hidden_size);
    head_losses_of_step(&s);
    cosine_backward(dx, s.dlogits, x, n, s.head.hidden_size);
    return BERT_OK;
}

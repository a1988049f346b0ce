/* The head, forward and backward. Dropout stands before each dense layer, as in BERT's and RoBERTa's classifiers; a cosine has none. */
#include "task/head.h"

#include <math.h>
#include <string.h>

/* Of the vectors that the head reads, and of its hidden layer. */
enum { SITE_INPUT = DROPOUT_SITE_HEAD, SITE_HIDDEN = DROPOUT_SITE_HEAD + 1 };

/* ---- the head of a model ---------------------------------------------------------------------------------------------------- */

static dense dense_of(const bert_model *m, weight_id weight)
{
    const bert_param *w = weight_at(&m->layer->weights, weight, 0);
    return w ? (dense){ .in = w->cols, .out = w->rows, .weight = w->value, .bias = w[1].value } : (dense){ 0 };
}

model_head head_of_model(const bert_model *m)
{
    const ops *o = m->layer->encoder.ops;
    if (m->module->frozen) /* its head is fp32, whatever its matrices are */
        ops_select(&o, NULL);
    return (model_head){ .ops = o,
                         .hidden_size = (size_t)m->layer->config.hidden_size,
                         .hidden = dense_of(m, HEAD_HIDDEN_WEIGHT),
                         .last = dense_of(m, HEAD_WEIGHT) };
}

static bool hold(dense *d, arena *a)
{
    if (!d->in)
        return true;
    float *weight = arena_array(a, d->in * d->out, sizeof *weight), *bias = arena_array(a, d->out, sizeof *bias);
    if (!weight || !bias)
        return false;
    d->weight = memcpy(weight, d->weight, d->in * d->out * sizeof *weight);
    d->bias = memcpy(bias, d->bias, d->out * sizeof *bias);
    return true;
}

bert_status head_hold(model_head *h, arena *a, bert_err *err)
{
    return hold(&h->hidden, a) && hold(&h->last, a) ? BERT_OK : fail_memory(err, "a head");
}

/* ---- cosine ----------------------------------------------------------------------------------------------------------------- */

typedef struct cosine_parts {
    double value, aa, bb; /* squares of the lengths */
} cosine_parts;

/* A vector of zeros has no direction: its cosine with any other is 0. */
static cosine_parts cosine_of(const float *a, const float *b, size_t H)
{
    cosine_parts c = { 0 };
    double ab = 0;
    for (size_t i = 0; i < H; i++) {
        ab += (double)a[i] * b[i];
        c.aa += (double)a[i] * a[i];
        c.bb += (double)b[i] * b[i];
    }
    c.value = c.aa == 0 || c.bb == 0 ? 0 : ab / (sqrt(c.aa) * sqrt(c.bb)); /* NaN stays NaN */
    return c;
}

static void cosine_forward(float *cosines, const float *x, size_t n, size_t H)
{
    for (size_t i = 0; i < n; i++)
        cosines[i] = (float)cosine_of(x + 2 * i * H, x + (2 * i + 1) * H, H).value;
}

/* dx (2 n, H) from dcosines (n):   d cos / da = b / (|a| |b|) - cos a / |a|^2 */
static void cosine_backward(float *dx, const float *dcosines, const float *x, size_t n, size_t H)
{
    for (size_t i = 0; i < n; i++) {
        const float *a = x + 2 * i * H, *b = a + H;
        float *da = dx + 2 * i * H, *db = da + H;
        cosine_parts c = cosine_of(a, b, H);
        bool directed = c.aa > 0 && c.bb > 0;
        double g = dcosines[i], across = directed ? g / (sqrt(c.aa) * sqrt(c.bb)) : 0;
        double along_a = directed ? g * c.value / c.aa : 0, along_b = directed ? g * c.value / c.bb : 0;
        for (size_t k = 0; k < H; k++) {
            da[k] = (float)(across * b[k] - along_a * a[k]);
            db[k] = (float)(across * a[k] - along_b * b[k]);
        }
    }
}

/* ---- forward ---------------------------------------------------------------------------------------------------------------- */

void head_forward(const model_head *h, ops_room room, float *logits, float *hidden, const float *x, size_t n)
{
    const dense *last = &h->last;
    if (!last->in) {
        cosine_forward(logits, x, n, h->hidden_size);
        return;
    }
    if (h->hidden.in)
        h->ops->dense_forward(room, hidden, last->in, NULL, x, h->hidden.in, &h->hidden, ACTIVATION_TANH, n);
    h->ops->dense_forward(room, logits, last->out, NULL, h->hidden.in ? hidden : x, last->in, last, ACTIVATION_NONE, n);
}

/* ---- a training step -------------------------------------------------------------------------------------------------------- */

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
static void measure(head_step *s)
{
    size_t n = s->y->n, K = task_width(s->model);
    *s->result = (head_result){ .n = n };
    s->result->loss = s->task->output->loss(s->dlogits, NULL, s->logits, s->y, s->loss, n ? 1.0f / (float)n : 0, K);
    for (size_t i = 0; s->task->kind->right_logits && i < n; i++)
        s->result->correct += s->task->kind->right_logits(s->logits + i * K, s->y, i, K);
}

/* y (n, C) = dropout of x: x itself where there is none; NULL: out of memory. */
static const float *dropped(const head_step *s, const float *x, dropout drop, size_t C)
{
    size_t n = s->y->n;
    float *y = drop.rate > 0 ? arena_alloc_raw(s->memory, n * C * sizeof *y) : NULL;
    if (y)
        s->head.ops->dropout_apply(y, x, drop, 0, n * C);
    return drop.rate > 0 ? y : x;
}

/* Backward of one dense layer behind dropout: weight gradients added, dx (n, in) assigned. x: what the layer read. */
static void dense_backward(const head_step *s, weight_id id, const dense *d, float *dx, const float *dy, const float *x, dropout drop)
{
    bert_param *weight = weight_at(&s->model->layer->weights, id, 0);
    const ops *o = s->head.ops;
    size_t n = s->y->n;
    if (weight->grad)
        o->dense_backward_weight(s->room, weight->grad, weight[1].grad, dy, d->out, x, d->in, d->in, d->out, n);
    o->dense_backward_input(s->room, dx, d->in, dy, d->out, d, false, n);
    if (drop.rate > 0)
        o->dropout_apply(dx, dx, drop, 0, n * d->in);
}

/* x, dx: (n, H) */
static bert_status train_plain(head_step *s, const float *x, float *dx, bert_err *err)
{
    const dense *last = &s->head.last;
    size_t n = s->y->n;
    const float *read = dropped(s, x, s->input, last->in);
    if (!read)
        return fail_memory(err, "a training step");
    s->head.ops->dense_forward(s->room, s->logits, last->out, NULL, read, last->in, last, ACTIVATION_NONE, n);
    measure(s);
    dense_backward(s, HEAD_WEIGHT, last, dx, s->dlogits, read, s->input);
    return BERT_OK;
}

static bert_status train_hidden(head_step *s, const float *x, float *dx, bert_err *err)
{
    const ops *o = s->head.ops;
    const dense *first = &s->head.hidden, *last = &s->head.last;
    size_t n = s->y->n;
    float *h = arena_alloc_raw(s->memory, n * first->out * sizeof *h), *dh = arena_alloc_raw(s->memory, n * first->out * sizeof *dh);
    const float *read = dropped(s, x, s->input, first->in), *hidden;
    if (!h || !dh || !read)
        return fail_memory(err, "a training step");
    o->dense_forward(s->room, h, first->out, NULL, read, first->in, first, ACTIVATION_TANH, n);
    hidden = dropped(s, h, s->hidden, first->out);
    if (!hidden)
        return fail_memory(err, "a training step");
    o->dense_forward(s->room, s->logits, last->out, NULL, hidden, last->in, last, ACTIVATION_NONE, n);
    measure(s);
    dense_backward(s, HEAD_WEIGHT, last, dh, s->dlogits, hidden, s->hidden);
    o->activation_backward(dh, dh, h, ACTIVATION_TANH, n * first->out);
    dense_backward(s, HEAD_HIDDEN_WEIGHT, first, dx, dh, read, s->input);
    return BERT_OK;
}

/* The head reads the vectors of the words alone; the others' gradient is zero. */
static bert_status train_words(head_step *s, const float *x, float *dx, size_t rows, bert_err *err)
{
    size_t n = s->y->n, H = s->head.hidden_size;
    float *words = arena_alloc_raw(s->memory, n * H * sizeof *words), *dwords = arena_alloc_raw(s->memory, n * H * sizeof *dwords);
    if (!words || !dwords)
        return fail_memory(err, "a training step");
    for (size_t i = 0; i < n; i++)
        memcpy(words + i * H, x + (size_t)s->y->tokens[i] * H, H * sizeof *words);
    bert_status status = s->head.hidden.in ? train_hidden(s, words, dwords, err) : train_plain(s, words, dwords, err);
    memset(dx, 0, rows * H * sizeof *dx);
    for (size_t i = 0; !status && i < n; i++)
        memcpy(dx + (size_t)s->y->tokens[i] * H, dwords + i * H, H * sizeof *dx);
    return status;
}

bert_status head_train(bert_model *m, const task *t, const float *x, float *dx, size_t rows, const target_rows *y, const loss_spec *loss,
                       step_dropout drop, float *logits, head_result *result, arena *a, bert_err *err)
{
    size_t n = y->n, K = task_width(m);
    float rate = drop.on ? (float)m->layer->config.hidden_dropout_prob : 0;
    head_step s = {
        .model = m, .task = t, .head = head_of_model(m), .y = y, .loss = loss, .result = result, .memory = a, .room = ops_room_create(a)
    };
    s.input = (dropout){ drop.seed, drop.step, SITE_INPUT, rate };
    s.hidden = (dropout){ drop.seed, drop.step, SITE_HIDDEN, rate };
    s.logits = logits ? logits : arena_alloc_raw(a, n * K * sizeof *logits);
    s.dlogits = arena_alloc_raw(a, n * K * sizeof *s.dlogits);
    if (!s.room.bytes || !s.logits || !s.dlogits)
        return fail_memory(err, "a training step");
    if (y->tokens)
        return train_words(&s, x, dx, rows, err);
    if (s.head.hidden.in)
        return train_hidden(&s, x, dx, err);
    if (s.head.last.in)
        return train_plain(&s, x, dx, err);
    cosine_forward(s.logits, x, n, s.head.hidden_size);
    measure(&s);
    cosine_backward(dx, s.dlogits, x, n, s.head.hidden_size);
    return BERT_OK;
}

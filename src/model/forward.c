/* A forward pass over a packed batch, and its backward. */
#include "model/forward.h"

#include <string.h>

static size_t hidden(const forward *f)
{
    return (size_t)f->e->config->hidden_size;
}

static layer_dropout dropout_rates(const forward *f, bool tuned)
{
    bool on = tuned ? f->drop.tuned : f->drop.frozen;
    const config *c = f->e->config;
    return (layer_dropout){ f->drop.seed, f->drop.step, on ? (float)c->attention_probs_dropout_prob : 0,
                            on ? (float)c->hidden_dropout_prob : 0 };
}

static dropout embedding_dropout(const forward *f)
{
    return (dropout){ f->drop.seed, f->drop.step, DROPOUT_SITE_EMBEDDINGS, dropout_rates(f, f->embeddings_tuned).hidden };
}

/* ---- forward ---------------------------------------------------------------------------------------------------------- */

/* The last layer may leave out all rows but the first of each sequence when nothing else of it is asked for. */
static bool only_first_rows(const forward *f)
{
    for (size_t i = 0; i < f->n_requests; i++)
        if (f->requests[i].layer + 1 == (int)f->e->n_layers && !request_is_first(&f->requests[i]))
            return false;
    for (size_t i = 0; i < f->n_attention; i++)
        if (f->attention[i].layer + 1 == (int)f->e->n_layers)
            return false;
    return f->e->n_layers > 0;
}

static bool plan_rows(forward *f, arena *a)
{
    const packed_batch *b = f->batch;
    int32_t *first = arena_array(a, b->n_seq + 1, sizeof *first);
    if (!first)
        return false;
    for (size_t s = 0; s <= b->n_seq; s++)
        first[s] = (int32_t)s;
    f->all = (ragged){ b->n_seq, b->start };
    f->first = (ragged){ b->n_seq, first };
    f->first_only = only_first_rows(f);
    return true;
}

/* What the first layer reads, into x (n, H). */
static bool embed(forward *f, arena *a, float *x)
{
    const encoder *e = f->e;
    const packed_batch *b = f->batch;
    size_t n = b->n_tok, H = hidden(f);
    const weight_list *w = e->weights;
    profile_clock *clock = profile_begin(e->profile);
    float *sum = x;
    if (f->embeddings_tuned) {
        sum = f->embedding_sum = arena_alloc_raw(a, n * H * sizeof(float));
        f->embedding_mean = arena_alloc_raw(a, n * sizeof(float));
        f->embedding_rstd = arena_alloc_raw(a, n * sizeof(float));
        if (!sum || !f->embedding_mean || !f->embedding_rstd)
            return false;
    }
    e->ops->embed_forward(sum, &e->tables, b->ids, b->positions, b->segments, n);
    e->ops->layer_norm_forward(x, f->embedding_sum, f->embedding_mean, f->embedding_rstd, sum, NULL,
                               weight_at(w, EMBEDDINGS_NORM_WEIGHT, 0)->value, weight_at(w, EMBEDDINGS_NORM_BIAS, 0)->value,
                               (float)e->config->layer_norm_eps, (dropout){ 0 }, n, H);
    dropout drop = embedding_dropout(f);
    if (drop.rate > 0)
        e->ops->dropout_apply(x, x, drop, 0, n * H);
    profile_mark(clock, PROFILE_EMBEDDINGS);
    return true;
}

/* Rows that take turns in a pass that keeps nothing: y of one layer is x of the next. The embeddings stand where layer -1 would have its y. */
typedef struct turns {
    float *even, *odd; /* (n, H); NULL where no layer needs them */
} turns;

static float *turn_of(const turns *t, size_t layer)
{
    return layer % 2 ? t->odd : t->even;
}

static bool plan_shared(forward *f, arena *a, turns *t)
{
    size_t n = f->batch->n_tok, H = hidden(f), I = (size_t)f->e->config->intermediate_size;
    size_t passing = f->first_kept < f->to ? f->first_kept : f->to; /* one past the last layer that keeps nothing */
    *t = (turns){ 0 };
    f->wide = arena_alloc_raw(a, n * (I > 3 * H ? I : 3 * H) * sizeof(float));
    f->narrow = arena_alloc_raw(a, n * 4 * H * sizeof(float));
    bool fine = f->wide && f->narrow;
    if (f->from < passing)
        fine &= (t->even = arena_alloc_raw(a, n * H * sizeof(float))) != NULL;
    if (f->from < passing || !f->x)
        fine &= (t->odd = arena_alloc_raw(a, n * H * sizeof(float))) != NULL;
    return fine;
}

/* The first row of every sequence. */
static float *gather_first(const forward *f, arena *a, const float *x)
{
    size_t H = hidden(f), n = f->batch->n_seq;
    float *y = arena_alloc_raw(a, n * H * sizeof *y);
    for (size_t s = 0; y && s < n; s++)
        memcpy(y + s * H, x + (size_t)f->batch->start[s] * H, H * sizeof *y);
    return y;
}

/* Gives layer i its arrays: its own where it keeps them, else the shared ones. */
static bool plan_layer(forward *f, arena *a, size_t i, const float *x, const turns *t)
{
    size_t H = hidden(f), I = (size_t)f->e->config->intermediate_size, NH = (size_t)f->e->config->num_attention_heads;
    layer_activations *act = &f->layers[i];
    bool reduced = f->first_only && i + 1 == f->e->n_layers;
    size_t n = f->batch->n_tok, m = reduced ? f->batch->n_seq : n;
    *act = (layer_activations){ .n = n, .m = m, .x = x, .xq = reduced ? gather_first(f, a, x) : x, .f = f->wide, .room = f->room };
    if (i < f->first_kept) {
        act->qkv = f->narrow;
        act->sum_a = act->a = f->narrow + n * 3 * H;
        act->context = act->sum_y = act->y = turn_of(t, i);
        return act->xq != NULL;
    }
    struct {
        float **array;
        size_t size;
    } own[] = {
        { &act->qkv, m * H + n * 2 * H },
        { &act->lse, m * NH },
        { &act->context, m * H },
        { &act->sum_a, m * H },
        { &act->mean_a, m },
        { &act->rstd_a, m },
        { &act->a, m * H },
        { &act->pre, m * I },
        { &act->sum_y, m * H },
        { &act->mean_y, m },
        { &act->rstd_y, m },
        { &act->y, m * H },
    };
    bool fine = act->xq != NULL;
    for (size_t k = 0; k < sizeof own / sizeof *own; k++)
        fine &= (*own[k].array = arena_alloc_raw(a, own[k].size * sizeof(float))) != NULL;
    return fine;
}

/* What request r asks for, from the rows after its layer: all of them, or with `reduced` the first of each sequence. */
static bool answer(forward *f, arena *a, size_t r, const float *rows, bool reduced)
{
    const output_request *q = &f->requests[r];
    forward_output *out = &f->outputs[r];
    const ops *o = f->e->ops;
    size_t H = hidden(f), n = q->tokens ? f->batch->n_tok : f->batch->n_seq;
    out->value = arena_alloc_raw(a, n * H * sizeof(float));
    if (!out->value)
        return false;
    if (q->tokens || reduced)
        memcpy(out->value, rows, n * H * sizeof(float));
    else
        o->pool_forward(out->value, rows, f->all, H, q->pool);
    if (!q->pooler)
        return true;
    out->first = out->value;
    out->value = arena_alloc_raw(a, n * H * sizeof(float));
    if (out->value)
        o->dense_forward(f->room, out->value, H, NULL, out->first, H, &f->e->pooler, ACTIVATION_TANH, n);
    return out->value != NULL;
}

static bool answer_layer(forward *f, arena *a, int layer, const float *rows, bool reduced)
{
    bool fine = true;
    profile_clock *clock = profile_begin(f->e->profile);
    for (size_t r = 0; r < f->n_requests; r++)
        if (f->requests[r].layer == layer)
            fine &= answer(f, a, r, rows, reduced);
    profile_mark(clock, PROFILE_POOLING);
    return fine;
}

/* What was asked of the attention of a layer that has just run. */
static void answer_attention(const forward *f, size_t layer)
{
    size_t NH = (size_t)f->e->config->num_attention_heads;
    attention_input in = layer_attention(f->e, layer, &f->layers[layer], f->all, f->all);
    for (size_t i = 0; i < f->n_attention; i++) {
        float *p = f->attention[i].maps;
        for (size_t s = 0; f->attention[i].layer == (int)layer && s < f->all.n_seq; s++) {
            size_t T = (size_t)(f->all.start[s + 1] - f->all.start[s]);
            for (size_t head = 0; head < NH; head++, p += T * T)
                f->e->ops->attention_weights(p, &in, s, head);
        }
    }
}

/* Sets what layer `from` reads, and answers the requests for it. */
static bool begin(forward *f, arena *a, const turns *t)
{
    f->bottom = f->x ? f->x : t->odd;
    return (f->x || embed(f, a, t->odd)) && answer_layer(f, a, (int)f->from - 1, f->bottom, false);
}

bert_status forward_run(forward *f, arena *a, bert_err *err)
{
    const encoder *e = f->e;
    turns t;
    f->to = f->to ? f->to : e->n_layers;
    f->layers = arena_array(a, e->n_layers, sizeof *f->layers);
    f->outputs = arena_array(a, f->n_requests, sizeof *f->outputs);
    f->room = ops_room_create(a);
    if (!f->room.bytes || !f->layers || !f->outputs || !plan_rows(f, a) || !plan_shared(f, a, &t) || !begin(f, a, &t))
        return fail_memory(err, "a forward pass");
    const float *x = f->bottom;
    for (size_t i = f->from; i < f->to; i++) {
        bool reduced = f->first_only && i + 1 == e->n_layers;
        if (!plan_layer(f, a, i, x, &t))
            return fail_memory(err, "a forward pass");
        layer_forward(e, i, &f->layers[i], reduced ? f->first : f->all, f->all, dropout_rates(f, e->layers[i].tuned));
        x = f->layers[i].y;
        if (f->n_attention)
            answer_attention(f, i);
        if (!answer_layer(f, a, (int)i, x, reduced))
            return fail_memory(err, "a forward pass");
    }
    return BERT_OK;
}

/* ---- backward --------------------------------------------------------------------------------------------------------- */

/* The gradient that travels down: by the rows after the layer at hand. */
typedef struct traveller {
    float *d;     /* (n, H), or (n_seq, H) behind a reduced last layer */
    float *spare; /* as large */
    bool some;    /* false: still zero */
} traveller;

/* The gradient by what the pooler read, given that by what it gave. */
static bool pooler_backward(const forward *f, arena *a, size_t r, const float **grad)
{
    const encoder *e = f->e;
    const bert_param *weight = weight_at(e->weights, POOLER_WEIGHT, 0);
    size_t H = hidden(f), n = f->batch->n_seq;
    float *dz = arena_alloc_raw(a, n * H * sizeof *dz), *dfirst = arena_alloc_raw(a, n * H * sizeof *dfirst);
    if (!dz || !dfirst)
        return false;
    e->ops->activation_backward(dz, *grad, f->outputs[r].value, ACTIVATION_TANH, n * H);
    if (weight->grad)
        e->ops->dense_backward_weight(f->room, weight->grad, weight[1].grad, dz, H, f->outputs[r].first, H, H, H, n);
    e->ops->dense_backward_input(f->room, dfirst, H, dz, H, &e->pooler, false, n);
    *grad = dfirst;
    return true;
}

/* Adds the gradients of the requests after `layer` to the traveller, if it goes on (`more`); a pooler's own are added in any case. */
static bool collect(const forward *f, arena *a, const float *const *grads, int layer, bool reduced, bool more, traveller *t)
{
    const ops *o = f->e->ops;
    size_t H = hidden(f), rows = reduced ? f->batch->n_seq : f->batch->n_tok;
    for (size_t r = 0; r < f->n_requests; r++) {
        const output_request *q = &f->requests[r];
        const float *grad = grads[r], *y = f->outputs[r].value;
        if (q->layer != layer || !grad)
            continue;
        if (q->pooler && !pooler_backward(f, a, r, &grad))
            return false;
        if (!more)
            continue;
        const float *by_rows = grad;
        if (!q->tokens && !reduced) {
            const float *x = layer < (int)f->from ? f->bottom : f->layers[layer].y;
            o->pool_backward(t->spare, grad, y, x, f->all, H, q->pool);
            by_rows = t->spare;
        }
        if (t->some)
            o->add(t->d, by_rows, rows * H);
        else
            memcpy(t->d, by_rows, rows * H * sizeof(float));
        t->some = true;
    }
    return true;
}

static void embeddings_backward(const forward *f, float *d)
{
    const encoder *e = f->e;
    const weight_list *w = e->weights;
    const packed_batch *b = f->batch;
    size_t H = hidden(f), n = b->n_tok;
    dropout drop = embedding_dropout(f);
    if (drop.rate > 0)
        e->ops->dropout_apply(d, d, drop, 0, n * H);
    e->ops->layer_norm_backward(d, NULL, weight_at(w, EMBEDDINGS_NORM_WEIGHT, 0)->grad, weight_at(w, EMBEDDINGS_NORM_BIAS, 0)->grad, d,
                                f->embedding_sum, f->embedding_mean, f->embedding_rstd, weight_at(w, EMBEDDINGS_NORM_WEIGHT, 0)->value,
                                (dropout){ 0 }, n, H);
    e->ops->embed_backward(weight_at(w, WORD_EMBEDDINGS, 0)->grad, weight_at(w, POSITION_EMBEDDINGS, 0)->grad,
                           weight_at(w, TOKEN_TYPE_EMBEDDINGS, 0)->grad, d, b->ids, b->positions, b->segments, H, n);
}

bert_status forward_backward(const forward *f, arena *a, const float *const *grads, bert_err *err)
{
    const encoder *e = f->e;
    size_t rows = f->batch->n_tok * hidden(f);
    float *scratch = f->narrow; /* (4, n, H) */
    traveller t = { scratch, scratch + rows, false };
    layer_scratch layer = { scratch + 2 * rows, scratch + 3 * rows, f->wide };
    /* Below the lowest layer that keeps its activations only poolers over frozen rows have gradients. */
    for (int i = (int)f->to - 1; i >= (int)f->from - 1; i--) {
        bool reduced = f->first_only && i + 1 == (int)e->n_layers && i >= (int)f->from;
        bool more = i >= (int)f->first_kept || f->embeddings_tuned; /* something here or below is tuned */
        if (!collect(f, a, grads, i, reduced, more, &t))
            return fail_memory(err, "a backward pass");
        if (!more || !t.some)
            continue;
        if (i < 0) {
            embeddings_backward(f, t.d);
            break;
        }
        float *dx = i > (int)f->first_kept || f->embeddings_tuned ? t.spare : NULL;
        layer_backward(e, (size_t)i, &f->layers[i], reduced ? f->first : f->all, f->all, dropout_rates(f, e->layers[i].tuned), t.d, dx, &layer);
        if (dx) {
            t.spare = t.d;
            t.d = dx;
        }
    }
    return BERT_OK;
}

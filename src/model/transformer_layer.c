/* One layer of the transformer, forward and backward. */
#include "model/transformer_layer.h"

#include <string.h>

typedef enum layer_site { SITE_ATTENTION, SITE_ATTENTION_OUTPUT, SITE_OUTPUT, SITES_PER_LAYER } layer_site;

static dropout dropout_at(layer_dropout drop, size_t layer, layer_site site)
{
    return (dropout){ .seed = drop.seed,
                      .step = drop.step,
                      .site = (uint32_t)(layer * SITES_PER_LAYER + site),
                      .rate = site == SITE_ATTENTION ? drop.attention : drop.hidden };
}

/* Rows may be fewer than they are read in the last layer alone; there query and key-value are apart in memory. */
static bool apart(const encoder *e, size_t layer)
{
    return layer + 1 == e->n_layers;
}

static attention_input attention_over(const encoder *e, size_t layer, const layer_activations *act, ragged queries, ragged keys,
                                      layer_dropout drop)
{
    size_t H = (size_t)e->config->hidden_size;
    const float *kv = apart(e, layer) ? act->qkv + act->m * H : act->qkv + H;
    size_t ldkv = apart(e, layer) ? 2 * H : 3 * H;
    return (attention_input){ .queries = queries,
                              .keys = keys,
                              .hidden = H,
                              .heads = (size_t)e->config->num_attention_heads,
                              .q = act->qkv,
                              .k = kv,
                              .v = kv + H,
                              .ldq = apart(e, layer) ? H : 3 * H,
                              .ldkv = ldkv,
                              .drop = dropout_at(drop, layer, SITE_ATTENTION) };
}

attention_input layer_attention(const encoder *e, size_t layer, const layer_activations *act, ragged queries, ragged keys)
{
    return attention_over(e, layer, act, queries, keys, (layer_dropout){ 0 });
}

void layer_forward(const encoder *e, size_t layer, layer_activations *act, ragged queries, ragged keys, layer_dropout drop)
{
    const ops *o = e->ops;
    const layer_weights *w = &e->layers[layer];
    size_t H = (size_t)e->config->hidden_size, I = (size_t)e->config->intermediate_size, n = act->n, m = act->m;
    float eps = (float)e->config->layer_norm_eps;
    profile_clock *clock = profile_begin(e->profile);

    if (apart(e, layer)) {
        o->dense_forward(act->room, act->qkv, H, NULL, act->xq, H, &w->q, ACTIVATION_NONE, m);
        o->dense_forward(act->room, act->qkv + m * H, 2 * H, NULL, act->x, H, &w->kv, ACTIVATION_NONE, n);
    } else
        o->dense_forward(act->room, act->qkv, 3 * H, NULL, act->x, H, &w->qkv, ACTIVATION_NONE, n);
    profile_mark(clock, PROFILE_PRODUCTS);
    attention_input in = attention_over(e, layer, act, queries, keys, drop);
    o->attention_forward(act->room, act->context, act->lse, &in);
    profile_mark(clock, PROFILE_ATTENTION);

    o->dense_forward(act->room, act->sum_a, H, NULL, act->context, H, &w->attention, ACTIVATION_NONE, m);
    profile_mark(clock, PROFILE_PRODUCTS);
    o->layer_norm_forward(act->a, act->lse ? act->sum_a : NULL, act->mean_a, act->rstd_a, act->sum_a, act->xq,
                          layer_value(w, ATTENTION_NORM_WEIGHT), layer_value(w, ATTENTION_NORM_BIAS), eps,
                          dropout_at(drop, layer, SITE_ATTENTION_OUTPUT), m, H);
    profile_mark(clock, PROFILE_NORMS);

    o->dense_forward(act->room, act->f, I, act->pre, act->a, H, &w->intermediate, e->config->hidden_act, m);
    o->dense_forward(act->room, act->sum_y, H, NULL, act->f, I, &w->output, ACTIVATION_NONE, m);
    profile_mark(clock, PROFILE_PRODUCTS);
    o->layer_norm_forward(act->y, act->lse ? act->sum_y : NULL, act->mean_y, act->rstd_y, act->sum_y, act->a, layer_value(w, OUTPUT_NORM_WEIGHT),
                          layer_value(w, OUTPUT_NORM_BIAS), eps, dropout_at(drop, layer, SITE_OUTPUT), m, H);
    profile_mark(clock, PROFILE_NORMS);
}

/* From the gradient by q, k and v to the weights' and, where dx is wanted, to that by x; dxq (m, H) holds the residual's. */
static void projections_backward(const encoder *e, size_t layer, const layer_activations *act, ragged queries, ragged keys, const float *dqkv,
                                 const float *dxq, float *dx)
{
    const ops *o = e->ops;
    const layer_weights *w = &e->layers[layer];
    size_t H = (size_t)e->config->hidden_size, n = act->n, m = act->m;
    float *dweight = layer_grad(w, QUERY_WEIGHT), *dbias = layer_grad(w, QUERY_BIAS);
    const float *dkv = dqkv + m * H;

    if (!apart(e, layer)) {
        if (w->tuned)
            o->dense_backward_weight(act->room, dweight, dbias, dqkv, 3 * H, act->x, H, H, 3 * H, n);
        if (dx) {
            memcpy(dx, dxq, n * H * sizeof *dx);
            o->dense_backward_input(act->room, dx, H, dqkv, 3 * H, &w->qkv, true, n);
        }
        return;
    }
    if (w->tuned) {
        o->dense_backward_weight(act->room, dweight, dbias, dqkv, H, act->xq, H, H, H, m);
        o->dense_backward_weight(act->room, dweight + H * H, dbias + H, dkv, 2 * H, act->x, H, H, 2 * H, n);
    }
    if (!dx)
        return;
    o->dense_backward_input(act->room, dx, H, dkv, 2 * H, &w->kv, false, n);
    if (m == n)
        o->add(dx, dxq, n * H);
    else
        for (size_t s = 0; s < queries.n_seq; s++)
            o->add(dx + (size_t)keys.start[s] * H, dxq + s * H, H);
}

/* dxq += dq Wq, where the query stands apart. */
static void query_backward_input(const encoder *e, size_t layer, const layer_activations *act, const float *dq, float *dxq)
{
    size_t H = (size_t)e->config->hidden_size;
    if (apart(e, layer))
        e->ops->dense_backward_input(act->room, dxq, H, dq, H, &e->layers[layer].q, true, act->m);
}

void layer_backward(const encoder *e, size_t layer, const layer_activations *act, ragged queries, ragged keys, layer_dropout drop, float *dy,
                    float *dx, const layer_scratch *scratch)
{
    const ops *o = e->ops;
    const layer_weights *w = &e->layers[layer];
    size_t H = (size_t)e->config->hidden_size, I = (size_t)e->config->intermediate_size, m = act->m;
    float *dhidden = drop.hidden > 0 ? scratch->d2 : NULL; /* without dropout the gradient by a sum is that by both of its terms */

    /* y = LayerNorm(a + dropout(f Wf^T)) */
    float *da = scratch->d1;
    o->layer_norm_backward(da, dhidden, layer_grad(w, OUTPUT_NORM_WEIGHT), layer_grad(w, OUTPUT_NORM_BIAS), dy, act->sum_y, act->mean_y,
                           act->rstd_y, layer_value(w, OUTPUT_NORM_WEIGHT), dropout_at(drop, layer, SITE_OUTPUT), m, H);
    const float *dff = dhidden ? dhidden : da;
    float *wide =
        scratch->wide; /* holds f, then its gradient, then that by q, k and v: each is read for the last time before the next is formed */
    if (w->tuned) {
        o->activation_forward(wide, act->pre, e->config->hidden_act, m * I);
        o->dense_backward_weight(act->room, layer_grad(w, OUTPUT_WEIGHT), layer_grad(w, OUTPUT_BIAS), dff, H, wide, I, I, H, m);
    }
    o->dense_backward_input(act->room, wide, I, dff, H, &w->output, false, m);
    o->activation_backward(wide, wide, act->pre, e->config->hidden_act, m * I);
    if (w->tuned)
        o->dense_backward_weight(act->room, layer_grad(w, INTERMEDIATE_WEIGHT), layer_grad(w, INTERMEDIATE_BIAS), wide, I, act->a, H, H, I, m);
    o->dense_backward_input(act->room, da, H, wide, I, &w->intermediate, true, m);

    /* a = LayerNorm(x + dropout(context Wo^T)); dy's memory takes the gradient by x's residual */
    float *dxq = dy;
    o->layer_norm_backward(dxq, dhidden, layer_grad(w, ATTENTION_NORM_WEIGHT), layer_grad(w, ATTENTION_NORM_BIAS), da, act->sum_a, act->mean_a,
                           act->rstd_a, layer_value(w, ATTENTION_NORM_WEIGHT), dropout_at(drop, layer, SITE_ATTENTION_OUTPUT), m, H);
    const float *dattention = dhidden ? dhidden : dxq;
    if (w->tuned)
        o->dense_backward_weight(act->room, layer_grad(w, ATTENTION_WEIGHT), layer_grad(w, ATTENTION_BIAS), dattention, H, act->context, H, H, H,
                                 m);
    if (!w->tuned && !dx)
        return;
    float *dcontext = scratch->d1;
    o->dense_backward_input(act->room, dcontext, H, dattention, H, &w->attention, false, m);

    attention_input in = attention_over(e, layer, act, queries, keys, drop);
    float *dq = wide, *dk = apart(e, layer) ? dq + m * H : dq + H;
    o->attention_backward(act->room, dq, dk, dk + H, dcontext, act->context, act->lse, &in);
    if (dx)
        query_backward_input(e, layer, act, dq, dxq);
    projections_backward(e, layer, act, queries, keys, wide, dxq, dx);
}

/* Dense layers over the list of weights. */
#include "model/encoder.h"

static dense dense_over(const bert_param *weight, const bert_param *bias)
{
    return (dense){ .in = weight->cols, .out = weight->rows, .weight = weight->value, .bias = bias->value };
}

static void layer_over(layer_weights *w, const weight_list *list, size_t layer)
{
    bert_param *p = weight_at(list, QUERY_WEIGHT, layer);
    size_t H = p->rows;
    w->params = p;
    w->tuned = p->tuned != NULL;
    w->q = dense_over(p, &p[QUERY_BIAS - QUERY_WEIGHT]);
    w->qkv = w->kv = w->q;
    w->qkv.out = 3 * H;
    w->kv.out = 2 * H;
    w->kv.weight += H * H;
    w->kv.bias += H;
    w->attention = dense_over(&p[ATTENTION_WEIGHT - QUERY_WEIGHT], &p[ATTENTION_BIAS - QUERY_WEIGHT]);
    w->intermediate = dense_over(&p[INTERMEDIATE_WEIGHT - QUERY_WEIGHT], &p[INTERMEDIATE_BIAS - QUERY_WEIGHT]);
    w->output = dense_over(&p[OUTPUT_WEIGHT - QUERY_WEIGHT], &p[OUTPUT_BIAS - QUERY_WEIGHT]);
}

bert_status encoder_create(encoder *e, arena *a, const ops *o, ops_precision precision, const config *c, const weight_list *weights,
                           size_t n_layers, bert_err *err)
{
    *e = (encoder){ .ops = o, .precision = precision, .config = c, .weights = weights, .n_layers = n_layers };
    e->layers = arena_array(a, n_layers, sizeof *e->layers);
    if (!e->layers)
        return fail_memory(err, "an encoder");
    for (size_t i = 0; i < n_layers; i++)
        layer_over(&e->layers[i], weights, i);
    const bert_param *pooler = weight_at(weights, POOLER_WEIGHT, 0);
    if (pooler && pooler->value)
        e->pooler = dense_over(pooler, pooler + 1);
    return BERT_OK;
}

/* A layer's dense layers that forward multiplies by. The last one is asked for fewer rows at times, so its query stands alone. */
static size_t layer_denses(encoder *e, size_t i, dense *out[5])
{
    layer_weights *w = &e->layers[i];
    size_t n = 0;
    if (i + 1 == e->n_layers) {
        out[n++] = &w->q;
        out[n++] = &w->kv;
    } else
        out[n++] = &w->qkv;
    out[n++] = &w->attention;
    out[n++] = &w->intermediate;
    out[n++] = &w->output;
    return n;
}

static bert_status pack_layer(encoder *e, size_t i, const encoder *lender, bert_err *err)
{
    layer_weights *w = &e->layers[i];
    if (w->output.packed)
        return BERT_OK;
    if (lender && !w->tuned && i < lender->n_layers && e->n_layers == lender->n_layers && e->precision == lender->precision &&
        lender->layers[i].output.packed && lender->layers[i].qkv.weight == w->qkv.weight) {
        bert_param *params = w->params;
        *w = lender->layers[i];
        w->params = params;
        w->borrowed = true;
        return BERT_OK;
    }
    dense *d[5];
    size_t n = layer_denses(e, i, d);
    bert_status s = BERT_OK;
    for (size_t k = 0; !s && k < n; k++)
        s = dense_pack_as(d[k], e->precision, err);
    return s;
}

bert_status encoder_pack(encoder *e, bool all, const encoder *lender, bert_err *err)
{
    bert_status s = BERT_OK;
    for (size_t i = 0; !s && i < e->n_layers; i++)
        if (all || !e->layers[i].tuned)
            s = pack_layer(e, i, lender, err);
    if (!s && all && e->pooler.in && !e->pooler.packed)
        s = dense_pack_as(&e->pooler, e->precision, err);
    return s;
}

void encoder_forget_packed(encoder *e)
{
    for (size_t i = 0; i < e->n_layers; i++) {
        dense *d[5];
        size_t n = layer_denses(e, i, d);
        for (size_t k = 0; k < n; k++)
            d[k]->packed = NULL;
        e->layers[i].borrowed = false;
    }
    e->pooler.packed = NULL;
}

void encoder_unpack(encoder *e)
{
    for (size_t i = 0; i < e->n_layers; i++) {
        dense *d[5];
        size_t n = layer_denses(e, i, d);
        for (size_t k = 0; k < n && !e->layers[i].borrowed; k++)
            dense_unpack(d[k]);
    }
    dense_unpack(&e->pooler);
}

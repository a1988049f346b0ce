/* Dense layers over the list of weights. */
#include "model/encoder.h"

#include "model/weight_forms.h"

#include <string.h>

static bert_status layer_over(layer_weights *w, const weight_list *list, size_t layer, bool last, bert_err *err)
{
    bert_param *p = weight_at(list, QUERY_WEIGHT, layer);
    bool plain = p->value != NULL;
    struct {
        dense *d;
        weight_id id, bias;
        size_t entries; /* from id on */
        bool is;
    } denses[] = {
        { &w->qkv, QUERY_WEIGHT, QUERY_BIAS, 3, plain || !last },
        { &w->q, QUERY_WEIGHT, QUERY_BIAS, 1, plain || last },
        { &w->kv, KEY_WEIGHT, KEY_BIAS, 2, plain || last },
        { &w->attention, ATTENTION_WEIGHT, ATTENTION_BIAS, 1, true },
        { &w->intermediate, INTERMEDIATE_WEIGHT, INTERMEDIATE_BIAS, 1, true },
        { &w->output, OUTPUT_WEIGHT, OUTPUT_BIAS, 1, true },
    };
    w->params = p;
    w->tuned = p->tuned != NULL;
    bert_status s = BERT_OK;
    for (size_t i = 0; !s && i < sizeof denses / sizeof *denses; i++)
        if (denses[i].is)
            s = dense_over_weights(denses[i].d, list, weight_at(list, denses[i].id, layer), denses[i].entries,
                                   weight_at(list, denses[i].bias, layer), err);
    return s;
}

static embedding_table table_over(const weight_list *list, weight_id id)
{
    const weight_form *f = &list->forms[id];
    return f->joined ? f->table : (embedding_table){ OPS_FP32, list->items[id].value, NULL };
}

bert_status encoder_create(encoder *e, arena *a, const ops *o, ops_precision precision, const config *c, const weight_list *weights,
                           size_t n_layers, bert_err *err)
{
    *e = (encoder){ .ops = o, .precision = precision, .config = c, .weights = weights };
    e->tables = (embedding_tables){ (size_t)c->hidden_size, table_over(weights, WORD_EMBEDDINGS), table_over(weights, POSITION_EMBEDDINGS),
                                    table_over(weights, TOKEN_TYPE_EMBEDDINGS) };
    e->layers = arena_array(a, n_layers, sizeof *e->layers);
    if (!e->layers)
        return fail_memory(err, "an encoder");
    e->n_layers = n_layers;
    bert_status s = BERT_OK;
    for (size_t i = 0; !s && i < n_layers; i++)
        s = layer_over(&e->layers[i], weights, i, i + 1 == n_layers, err);
    const bert_param *pooler = weight_at(weights, POOLER_WEIGHT, 0);
    if (!s && pooler && weight_is_there(weights, pooler))
        s = dense_over_weights(&e->pooler, weights, pooler, 1, pooler + 1, err);
    return s;
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

/* All that a layer may have packed. */
enum { DENSES = 6 };
static void list_denses(layer_weights *w, dense *out[DENSES])
{
    dense *all[DENSES] = { &w->qkv, &w->q, &w->kv, &w->attention, &w->intermediate, &w->output };
    memcpy(out, all, sizeof all);
}

void encoder_forget_packed(encoder *e)
{
    for (size_t i = 0; i < e->n_layers; i++) {
        dense *d[DENSES];
        list_denses(&e->layers[i], d);
        for (size_t k = 0; k < DENSES; k++)
            d[k]->packed = NULL;
        e->layers[i].borrowed = false;
    }
    e->pooler.packed = NULL;
}

void encoder_unpack(encoder *e)
{
    for (size_t i = 0; i < e->n_layers; i++) {
        dense *d[DENSES];
        list_denses(&e->layers[i], d);
        for (size_t k = 0; k < DENSES && !e->layers[i].borrowed; k++)
            dense_unpack(d[k]);
    }
    dense_unpack(&e->pooler);
}

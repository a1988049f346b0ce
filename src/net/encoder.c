/* Blocks over the list of weights. */
#include "net/encoder.h"

#include "net/relative_bias.h"
#include "net/weight_forms.h"

#include <string.h>

/* ---- making ------------------------------------------------------------------------------------------------------ */

static float rate_of(block_rate rate, const config *c)
{
    const double rates[] = {
        [RATE_NONE] = 0, [RATE_ATTENTION] = c->attention_probs_dropout_prob, [RATE_HIDDEN] = c->hidden_dropout_prob
    };
    return (float)rates[rate];
}

static bert_status block_over(block *b, const block_row *row, const encoder *e, size_t layer, bert_err *err)
{
    const config *c = e->config;
    const weight_list *list = e->weights;
    *b = (block){ .kind = row->kind,
                  .row = row,
                  .ops = e->ops,
                  .precision = e->precision,
                  .hidden = (size_t)c->hidden_size,
                  .heads = (size_t)c->num_attention_heads,
                  .inner = (size_t)c->intermediate_size,
                  .eps = (float)c->layer_norm_eps,
                  .rate = rate_of(row->rate, c),
                  .act = c->hidden_act,
                  .site = (uint32_t)(layer * SITES_PER_LAYER + (size_t)row->site),
                  .fewer = layer_may_reduce(layer, e->n_layers),
                  .tuned = weight_at(list, row->weight, layer)->tuned != NULL };
    b->norm = row->kind->norm ? weight_at(list, row->weight, layer) : NULL;
    b->n_linears = row->kind->linears(row, b->fewer, b->named);
    bert_status s = BERT_OK;
    for (size_t i = 0; !s && i < b->n_linears; i++)
        s = linear_over_weights(&b->linears[i], list, weight_at(list, b->named[i].weight, layer), b->named[i].joined,
                                weight_at(list, b->named[i].bias, layer), err);
    return s;
}

/* A family without such a table has one row of zeros. */
static bert_status table_over(embedding_table *t, const weight_list *list, weight_id id, size_t hidden, arena *a,
                              bert_err *err)
{
    const bert_param *p = weight_at(list, id, 0);
    const weight_form *f = p ? &list->forms[p - list->items] : NULL;
    *t = f && f->joined ? f->table
                        : (embedding_table){ STORED_FP32, p ? p->value : arena_array(a, hidden, sizeof(float)), NULL };
    return p || t->rows ? BERT_OK : fail_memory(err, "an encoder");
}

/* What is tuned changes: a pass spreads it by itself. */
static bert_status bias_over(encoder *e, arena *a, bert_err *err)
{
    const bert_param *table = weight_at(e->weights, RELATIVE_BIAS, 0);
    if (!table || table->tuned)
        return BERT_OK;
    float *bias = arena_array(a, table->cols, (2 * RELATIVE_SPAN + 1) * sizeof *bias);
    if (!bias)
        return fail_memory(err, "an encoder");
    relative_bias_spread(bias, table->value, table->cols);
    e->bias = bias;
    return BERT_OK;
}

bert_status encoder_create(encoder *e, arena *a, const ops *o, ops_precision precision, const config *c,
                           const weight_list *weights, size_t n_layers, bert_err *err)
{
    const family *f = c->family;
    size_t E = (size_t)config_embedding(c);
    *e = (encoder){ .ops = o,
                    .precision = precision,
                    .config = c,
                    .weights = weights,
                    .hidden = (size_t)c->hidden_size,
                    .tables.hidden = E };
    bert_status s = table_over(&e->tables.word, weights, WORD_EMBEDDINGS, E, a, err);
    if (!s)
        s = table_over(&e->tables.position, weights, POSITION_EMBEDDINGS, E, a, err);
    if (!s)
        s = table_over(&e->tables.token_type, weights, TOKEN_TYPE_EMBEDDINGS, E, a, err);
    e->blocks = s ? NULL : arena_array(a, n_layers * f->n_blocks, sizeof *e->blocks);
    if (!s && !e->blocks)
        s = fail_memory(err, "an encoder");
    if (s)
        return s;
    e->n_layers = n_layers;
    e->n_blocks = f->n_blocks;
    for (size_t i = 0; !s && i < n_layers * f->n_blocks; i++) {
        s = block_over(&e->blocks[i], &f->blocks[i % f->n_blocks], e, i / f->n_blocks, err);
        size_t scratch = e->blocks[i].kind->scratch(&e->blocks[i]);
        e->scratch = scratch > e->scratch ? scratch : e->scratch;
    }
    if (!s)
        s = bias_over(e, a, err);
    const bert_param *pooler = weight_at(weights, POOLER_WEIGHT, 0),
                     *project = weight_at(weights, PROJECTION_WEIGHT, 0);
    if (!s && project) {
        s = linear_over_weights(&e->projection, weights, project, 1, project + 1, err);
        e->scratch = E > e->scratch ? E : e->scratch;
    }
    if (!s && pooler && weight_is_there(weights, pooler))
        s = linear_over_weights(&e->pooler, weights, pooler, 1, pooler + 1, err);
    return s;
}

bert_status encoder_set_precision(encoder *e, ops_precision precision, size_t below, ops_precision precision_below,
                                  bert_err *err)
{
    const ops *o, *o_below;
    bert_status s = ops_select_precision(precision, &o, err);
    if (!s)
        s = ops_select_precision(precision_below, &o_below, err);
    if (s)
        return s;
    e->ops = o;
    e->precision = precision;
    for (size_t i = 0; i < e->n_layers * e->n_blocks; i++) {
        bool is_below = i < below * e->n_blocks;
        e->blocks[i].ops = is_below ? o_below : o;
        e->blocks[i].precision = is_below ? precision_below : precision;
    }
    return BERT_OK;
}

/* The scratch, three values at a time (forward.c), what is gathered, copied and given out, and its place in the
 * batch. */
size_t encoder_token_bytes(const encoder *e)
{
    return (e->scratch + 7 * (size_t)e->config->hidden_size) * sizeof(float) + 32;
}

/* ---- packing ----------------------------------------------------------------------------------------------------- */

/* Packs a linear, or shares what one of the lenders (NULL: none) has packed of the same weights. */
static bert_status pack_linear(linear *l, ops_precision precision, const linear *const lenders[2], bert_err *err)
{
    if (l->base.packed)
        return BERT_OK;
    for (int i = 0; i < 2; i++) {
        const dense *its = lenders[i] ? &lenders[i]->base : NULL;
        if (its && its->packed && its->weight && its->weight == l->base.weight && its->out == l->base.out) {
            dense_share_packed(&l->base, its);
            return BERT_OK;
        }
    }
    return dense_pack_as(&l->base, precision, err);
}

/* The lender may have packed the same frozen block, and the layer before has the same weights where all have one
 * set. */
static bert_status encoder_pack_block(encoder *e, size_t i, const encoder *lender, bert_err *err)
{
    block *b = &e->blocks[i];
    const block *its = lender && !b->tuned && e->n_layers == lender->n_layers ? &lender->blocks[i] : NULL,
                *before = i >= e->n_blocks ? b - e->n_blocks : NULL;
    its = its && its->precision == b->precision ? its : NULL;
    before = before && before->precision == b->precision ? before : NULL;
    bert_status s = BERT_OK;
    for (size_t k = 0; !s && k < b->n_linears; k++)
        s = pack_linear(&b->linears[k], b->precision,
                        (const linear *const[]){ its ? &its->linears[k] : NULL, before ? &before->linears[k] : NULL },
                        err);
    return s;
}

/* What stands below the layers, in the precision of the lowest. */
static bert_status pack_bottom(encoder *e, const encoder *lender, bert_err *err)
{
    if (!e->projection.base.in)
        return BERT_OK;
    ops_precision precision = e->n_layers ? e->blocks->precision : e->precision;
    bool lent = lender && !e->projection.weight->tuned && e->n_layers && lender->n_layers &&
                lender->blocks->precision == precision;
    return pack_linear(&e->projection, precision, (const linear *const[]){ lent ? &lender->projection : NULL, NULL },
                       err);
}

bert_status encoder_pack_layer(encoder *e, size_t layer, bert_err *err)
{
    bert_status s = layer || (e->projection.base.in && e->projection.weight->tuned) ? BERT_OK
                                                                                    : pack_bottom(e, NULL, err);
    for (size_t i = layer * e->n_blocks; !s && i < (layer + 1) * e->n_blocks; i++)
        s = encoder_pack_block(e, i, NULL, err);
    return s;
}

bert_status encoder_pack(encoder *e, const encoder *lender, bert_err *err)
{
    bert_status s = pack_bottom(e, lender, err);
    for (size_t i = 0; !s && i < e->n_layers * e->n_blocks; i++)
        s = encoder_pack_block(e, i, lender, err);
    if (!s && e->pooler.base.in && !e->pooler.base.packed)
        s = dense_pack_as(&e->pooler.base, e->precision, err);
    return s;
}

void encoder_unpack(encoder *e)
{
    for (size_t i = 0; i < e->n_layers * e->n_blocks; i++)
        for (size_t k = 0; k < e->blocks[i].n_linears; k++)
            dense_unpack(&e->blocks[i].linears[k].base);
    dense_unpack(&e->pooler.base);
    dense_unpack(&e->projection.base);
}

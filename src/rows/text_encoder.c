/* Texts through the encoder to vectors. */
#include "rows/text_encoder.h"

#include <string.h>

/* Whether training would change a weight under the encoder: packing copies the matrices of layers and pooler, and
 * nothing else. */
static bool may_change(const text_encoder *e, const bert_layer *l, size_t i)
{
    return weight_kind_of(&e->weights, i) != WEIGHT_MATRIX && layer_owns(l, e->weights.items[i].value);
}

/* Copies what may change, one behind another in the order of the list: the biases of query, key and value stay side by
 * side. */
static bert_status copy_changing(text_encoder *e, const bert_layer *l, bert_err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < e->weights.n; i++)
        n += may_change(e, l, i) ? weight_size(&e->weights.items[i]) : 0;
    float *at = arena_array(&e->memory, n, sizeof *at);
    if (!at)
        return fail_memory(err, "a session");
    for (size_t i = 0; i < e->weights.n; i++) {
        bert_param *p = &e->weights.items[i];
        if (!may_change(e, l, i))
            continue;
        p->value = memcpy(at, p->value, weight_size(p) * sizeof *at);
        at += weight_size(p);
    }
    return BERT_OK;
}

/* What the encoder must be able to answer: the vectors' request, and the head's. */
static bert_status take_requests(text_encoder *e, const bert_layer *l, const text_encoder_spec *spec,
                                 output_request *both, bert_err *err)
{
    bert_pooling own = (bert_pooling)l->spec.pooling,
                 pooling = spec->pooling == BERT_POOLING_AUTO ? own : spec->pooling;
    output_request *head = &e->rows.request;
    bert_status s = request_of_pooling(&e->vectors, pooling, l, err);
    if (!s)
        s = request_of_pooling(head, spec->head ? own : pooling, l, err);
    if (s)
        return s;
    *both = *head;
    both->layer = e->vectors.layer > head->layer ? e->vectors.layer : head->layer;
    both->pooler |= e->vectors.pooler;
    if (both->layer + 1 < (int)l->encoder.n_layers) /* as many layers as the model's: then packed ones can be shared */
        both->layer = (int)l->encoder.n_layers - 1;
    return BERT_OK;
}

static void text_encoder_plan(text_encoder *e, const text_encoder_spec *spec)
{
    e->rows.encoder = &e->encoder;
    e->rows.tiles.streams = spec->streams;
    e->rows.tiles.precision = e->encoder.precision;
    e->rows.tiles.token_bytes = encoder_token_bytes(&e->encoder);
    e->rows.tiles.longest = 2 * spec->seq_len; /* two sequences of texts apart */
}

bert_status text_encoder_create(text_encoder *e, const bert_model *model, const text_encoder_spec *spec, bert_err *err)
{
    bert_layer *l = model->layer;
    output_request both;
    size_t positions = (size_t)config_positions(&l->config);
    *e = (text_encoder){ .tokenizer = model->module->tokenizer,
                         .seq_len = spec->seq_len,
                         .windows = spec->windows,
                         .stride = spec->stride };
    bert_status s = module_check_texts(model->module, err);
    if (s)
        return s;
    if (spec->seq_len < 3 || spec->seq_len > positions)
        return fail(err, BERT_ERR_ARGUMENT, "seq_len %zu: from 3 to the module's %zu positions", spec->seq_len,
                    positions);
    s = take_requests(e, l, spec, &both, err);
    if (!s)
        s = layer_ready(l, err);
    if (!s)
        s = request_weights(&both, l, NULL, &e->weights, &e->memory, err);
    if (!s && both.pooler && !weight_is_there(&e->weights, weight_at(&e->weights, POOLER_WEIGHT, 0)))
        s = fail(err, BERT_ERR_ARGUMENT, "pooling cls: the module has no pooler; take another pooling");
    if (!s)
        s = copy_changing(e, l, err);
    if (!s)
        s = encoder_create(&e->encoder, &e->memory, l->encoder.ops, l->encoder.precision, &l->config, &e->weights,
                           (size_t)(both.layer + 1), err);
    if (!s) {
        e->lender = l;
        layer_lend(l);
        s = encoder_pack(&e->encoder, true, &l->encoder, err);
    }
    if (s)
        text_encoder_free(e);
    else
        text_encoder_plan(e, spec);
    return s;
}

void text_encoder_free(text_encoder *e)
{
    row_encoder_free(&e->rows);
    token_reader_free(&e->reader);
    encoder_unpack(&e->encoder);
    if (e->lender)
        layer_take_back(e->lender);
    arena_free(&e->memory);
    *e = (text_encoder){ 0 };
}

bert_status text_encoder_tokenise(text_encoder *e, const bert_text *texts, const bert_text *pairs, size_t first,
                                  size_t n, row_form form, const token_rows **rows, size_t *truncated, bert_err *err)
{
    const texts_to_read from = { n, texts, pairs, NULL, first };
    const row_reading how = { e->tokenizer, e->seq_len, form, e->windows, e->stride };
    bert_status s = token_reader_run(&e->reader, &from, &how, err);
    *rows = &e->reader.rows;
    e->reader.rows.before = first;
    if (truncated)
        *truncated += e->reader.rows.losses.truncated;
    return s;
}

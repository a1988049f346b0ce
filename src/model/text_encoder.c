/* Texts through the encoder to vectors. */
#include "model/text_encoder.h"

#include <string.h>

/* Whether training would change a weight under the encoder: packing copies the matrices of layers and pooler, and nothing else. */
static bool may_change(const text_encoder *e, const bert_layer *l, size_t i)
{
    size_t layer;
    const bert_param *p = &e->weights.items[i];
    bool packed = p->cols > 1 && weight_group_of(&e->weights, i, &layer) != GROUP_EMBEDDINGS;
    return !packed && layer_owns(l, p->value);
}

/* Copies what may change, one behind another in the order of the list: the biases of query, key and value stay side by side. */
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

bert_status text_encoder_create(text_encoder *e, const bert_model *model, bert_pooling pooling, size_t seq_len, bert_err *err)
{
    const bert_layer *l = model->layer;
    output_request *request = &e->rows.request;
    *e = (text_encoder){ .tokenizer = model->module->tokenizer, .seq_len = seq_len };
    if (seq_len < 3 || seq_len > (size_t)l->config.max_position_embeddings)
        return fail(err, BERT_ERR_ARGUMENT, "seq_len %zu: from 3 to the module's %lld positions", seq_len,
                    (long long)l->config.max_position_embeddings);
    if (pooling == BERT_POOLING_AUTO)
        pooling = (bert_pooling)l->spec.pooling;
    bert_status s = request_of_pooling(request, pooling, l, err);
    if (!s)
        s = layer_ready(l, err);
    size_t n_layers = (size_t)(request->layer + 1);
    if (!s)
        s = request_weights(request, l, 0, &e->weights, &e->memory, err);
    if (!s && request->pooler && !weight_at(&e->weights, POOLER_WEIGHT, 0)->value)
        s = fail(err, BERT_ERR_ARGUMENT, "pooling cls: the module has no pooler; take another pooling");
    if (!s)
        s = copy_changing(e, l, err);
    if (!s)
        s = encoder_create(&e->encoder, &e->memory, l->encoder.ops, l->encoder.precision, &l->config, &e->weights, n_layers, err);
    if (!s) {
        e->lender = l;
        layer_lend(l);
        s = encoder_pack(&e->encoder, true, &l->encoder, err);
    }
    e->rows.encoder = &e->encoder;
    if (s)
        text_encoder_free(e);
    return s;
}

void text_encoder_free(text_encoder *e)
{
    row_encoder_free(&e->rows);
    token_rows_free(&e->part);
    encoder_unpack(&e->encoder);
    if (e->lender)
        layer_take_back(e->lender);
    arena_free(&e->lines);
    arena_free(&e->memory);
    *e = (text_encoder){ 0 };
}

bert_status text_encoder_tokenise(text_encoder *e, const bert_text *texts, const bert_text *pairs, size_t n, row_form form, token_rows *rows,
                                  size_t *truncated, bert_err *err)
{
    *rows = (token_rows){ 0 };
    token_rows_free(&e->part);
    arena_reset(&e->lines);
    size_t *lines = arena_array(&e->lines, n, sizeof *lines);
    if (!lines)
        return fail_memory(err, "a session");
    for (size_t i = 0; i < n; i++)
        lines[i] = i;
    const bert_dataset texts_at_hand = {
        .n = n, .texts = (bert_text *)(uintptr_t)texts, .pairs = (bert_text *)(uintptr_t)pairs, .lines = lines
    };
    bert_status s = token_rows_create(&e->part, &texts_at_hand, e->tokenizer, e->seq_len, form, err);
    if (truncated)
        *truncated += e->part.losses.truncated;
    *rows = e->part;
    return s;
}

bert_status text_encoder_run(text_encoder *e, const bert_text *texts, const bert_text *pairs, size_t n, float *vectors, size_t *counts,
                             size_t *truncated, bert_err *err)
{
    bert_status s = BERT_OK;
    size_t H = (size_t)e->encoder.config->hidden_size;
    for (size_t i = 0; !s && i < n; i += TEXT_ENCODER_PART) {
        size_t part = n - i < TEXT_ENCODER_PART ? n - i : TEXT_ENCODER_PART;
        token_rows rows;
        s = text_encoder_tokenise(e, texts + i, pairs ? pairs + i : NULL, part, ROW_TOGETHER, &rows, truncated, err);
        if (!s)
            s = row_encoder_run(&e->rows, &rows, 0, part, vectors, err);
        for (size_t k = 0; !s && counts && k < part; k++)
            counts[i + k] = token_rows_length(&rows, k);
        if (!s)
            vectors += (e->rows.request.tokens ? rows.start[part] : part) * H;
    }
    return s;
}

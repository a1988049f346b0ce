/* What a session runs texts through: tokens, and the model's encoder as it is now. */
#include "session/session.h"

#include <string.h>

/* Whether training would change a weight under the encoder: packing copies the matrices of layers and pooler, and
 * nothing else. */
static bool may_change(const bert_session *s, size_t i)
{
    return weight_kind_of(&s->weights, i) != WEIGHT_MATRIX && layer_owns(s->model->layer, s->weights.items[i].value);
}

/* Copies what may change, one behind another in the order of the list: the biases of query, key and value stay side by
 * side. */
static bert_status copy_changing(bert_session *s, bert_err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < s->weights.n; i++)
        n += may_change(s, i) ? weight_size(&s->weights.items[i]) : 0;
    float *at = arena_array(&s->memory, n, sizeof *at);
    if (!at)
        return fail_memory(err, "a session");
    for (size_t i = 0; i < s->weights.n; i++) {
        bert_param *p = &s->weights.items[i];
        if (!may_change(s, i))
            continue;
        p->value = memcpy(at, p->value, weight_size(p) * sizeof *at);
        at += weight_size(p);
    }
    return BERT_OK;
}

/* What the encoder must be able to answer: the vectors' request, and the head's. */
static bert_status take_requests(bert_session *s, output_request *both, bert_err *err)
{
    const bert_layer *l = s->model->layer;
    bert_pooling own = (bert_pooling)l->spec.pooling, asked = (bert_pooling)s->options.pooling,
                 pooling = asked == BERT_POOLING_AUTO ? own : asked;
    output_request *head = &s->rows.request;
    bert_status status = request_of_pooling(&s->vectors, pooling, l, err);
    if (!status)
        status = request_of_pooling(head, s->model->task ? own : pooling, l, err);
    if (status)
        return status;
    *both = *head;
    both->layer = s->vectors.layer > head->layer ? s->vectors.layer : head->layer;
    both->pooler |= s->vectors.pooler;
    if (both->layer + 1 < (int)l->encoder.n_layers) /* as many layers as the model's: then packed ones can be shared */
        both->layer = (int)l->encoder.n_layers - 1;
    return BERT_OK;
}

bert_status session_encoder_create(bert_session *s, bert_err *err)
{
    bert_layer *l = s->model->layer;
    output_request both;
    size_t seq_len = bert_session_seq_len(s), positions = (size_t)config_positions(&l->config);
    bert_status status = module_check_texts(s->model->module, err);
    if (status)
        return status;
    if (seq_len < 3 || seq_len > positions)
        return fail(err, BERT_ERR_ARGUMENT, "seq_len %zu: from 3 to the module's %zu positions", seq_len, positions);
    status = take_requests(s, &both, err);
    if (!status)
        status = layer_ready(l, err);
    if (!status)
        status = request_weights(&both, l, NULL, &s->weights, &s->memory, err);
    if (!status && both.pooler && !weight_is_there(&s->weights, weight_at(&s->weights, POOLER_WEIGHT, 0)))
        status = fail(err, BERT_ERR_ARGUMENT, "pooling cls: the module has no pooler; take another pooling");
    if (!status)
        status = copy_changing(s, err);
    if (!status)
        status = encoder_create(&s->encoder, &s->memory, l->encoder.ops, l->encoder.precision, &l->config, &s->weights,
                                (size_t)(both.layer + 1), err);
    if (status)
        return status;
    layer_lend(l);
    s->borrows = true;
    s->rows.encoder = &s->encoder;
    s->rows.streams = (tile_streams)s->options.streams;
    s->rows.longest = 2 * seq_len; /* two sequences of texts apart */
    return encoder_pack(&s->encoder, &l->encoder, err);
}

void session_encoder_free(bert_session *s)
{
    row_encoder_free(&s->rows);
    token_reader_free(&s->reader);
    encoder_unpack(&s->encoder);
    if (s->borrows)
        layer_take_back(s->model->layer);
    arena_free(&s->memory);
}

bert_status session_tokenise(bert_session *s, const bert_text *texts, const bert_text *pairs, size_t first, size_t n,
                             row_form form, const token_rows **rows, size_t *truncated, bert_err *err)
{
    const texts_to_read from = { n, texts, pairs, NULL, first };
    const row_reading how = { s->model->module->tokenizer, bert_session_seq_len(s), form, s->options.window != 0,
                              (size_t)s->options.stride };
    bert_status status = token_reader_run(&s->reader, &from, &how, err);
    *rows = &s->reader.rows;
    s->reader.rows.before = first;
    if (truncated)
        *truncated += s->reader.rows.losses.truncated;
    return status;
}

/* What a session runs texts through: tokens, and the model's encoder as it was when the session was made. */
#include "session/session.h"

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
        status = layer_snapshot_take(l, &both, &s->weights, err);
    if (status)
        return status;
    s->encoder = s->weights->encoder;
    s->rows.encoder = &s->encoder;
    s->rows.streams = (tile_streams)s->options.streams;
    s->rows.longest = seq_len;
    return BERT_OK;
}

void session_encoder_free(bert_session *s)
{
    row_encoder_free(&s->rows);
    token_reader_free(&s->reader);
    layer_snapshot_release(s->model->layer, s->weights);
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

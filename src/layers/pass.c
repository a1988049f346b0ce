/* A layer's forward pass as part of the caller's own model: bert_layer_forward, bert_pass_*. */
#include "layers/layer.h"

#include <stdlib.h>
#include <string.h>

struct bert_pass {
    bert_layer *layer;
    bert_pass *next; /* among the layer's spare ones */
    arena memory;
    packed_batch batch;
    forward forward;
    const float **outputs; /* (n_requests) in the caller's shape: padded where tokens were asked for */
    bool keeps;            /* backward may follow */
};

bert_status layer_pack_input(const bert_layer *l, const bert_input *input, packed_batch *batch, arena *a, bert_err *err)
{
    if (l->spec.do_preprocessing) {
        if (input->n && !input->texts)
            return fail(err, BERT_ERR_ARGUMENT, "the layer does its preprocessing: it reads texts, and none are given");
        encode_scratch scratch = { 0 };
        bert_status s = packed_batch_from_texts(batch, l->module->tokenizer, input->texts, input->pairs, input->n,
                                                (size_t)l->spec.seq_len, &scratch, NULL, a, err);
        encode_scratch_free(&scratch);
        return s;
    }
    if (input->n && (!input->input_ids || !input->input_mask || !input->segment_ids))
        return fail(
            err, BERT_ERR_ARGUMENT,
            "the layer does no preprocessing: it reads input_ids, input_mask and segment_ids, and not all are given");
    const int32_t padding = (int32_t)l->config.first_position - 1;
    packed_matrices matrices = { input->n,
                                 (size_t)l->spec.seq_len,
                                 input->input_ids,
                                 input->input_mask,
                                 input->segment_ids,
                                 (size_t)l->config.vocab_size,
                                 config_segments(&l->config),
                                 l->config.family->counts_positions ? &padding : NULL };
    return packed_batch_from_matrices(batch, &matrices, a, err);
}

/* (n_seq, seq_len, H) with zeros at padding, from the rows of the packed batch; or back, adding nothing. */
static void move_rows(const packed_batch *b, size_t seq_len, size_t H, float *to, const float *from, bool pad)
{
    for (size_t s = 0; s < b->n_seq; s++)
        for (int32_t r = b->start[s]; r < b->start[s + 1]; r++) {
            size_t padded = s * seq_len + (size_t)b->positions[r], packed = (size_t)r;
            memcpy(to + (pad ? padded : packed) * H, from + (pad ? packed : padded) * H, H * sizeof(float));
        }
}

static bert_status shape_outputs(bert_pass *p, bert_err *err)
{
    const bert_layer *l = p->layer;
    size_t H = (size_t)l->config.hidden_size, seq_len = (size_t)l->spec.seq_len;
    p->outputs = arena_array(&p->memory, l->n_requests, sizeof *p->outputs);
    if (!p->outputs)
        return fail_memory(err, "a pass");
    for (size_t i = 0; i < l->n_requests; i++) {
        p->outputs[i] = p->forward.outputs[i].value;
        if (!l->requests[i].tokens)
            continue;
        float *padded = arena_array(&p->memory, p->batch.n_seq * seq_len, H * sizeof *padded);
        if (!padded)
            return fail_memory(err, "a pass");
        move_rows(&p->batch, seq_len, H, padded, p->forward.outputs[i].value, true);
        p->outputs[i] = padded;
    }
    return BERT_OK;
}

/* A pass whose memory is that of one that was freed, where there is one: steps that are alike allocate nothing. */
static bert_pass *take_pass(bert_layer *l)
{
    bert_pass *p = l->spare;
    if (!p)
        return calloc(1, sizeof *p);
    l->spare = p->next;
    *p = (bert_pass){ .memory = p->memory };
    return p;
}

void bert_pass_free(bert_pass *pass)
{
    if (!pass)
        return;
    arena_reset(&pass->memory);
    pass->next = pass->layer->spare;
    pass->layer->spare = pass;
}

void passes_free_spare(bert_layer *layer)
{
    for (bert_pass *p = layer->spare, *next; p; p = next) {
        next = p->next;
        arena_free(&p->memory);
        free(p);
    }
    layer->spare = NULL;
}

bert_status bert_layer_forward(bert_layer *layer, const bert_input *input, const bert_run *run, bert_pass **pass,
                               bert_err *err)
{
    *pass = NULL;
    if (layer->module->frozen && (run->train || run->keep))
        return fail(err, BERT_ERR_ARGUMENT,
                    "%s: nothing goes backward through a frozen file: run it without train and keep",
                    layer->module->path);
    bert_pass *p = take_pass(layer);
    if (!p)
        return fail_memory(err, "a pass");
    p->layer = layer;
    p->keeps = run->train || run->keep;
    bert_status s = layer_ready(layer, err);
    if (!s)
        s = layer_pack_input(layer, input, &p->batch, &p->memory, err);
    if (!s) {
        p->forward = (forward){ .e = &layer->encoder,
                                .batch = &p->batch,
                                .requests = layer->requests,
                                .n_requests = layer->n_requests,
                                .drop = { .seed = run->seed,
                                          .step = run->step,
                                          .tuned = run->train,
                                          .frozen = run->train && run->frozen_dropout },
                                .embeddings_tuned = layer->spec.tune_embeddings && p->keeps,
                                .first_kept = p->keeps ? layer->first_kept : layer->encoder.n_layers };
        s = forward_run(&p->forward, &p->memory, err);
    }
    if (!s)
        s = shape_outputs(p, err);
    if (s) {
        bert_pass_free(p);
        return s;
    }
    *pass = p;
    return BERT_OK;
}

/* The number of the output of that name; n_requests where there is none. */
static size_t find_output(const bert_layer *l, const char *name)
{
    size_t i = 0;
    while (i < l->n_requests && strcmp(l->requests[i].name, name))
        i++;
    return i;
}

const float *bert_pass_output(const bert_pass *pass, const char *name, size_t *size)
{
    const bert_layer *l = pass->layer;
    size_t i = find_output(l, name);
    if (i == l->n_requests)
        return NULL;
    if (size)
        *size = pass->batch.n_seq * (l->requests[i].tokens ? (size_t)l->spec.seq_len : 1) *
                (size_t)l->config.hidden_size;
    return pass->outputs[i];
}

/* The caller's gradient of output i in the shape of the packed batch. */
static const float *pack_grad(bert_pass *p, size_t i, const float *grad)
{
    const bert_layer *l = p->layer;
    size_t H = (size_t)l->config.hidden_size;
    if (!l->requests[i].tokens)
        return grad;
    float *rows = arena_alloc_raw(&p->memory, p->batch.n_tok * H * sizeof *rows);
    if (rows)
        move_rows(&p->batch, (size_t)l->spec.seq_len, H, rows, grad, false);
    return rows;
}

bert_status bert_pass_backward(bert_pass *pass, const bert_output_grad *grads, size_t n, bert_err *err)
{
    const bert_layer *l = pass->layer;
    if (!pass->keeps)
        return fail(
            err, BERT_ERR_ARGUMENT,
            "a pass that was run without train or keep, or went backward already, has nothing to go backward with");
    const float **by_request = arena_array(&pass->memory, l->n_requests, sizeof *by_request);
    if (!by_request)
        return fail_memory(err, "a backward pass");
    for (size_t k = 0; k < n; k++) {
        size_t i = find_output(l, grads[k].name);
        if (i == l->n_requests)
            return fail(err, BERT_ERR_ARGUMENT, "\"%s\" is not among the layer's outputs (%s)", grads[k].name,
                        l->spec.outputs);
        if (by_request[i])
            return fail(err, BERT_ERR_ARGUMENT, "output \"%s\" is given two gradients", grads[k].name);
        if (!grads[k].grad)
            return fail(err, BERT_ERR_ARGUMENT, "output \"%s\" is given no gradient (NULL)", grads[k].name);
        by_request[i] = pack_grad(pass, i, grads[k].grad);
        if (!by_request[i])
            return fail_memory(err, "a backward pass");
    }
    bert_status s = forward_backward(&pass->forward, &pass->memory, by_request, err);
    pass->keeps = false;
    return s;
}

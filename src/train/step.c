/* One training step. */
#include "train/step.h"

#include "task/metrics.h"

#include <string.h>

/* Head and loss over the pooled vectors x (n, H); dx (n, H) receives the gradient by them. */
static bert_status head_step(bert_model *m, const task *t, const float *x, float *dx, const int32_t *labels, size_t n, step_dropout drop,
                             float *logits, step_result *result, arena *a, bert_err *err)
{
    const ops *o = m->layer->encoder.ops;
    bert_param *weight = weight_at(&m->layer->weights, HEAD_WEIGHT, 0), *bias = weight + 1;
    size_t H = weight->cols, K = weight->rows;
    dense head = { .in = H, .out = K, .weight = weight->value, .bias = bias->value };
    dropout d = { drop.seed, drop.step, DROPOUT_SITE_HEAD, drop.on ? (float)m->layer->config.hidden_dropout_prob : 0 };
    float *dropped = arena_alloc_raw(a, n * H * sizeof *dropped), *dlogits = arena_alloc_raw(a, n * K * sizeof *dlogits);
    float *z = logits ? logits : arena_alloc_raw(a, n * K * sizeof *z), *scores = arena_alloc_raw(a, n * m->n_labels * sizeof *scores);
    if (!dropped || !dlogits || !z || !scores)
        return fail_memory(err, "a training step");
    memcpy(dropped, x, n * H * sizeof *dropped);
    if (d.rate > 0)
        o->dropout_apply(dropped, dropped, d, 0, n * H);
    o->dense_forward(z, K, NULL, dropped, H, &head, ACTIVATION_NONE, n);
    result->loss = t->loss(dlogits, z, labels, 1.0f / (float)n, n, K);
    t->scores(scores, z, n, K);
    result->correct = 0;
    for (size_t i = 0; i < n; i++)
        result->correct += best_label(scores + i * m->n_labels, m->n_labels) == (size_t)labels[i];
    o->dense_backward_weight(weight->grad, bias->grad, dlogits, K, dropped, H, H, K, n);
    o->dense_backward_input(dx, H, dlogits, K, &head, false, n);
    if (d.rate > 0)
        o->dropout_apply(dx, dx, d, 0, n * H);
    return BERT_OK;
}

bert_status step_run(bert_model *model, const task *t, const packed_batch *batch, const int32_t *labels, step_dropout drop, float *logits,
                     step_result *result, arena *a, bert_err *err)
{
    bert_layer *l = model->layer;
    output_request request;
    bert_status s = layer_ready(l, err);
    if (!s)
        s = request_of_pooling(&request, (bert_pooling)l->spec.pooling, l, err);
    if (s)
        return s;
    forward f = { .e = &l->encoder,
                  .batch = batch,
                  .requests = &request,
                  .n_requests = 1,
                  .drop = { drop.seed, drop.step, drop.on, drop.on && drop.frozen },
                  .embeddings_tuned = l->spec.tune_embeddings,
                  .first_kept = l->first_kept };
    s = forward_run(&f, a, err);
    if (s)
        return s;
    float *dx = arena_alloc_raw(a, batch->n_seq * (size_t)l->config.hidden_size * sizeof *dx);
    if (!dx)
        return fail_memory(err, "a training step");
    s = head_step(model, t, f.outputs[0].value, dx, labels, batch->n_seq, drop, logits, result, a, err);
    const float *grads[] = { dx };
    return s ? s : forward_backward(&f, a, grads, err);
}

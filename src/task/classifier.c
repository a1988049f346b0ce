/* Texts to logits, scores and metrics. */
#include "task/classifier.h"

#include "task/metrics.h"

#include <string.h>

/* Texts that are predicted in one go: memory does not grow with a call. */
enum { PART = 2048 };

static float *copy_floats(arena *a, const float *x, size_t n)
{
    float *y = arena_array(a, n, sizeof *y);
    return y ? memcpy(y, x, n * sizeof *y) : NULL;
}

bert_status classifier_create(classifier *c, const bert_model *model, text_encoder *texts, bert_err *err)
{
    *c = (classifier){ .model = model, .encoder = texts, .ops = model->layer->encoder.ops };
    bert_status s = task_of_model(model, &c->task, err);
    if (s)
        return s;
    const bert_param *weight = weight_at(&model->layer->weights, HEAD_WEIGHT, 0), *bias = weight + 1;
    c->head = (dense){ .in = weight->cols, .out = weight->rows };
    c->head.weight = copy_floats(&c->memory, weight->value, weight_size(weight));
    c->head.bias = copy_floats(&c->memory, bias->value, weight_size(bias));
    c->vectors = arena_alloc_raw(&c->memory, PART * c->head.in * sizeof *c->vectors);
    c->logits = arena_alloc_raw(&c->memory, PART * c->head.out * sizeof *c->logits);
    if (c->head.weight && c->head.bias && c->vectors && c->logits)
        return BERT_OK;
    classifier_free(c);
    return fail_memory(err, "a classifier");
}

void classifier_free(classifier *c)
{
    arena_free(&c->memory);
    *c = (classifier){ 0 };
}

/* Up to PART texts; their logits are in c. */
static bert_status run_part(classifier *c, const bert_text *texts, const bert_text *pairs, size_t n, float *scores, size_t *truncated,
                            bert_err *err)
{
    bert_status s = text_encoder_run(c->encoder, texts, pairs, n, c->vectors, NULL, truncated, err);
    if (s)
        return s;
    c->ops->dense_forward(c->logits, c->head.out, NULL, c->vectors, c->head.in, &c->head, ACTIVATION_NONE, n);
    c->task->scores(scores, c->logits, n, c->head.out);
    return BERT_OK;
}

static size_t part_of(size_t left)
{
    return left < PART ? left : PART;
}

bert_status classifier_run(classifier *c, const bert_text *texts, const bert_text *pairs, size_t n, float *scores, size_t *truncated,
                           bert_err *err)
{
    bert_status s = BERT_OK;
    for (size_t i = 0; !s && i < n; i += PART)
        s = run_part(c, texts + i, pairs ? pairs + i : NULL, part_of(n - i), scores + i * c->model->n_labels, truncated, err);
    return s;
}

bert_status classifier_evaluate(classifier *c, const bert_dataset *d, bert_metrics *metrics, bert_err *err)
{
    arena a = { 0 };
    metrics_count count = { 0 };
    size_t n_labels = c->model->n_labels, K = c->head.out;
    int32_t *labels = arena_array(&a, d->n, sizeof *labels);
    float *scores = arena_array(&a, part_of(d->n) * n_labels, sizeof *scores);
    bert_status s = labels && scores ? dataset_label_ids(d, c->model->labels, n_labels, labels, err) : fail_memory(err, "metrics");
    if (!s)
        s = metrics_begin(&count, n_labels, err);
    for (size_t i = 0; !s && i < d->n; i += PART) {
        size_t n = part_of(d->n - i);
        s = run_part(c, d->texts + i, d->pairs ? d->pairs + i : NULL, n, scores, NULL, err);
        if (!s)
            metrics_add(&count, scores, labels + i, n, c->task->loss(NULL, c->logits, labels + i, 1, n, K));
    }
    if (!s)
        *metrics = metrics_result(&count, c->task->id == BERT_TASK_BINARY);
    metrics_free(&count);
    arena_free(&a);
    return s;
}

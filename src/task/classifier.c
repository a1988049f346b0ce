/* Texts to logits, scores and metrics. */
#include "task/classifier.h"

#include "task/metrics.h"

#include <string.h>

/* Rows of a data set that are predicted in one go. */
enum { EVALUATION_ROWS = 2048 };

bert_status classifier_create(classifier *c, const bert_model *model, text_encoder *texts, bert_err *err)
{
    *c = (classifier){ .model = model, .encoder = texts, .ops = model->layer->encoder.ops };
    if (!model->task)
        return fail(err, BERT_ERR_ARGUMENT, "the model has no head");
    c->task = task_by_name(model->task);
    if (!c->task)
        return fail(err, BERT_ERR_UNSUPPORTED, "task \"%s\" is not one that this libbert (" BERT_VERSION ") knows", model->task);
    if (c->task->outputs(model->n_labels) != model->outputs)
        return fail(err, BERT_ERR_FORMAT, "task %s with %zu labels has %zu outputs, the model's head has %zu", model->task, model->n_labels,
                    c->task->outputs(model->n_labels), model->outputs);
    const bert_param *weight = weight_at(&model->layer->weights, HEAD_WEIGHT, 0);
    c->head = (dense){ .in = weight->cols, .out = weight->rows, .weight = weight->value, .bias = weight[1].value };
    return BERT_OK;
}

void classifier_free(classifier *c)
{
    arena_free(&c->memory);
    *c = (classifier){ 0 };
}

bert_status classifier_run(classifier *c, const bert_text *texts, const bert_text *pairs, size_t n, float *scores, float *logits,
                           size_t *truncated, bert_err *err)
{
    arena_reset(&c->memory);
    float *vectors = arena_alloc_raw(&c->memory, n * c->head.in * sizeof *vectors);
    if (!logits)
        logits = arena_alloc_raw(&c->memory, n * c->head.out * sizeof *logits);
    if (!vectors || !logits)
        return fail_memory(err, "a prediction");
    bert_status s = text_encoder_run(c->encoder, texts, pairs, n, vectors, NULL, truncated, err);
    if (s)
        return s;
    c->ops->dense_forward(logits, c->head.out, NULL, vectors, c->head.in, &c->head, ACTIVATION_NONE, n);
    c->task->scores(scores, logits, n, c->head.out);
    return BERT_OK;
}

bert_status classifier_evaluate(classifier *c, const bert_dataset *d, bert_metrics *metrics, bert_err *err)
{
    arena a = { 0 };
    metrics_count count = { 0 };
    size_t K = c->head.out, most = d->n < EVALUATION_ROWS ? d->n : EVALUATION_ROWS;
    int32_t *labels = arena_array(&a, d->n, sizeof *labels);
    float *scores = arena_array(&a, most * c->model->n_labels, sizeof *scores), *logits = arena_array(&a, most * K, sizeof *logits);
    bert_status s = labels && scores && logits ? dataset_label_ids(d, c->model->labels, c->model->n_labels, labels, err) : fail_memory(err, "metrics");
    if (!s)
        s = metrics_begin(&count, c->model->n_labels, err);
    for (size_t i = 0; !s && i < d->n; i += most) {
        size_t n = d->n - i < most ? d->n - i : most;
        s = classifier_run(c, d->texts + i, d->pairs ? d->pairs + i : NULL, n, scores, logits, NULL, err);
        if (!s)
            metrics_add(&count, scores, labels + i, n, c->task->loss(NULL, logits, labels + i, 1, n, K));
    }
    if (!s)
        *metrics = metrics_result(&count, c->task->id == BERT_TASK_BINARY);
    metrics_free(&count);
    arena_free(&a);
    return s;
}

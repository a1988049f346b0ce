/* Validation: the layer's own encoder as it is, from kept outputs where there are some. */
#include "train/validation.h"

#include "task/classifier.h"

#include <math.h>

bert_status validation_run(const train_run *r, outcomes *out, verdict *v, bert_err *err)
{
    row_encoder rows = { .encoder = &r->model->layer->encoder, .request = r->plan.request, .kept = r->valid_kept };
    classifier c = { 0 };
    *out = (outcomes){ 0 };
    v->threshold = r->model->threshold;
    bert_status s = r->valid_kept ? BERT_OK
                                  : layer_ready(r->model->layer, err); /* a resumed run may have had no step */
    if (!s)
        s = classifier_create(&c, r->model, &r->model->layer->weights, &rows, err);
    if (!s)
        s = classifier_judge(&c, &r->valid_tokens.rows, &r->valid_truth, out, err);
    if (!s && r->options.choose_threshold)
        s = outcomes_threshold(out, r->watch, &v->threshold, err);
    if (!s)
        s = outcomes_metrics(out, v->threshold, &v->metrics, err);
    classifier_free(&c);
    row_encoder_free(&rows);
    if (s)
        outcomes_free(out);
    return s;
}

verdict verdict_of_training(const train_run *r, double loss, double accuracy)
{
    verdict v = { .threshold = r->model->threshold, .metrics = metrics_unknown() };
    v.metrics.loss = loss;
    v.metrics.accuracy = r->task->kind->numeric ? NAN : accuracy;
    return v;
}

/* Larger is better, and everything is better than what is not a number. */
static double merit(const verdict *v, const bert_metric *watch)
{
    double value = bert_metric_value(&v->metrics, watch);
    return isnan(value) ? -INFINITY : watch->larger_better ? value : -value;
}

bool verdict_better(const verdict *a, const verdict *b, const bert_metric *watch)
{
    double x = merit(a, watch), y = merit(b, watch);
    return x > y || (x == y && a->metrics.loss < b->metrics.loss);
}

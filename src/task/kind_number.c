/* A label is a number on a scale: outputs 0 and 1 stand for label_min and label_max. */
#include "base/fields.h"
#include "task/baseline.h"
#include "task/head.h"
#include "task/head_labels.h"
#include "task/label_rows.h"
#include "task/outcomes.h"
#include "task/ranking.h"

#include <math.h>

/* ---- labels as they are written ---------------------------------------------------------------------------------- */

static bert_status number_check_row(const label_rules *r, const bert_dataset *d, size_t row, bert_err *err)
{
    char place[DATASET_PLACE];
    double number;
    (void)r;
    if (label_number(d->label_texts[row], &number))
        return BERT_OK;
    return fail(err, BERT_ERR_DATA, "%s: label \"%.100s\" is no number", dataset_place(d, row, place),
                d->label_texts[row].data);
}

static bert_status number_choose(bert_head_spec *head, const bert_dataset *d, bert_err *err)
{
    char why[96];
    double least = INFINITY, most = -INFINITY, number = 0;
    for (size_t i = 0; i < d->n; i++) {
        label_number(d->label_texts[i], &number);
        least = number < least ? number : least;
        most = number > most ? number : most;
    }
    snprintf(why, sizeof why, "every row has the label %g; there is nothing to learn", least);
    if (!(least < most))
        return head_wrong_labels(head, d, why, err);
    if (head->label_min == 0 && head->label_max == 0) {
        head->label_min = least;
        head->label_max = most;
    }
    return BERT_OK;
}

static bool number_read_targets(targets *t, const label_rules *r, const bert_model *m, const bert_dataset *d)
{
    (void)r;
    double number = 0;
    t->width = 1;
    t->values = arena_array(&t->memory, d->n, sizeof *t->values);
    for (size_t i = 0; t->values && i < d->n; i++) {
        label_number(d->label_texts[i], &number);
        t->values[i] = (float)((number - m->label_min) / (m->label_max - m->label_min));
    }
    return t->values;
}

/* ---- training ---------------------------------------------------------------------------------------------------- */

/* The mean squared error of always answering the mean. */
static double number_least_loss(const targets *y)
{
    double sum = 0, squares = 0, n = (double)y->n;
    for (size_t i = 0; i < y->n; i++) {
        sum += y->values[i];
        squares += (double)y->values[i] * y->values[i];
    }
    return squares / n - sum / n * (sum / n);
}

static void number_compare_training(const targets *y, const bert_model *m, const loss_spec *loss,
                                    const bert_metrics *of, char *words, size_t size)
{
    (void)m, (void)loss;
    baseline_compare_loss(of->loss, number_least_loss(y), "the mean", words, size);
}

/* ---- outcomes ---------------------------------------------------------------------------------------------------- */

static bert_status number_measure(const outcomes *o, double threshold, bert_metrics *m, arena *a, bert_err *err)
{
    (void)threshold;
    double *said = arena_array(a, o->n, sizeof *said), *true_values = arena_array(a, o->n, sizeof *true_values),
           sum = 0;
    ranked *scratch = arena_array(a, o->n, sizeof *scratch);
    if (!said || !true_values || !scratch)
        return fail_memory(err, "metrics");
    for (size_t i = 0; i < o->n; i++) {
        said[i] = o->scores[i];
        true_values[i] = outcome_truth(o, i);
        sum += (said[i] - true_values[i]) * (said[i] - true_values[i]);
    }
    m->mse = sum / (double)o->n;
    m->pearson = pearson(said, true_values, o->n);
    midranks(said, said, o->n, scratch);
    midranks(true_values, true_values, o->n, scratch);
    m->spearman = pearson(said, true_values, o->n);
    return BERT_OK;
}

static bert_status number_always(const outcomes *o, float *scores, buffer *words, bert_err *err)
{
    double sum = 0;
    (void)err;
    for (size_t i = 0; i < o->n; i++)
        sum += outcome_truth(o, i);
    scores[0] = (float)(sum / (double)o->n);
    buffer_printf(words, "the mean, %.4g", (double)scores[0]);
    return BERT_OK;
}

static double number_wrong(const outcomes *o, size_t i, double threshold)
{
    double distance = fabs((double)o->scores[i] - outcome_truth(o, i));
    (void)threshold;
    return distance > 0 ? distance : NAN;
}

static bool number_same(const task *t, const bert_model *m, const float *a, const float *b)
{
    const double of_scale = 0.01;
    double scale = m->label_max - m->label_min;
    (void)t;
    return fabs((double)a[0] - (double)b[0]) <= of_scale * (scale > 0 ? scale : 1);
}

static void number_true_words(buffer *b, const outcomes *o, size_t row)
{
    buffer_printf(b, "%.6g", outcome_truth(o, row));
}

static void number_predicted_words(buffer *b, const outcomes *o, size_t row, double threshold)
{
    (void)threshold;
    buffer_printf(b, "%.9g", (double)o->scores[row * o->columns]);
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static void number_answer_tsv(buffer *b, const task *t, const bert_model *m, const float *scores, double threshold)
{
    (void)t, (void)m, (void)threshold;
    field_number(b, (double)scores[0]);
}

static void number_answer_json(buffer *b, const task *t, const bert_model *m, const float *scores, double threshold)
{
    buffer_string(b, "\"value\": ");
    number_answer_tsv(b, t, m, scores, threshold);
}

/* ------------------------------------------------------------------------------------------------------------------ */

const label_kind KIND_NUMBER = { .word = "label",
                                 .averaged = "labels",
                                 .numeric = true,
                                 .metrics = METRIC_LOSS | METRIC_NUMBERS,
                                 .sections = PAGE_NUMBERS | PAGE_DISTANCES,
                                 .check_row = number_check_row,
                                 .choose = number_choose,
                                 .read = number_read_targets,
                                 .compare_training = number_compare_training,
                                 .wrong = number_wrong,
                                 .measure = number_measure,
                                 .always = number_always,
                                 .same = number_same,
                                 .answer_json = number_answer_json,
                                 .answer_tsv = number_answer_tsv,
                                 .true_words = number_true_words,
                                 .predicted_words = number_predicted_words };

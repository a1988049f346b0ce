/* A row has any number of the labels, which stand with commas between. */
#include "base/fields.h"
#include "base/size.h"
#include "task/counts.h"
#include "task/baseline.h"
#include "task/head.h"
#include "task/head_labels.h"
#include "task/label_rows.h"
#include "task/outcomes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- labels as they are written ---------------------------------------------------------------------------------- */

/* A list of flags, read as labels, has its labels twice. */
static bert_status label_twice(const bert_dataset *d, size_t row, bert_text label, bert_err *err)
{
    char place[DATASET_PLACE];
    bool flag = label.size == 1 && (label.data[0] == '0' || label.data[0] == '1');
    return fail(err, BERT_ERR_DATA, "%s: label \"%.*s\" is there twice%s", dataset_place(d, row, place),
                (int)(label.size < 100 ? label.size : 100), label.data,
                flag ? "; a list of 0 and 1 for each label needs their names (--label-names)" : "");
}

static bert_status classes_check_row(const label_rules *r, const bert_dataset *d, size_t row, bert_err *err)
{
    bert_text label;
    bert_status s = label_check_list(r, d, row, err);
    word_set set = { 0 };
    for (size_t at = 0, n = 0; !s && label_next(d->label_texts[row], &at, &label); n++) {
        s = label.size ? label_check_known(r, d, row, label, err) : label_empty(d, row, "a label beside a comma", err);
        if (!s && !word_set_add(&set, label))
            s = fail_memory(err, "labels");
        else if (!s && set.n == n)
            s = label_twice(d, row, label, err);
    }
    word_set_free(&set);
    return s;
}

static bool all_flags(const bert_head_spec *head)
{
    bool flags = true;
    for (size_t i = 0; i < head->n_labels; i++)
        flags &= (head->labels[i][0] == '0' || head->labels[i][0] == '1') && !head->labels[i][1];
    return flags;
}

static bert_status classes_choose(bert_head_spec *head, const bert_dataset *d, bert_err *err)
{
    if (head->n_labels)
        return BERT_OK;
    bert_status s = head_gather_labels(head, d, label_next, err);
    if (!s && head->n_labels == 2 && all_flags(head))
        return head_wrong_labels(
            head, d, "the only labels are 0 and 1; a list of 0 and 1 for each label needs their names (--label-names)",
            err);
    return s;
}

static bool classes_read_targets(targets *t, const label_rules *r, const bert_model *m, const bert_dataset *d)
{
    size_t size;
    t->width = m->n_labels;
    t->values = mul_size(d->n, t->width, &size) ? arena_array(&t->memory, size, sizeof *t->values) : NULL;
    for (size_t i = 0; t->values && i < d->n; i++) {
        bert_text label;
        for (size_t at = 0; label_next(d->label_texts[i], &at, &label);)
            t->values[i * t->width + (size_t)label_place(&r->known, label)] = 1;
    }
    return t->values;
}

/* ---- training ---------------------------------------------------------------------------------------------------- */

static bool right_logits(const float *logits, const target_rows *y, size_t i, size_t K)
{
    for (size_t k = 0; k < K; k++)
        if ((logits[k] >= 0) != (y->values[i * K + k] > 0))
            return false;
    return true;
}

/* The cross-entropy of always answering how often each label is, weighted and smoothed as the loss is. */
static double classes_least_loss(const targets *y, const size_t *rows_of, size_t n_labels, const loss_spec *loss)
{
    double least = 0;
    for (size_t k = 0; k < n_labels; k++) {
        double smoothing = loss->smoothing, weight = loss->class_weights ? loss->class_weights[k] : 1;
        double p = (1 - smoothing) * (double)rows_of[k] / (double)y->n + smoothing / 2;
        least -= weight * ((p > 0 ? p * log(p) : 0) + (p < 1 ? (1 - p) * log(1 - p) : 0));
    }
    return least / (double)n_labels;
}

static void classes_compare_training(const targets *y, const bert_model *m, const loss_spec *loss,
                                     const bert_metrics *of, char *words, size_t size)
{
    size_t *rows_of = calloc(m->n_labels, sizeof *rows_of);
    if (!rows_of)
        return;
    targets_count_labels(y, m->n_labels, rows_of);
    baseline_compare_loss(of->loss, classes_least_loss(y, rows_of, m->n_labels, loss), "each label's share", words,
                          size);
    free(rows_of);
}

/* ---- outcomes ---------------------------------------------------------------------------------------------------- */

static double classes_wrong(const outcomes *o, size_t i, double threshold)
{
    for (size_t k = 0; k < o->columns; k++)
        if (((double)o->scores[i * o->columns + k] >= threshold) != outcome_truly(o, i, k))
            return outcome_loss(o, i);
    return NAN;
}

static void classes_count(const outcomes *o, double threshold, counts *c)
{
    for (size_t i = 0; i < o->n; i++) {
        bool whole = true;
        for (size_t k = 0; k < o->columns; k++) {
            bool predicted = (double)o->scores[i * o->columns + k] >= threshold, actual = outcome_truly(o, i, k);
            c->labels[k].predicted += predicted;
            c->labels[k].actual += actual;
            c->labels[k].right += predicted && actual;
            whole &= predicted == actual;
        }
        c->right += whole;
    }
}

static size_t classes_decisions(const outcomes *o)
{
    return o->n * o->columns;
}

static decision classes_decide(const outcomes *o, size_t i)
{
    size_t row = i / o->columns, label = i % o->columns;
    return (decision){ o->scores[i], outcome_truly(o, row, label), (uint32_t)label, row };
}

typedef struct label_set {
    const float *values;
    size_t width;
} label_set;

static int compare_sets(const void *a, const void *b)
{
    const label_set *x = a, *y = b;
    for (size_t k = 0; k < x->width; k++)
        if (x->values[k] != y->values[k])
            return x->values[k] < y->values[k] ? -1 : 1;
    return 0;
}

/* The most frequent set. */
static bert_status classes_always(const outcomes *o, float *scores, buffer *words, bert_err *err)
{
    size_t width = o->truth->width, best = 0, most = 0;
    label_set *sets = calloc(o->n, sizeof *sets);
    if (!sets)
        return fail_memory(err, "a baseline");
    for (size_t i = 0; i < o->n; i++)
        sets[i] = (label_set){ o->truth->values + i * width, width };
    qsort(sets, o->n, sizeof *sets, compare_sets);
    for (size_t i = 0, first = 0; i < o->n; i++) {
        first = compare_sets(&sets[first], &sets[i]) ? i : first;
        if (i - first + 1 > most) {
            most = i - first + 1;
            best = first;
        }
    }
    for (size_t k = 0, n = 0; k < width; k++)
        if (sets[best].values[k] > 0) {
            scores[k] = 1;
            buffer_printf(words, "%s\"%s\"", n++ ? ", " : "", o->model->labels[k]);
        }
    if (!words->size)
        buffer_string(words, "no label");
    free(sets);
    return BERT_OK;
}

static bool classes_same(const task *t, const bert_model *m, const float *a, const float *b)
{
    (void)t;
    for (size_t k = 0; k < m->n_labels; k++)
        if (((double)a[k] >= bert_model_threshold(m)) != ((double)b[k] >= bert_model_threshold(m)))
            return false;
    return true;
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

/* The labels whose value is at least so large. */
static void classes_add_labels(buffer *b, const bert_model *m, const float *values, double least)
{
    const char *comma = "";
    for (size_t k = 0; k < m->n_labels; k++)
        if ((double)values[k] >= least) {
            buffer_printf(b, "%s%s", comma, m->labels[k]);
            comma = ",";
        }
}

static void classes_true_words(buffer *b, const outcomes *o, size_t row)
{
    classes_add_labels(b, o->model, o->truth->values + row * o->truth->width, 0.5);
}

static void classes_predicted_words(buffer *b, const outcomes *o, size_t row, double threshold)
{
    classes_add_labels(b, o->model, o->scores + row * o->columns, threshold);
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static void classes_answer_json(buffer *b, const task *t, const bert_model *m, const float *scores, double threshold)
{
    (void)t;
    buffer_string(b, "\"labels\": [");
    for (size_t k = 0, n = 0; k < m->n_labels; k++)
        if ((double)scores[k] >= threshold) {
            buffer_string(b, n++ ? ", " : "");
            field_json(b, m->labels[k], strlen(m->labels[k]));
        }
    buffer_char(b, ']');
    label_scores_json(b, m->labels, m->n_labels, scores);
}

/* "red,green\t0.9,0.7" */
static void classes_answer_tsv(buffer *b, const task *t, const bert_model *m, const float *scores, double threshold)
{
    (void)t;
    for (int column = 0; column < 2; column++) {
        buffer_string(b, column ? "\t" : "");
        for (size_t k = 0, n = 0; k < m->n_labels; k++) {
            if ((double)scores[k] < threshold)
                continue;
            buffer_string(b, n++ ? "," : "");
            if (column)
                field_number(b, (double)scores[k]);
            else
                field_tsv(b, m->labels[k], strlen(m->labels[k]));
        }
    }
}

/* ------------------------------------------------------------------------------------------------------------------ */

const label_kind KIND_CLASSES = { .word = "label",
                                  .averaged = "labels",
                                  .metrics = METRIC_LOSS | METRIC_COUNTS | METRIC_AREA,
                                  .sections = PAGE_LABELS | PAGE_THRESHOLDS | PAGE_CALIBRATION | PAGE_WRONG_SETS,
                                  .decided = "f1_micro",
                                  .next = label_next,
                                  .check_row = classes_check_row,
                                  .choose = classes_choose,
                                  .read = classes_read_targets,
                                  .right_logits = right_logits,
                                  .compare_training = classes_compare_training,
                                  .wrong = classes_wrong,
                                  .measure = outcomes_measure_labels,
                                  .count = classes_count,
                                  .decisions = classes_decisions,
                                  .decide = classes_decide,
                                  .always = classes_always,
                                  .same = classes_same,
                                  .answer_json = classes_answer_json,
                                  .answer_tsv = classes_answer_tsv,
                                  .true_words = classes_true_words,
                                  .predicted_words = classes_predicted_words };

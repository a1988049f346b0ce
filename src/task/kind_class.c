/* A row has one of the labels. */
#include "base/fields.h"
#include "task/counts.h"
#include "task/label_rows.h"
#include "task/one_label.h"

#include <string.h>

/* ---- labels as they are written ---------------------------------------------------------------------------------- */

static bert_status class_check_row(const label_rules *r, const bert_dataset *d, size_t row, bert_err *err)
{
    bert_text label = d->label_texts[row];
    bool list = label.size > 1 && strchr("'\"]0123456789", label.data[1]); /* "[deleted]" is a word */
    bert_status s = list ? label_check_list(r, d, row, err) : BERT_OK;
    if (s)
        return s;
    return label.size ? label_check_known(r, d, row, label, err) : label_empty(d, row, "the label", err);
}

static bert_status class_choose(bert_head_spec *head, const bert_dataset *d, bert_err *err)
{
    (void)err;
    if (!head->n_labels)
        head->n_labels = bert_dataset_labels(d, &head->labels);
    return BERT_OK;
}

static bool class_read_targets(targets *t, const label_rules *r, const bert_model *m, const bert_dataset *d)
{
    (void)m;
    t->ids = arena_array(&t->memory, d->n, sizeof *t->ids);
    for (size_t i = 0; t->ids && i < d->n; i++)
        t->ids[i] = label_place(&r->known, d->label_texts[i]);
    return t->ids;
}

/* ---- outcomes ---------------------------------------------------------------------------------------------------- */

static void class_count(const outcomes *o, double threshold, counts *c)
{
    for (size_t i = 0; i < o->n; i++) {
        size_t predicted = outcome_label(o, i, threshold), actual = (size_t)o->truth->ids[i];
        c->labels[predicted].predicted++;
        c->labels[actual].actual++;
        c->labels[actual].right += predicted == actual;
        c->right += predicted == actual;
    }
}

/* Of two labels the second one's score says it. */
static size_t class_decisions(const outcomes *o)
{
    return o->columns == 2 ? o->n : 0;
}

static decision class_decide(const outcomes *o, size_t i)
{
    return (decision){ o->scores[i * 2 + 1], o->truth->ids[i] == 1, 1, i };
}

static bool class_same(const task *t, const bert_model *m, const float *a, const float *b)
{
    return label_of_scores(t, m, a, bert_model_threshold(m)) == label_of_scores(t, m, b, bert_model_threshold(m));
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static void class_answer_json(buffer *b, const task *t, const bert_model *m, const float *scores, double threshold)
{
    size_t k = label_of_scores(t, m, scores, threshold);
    buffer_string(b, "\"label\": ");
    field_json(b, m->labels[k], strlen(m->labels[k]));
    buffer_string(b, ", \"score\": ");
    field_number(b, (double)scores[k]);
    label_scores_json(b, m->labels, m->n_labels, scores);
}

static void class_answer_tsv(buffer *b, const task *t, const bert_model *m, const float *scores, double threshold)
{
    size_t k = label_of_scores(t, m, scores, threshold);
    field_tsv(b, m->labels[k], strlen(m->labels[k]));
    buffer_char(b, '\t');
    field_number(b, (double)scores[k]);
}

/* ------------------------------------------------------------------------------------------------------------------ */

const label_kind KIND_CLASS = { .word = "label",
                                .averaged = "labels",
                                .whole = true,
                                .metrics = METRIC_LOSS | METRIC_COUNTS | METRIC_CORRELATION | METRIC_AREA,
                                .sections = PAGE_CONFUSION | PAGE_LABELS | PAGE_THRESHOLDS | PAGE_CALIBRATION |
                                            PAGE_WRONG_LABELS,
                                .decided = "accuracy",
                                .next = label_whole,
                                .check_row = class_check_row,
                                .choose = class_choose,
                                .read = class_read_targets,
                                .right_logits = one_label_right_logits,
                                .compare_training = one_label_compare_training,
                                .wrong = one_label_wrong,
                                .measure = outcomes_measure_labels,
                                .count = class_count,
                                .decisions = class_decisions,
                                .decide = class_decide,
                                .always = one_label_always,
                                .same = class_same,
                                .answer_json = class_answer_json,
                                .answer_tsv = class_answer_tsv,
                                .true_words = one_label_true_words,
                                .predicted_words = one_label_predicted_words };

/* Every word of a row has one of the labels, a BIO tag; tags stand with blanks between, as the words. */
#include "task/counts.h"
#include "task/entities.h"
#include "task/head_labels.h"
#include "task/label_rows.h"
#include "task/one_label.h"

/* ---- labels as they are written ---------------------------------------------------------------------------------- */

static bert_status tags_check_row(const label_rules *r, const bert_dataset *d, size_t row, bert_err *err)
{
    char place[DATASET_PLACE];
    size_t n = 0;
    bert_text tag;
    for (size_t at = 0; tag_next(d->label_texts[row], &at, &tag); n++) {
        if (r->n_labels && label_place(&r->known, tag) < 0)
            return tag_unknown(d, row, n, tag, r->labels, r->n_labels, err);
        if (!r->n_labels && !tag_is_one(tag))
            return fail(err, BERT_ERR_DATA, "%s: \"%.*s\" is no tag: O, B-NAME or I-NAME is expected",
                        dataset_word_place(d, row, n, place), (int)(tag.size < 100 ? tag.size : 100), tag.data);
    }
    return tags_check_count(d, row, n, err);
}

static bert_status tags_choose(bert_head_spec *head, const bert_dataset *d, bert_err *err)
{
    return head->n_labels ? BERT_OK : head_gather_labels(head, d, tag_next, err);
}

static size_t count_tags(bert_text tags)
{
    size_t n = 0;
    bert_text tag;
    for (size_t at = 0; tag_next(tags, &at, &tag);)
        n++;
    return n;
}

static bool tags_read_targets(targets *t, const label_rules *r, const bert_model *m, const bert_dataset *d)
{
    (void)m;
    t->start = arena_array(&t->memory, d->n + 1, sizeof *t->start);
    for (size_t i = 0; t->start && i < d->n; i++)
        t->start[i + 1] = t->start[i] + count_tags(d->label_texts[i]);
    t->ids = t->start ? arena_array(&t->memory, t->start[d->n], sizeof *t->ids) : NULL;
    for (size_t i = 0; t->ids && i < d->n; i++) {
        bert_text tag;
        int32_t *id = t->ids + t->start[i];
        for (size_t at = 0; tag_next(d->label_texts[i], &at, &tag); id++)
            *id = label_place(&r->known, tag);
    }
    return t->ids;
}

/* ---- outcomes ---------------------------------------------------------------------------------------------------- */

/* Accuracy is of words, all else of whole entities; precision, recall and F1 are their micro means. */
static bert_status tags_measure(const outcomes *o, double threshold, bert_metrics *m, arena *a, bert_err *err)
{
    size_t types;
    counts c = { .labels = arena_array(a, o->columns, sizeof *c.labels), .n_labels = o->columns, .n = o->n };
    bert_status s = c.labels ? entities_count(o, &c, &types, a, err) : fail_memory(err, "metrics");
    if (s)
        return s;
    for (size_t i = 0; i < o->n; i++)
        c.right += outcome_label(o, i, threshold) == (size_t)o->truth->ids[i];
    counts_sum(&c);
    counts_report(&c, types, m);
    m->precision = m->precision_micro;
    m->recall = m->recall_micro;
    m->f1 = m->f1_micro;
    return BERT_OK;
}

/* Nothing is found; where all words have to have a type, the most frequent tag. */
static bert_status tags_always(const outcomes *o, float *scores, buffer *words, bert_err *err)
{
    for (size_t k = 0; k < o->columns; k++)
        if (tag_is_outside(o->model->labels[k])) {
            scores[k] = 1;
            buffer_string(words, "\"O\"");
            return BERT_OK;
        }
    return one_label_always(o, scores, words, err);
}

/* ------------------------------------------------------------------------------------------------------------------ */

const label_kind KIND_TAGS = { .word = "tag",
                               .averaged = "types of entities",
                               .metrics = METRIC_LOSS | METRIC_COUNTS,
                               .sections = PAGE_CONFUSION | PAGE_CALIBRATION | PAGE_ENTITIES | PAGE_WRONG_WORDS,
                               .next = tag_next,
                               .check_row = tags_check_row,
                               .choose = tags_choose,
                               .read = tags_read_targets,
                               .right_logits = one_label_right_logits,
                               .compare_training = one_label_compare_training,
                               .wrong = one_label_wrong,
                               .measure = tags_measure,
                               .always = tags_always,
                               .true_words = one_label_true_words,
                               .predicted_words = one_label_predicted_words };

/* What a label is: one file a kind (kind_NAME.c), one const struct in it. What depends on the kind is asked of this
 * struct; nobody compares kinds. */
#pragma once

#include "base/buffer.h"
#include "data/labels.h"

struct counts;
struct label_rules;
struct loss_spec;
struct outcomes;
struct target_rows;
struct targets;
struct task;

/* Groups of metrics. */
enum { METRIC_LOSS = 1, METRIC_COUNTS = 2, METRIC_CORRELATION = 4, METRIC_AREA = 8, METRIC_NUMBERS = 16 };

/* Sections of a page about outcomes; src/report has a function for each. */
enum {
    PAGE_CONFUSION = 1,
    PAGE_LABELS = 2,
    PAGE_THRESHOLDS = 4,
    PAGE_CALIBRATION = 8,
    PAGE_NUMBERS = 16,
    PAGE_ENTITIES = 32,
    PAGE_WRONG_LABELS = 64,
    PAGE_WRONG_SETS = 128,
    PAGE_DISTANCES = 256,
    PAGE_WRONG_WORDS = 512,
    /* the worst, in one of these forms */
    PAGE_MISTAKES = PAGE_WRONG_LABELS | PAGE_WRONG_SETS | PAGE_DISTANCES | PAGE_WRONG_WORDS
};

/* A score that is a yes or a no by itself. */
typedef struct decision {
    float score;
    bool actual;
    uint32_t label; /* that a yes says */
    size_t row;
} decision;

typedef struct label_kind {
    const char *word;     /* what one is called: "label", "tag" */
    const char *averaged; /* what macro means are taken over: "labels", "types of entities" */
    /* a number on the scale from label_min to label_max, which is neither right nor wrong; else words of the model */
    bool numeric;
    bool whole;          /* a row's label is one word: lists and tags, where a file tells that it has such, are none */
    unsigned metrics;    /* groups that it has */
    unsigned sections;   /* of a page */
    const char *decided; /* the metric that a threshold is chosen by where none is named; NULL: none has a threshold */

    /* ---- labels as they are written ---- */
    label_reader *next; /* the words of a row's label; NULL: numbers */
    /* Whether a row suits, with a message that names its place. */
    bert_status (*check_row)(const struct label_rules *r, const bert_dataset *d, size_t row, bert_err *err);
    /* Fills what a head leaves open: labels, or the scale. All rows suit. */
    bert_status (*choose)(bert_head_spec *head, const bert_dataset *d, bert_err *err);
    /* Fills the arrays of targets. All rows suit. false: memory is out. */
    bool (*read)(struct targets *t, const struct label_rules *r, const bert_model *m, const bert_dataset *d);

    /* ---- training ---- */
    /* Whether logits (K) say what is true of row i, with a threshold of 0.5; NULL: never. */
    bool (*right_logits)(const float *logits, const struct target_rows *y, size_t i, size_t K);
    /* Says in words where the means of training rows are no better than what their labels alone give; else leaves words
     * empty. */
    void (*compare_training)(const struct targets *y, const bert_model *m, const struct loss_spec *loss,
                             const bert_metrics *of, char *words, size_t size);

    /* ---- outcomes ---- */
    /* How wrong outcome i is: its loss, a number's distance; NaN where it is right. */
    double (*wrong)(const struct outcomes *o, size_t i, double threshold);
    /* The metrics but the loss. */
    bert_status (*measure)(const struct outcomes *o, double threshold, bert_metrics *m, arena *a, bert_err *err);
    /* Counts labels and rows (c->labels are zero, the sums are not formed). NULL: what counts is not a row's labels. */
    void (*count)(const struct outcomes *o, double threshold, struct counts *c);
    /* How many scores are a yes or a no by themselves, of each label, or of the second of two; and the i-th of them.
     * NULL: there are none. */
    size_t (*decisions)(const struct outcomes *o);
    decision (*decide)(const struct outcomes *o, size_t i);
    /* The best that can be said of every row alike: scores (columns), which are zero, and its words. o has a row. */
    bert_status (*always)(const struct outcomes *o, float *scores, buffer *words, bert_err *err);
    /* Whether two rows of scores come to the same answer; numbers: within 1 % of the scale. NULL: a row has no
     * scores. */
    bool (*same)(const struct task *t, const bert_model *m, const float *a, const float *b);

    /* ---- the answer for a text from its scores (columns): members of a JSON object; columns with tabs between. NULL:
     * a row has no scores --- */
    void (*answer_json)(buffer *b, const struct task *t, const bert_model *m, const float *scores, double threshold);
    void (*answer_tsv)(buffer *b, const struct task *t, const bert_model *m, const float *scores, double threshold);

    /* ---- words of a data set's row: a label; labels with commas between; tags with spaces between; a number ---- */
    void (*true_words)(buffer *b, const struct outcomes *o, size_t row);
    void (*predicted_words)(buffer *b, const struct outcomes *o, size_t row, double threshold);
} label_kind;

extern const label_kind KIND_CLASS;   /* one of the labels */
extern const label_kind KIND_CLASSES; /* any number of them, with commas between */
extern const label_kind KIND_NUMBER;
extern const label_kind KIND_TAGS; /* one of the labels for each word */

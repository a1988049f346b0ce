/* What there is to know of a data set before a model learns from it. */
#pragma once

#include "data/dataset.h"
#include "data/labels.h"
#include "data/same_rows.h"
#include "task/label_words.h"
#include "task/tasks.h"

enum {
    BINS_THAT_FIT = 8,               /* of rows up to seq_len tokens */
    LENGTH_BINS = BINS_THAT_FIT + 5, /* then as wide ones, and one for all that is longer */
    LENGTH_MOST = 4096               /* tokens that are counted in a sequence */
};

typedef struct label_count {
    bert_text label;
    size_t n;
} label_count;

/* All zero is empty. The data set must outlive it. */
typedef struct data_summary {
    const bert_dataset *d;
    same_rows same;
    size_t empty;   /* rows with a text that has no token */
    size_t twice;   /* rows whose texts an earlier row has */
    size_t several; /* different texts that have more than one label */

    /* labels that are words */
    word_set words;      /* counted: rows, or words, that have each */
    label_count *labels; /* (words.n) the most frequent first, equals by their bytes */
    size_t labelled;     /* what shares are of: rows, or words */
    size_t unlabelled;   /* rows without any */
    /* labels that are numbers */
    size_t numbers, no_numbers; /* rows */
    double smallest, mean, largest;

    /* lengths of rows in tokens, special ones counted; of two sequences the longer one's */
    size_t shortest, median, percentile_95, longest, cut;
    double mean_length;
    size_t histogram[LENGTH_BINS];
} data_summary;

/* The tokens of a bin's longest row; SIZE_MAX for the last bin. */
size_t length_bin_end(size_t bin, size_t seq_len);

/* Fails with BERT_ERR_MEMORY, and as token_rows_create. */
bert_status data_summary_create(data_summary *s, const bert_dataset *d, const bert_model *model, const task *t,
                                bert_err *err);
void data_summary_free(data_summary *s);

/* How many rows have the label; tags: words. */
size_t data_summary_label(const data_summary *s, bert_text label);

/* How many rows have texts that are in other, too. */
size_t data_summary_shared(const data_summary *s, const data_summary *other);

/* Outcomes in words: what a row's label is, what was predicted, and with which score. */
#ifndef REPORT_REPORT_WORDS_H
#define REPORT_REPORT_WORDS_H

#include "base/options.h"
#include "task/outcomes.h"

/* Labels that a row has as places among the model's, [first, last): a word each for TAGS, else the row itself. */
typedef struct outcome_span {
    size_t first, last;
} outcome_span;

/* The outcomes of a data set's row: one, for TAGS those of its words. */
outcome_span outcomes_of_row(const outcomes *o, size_t row);

/* The prediction of a data set's row: the label; of several labels those from the threshold on with commas between; tags with spaces between;
 * a number. */
void predicted_words(buffer *b, const outcomes *o, size_t row, double threshold);

/* What is true of it, in the model's words; NUMBER: in the labels' unit. */
void true_words(buffer *b, const outcomes *o, size_t row);

/* Whether outcome i was predicted rightly; numbers never are wrong. */
bool outcome_right(const outcomes *o, size_t i, double threshold);

/* A number with nine digits. */
void number_words(buffer *b, double x);

#endif

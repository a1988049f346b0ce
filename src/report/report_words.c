/* Outcomes in words. */
#include "report/report_words.h"

outcome_span outcomes_of_row(const outcomes *o, size_t row)
{
    if (o->task->label == LABEL_TAGS)
        return (outcome_span){ o->truth->start[row], o->truth->start[row + 1] };
    return (outcome_span){ row, row + 1 };
}

void number_words(buffer *b, double x)
{
    buffer_printf(b, "%.9g", x);
}

/* The labels of which `has` says yes, commas between. */
static void add_labels(buffer *b, const outcomes *o, const float *values, double least)
{
    const char *comma = "";
    for (size_t k = 0; k < o->model->n_labels; k++)
        if ((double)values[k] >= least) {
            buffer_printf(b, "%s%s", comma, o->model->labels[k]);
            comma = ",";
        }
}

void predicted_words(buffer *b, const outcomes *o, size_t row, double threshold)
{
    if (o->task->label == LABEL_NUMBER) {
        number_words(b, (double)o->scores[row * o->columns]);
    } else if (o->task->label == LABEL_CLASSES) {
        add_labels(b, o, o->scores + row * o->columns, threshold);
    } else {
        outcome_span s = outcomes_of_row(o, row);
        for (size_t i = s.first; i < s.last; i++)
            buffer_printf(b, "%s%s", i > s.first ? " " : "", o->model->labels[outcome_label(o, i, threshold)]);
    }
}

void true_words(buffer *b, const outcomes *o, size_t row)
{
    if (o->task->label == LABEL_NUMBER) {
        buffer_printf(b, "%.6g", outcome_truth(o, row));
    } else if (o->task->label == LABEL_CLASSES) {
        add_labels(b, o, o->truth->values + row * o->truth->width, 0.5);
    } else {
        outcome_span s = outcomes_of_row(o, row);
        for (size_t i = s.first; i < s.last; i++)
            buffer_printf(b, "%s%s", i > s.first ? " " : "", o->model->labels[o->truth->ids[i]]);
    }
}

bool outcome_right(const outcomes *o, size_t i, double threshold)
{
    if (o->task->label == LABEL_NUMBER)
        return true;
    if (o->task->label != LABEL_CLASSES)
        return outcome_label(o, i, threshold) == (size_t)o->truth->ids[i];
    for (size_t k = 0; k < o->columns; k++)
        if (((double)o->scores[i * o->columns + k] >= threshold) != (o->truth->values[i * o->truth->width + k] >= 0.5f))
            return false;
    return true;
}

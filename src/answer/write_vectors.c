/* Vectors as text, or as the numbers that they are. */
#include "base/fields.h"

static void add_row(buffer *out, const float *x, size_t n, const char *between)
{
    for (size_t i = 0; i < n; i++) {
        buffer_string(out, i ? between : "");
        field_number(out, (double)x[i]);
    }
}

/* [0.25, -1] */
static void add_list(buffer *out, const float *x, size_t n)
{
    buffer_char(out, '[');
    add_row(out, x, n, ", ");
    buffer_char(out, ']');
}

/* {"embedding": [0.25, -1]}, or a list of such lists where a text has several. */
static void add_embedding(buffer *out, const float *x, const size_t *count, size_t hidden)
{
    buffer_string(out, count ? "{\"embedding\": [" : "{\"embedding\": ");
    for (size_t i = 0, n = count ? *count : 1; i < n; i++) {
        buffer_string(out, i ? ", " : "");
        add_list(out, x + i * hidden, hidden);
    }
    buffer_string(out, count ? "]}\n" : "}\n");
}

void bert_vectors_write(bert_buffer *out, const float *vectors, const size_t *counts, size_t n, size_t hidden,
                        bert_answer_format format)
{
    for (size_t i = 0; i < n; i++) {
        size_t count = counts ? counts[i] : 1;
        if (format == BERT_ANSWER_NUMBERS)
            buffer_add(out, vectors, count * hidden * sizeof *vectors);
        else if (format == BERT_ANSWER_JSONL)
            add_embedding(out, vectors, counts ? &count : NULL, hidden);
        for (size_t k = 0; format == BERT_ANSWER_TSV && k < count; k++) {
            add_row(out, vectors + k * hidden, hidden, "\t");
            buffer_char(out, '\n');
        }
        vectors += count * hidden;
    }
}

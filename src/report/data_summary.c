/* Counting a data set's texts, labels and lengths. */
#include "report/data_summary.h"

#include "text/tokenizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- texts ------------------------------------------------------------------------------------------------------- */

static void count_same(data_summary *s)
{
    const bert_dataset *d = s->d;
    for (size_t i = 0; i < d->n; i++)
        s->twice += s->same.first[i] != i;
}

/* several: (n) zero; at a text's first row: another row gives it another label. */
static void count_several(data_summary *s, bool *several)
{
    const bert_dataset *d = s->d;
    for (size_t i = 0; i < d->n; i++) {
        size_t first = s->same.first[i];
        if (d->label[i] != d->label[first] && !several[first]) {
            several[first] = true;
            s->several++;
        }
    }
}

static bert_status summarise_texts(data_summary *s, bert_err *err)
{
    bert_status status = same_rows_create(&s->same, s->d, err);
    if (status)
        return status;
    bool *several = calloc(s->d->n, sizeof *several);
    if (!several)
        return fail_memory(err, "the summary of a data set");
    count_same(s);
    count_several(s, several);
    free(several);
    return BERT_OK;
}

size_t data_summary_shared(const data_summary *s, const data_summary *other)
{
    size_t n = 0;
    for (size_t i = 0; i < s->d->n; i++)
        n += same_rows_find(&other->same, s->d, i) != NO_SUCH_ROW;
    return n;
}

/* ---- labels ------------------------------------------------------------------------------------------------------ */

static int compare_counts(const void *left, const void *right)
{
    const label_count *a = left, *b = right;
    if (a->n != b->n)
        return a->n > b->n ? -1 : 1;
    return word_compare(&a->label, &b->label);
}

static bert_status summarise_words(data_summary *s, const task *t, bert_err *err)
{
    bert_status status = labels_gather(s->d, t->kind->next, &s->words, &s->unlabelled, err);
    if (status)
        return status;
    s->labels = calloc(s->words.n + 1, sizeof *s->labels);
    if (!s->labels)
        return fail_memory(err, "labels");
    for (size_t k = 0; k < s->words.n; k++) {
        s->labels[k] = (label_count){ s->words.words[k], s->words.counts[k] };
        s->labelled += s->words.counts[k];
    }
    if (t->form != ROW_WORDS)
        s->labelled = s->d->n;
    qsort(s->labels, s->words.n, sizeof *s->labels, compare_counts);
    return BERT_OK;
}

size_t data_summary_label(const data_summary *s, bert_text label)
{
    int32_t place = word_set_find(&s->words, label);
    return place < 0 ? 0 : s->words.counts[place];
}

static void summarise_numbers(data_summary *s)
{
    double sum = 0, x;
    s->smallest = INFINITY;
    s->largest = -INFINITY;
    for (size_t i = 0; i < s->d->n; i++) {
        if (!label_number(s->d->label_texts[i], &x)) {
            s->no_numbers++;
            continue;
        }
        s->numbers++;
        sum += x;
        s->smallest = fmin(s->smallest, x);
        s->largest = fmax(s->largest, x);
    }
    s->mean = sum / (double)s->numbers; /* NaN where there are none */
}

/* ---- lengths ----------------------------------------------------------------------------------------------------- */

size_t length_bin_end(size_t bin, size_t seq_len)
{
    return bin + 1 < LENGTH_BINS ? (bin + 1) * seq_len / BINS_THAT_FIT : SIZE_MAX;
}

static int compare_lengths(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* lengths (n) receives each row's; rows with an empty text are counted. */
static void measure_rows(data_summary *s, const token_rows *t, const special_template *specials, uint32_t *lengths)
{
    size_t none = special_count(specials, false); /* the length of a sequence without tokens */
    for (size_t i = 0; i < t->n; i++) {
        size_t whole = token_rows_length(t, i), first = t->second[i], rest = whole - first;
        bool apart = t->form == ROW_APART;
        lengths[i] = (uint32_t)(!apart ? whole : first > rest ? first : rest);
        s->empty += first == (apart || !rest ? none : specials->before.n + specials->between.n) ||
                    (s->d->pairs && rest == (apart ? none : 0));
    }
}

static void summarise_sorted(data_summary *s, const uint32_t *lengths, size_t n, size_t seq_len)
{
    size_t bin = 0;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        while (lengths[i] > length_bin_end(bin, seq_len))
            bin++;
        s->histogram[bin]++;
        s->cut += lengths[i] > seq_len;
        sum += lengths[i];
    }
    s->shortest = lengths[0];
    s->median = lengths[(n - 1) / 2];
    s->percentile_95 = lengths[(n * 95 + 99) / 100 - 1];
    s->longest = lengths[n - 1];
    s->mean_length = sum / (double)n;
}

/* Rows are tokenised far beyond seq_len: what would be cut is to be known. */
static bert_status summarise_lengths(data_summary *s, const bert_model *model, row_form form, bert_err *err)
{
    token_rows t = { 0 };
    size_t seq_len = (size_t)model->layer->spec.seq_len;
    bert_status status = token_rows_create(&t, s->d, bert_model_tokenizer(model),
                                           seq_len < LENGTH_MOST ? LENGTH_MOST : seq_len + 1, form, err);
    if (status)
        return status;
    uint32_t *lengths = malloc(t.n * sizeof *lengths);
    if (lengths) {
        measure_rows(s, &t, bert_model_tokenizer(model)->specials, lengths);
        qsort(lengths, t.n, sizeof *lengths, compare_lengths);
        summarise_sorted(s, lengths, t.n, seq_len);
    }
    token_rows_free(&t);
    status = lengths ? BERT_OK : fail_memory(err, "the summary of a data set");
    free(lengths);
    return status;
}

bert_status data_summary_create(data_summary *s, const bert_dataset *d, const bert_model *model, const task *t,
                                bert_err *err)
{
    *s = (data_summary){ .d = d };
    bert_status status = summarise_texts(s, err);
    if (!status && t->kind->numeric)
        summarise_numbers(s);
    else if (!status)
        status = summarise_words(s, t, err);
    return status ? status : summarise_lengths(s, model, t->form, err);
}

void data_summary_free(data_summary *s)
{
    same_rows_free(&s->same);
    word_set_free(&s->words);
    free(s->labels);
    *s = (data_summary){ 0 };
}

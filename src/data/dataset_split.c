/* A data set in two parts. Rows of equal texts are a group, which stays whole and counts for the label of its first
 * row; the groups of each label are shuffled, and the first of them go to validation until their rows are the share. */
#include "data/dataset.h"

#include "base/random.h"
#include "data/same_rows.h"
#include "base/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The groups by stratum: a label, or one of its own (the last) for all labels of a single group. */
typedef struct strata {
    const bert_dataset *d;
    same_rows same;
    arena memory;
    size_t n_groups;
    uint32_t *rows;   /* (d->n) of a group, at its first row: how many it has; else 0 */
    size_t n;         /* strata: labels + 1 */
    uint32_t *of;     /* (labels) the stratum of a label */
    size_t *start;    /* (n + 1) groups[start[k] .. start[k + 1]) are those of stratum k */
    uint32_t *groups; /* (n_groups) first rows, in the order of a shuffle */
    bool *valid;      /* (d->n) at a group's first row: it goes to validation */
} strata;

static bert_status strata_allocate(strata *s, bert_err *err)
{
    size_t n = s->d->n;
    s->n = s->d->n_labels + 1;
    s->rows = arena_array(&s->memory, n, sizeof *s->rows);
    s->of = arena_array(&s->memory, s->n, sizeof *s->of);
    s->start = arena_array(&s->memory, s->n + 1, sizeof *s->start);
    s->groups = arena_array(&s->memory, n, sizeof *s->groups);
    s->valid = arena_array(&s->memory, n, sizeof *s->valid);
    return s->rows && s->of && s->start && s->groups && s->valid ? BERT_OK
                                                                 : fail_memory(err, "the parts of a data set");
}

/* A label of one group cannot be parted: it stays with the others of its kind. */
static void choose_strata(strata *s)
{
    const bert_dataset *d = s->d;
    for (size_t i = 0; i < d->n; i++) {
        s->n_groups += s->same.first[i] == i;
        s->of[d->label[i]] += s->same.first[i] == i; /* counts groups at first */
        s->rows[s->same.first[i]]++;
    }
    for (size_t k = 0; k < d->n_labels; k++)
        s->of[k] = (uint32_t)(s->of[k] < 2 ? d->n_labels : k);
}

static bert_status sort_groups(strata *s, uint64_t seed, bert_err *err)
{
    uint32_t *shuffled = arena_array(&s->memory, s->n_groups, sizeof *shuffled);
    size_t *at = arena_array(&s->memory, s->n, sizeof *at), n = 0;
    if (!shuffled || !at)
        return fail_memory(err, "the parts of a data set");
    for (size_t i = 0; i < s->d->n; i++)
        if (s->rows[i]) {
            shuffled[n++] = (uint32_t)i;
            s->start[s->of[s->d->label[i]] + 1]++;
        }
    for (size_t k = 0; k < s->n; k++) {
        s->start[k + 1] += s->start[k];
        at[k] = s->start[k];
    }
    random_shuffle(&(random_stream){ seed, RANDOM_SPLIT, 0 }, shuffled, n);
    for (size_t i = 0; i < n; i++)
        s->groups[at[s->of[s->d->label[shuffled[i]]]]++] = shuffled[i];
    return BERT_OK;
}

static bert_status strata_create(strata *s, const bert_dataset *d, uint64_t seed, bert_err *err)
{
    *s = (strata){ .d = d };
    bert_status status = same_rows_create(&s->same, d, err);
    if (!status)
        status = strata_allocate(s, err);
    if (status)
        return status;
    choose_strata(s);
    return sort_groups(s, seed, err);
}

/* A label that a classifier would have: no number, no list of tags or labels. */
static bool looks_like_a_class(bert_text label)
{
    for (size_t i = 0; i < label.size; i++)
        if (word_blank(label.data[i]) || label.data[i] == ',')
            return false;
    return label.size && !memchr("0123456789+-.", label.data[0], 13);
}

/* Whether labels of a single group are parted. Rare classes are not, since training must know them; but numbers, tags
 * and lists of labels are seldom the same twice: they are, where they are many, and so is whatever is most of the
 * data. */
static bool parts_singles(const strata *s)
{
    enum { FEW = 20 };
    size_t k = s->d->n_labels, n = s->start[k + 1] - s->start[k], classes = 0;
    for (size_t i = s->start[k]; i < s->start[k + 1]; i++)
        classes += looks_like_a_class(s->d->label_texts[s->groups[i]]);
    return 2 * n > s->n_groups || (n > FEW && 10 * n > s->n_groups && 2 * classes < n);
}

/* How many groups of a stratum may go: of a label all but one, which stays for training. */
static size_t most_groups(const strata *s, size_t stratum)
{
    size_t n = s->start[stratum + 1] - s->start[stratum];
    if (stratum == s->d->n_labels)
        return parts_singles(s) ? n : 0;
    return n ? n - 1 : 0;
}

/* Takes groups of a stratum until another would lead further from `rows`. Returns how many rows were taken. */
static double take_groups(strata *s, size_t stratum, double rows)
{
    double taken = 0;
    size_t first = s->start[stratum], most = most_groups(s, stratum);
    for (size_t i = first; i < first + most && 2 * taken + s->rows[s->groups[i]] <= 2 * rows; i++) {
        s->valid[s->groups[i]] = true;
        taken += s->rows[s->groups[i]];
    }
    return taken;
}

/* What rounding takes from one label the next gives back, so that many small labels have their share together. */
static void choose_valid(strata *s, double share)
{
    double missing = 0;
    for (size_t k = 0; k < s->n; k++) {
        double rows = 0;
        for (size_t i = s->start[k]; i < s->start[k + 1]; i++)
            rows += s->rows[s->groups[i]];
        if (rows == 0)
            continue;
        missing += share * rows;
        missing -= take_groups(s, k, missing);
        missing = fmin(fmax(missing, -0.5), 0.5);
    }
}

static bert_status part(const strata *s, bool valid, bert_dataset **out, bert_err *err)
{
    const bert_dataset *d = s->d;
    uint32_t *rows = malloc(d->n * sizeof *rows);
    if (!rows)
        return fail_memory(err, "a part of a data set");
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++)
        if (s->valid[s->same.first[i]] == valid)
            rows[n++] = (uint32_t)i;
    bert_status status = n ? dataset_of_rows(d, rows, n, out, err)
                           : fail(err, BERT_ERR_DATA,
                                  "%s: %zu rows (%zu different) are too few to part them: none are left for %s",
                                  d->name ? d->name : "data set", d->n, s->n_groups, valid ? "validation" : "training");
    free(rows);
    return status;
}

bert_status bert_dataset_split(const bert_dataset *d, double share, uint64_t seed, bert_dataset **train,
                               bert_dataset **valid, bert_err *err)
{
    *train = *valid = NULL;
    if (!(share > 0 && share < 1))
        return fail(err, BERT_ERR_ARGUMENT, "a share of %g for validation: it must be above 0 and below 1",
                    plain_nan(share));
    strata s;
    bert_status status = strata_create(&s, d, seed, err);
    if (!status) {
        choose_valid(&s, share);
        status = part(&s, true, valid, err);
    }
    if (!status)
        status = part(&s, false, train, err);
    if (status) {
        bert_dataset_free(*valid);
        *valid = NULL;
    } else {
        (*train)->skipped = d->skipped;
    }
    same_rows_free(&s.same);
    arena_free(&s.memory);
    return status;
}

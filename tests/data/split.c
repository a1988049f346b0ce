/* Parting a data set: shares, equal texts, the seed, what is refused. */
#include "data/dataset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 4000 };

static char words[MOST][24], numbers[MOST][24];
static bert_text texts[MOST], labels[MOST];

static void set_row(size_t i, size_t text, size_t label)
{
    texts[i] = (bert_text){ words[i], (size_t)snprintf(words[i], sizeof words[i], "text %zu", text) };
    labels[i] = (bert_text){ numbers[i], (size_t)snprintf(numbers[i], sizeof numbers[i], "label %zu", label) };
}

static bert_dataset *make(const bert_text *pairs, size_t n)
{
    bert_dataset *d;
    assert_int_equal(bert_dataset_create(texts, pairs, labels, n, &d, NULL), BERT_OK);
    return d;
}

static size_t rows_with_label(const bert_dataset *d, const char *label)
{
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++)
        n += !strcmp(d->labels[d->label[i]], label);
    return n;
}

/* Each row of d is on one side, in its order, with its label and place. */
static void check_parts(const bert_dataset *d, const bert_dataset *train, const bert_dataset *valid)
{
    size_t at[2] = { 0 };
    assert_int_equal(train->n + valid->n, d->n);
    for (size_t i = 0; i < d->n; i++) {
        bool in_valid = at[1] < valid->n && valid->lines[at[1]] == d->lines[i];
        const bert_dataset *side = in_valid ? valid : train;
        size_t k = at[in_valid]++;
        assert_int_equal(side->lines[k], d->lines[i]);
        assert_int_equal(side->texts[k].size, d->texts[i].size);
        assert_memory_equal(side->texts[k].data, d->texts[i].data, d->texts[i].size);
        assert_int_equal(side->label_texts[k].size, d->label_texts[i].size);
        assert_memory_equal(side->label_texts[k].data, d->label_texts[i].data, d->label_texts[i].size);
        assert_string_equal(side->labels[side->label[k]], d->labels[d->label[i]]);
    }
}

static void each_label_gives_its_share(void **state)
{
    (void)state;
    enum { N = 1000 };
    for (size_t i = 0; i < N; i++)
        set_row(i, i, i < 700 ? 0 : i < 955 ? 1 : 2);
    bert_dataset *d = make(NULL, N), *train, *valid;
    assert_int_equal(bert_dataset_split(d, 0.1, 1, &train, &valid, NULL), BERT_OK);
    check_parts(d, train, valid);
    assert_int_equal(rows_with_label(valid, "label 0"), 70);
    assert_in_range(rows_with_label(valid, "label 1"), 25, 26);
    assert_in_range(rows_with_label(valid, "label 2"), 4, 5);
    assert_int_equal(valid->n, 100);
    bert_dataset_free(train);
    bert_dataset_free(valid);
    bert_dataset_free(d);
}

/* A tenth of four rows is none, yet a tenth of a hundred times four is forty. */
static void many_small_labels_give_their_share_together(void **state)
{
    (void)state;
    enum { LABELS = 100, EACH = 4 };
    for (size_t i = 0; i < LABELS * EACH; i++)
        set_row(i, i, i % LABELS);
    bert_dataset *d = make(NULL, LABELS * EACH), *train, *valid;
    assert_int_equal(bert_dataset_split(d, 0.1, 3, &train, &valid, NULL), BERT_OK);
    check_parts(d, train, valid);
    assert_int_equal(valid->n, 40);
    for (size_t k = 0; k < LABELS; k++)
        assert_in_range(rows_with_label(valid, d->labels[k]), 0, 1);
    bert_dataset_free(train);
    bert_dataset_free(valid);
    assert_int_equal(bert_dataset_split(d, 0.99, 3, &train, &valid, NULL), BERT_OK);
    assert_int_equal(train->n_labels, LABELS); /* training knows every label */
    bert_dataset_free(train);
    bert_dataset_free(valid);
    bert_dataset_free(d);
}

static bool holds(const bert_dataset *d, bert_text text)
{
    for (size_t i = 0; i < d->n; i++)
        if (d->texts[i].size == text.size && !memcmp(d->texts[i].data, text.data, text.size))
            return true;
    return false;
}

static void equal_texts_stay_on_one_side(void **state)
{
    (void)state;
    enum { N = 900 };
    for (size_t i = 0; i < N; i++)
        set_row(i, i * i % 331, i % 2);
    bert_dataset *d = make(NULL, N), *train, *valid;
    assert_int_equal(bert_dataset_split(d, 0.25, 9, &train, &valid, NULL), BERT_OK);
    check_parts(d, train, valid);
    for (size_t i = 0; i < valid->n; i++)
        assert_false(holds(train, valid->texts[i]));
    assert_in_range(valid->n, N / 4 - 6, N / 4 + 6);
    bert_dataset_free(train);
    bert_dataset_free(valid);
    bert_dataset_free(d);
}

/* Texts are equal where both of a pair are. */
static void a_pair_is_one_text(void **state)
{
    (void)state;
    enum { N = 40 };
    static const bert_text second[] = { { "x", 1 }, { "yz", 2 } };
    bert_text pairs[N];
    size_t apart = 0;
    for (size_t i = 0; i < N; i++) {
        set_row(i, i / 4, 0);
        pairs[i] = second[i / 2 % 2];
    }
    bert_dataset *d = make(pairs, N), *train, *valid;
    assert_int_equal(bert_dataset_split(d, 0.5, 4, &train, &valid, NULL), BERT_OK);
    check_parts(d, train, valid);
    assert_int_equal(valid->n, N / 2);
    for (size_t i = 0; i < valid->n; i++)
        apart += holds(train, valid->texts[i]); /* with the other second text */
    assert_true(apart > 0);
    for (size_t i = 0; i < valid->n; i += 2)
        assert_int_equal(valid->lines[i] + 1, valid->lines[i + 1]);
    bert_dataset_free(train);
    bert_dataset_free(valid);
    bert_dataset_free(d);
}

static void the_seed_decides(void **state)
{
    (void)state;
    enum { N = 200 };
    bert_dataset *train[3], *valid[3];
    for (size_t i = 0; i < N; i++)
        set_row(i, i, i % 3);
    bert_dataset *d = make(NULL, N);
    for (size_t k = 0; k < 3; k++)
        assert_int_equal(bert_dataset_split(d, 0.2, k / 2, &train[k], &valid[k], NULL), BERT_OK);
    assert_int_equal(valid[0]->n, valid[2]->n);
    assert_memory_equal(valid[0]->lines, valid[1]->lines, valid[0]->n * sizeof *valid[0]->lines);
    assert_memory_not_equal(valid[0]->lines, valid[2]->lines, valid[0]->n * sizeof *valid[0]->lines);
    for (size_t k = 0; k < 3; k++) {
        bert_dataset_free(train[k]);
        bert_dataset_free(valid[k]);
    }
    bert_dataset_free(d);
}

/* Pinned: a run can be made again only as long as its validation rows stay. */
static void the_parts_are_the_ones_they_always_were(void **state)
{
    (void)state;
    static const size_t expected[] = { 0, 5, 12, 15 };
    for (size_t i = 0; i < 20; i++)
        set_row(i, i, i % 2);
    bert_dataset *d = make(NULL, 20), *train, *valid;
    assert_int_equal(bert_dataset_split(d, 0.2, 42, &train, &valid, NULL), BERT_OK);
    assert_int_equal(valid->n, 4);
    assert_memory_equal(valid->lines, expected, sizeof expected);
    bert_dataset_free(train);
    bert_dataset_free(valid);
    bert_dataset_free(d);
}

static void numbers_that_occur_once_are_parted_and_rare_classes_are_not(void **state)
{
    (void)state;
    enum { N = 300 };
    bert_dataset *train, *valid;
    for (size_t i = 0; i < N; i++)
        set_row(i, i, i < 20 ? 0 : i);
    bert_dataset *d = make(NULL, N);
    assert_int_equal(bert_dataset_split(d, 0.1, 5, &train, &valid, NULL), BERT_OK);
    check_parts(d, train, valid);
    assert_int_equal(valid->n, N / 10);
    assert_int_equal(rows_with_label(valid, "label 0"), 2);
    bert_dataset_free(train);
    bert_dataset_free(valid);
    bert_dataset_free(d);
    for (size_t i = 0; i < N; i++) {
        set_row(i, i, i < 20 ? i : 20);
        labels[i] = (bert_text){ numbers[i] + 6, labels[i].size - 6 }; /* a number, yet few are the only ones */
    }
    d = make(NULL, N);
    assert_int_equal(bert_dataset_split(d, 0.1, 5, &train, &valid, NULL), BERT_OK);
    assert_int_equal(valid->n, 28);
    assert_int_equal(valid->n_labels, 1);
    bert_dataset_free(train);
    bert_dataset_free(valid);
    bert_dataset_free(d);
}

/* A fifth of the rows has tags that no other row has. */
static void tags_that_occur_once_are_parted(void **state)
{
    (void)state;
    enum { N = 500, ONCE = 100 };
    bert_dataset *train, *valid;
    for (size_t i = 0; i < N; i++)
        set_row(i, i, i < ONCE ? i : ONCE); /* "label 7" has a blank */
    bert_dataset *d = make(NULL, N);
    assert_int_equal(bert_dataset_split(d, 0.1, 5, &train, &valid, NULL), BERT_OK);
    check_parts(d, train, valid);
    assert_int_equal(valid->n, N / 10);
    assert_int_equal(valid->n - rows_with_label(valid, "label 100"), ONCE / 10);
    bert_dataset_free(train);
    bert_dataset_free(valid);
    for (size_t i = 0; i < N; i++)
        numbers[i][5] = '_'; /* and "label_7" is a class */
    bert_dataset_free(d);
    d = make(NULL, N);
    assert_int_equal(bert_dataset_split(d, 0.1, 5, &train, &valid, NULL), BERT_OK);
    assert_int_equal(rows_with_label(valid, "label_100"), valid->n);
    assert_int_equal(valid->n, (N - ONCE) / 10);
    bert_dataset_free(train);
    bert_dataset_free(valid);
    bert_dataset_free(d);
}

static void a_side_without_rows_is_refused(void **state)
{
    (void)state;
    static const struct {
        size_t n, different;
        double share;
        bert_status code;
        const char *message;
    } cases[] = {
        { 1, 1, 0.5, BERT_ERR_DATA,
          "data set: 1 rows (1 different) are too few to part them: none are left for training" },
        { 8, 1, 0.5, BERT_ERR_DATA,
          "data set: 8 rows (1 different) are too few to part them: none are left for training" },
        { 4, 4, 0.1, BERT_ERR_DATA,
          "data set: 4 rows (4 different) are too few to part them: none are left for validation" },
        { 4, 4, 0, BERT_ERR_ARGUMENT, "a share of 0 for validation: it must be above 0 and below 1" },
        { 4, 4, 1, BERT_ERR_ARGUMENT, "a share of 1 for validation: it must be above 0 and below 1" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bert_err err;
        for (size_t k = 0; k < cases[i].n; k++)
            set_row(k, k % cases[i].different, 0);
        bert_dataset *d = make(NULL, cases[i].n), *train, *valid;
        assert_int_equal(bert_dataset_split(d, cases[i].share, 1, &train, &valid, &err), cases[i].code);
        assert_string_equal(err.message, cases[i].message);
        assert_null(train);
        assert_null(valid);
        bert_dataset_free(d);
    }
}

/* STS-B's labels are numbers, many of which occur once: its parts must still be a tenth and the rest. */
static void a_real_regression_set_is_parted(void **state)
{
    (void)state;
    const char *set = getenv("BERT_SHARED");
    char path[4096];
    bert_table_options options;
    bert_dataset *d, *train, *valid;
    snprintf(path, sizeof path, "%s/data/sts-b/sts-train.tsv", set ? set : "../shared");
    if (access(path, R_OK)) {
        print_message("skipped: no %s\n", path);
        skip();
    }
    bert_table_defaults(&options);
    options.no_header = true;
    options.text_columns = "6,7";
    options.label_column = "5";
    assert_int_equal(bert_dataset_load(path, &options, &d, NULL), BERT_OK);
    assert_int_equal(bert_dataset_split(d, 0.1, 1, &train, &valid, NULL), BERT_OK);
    check_parts(d, train, valid);
    assert_in_range(valid->n, 555, 595);
    bert_dataset_free(train);
    bert_dataset_free(valid);
    bert_dataset_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_label_gives_its_share),
        cmocka_unit_test(many_small_labels_give_their_share_together),
        cmocka_unit_test(equal_texts_stay_on_one_side),
        cmocka_unit_test(a_pair_is_one_text),
        cmocka_unit_test(the_seed_decides),
        cmocka_unit_test(the_parts_are_the_ones_they_always_were),
        cmocka_unit_test(numbers_that_occur_once_are_parted_and_rare_classes_are_not),
        cmocka_unit_test(tags_that_occur_once_are_parted),
        cmocka_unit_test(a_side_without_rows_is_refused),
        cmocka_unit_test(a_real_regression_set_is_parted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

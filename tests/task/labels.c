/* From the labels of a data set to a head spec and to numbers: every kind of label, and every row that is wrong by its
 * place. */
#include "toy_model.h"

#include "base/buffer.h"
#include "task/label_words.h"
#include "task/targets.h"

#include <time.h>

enum { MOST = 8 };

/* A data set of up to MOST rows; `pair` is every row's second text. */
static bert_dataset *rows_of(const char *const *texts, const char *const *labels, size_t n, const char *pair)
{
    bert_err err;
    bert_dataset *d;
    bert_text t[MOST], p[MOST], l[MOST];
    for (size_t i = 0; i < n; i++) {
        t[i] = text_of(texts ? texts[i] : "a b");
        p[i] = text_of(pair ? pair : "");
        l[i] = text_of(labels[i]);
    }
    check(bert_dataset_create(t, pair ? p : NULL, l, n, &d, &err), &err);
    return d;
}

static bert_dataset *labelled(const char *const *labels, size_t n)
{
    return rows_of(NULL, labels, n, "c");
}

static bert_head_spec head_of(const bert_dataset *d, int id)
{
    bert_err err;
    bert_head_spec head;
    bert_head_defaults(&head);
    head.task = id;
    check(bert_head_of_dataset(&head, d, &err), &err);
    return head;
}

static void assert_labels(const bert_head_spec *head, int id, const char *const *expected, size_t n)
{
    assert_int_equal(head->task, id);
    assert_int_equal(head->n_labels, n);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(head->labels[i], expected[i]);
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

static void numbers_are_read_in_full_or_not_at_all(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is;
        double number;
    } CASES[] = {
        { "3", true, 3 },      { " -2.5 ", true, -2.5 },
        { "1e3", true, 1000 }, { "+.5", true, 0.5 },
        { "", false, 0 },      { " ", false, 0 },
        { "three", false, 0 }, { "3 4", false, 0 },
        { "nan", false, 0 },   { "inf", false, 0 },
        { "0x10", false, 0 },  { "1e999", false, 0 },
        { "3,5", false, 0 },   { "-", false, 0 },
        { "1e", false, 0 },    { "1234567890123456789012345678901234567890123456789012345678901234", false, 0 }
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        double number = 0;
        bool is = label_number(text_of(CASES[i].text), &number);
        if (is != CASES[i].is || (is && number != CASES[i].number))
            fail_msg("\"%s\" is read as %g (%d)", CASES[i].text, number, is);
    }
}

static void commas_and_blanks_divide(void **state)
{
    (void)state;
    static const struct {
        const char *list, *expected;
    } CASES[] = { { "", "" },
                  { "  ", "" },
                  { "a", "[a]" },
                  { "a,b", "[a][b]" },
                  { " a b , c\t", "[a b][c]" },
                  { "a,,b", "[a][][b]" },
                  { "a,", "[a][]" } };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char out[64] = "";
        bert_text label;
        for (size_t at = 0; label_next(text_of(CASES[i].list), &at, &label);)
            snprintf(out + strlen(out), sizeof out - strlen(out), "[%.*s]", (int)label.size, label.data);
        assert_string_equal(out, CASES[i].expected);
    }
    bert_text tag;
    size_t at = 0;
    assert_true(tag_next(text_of(" B-X  O"), &at, &tag) && tag.size == 3 && tag_is_one(tag));
    assert_true(tag_next(text_of(" B-X  O"), &at, &tag) && tag.size == 1 && tag_is_one(tag));
    assert_false(tag_next(text_of(" B-X  O"), &at, &tag));
    static const char *const NONE[] = { "B", "B-", "X-A", "o", "OO", "I" };
    for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++)
        assert_false(tag_is_one(text_of(NONE[i])));
}

/* ---- heads ------------------------------------------------------------------------------------------------------- */

static void auto_is_binary_for_no_and_yes_alone(void **state)
{
    (void)state;
    static const char *const TRUTHS[] = { "True", "FALSE", "true" }, *const ZERO_ONE[] = { "1", "0", "1" },
                             *const TWO[] = { "yes", "no" }, *const THREE[] = { "2", "0", "1" };
    bert_dataset *d = labelled(ZERO_ONE, 3);
    bert_head_spec head = head_of(d, BERT_TASK_AUTO);
    assert_labels(&head, BERT_TASK_BINARY, (const char *const[]){ "0", "1" }, 2);
    bert_dataset_free(d);
    d = labelled(TRUTHS, 3);
    head = head_of(d, BERT_TASK_AUTO);
    assert_labels(&head, BERT_TASK_BINARY, (const char *const[]){ "false", "true" }, 2);
    bert_dataset_free(d);
    d = labelled(TWO, 2);
    head = head_of(d, BERT_TASK_AUTO);
    assert_labels(&head, BERT_TASK_MULTICLASS, (const char *const[]){ "no", "yes" }, 2);
    head = head_of(d, BERT_TASK_BINARY); /* any two labels, if asked for */
    assert_labels(&head, BERT_TASK_BINARY, (const char *const[]){ "no", "yes" }, 2);
    bert_dataset_free(d);
    d = labelled(THREE, 3);
    head = head_of(d, BERT_TASK_AUTO);
    assert_labels(&head, BERT_TASK_MULTICLASS, (const char *const[]){ "0", "1", "2" }, 3);
    bert_dataset_free(d);
}

static void sets_of_labels_are_those_over_all_rows(void **state)
{
    (void)state;
    static const char *const LABELS[] = { "sad, angry", "", "happy", "angry,happy", " " };
    bert_dataset *d = labelled(LABELS, 5);
    bert_head_spec head = head_of(d, BERT_TASK_MULTILABEL);
    assert_labels(&head, BERT_TASK_MULTILABEL, (const char *const[]){ "angry", "happy", "sad" }, 3);
    bert_dataset_free(d);
}

static void tags_are_those_over_all_words(void **state)
{
    (void)state;
    static const char *const TEXTS[] = { "Ann went\thome", "", " so  what " }, *const LABELS[] = { "B-PER O O", "",
                                                                                                   "O I-PER" };
    bert_dataset *d = rows_of(TEXTS, LABELS, 3, NULL);
    bert_head_spec head = head_of(d, BERT_TASK_TOKENS);
    assert_labels(&head, BERT_TASK_TOKENS, (const char *const[]){ "B-PER", "I-PER", "O" }, 3);
    bert_dataset_free(d);
}

static void a_scale_is_that_of_the_rows_unless_given(void **state)
{
    (void)state;
    static const char *const LABELS[] = { "3", "-1.5", "2" };
    bert_err err;
    bert_dataset *d = labelled(LABELS, 3);
    bert_head_spec head = head_of(d, BERT_TASK_REGRESSION);
    assert_labels(&head, BERT_TASK_REGRESSION, NULL, 0);
    assert_true(head.label_min == -1.5 && head.label_max == 3);
    bert_head_defaults(&head);
    head.task = BERT_TASK_SIMILARITY;
    head.label_max = 5;
    check(bert_head_of_dataset(&head, d, &err), &err);
    assert_true(head.label_min == 0 && head.label_max == 5);
    bert_dataset_free(d);
}

/* Labels that the caller names stay as they are: another order, or one that these rows do not have. */
static void labels_that_are_given_stay(void **state)
{
    (void)state;
    static const char *const LABELS[] = { "b", "a" }, *const GIVEN[] = { "b", "c", "a" };
    bert_err err;
    bert_dataset *d = labelled(LABELS, 2);
    for (int id = BERT_TASK_MULTICLASS; id <= BERT_TASK_MULTILABEL; id++) {
        bert_head_spec head = toy_head(id, GIVEN, 3);
        check(bert_head_of_dataset(&head, d, &err), &err);
        assert_labels(&head, id, GIVEN, 3);
    }
    bert_dataset_free(d);
}

static void labels_that_do_not_suit_a_task_are_told_with_their_row(void **state)
{
    (void)state;
    static const struct {
        bert_task id;
        const char *labels[3];
        const char *words;
        bert_status code;
        double least, most; /* the scale that is given */
    } CASES[] = {
        { BERT_TASK_AUTO,
          { "1", "1", "1" },
          "task multiclass: every row has the label 1; a classifier needs at least two",
          BERT_ERR_DATA,
          0,
          0 },
        { BERT_TASK_BINARY,
          { "a", "b", "c" },
          "task binary: the labels are 3 (a, b, ...), expected two, the second one the positive",
          BERT_ERR_DATA,
          0,
          0 },
        { BERT_TASK_BINARY, { "1", "", "1" }, "row 1: the label is empty", BERT_ERR_DATA, 0, 0 },
        { BERT_TASK_MULTICLASS, { "a", "b", "" }, "row 2: the label is empty", BERT_ERR_DATA, 0, 0 },
        { BERT_TASK_MULTILABEL,
          { "a", "['a', 'b']", "c" },
          "row 1: label \"['a', 'b']\" is a list as Python writes it; labels stand with nothing but commas between "
          "them (--task multilabel)",
          BERT_ERR_DATA,
          0,
          0 },
        { BERT_TASK_AUTO,
          { "[deleted]", "[1, 0]", "c" },
          "row 1: label \"[1, 0]\" is a list as Python writes it; labels stand with nothing but commas between them "
          "(--task multilabel)",
          BERT_ERR_DATA,
          0,
          0 },
        { BERT_TASK_MULTILABEL, { "a", "a,,b", "c" }, "row 1: a label beside a comma is empty", BERT_ERR_DATA, 0, 0 },
        { BERT_TASK_MULTILABEL,
          { "1,0", "0,1", "1" },
          "task multilabel: the only labels are 0 and 1; a list of 0 and 1 for each label needs their names "
          "(--label-names)",
          BERT_ERR_DATA,
          0,
          0 },
        { BERT_TASK_MULTILABEL,
          { "a", "", "a" },
          "task multilabel: the only label is a; at least two are needed",
          BERT_ERR_DATA,
          0,
          0 },
        { BERT_TASK_REGRESSION, { "1", "two", "3" }, "row 1: label \"two\" is no number", BERT_ERR_DATA, 0, 0 },
        { BERT_TASK_REGRESSION, { "1", "2", "" }, "row 2: label \"\" is no number", BERT_ERR_DATA, 0, 0 },
        { BERT_TASK_REGRESSION,
          { "2", "2.0", "2" },
          "task regression: every row has the label 2; there is nothing to learn",
          BERT_ERR_DATA,
          0,
          0 },
        { BERT_TASK_SIMILARITY,
          { "0", "1", "2" },
          "task similarity: label_min 5 is not below label_max 5",
          BERT_ERR_ARGUMENT,
          5,
          5 },
        { BERT_TASK_REGRESSION,
          { "0", "1", "2" },
          "task regression: label_min 5 is not below label_max 1",
          BERT_ERR_ARGUMENT,
          5,
          1 },
        { BERT_TASK_TOKENS, { "O B-X", "O", "O O" }, "row 1: 1 tags for 2 words", BERT_ERR_DATA, 0, 0 },
        { BERT_TASK_TOKENS, { "O B-X", "O O O", "O O" }, "row 1: 3 tags for 2 words", BERT_ERR_DATA, 0, 0 },
        { BERT_TASK_TOKENS,
          { "O B-X", "O PER", "O O" },
          "row 1: \"PER\" is no tag: O, B-NAME or I-NAME is expected",
          BERT_ERR_DATA,
          0,
          0 },
        { BERT_TASK_TOKENS,
          { "O O", "O O", "O O" },
          "task tokens: every word has the tag O; at least two are needed",
          BERT_ERR_DATA,
          0,
          0 },
        { (bert_task)9, { "a", "b", "c" }, "task 9 is none of bert_task", BERT_ERR_ARGUMENT, 0, 0 },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_dataset *d = labelled(CASES[i].labels, 3);
        bert_head_spec head = toy_head((int)CASES[i].id, NULL, 0), before;
        head.label_min = CASES[i].least;
        head.label_max = CASES[i].most;
        before = head;
        assert_fails(bert_head_of_dataset(&head, d, err), CASES[i].code, CASES[i].words);
        assert_memory_equal(&head, &before, sizeof head);
        bert_dataset_free(d);
    }
    static const char *const NUMBERS[] = { "0", "1" };
    bert_dataset *single = rows_of(NULL, NUMBERS, 2, NULL);
    bert_head_spec head = toy_head(BERT_TASK_SIMILARITY, NULL, 0);
    assert_fails(bert_head_of_dataset(&head, single, err), BERT_ERR_DATA, "task similarity needs two texts a row");
    bert_dataset_free(single);
}

static void a_file_is_named_with_its_line(void **state)
{
    (void)state;
    bert_err e;
    bert_dataset *d;
    char words[512];
    const char *path = scratch("train.tsv"), *text = "text\tlabel\nso it is\tO O B-X\nbut why\tO O O\n";
    check(file_write_whole(path, text, strlen(text), &e), &e);
    check(bert_dataset_load(path, NULL, &d, &e), &e);
    bert_head_spec head = toy_head(BERT_TASK_TOKENS, NULL, 0);
    snprintf(words, sizeof words, "%s:3: 3 tags for 2 words", path);
    assert_fails(bert_head_of_dataset(&head, d, err), BERT_ERR_DATA, words);
    head = toy_head(BERT_TASK_REGRESSION, NULL, 0);
    snprintf(words, sizeof words, "%s:2: label \"O O B-X\" is no number", path);
    assert_fails(bert_head_of_dataset(&head, d, err), BERT_ERR_DATA, words);
    bert_dataset_free(d);
}

/* ---- targets ----------------------------------------------------------------------------------------------------- */

static const char *WORDS[] = { "a", "b", "c" }, *TAGS[] = { "O", "B-X", "I-X" };

static bert_status read_targets(targets *t, bert_task id, const bert_dataset *d, bert_err *err)
{
    bert_model m = { .labels = id == BERT_TASK_TOKENS ? TAGS : WORDS, .n_labels = 3, .label_min = 1, .label_max = 5 };
    return targets_create(t, task_by_id(id), &m, d, err);
}

static targets targets_of(bert_task id, const bert_dataset *d)
{
    bert_err err;
    targets t;
    check(read_targets(&t, id, d, &err), &err);
    assert_int_equal(t.n, bert_dataset_size(d));
    return t;
}

static void labels_become_the_numbers_that_losses_read(void **state)
{
    (void)state;
    static const char *const CLASSES[] = { "b", "a", "c" }, *const SETS[] = { "c,a", "", "b" },
                             *const NUMBERS[] = { "1", "4", "6" };
    static const float SET_VALUES[] = { 1, 0, 1, 0, 0, 0, 0, 1, 0 }, SCALED[] = { 0, 0.75f, 1.25f };
    static const int32_t IDS[] = { 1, 0, 2 };
    bert_dataset *d = labelled(CLASSES, 3);
    targets t = targets_of(BERT_TASK_MULTICLASS, d);
    assert_memory_equal(t.ids, IDS, sizeof IDS);
    assert_null(t.values);
    targets_free(&t);
    bert_dataset_free(d);
    d = labelled(SETS, 3);
    t = targets_of(BERT_TASK_MULTILABEL, d);
    assert_int_equal(t.width, 3);
    assert_memory_equal(t.values, SET_VALUES, sizeof SET_VALUES);
    targets_free(&t);
    bert_dataset_free(d);
    d = labelled(NUMBERS, 3);
    t = targets_of(BERT_TASK_REGRESSION, d);
    assert_int_equal(t.width, 1);
    assert_memory_equal(t.values, SCALED, sizeof SCALED);
    targets_free(&t);
    assert_null(t.values);
    bert_dataset_free(d);
}

static void a_row_that_the_model_cannot_read_is_named(void **state)
{
    (void)state;
    static const struct {
        bert_task id;
        const char *labels[2];
        const char *words;
    } CASES[] = {
        { BERT_TASK_MULTICLASS, { "a", "d" }, "row 1: label \"d\" is not one of the model's: a, b, c" },
        { BERT_TASK_MULTILABEL, { "a,b", "b,d" }, "row 1: label \"d\" is not one of the model's: a, b, c" },
        { BERT_TASK_MULTILABEL, { "a", "b,a, b" }, "row 1: label \"b\" is there twice" },
        { BERT_TASK_MULTILABEL, { "a,", "b" }, "row 0: a label beside a comma is empty" },
        { BERT_TASK_MULTICLASS, { "a", "" }, "row 1: the label is empty" },
        { BERT_TASK_REGRESSION, { "1", "x" }, "row 1: label \"x\" is no number" },
        { BERT_TASK_TOKENS, { "O O", "O B-Y" }, "row 1: label \"B-Y\" is not one of the model's: O, B-X, I-X" },
        { BERT_TASK_TOKENS, { "O", "O O" }, "row 0: 1 tags for 2 words" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_dataset *d = labelled(CASES[i].labels, 2);
        targets t;
        assert_fails(read_targets(&t, CASES[i].id, d, err), BERT_ERR_DATA, CASES[i].words);
        assert_null(t.ids);
        bert_dataset_free(d);
    }
}

static void rows_that_do_not_suit_are_left_out_and_counted(void **state)
{
    (void)state;
    static const struct {
        bert_task id;
        bool any; /* no labels are given */
        const char *labels[5];
        size_t left, first; /* rows that suit, the first of them */
    } CASES[] = {
        { BERT_TASK_MULTICLASS, false, { "d", "a", "", "b", "a,b" }, 2, 1 },
        { BERT_TASK_AUTO, true, { "", "a", "d", "b", "a,b" }, 4, 1 },
        { BERT_TASK_MULTILABEL, false, { "a,b", "b,d", "a,", "", "c" }, 3, 0 },
        { BERT_TASK_MULTILABEL, true, { "a,b", "b,d", "a,", "", "c" }, 4, 0 },
        { BERT_TASK_REGRESSION, true, { "x", "", "1", "nan", " 2.5 " }, 2, 2 },
        { BERT_TASK_SIMILARITY, true, { "x", "", "1", "nan", " 2.5 " }, 2, 2 },
        { BERT_TASK_TOKENS, false, { "O", "B-Y O", "B-X I-X", "O O O", "O O" }, 2, 2 },
        { BERT_TASK_TOKENS, true, { "O", "B-Y O", "PER O", "O O O", "O O" }, 2, 1 },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_err e;
        bert_dataset *d = labelled(CASES[i].labels, 5), *suited, *again;
        bert_head_spec head = { .task = (int)CASES[i].id,
                                .labels = CASES[i].id == BERT_TASK_TOKENS ? TAGS : WORDS,
                                .n_labels = 3 };
        head.n_labels = CASES[i].any ? 0 : 3;
        check(bert_dataset_suited(d, &head, &suited, &e), &e);
        assert_int_equal(bert_dataset_size(suited), CASES[i].left);
        assert_int_equal(bert_dataset_skipped(suited), 5 - CASES[i].left);
        assert_int_equal(suited->lines[0], CASES[i].first); /* places stay those of the file */
        check(bert_dataset_suited(suited, &head, &again, &e), &e);
        assert_true(bert_dataset_size(again) == CASES[i].left && bert_dataset_skipped(again) == 5 - CASES[i].left);
        bert_dataset_free(again);
        bert_dataset_free(suited);
        bert_dataset_free(d);
    }
}

static void a_data_set_of_which_no_row_suits_says_why(void **state)
{
    (void)state;
    static const char *const LABELS[] = { "x", "y" }, *const NUMBERS[] = { "1", "2" };
    bert_dataset *d = labelled(LABELS, 2), *suited;
    bert_head_spec head = { .task = BERT_TASK_MULTICLASS, .labels = WORDS, .n_labels = 3 };
    assert_fails(bert_dataset_suited(d, &head, &suited, err), BERT_ERR_DATA,
                 "no row suits task multiclass; the first: row 0: label \"x\" is not one of the model's: a, b, c");
    assert_null(suited);
    bert_dataset_free(d);
    d = rows_of(NULL, NUMBERS, 2, NULL);
    head = (bert_head_spec){ .task = BERT_TASK_SIMILARITY };
    assert_fails(bert_dataset_suited(d, &head, &suited, err), BERT_ERR_DATA,
                 "no row suits task similarity; the first: row 0: task similarity needs two texts");
    head.task = 77;
    assert_fails(bert_dataset_suited(d, &head, &suited, err), BERT_ERR_ARGUMENT, "task 77 is none of bert_task");
    bert_dataset_free(d);
}

static void a_second_text_of_blanks_is_none(void **state)
{
    (void)state;
    static const char *const NUMBERS[] = { "1", "2" }, *const BLANKS[] = { "", " \t\n " };
    bert_text texts[] = { text_of("a"), text_of("b") }, pairs[] = { text_of("c"), text_of("d") };
    bert_text labels[] = { text_of(NUMBERS[0]), text_of(NUMBERS[1]) };
    targets t;
    for (size_t i = 0; i < 2; i++) {
        bert_err e;
        bert_dataset *d;
        pairs[1] = text_of(BLANKS[i]);
        check(bert_dataset_create(texts, pairs, labels, 2, &d, &e), &e);
        assert_fails(read_targets(&t, BERT_TASK_SIMILARITY, d, err), BERT_ERR_DATA,
                     "row 1: task similarity needs two texts");
        t = targets_of(BERT_TASK_REGRESSION, d); /* there a pair may lack its second text */
        targets_free(&t);
        bert_dataset_free(d);
    }
    bert_dataset *single = rows_of(NULL, NUMBERS, 2, NULL);
    assert_fails(read_targets(&t, BERT_TASK_SIMILARITY, single, err), BERT_ERR_DATA,
                 "row 0: task similarity needs two texts");
    bert_dataset_free(single);
}

static void a_batch_has_the_targets_of_its_rows(void **state)
{
    (void)state;
    static const char *const SETS[] = { "c,a", "", "b" }, *const CLASSES[] = { "b", "a", "c" };
    static const uint32_t ROWS[] = { 2, 0 };
    bert_err err;
    arena a = { 0 };
    target_rows y;
    bert_dataset *d = labelled(SETS, 3);
    targets t = targets_of(BERT_TASK_MULTILABEL, d);
    check(targets_gather(&t, NULL, ROWS, 2, &y, &a, &err), &err);
    assert_true(y.n == 2 && y.width == 3 && !y.ids && !y.tokens && !y.words);
    assert_memory_equal(y.values, ((float[]){ 0, 1, 0, 1, 0, 1 }), 6 * sizeof(float));
    targets_free(&t);
    bert_dataset_free(d);
    d = labelled(CLASSES, 3);
    t = targets_of(BERT_TASK_MULTICLASS, d);
    check(targets_gather(&t, NULL, ROWS, 2, &y, &a, &err), &err);
    assert_true(y.n == 2 && !y.values && y.ids[0] == 2 && y.ids[1] == 1);
    targets_free(&t);
    bert_dataset_free(d);
    arena_free(&a);
}

/* Words of one letter are one token, of two letters two; a row of three tokens and more is cut. */
static void words_that_were_cut_off_have_no_target(void **state)
{
    (void)state;
    static const char *const TEXTS[] = { "ab c d", "e", "fgh i" }, *const LABELS[] = { "B-X I-X O", "B-X", "I-X O" };
    static const uint32_t ROWS[] = { 2, 0, 1 };
    bert_err err;
    arena a = { 0 };
    target_rows y;
    token_rows rows;
    char *vocabulary = toy_vocabulary();
    bert_tokenizer *tokenizer;
    check(bert_tokenizer_create(vocabulary, strlen(vocabulary), "toy", NULL, &tokenizer, &err), &err);
    bert_dataset *d = rows_of(TEXTS, LABELS, 3, NULL);
    targets t = targets_of(BERT_TASK_TOKENS, d);
    assert_memory_equal(t.start, ((size_t[]){ 0, 3, 4, 6 }), 4 * sizeof(size_t));
    assert_memory_equal(t.ids, ((int32_t[]){ 1, 2, 0, 1, 2, 0 }), 6 * sizeof(int32_t));
    check(token_rows_create(&rows, d, tokenizer, 5, ROW_WORDS, &err), &err);
    check(targets_gather(&t, &rows, ROWS, 3, &y, &a, &err), &err);
    /* [CLS] f ##g ##h [SEP], then [CLS] a ##b c [SEP], then [CLS] e [SEP] */
    assert_int_equal(y.n, 4);
    assert_memory_equal(y.ids, ((int32_t[]){ 2, 1, 2, 1 }), 4 * sizeof(int32_t));
    assert_memory_equal(y.tokens, ((int32_t[]){ 1, 6, 8, 11 }), 4 * sizeof(int32_t));
    assert_memory_equal(y.words, ((size_t[]){ 4, 0, 1, 3 }), 4 * sizeof(size_t));
    token_rows_free(&rows);
    targets_free(&t);
    bert_dataset_free(d);
    bert_tokenizer_free(tokenizer);
    arena_free(&a);
}

/* Looking at each of the others for every row would take minutes. */
static void a_hundred_thousand_labels_take_a_moment(void **state)
{
    (void)state;
    enum { N = 100000, IN_ROW = 1000 };
    bert_err err;
    bert_text *texts = arena_array(&golden_memory, N, sizeof *texts),
              *labels = arena_array(&golden_memory, N, sizeof *labels);
    bert_text *lists = arena_array(&golden_memory, N / IN_ROW, sizeof *lists);
    for (size_t i = 0; i < N; i++) {
        texts[i] = text_of("a b");
        labels[i] = text_of(arena_printf(&golden_memory, "label %zu", i * 7919 % N));
    }
    for (size_t i = 0; i < N / IN_ROW; i++) {
        buffer list = { 0 };
        for (size_t k = 0; k < IN_ROW; k++)
            buffer_printf(&list, "%s%s", k ? "," : "", labels[i * IN_ROW + k].data);
        lists[i] = text_of(arena_string(&golden_memory, list.data));
        buffer_free(&list);
    }
    clock_t began = clock();
    bert_dataset *single, *several;
    check(bert_dataset_create(texts, NULL, labels, N, &single, &err), &err);
    check(bert_dataset_create(texts, NULL, lists, N / IN_ROW, &several, &err), &err);
    bert_head_spec classes = head_of(several, BERT_TASK_MULTILABEL), class = head_of(single, BERT_TASK_MULTICLASS);
    assert_int_equal(classes.n_labels, N);
    assert_int_equal(class.n_labels, N);
    for (size_t i = 0; i < N; i++)
        assert_string_equal(classes.labels[i], class.labels[i]);
    bert_layer_spec spec;
    bert_layer_defaults(&spec);
    spec.module = toy_module("module", (toy){ 0 });
    spec.seq_len = 8;
    spec.pooling = BERT_POOLING_CLS;
    spec.n_tune_layers = 1;
    bert_model *model;
    targets t;
    check(bert_model_create(&spec, &class, 1, &model, &err), &err);
    check(targets_create(&t, task_by_id(BERT_TASK_MULTICLASS), model, single, &err), &err);
    for (size_t i = 0; i < N; i++)
        assert_string_equal(model->labels[t.ids[i]], labels[i].data);
    assert_true(clock() - began < 10 * CLOCKS_PER_SEC);
    targets_free(&t);
    bert_model_free(model);
    bert_dataset_free(single);
    bert_dataset_free(several);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_in_full_or_not_at_all),
        cmocka_unit_test(commas_and_blanks_divide),
        cmocka_unit_test(auto_is_binary_for_no_and_yes_alone),
        cmocka_unit_test(sets_of_labels_are_those_over_all_rows),
        cmocka_unit_test(tags_are_those_over_all_words),
        cmocka_unit_test(a_scale_is_that_of_the_rows_unless_given),
        cmocka_unit_test(labels_that_are_given_stay),
        cmocka_unit_test(labels_that_do_not_suit_a_task_are_told_with_their_row),
        in_a_folder(a_file_is_named_with_its_line),
        cmocka_unit_test(labels_become_the_numbers_that_losses_read),
        cmocka_unit_test(a_row_that_the_model_cannot_read_is_named),
        cmocka_unit_test(rows_that_do_not_suit_are_left_out_and_counted),
        cmocka_unit_test(a_data_set_of_which_no_row_suits_says_why),
        cmocka_unit_test(a_second_text_of_blanks_is_none),
        cmocka_unit_test(a_batch_has_the_targets_of_its_rows),
        cmocka_unit_test(words_that_were_cut_off_have_no_target),
        in_a_folder(a_hundred_thousand_labels_take_a_moment),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}

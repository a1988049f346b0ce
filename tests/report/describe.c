/* The summary of a data set: every number that it shows, for each kind of task, as text and as JSON. */
#include "data/dataset.h"
#include "formats/json.h"
#include "task/tasks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char VOCABULARY[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\nc\n##a\n##b\n##c\n";

enum { MOST = 64, SEQ_LEN = 8 };

/* A model of which a summary reads the task, the sequence length and the tokenizer. */
typedef struct toy {
    bert_module module;
    bert_layer layer;
    bert_model model;
} toy;

static void toy_begin(toy *t, bert_task id, const char **labels, size_t n_labels)
{
    const task *kind = task_by_id(id);
    memset(t, 0, sizeof *t);
    assert_int_equal(
        bert_tokenizer_create(VOCABULARY, sizeof VOCABULARY - 1, "vocabulary", NULL, &t->module.tokenizer, NULL),
        BERT_OK);
    t->layer.spec.seq_len = SEQ_LEN;
    t->layer.spec.pooling = kind->form == ROW_WORDS ? BERT_POOLING_NONE : BERT_POOLING_MEAN;
    t->layer.module = &t->module;
    t->model = (bert_model){
        .module = &t->module, .layer = &t->layer, .task = id, .labels = labels, .n_labels = n_labels, .label_max = 1
    };
    t->model.outputs = task_outputs(kind, n_labels);
}

/* One row: text, second text (NULL: none), label. */
typedef struct row {
    const char *text, *pair, *label;
} row;

static bert_dataset *make(const row *rows, size_t n)
{
    bert_text texts[MOST], pairs[MOST], labels[MOST];
    bert_dataset *d;
    for (size_t i = 0; i < n; i++) {
        texts[i] = (bert_text){ rows[i].text, strlen(rows[i].text) };
        pairs[i] = (bert_text){ rows[i].pair, rows[i].pair ? strlen(rows[i].pair) : 0 };
        labels[i] = (bert_text){ rows[i].label, strlen(rows[i].label) };
    }
    assert_int_equal(bert_dataset_create(texts, rows[0].pair ? pairs : NULL, labels, n, &d, NULL), BERT_OK);
    return d;
}

#define ROWS(rows) rows, sizeof(rows) / sizeof *(rows)

/* Both forms of the summary of these rows. */
static void describe(bert_task id, const char **labels, size_t n_labels, const row *train, size_t n_train,
                     const row *valid, size_t n_valid, char **text, json_t **json)
{
    toy t;
    bert_err err = { 0 };
    char *members;
    toy_begin(&t, id, labels, n_labels);
    bert_dataset *first = make(train, n_train), *second = n_valid ? make(valid, n_valid) : NULL;
    first->skipped = 3;
    assert_int_equal(bert_dataset_describe(first, second, &t.model, false, text, &err), BERT_OK);
    assert_int_equal(bert_dataset_describe(first, second, &t.model, true, &members, &err), BERT_OK);
    assert_int_equal(json_read_bytes(json, members, strlen(members), "summary", &err), BERT_OK);
    bert_free(members);
    bert_dataset_free(first);
    bert_dataset_free(second);
    bert_tokenizer_free(t.module.tokenizer);
}

/* The number at a path of keys, "train/tokens/max". */
static double number(const json_t *json, const char *path)
{
    char key[32];
    while (*path) {
        size_t n = strcspn(path, "/");
        snprintf(key, sizeof key, "%.*s", (int)n, path);
        json = json_is_array(json) ? json_array_get(json, (size_t)atoi(key)) : json_object_get(json, key);
        path += n + (path[n] == '/');
    }
    assert_true(json_is_number(json));
    return json_number_value(json);
}

static void a_classifier_sees_labels_lengths_and_what_is_odd(void **state)
{
    (void)state;
    static const row train[] = {
        /* twice, with two labels */
        { "a b c", NULL, "ham" }, { "a", NULL, "ham" },  { "a b c", NULL, "spam" },
        { "a b c", NULL, "ham" }, { " ", NULL, "spam" }, { "a b c a b c a b c", NULL, "ham" },     /* 11 tokens */
        { "c", NULL, "eggs" },    { "b", NULL, "ham" },  { "a a a a a a a a a a a", NULL, "ham" }, /* 13 tokens */
    };
    static const row valid[] = { { "a b c", NULL, "ham" }, { "c c", NULL, "bacon" }, { "a", NULL, "spam" } };
    const char *labels[] = { "eggs", "ham", "spam" };
    char *text;
    json_t *json;
    describe(BERT_TASK_MULTICLASS, labels, 3, ROWS(train), ROWS(valid), &text, &json);
    assert_string_equal(text, "data                                         train             valid\n"
                              "rows                                             9                 3\n"
                              "wrong rows left out                              3                 0\n"
                              "rows with an empty text                          1                 0\n"
                              "rows twice                                       2                 0\n"
                              "texts of several labels                          1                 0\n"
                              "rows that train has, too                                           2\n"
                              "label ham                               6   66.7 %        1   33.3 %\n"
                              "label spam                              2   22.2 %        1   33.3 %\n"
                              "label eggs                              1   11.1 %        0    0.0 %\n"
                              "tokens of a row\n"
                              "  least                                          2                 3\n"
                              "  median                                         5                 4\n"
                              "  mean                                         5.6               4.0\n"
                              "  95 % have at most                             13                 5\n"
                              "  most                                          13                 5\n"
                              "  cut at seq_len 8                      2   22.2 %        0    0.0 %\n"
                              "1 to 8|9 to 12, more                 ▃█ █   |  ▃ ▃      ███   |     \n");
    assert_string_equal(json_string_value(json_object_get(json, "task")), "multiclass");
    static const struct {
        const char *path;
        double value;
    } numbers[] = {
        { "seq_len", SEQ_LEN },
        { "train/rows", 9 },
        { "train/skipped", 3 },
        { "train/empty", 1 },
        { "train/twice", 2 },
        { "train/several_labels", 1 },
        { "train/labels/0/n", 6 },
        { "train/labels/2/n", 1 },
        { "train/tokens/min", 2 },
        { "train/tokens/median", 5 },
        { "train/tokens/p95", 13 },
        { "train/tokens/max", 13 },
        { "train/tokens/cut", 2 },
        { "train/tokens/histogram/1/rows", 1 },
        { "train/tokens/histogram/4/rows", 3 },
        { "train/tokens/histogram/12/rows", 1 },
        { "train/tokens/histogram/7/to", 8 },
        { "valid/in_train", 2 },
        { "valid/rows", 3 },
        { "valid/tokens/max", 5 },
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_float_equal(number(json, numbers[i].path), numbers[i].value, 0);
    assert_float_equal(number(json, "train/labels/0/share"), 6.0 / 9, 1e-8);
    assert_float_equal(number(json, "train/tokens/mean"), 50.0 / 9, 1e-8);
    assert_int_equal(json_array_size(json_object_get(json, "notes")),
                     0); /* training has notes of its own on "eggs" and "bacon" */
    bert_free(text);
    json_decref(json);
}

static void numbers_have_a_range_and_pairs_the_longer_length(void **state)
{
    (void)state;
    static const row train[] = {
        { "a", "b c a b c a b c", "0.5" }, { "a b", "b", "2" }, { "", "b", "-1" }, { "a", "", "x" }
    };
    char *text;
    json_t *json;
    describe(BERT_TASK_SIMILARITY, NULL, 0, ROWS(train), NULL, 0, &text, &json);
    assert_non_null(strstr(text, "rows with an empty text                          2\n"
                                 "label, least                                    -1\n"
                                 "label, mean                                    0.5\n"
                                 "label, largest                                   2\n"
                                 "tokens of a row\n"
                                 "  least                                          3\n"
                                 "  median                                         3\n"
                                 "  mean                                         5.0\n"));
    assert_non_null(strstr(text, "note: train: 1 labels are no numbers\n"));
    assert_null(strstr(text, "valid"));
    assert_null(json_object_get(json, "valid"));
    assert_float_equal(number(json, "train/numbers/min"), -1, 0);
    assert_float_equal(number(json, "train/numbers/mean"), 0.5, 0);
    assert_float_equal(number(json, "train/numbers/max"), 2, 0);
    assert_float_equal(number(json, "train/tokens/max"), 10, 0);
    assert_float_equal(number(json, "train/tokens/cut"), 1, 0);
    bert_free(text);
    json_decref(json);
    describe(BERT_TASK_REGRESSION, NULL, 0, ROWS(train), NULL, 0, &text, &json);
    assert_float_equal(number(json, "train/tokens/max"), 12, 0);
    assert_float_equal(number(json, "train/empty"), 2, 0);
    bert_free(text);
    json_decref(json);
}

static void several_labels_and_tags_are_counted_one_by_one(void **state)
{
    (void)state;
    static const row many[] = { { "a", NULL, "x,y" }, { "b", NULL, "" }, { "c", NULL, "y" }, { "a b", NULL, "x, y" } };
    static const row tags[] = { { "a b c", NULL, "O B-LOC O" }, { "a b", NULL, "O O" } };
    static const row unseen[] = { { "a", NULL, "B-PER" }, { "b", NULL, "B-PER" } };
    const char *labels[] = { "x", "y" }, *tag_labels[] = { "B-LOC", "O" };
    char *text;
    json_t *json;
    describe(BERT_TASK_MULTILABEL, labels, 2, ROWS(many), NULL, 0, &text, &json);
    assert_non_null(strstr(text, "rows without a label                             1\n"
                                 "label y                                 3   75.0 %\n"
                                 "label x                                 2   50.0 %\n"));
    assert_float_equal(number(json, "train/unlabelled"), 1, 0);
    bert_free(text);
    json_decref(json);
    describe(BERT_TASK_TOKENS, tag_labels, 2, ROWS(tags), ROWS(unseen), &text, &json);
    assert_non_null(strstr(text, "tag O                                   4   80.0 %        0    0.0 %\n"
                                 "tag B-LOC                               1   20.0 %        0    0.0 %\n"));
    assert_non_null(strstr(text, "note: valid: all labels are equal\n"));
    bert_free(text);
    json_decref(json);
}

static void many_labels_are_cut_short_for_people_alone(void **state)
{
    (void)state;
    static char names[50][8];
    row rows[50];
    const char *labels[50];
    char *text;
    json_t *json;
    for (size_t i = 0; i < 50; i++) {
        snprintf(names[i], sizeof names[i], "L%02zu", i);
        labels[i] = names[i];
        rows[i] = (row){ "a", NULL, names[i] };
    }
    describe(BERT_TASK_MULTICLASS, labels, 50, rows, 50, NULL, 0, &text, &json);
    assert_non_null(strstr(text, "label L19                               1    2.0 %\n... 30 more\n"));
    assert_int_equal(json_array_size(json_object_get(json_object_get(json, "train"), "labels")), 50);
    bert_free(text);
    json_decref(json);
}

static void odd_names_upset_neither_terminal_nor_json(void **state)
{
    (void)state;
    static const row rows[] = {
        { "a", NULL, "\x1b[2J\xff" },
        { "b", NULL, "\x1b[2J\xff" },
        { "c", NULL, "Größe, die länger ist als ihre Spalte" },
        { "a b", NULL, "" },
    };
    const char *labels[] = { "x", "y" };
    char *text;
    json_t *json;
    describe(BERT_TASK_MULTICLASS, labels, 2, ROWS(rows), NULL, 0, &text, &json);
    assert_non_null(strstr(text, "label ?[2J?                             2   50.0 %\n"
                                 "label (none)                            1   25.0 %\n"
                                 "label Größe, die länger ist ...         1   25.0 %\n"));
    const json_t *first = json_array_get(json_object_get(json_object_get(json, "train"), "labels"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "label")), "\x1b[2J");
    bert_free(text);
    json_decref(json);
}

static void equal_labels_are_noted(void **state)
{
    (void)state;
    static const row words[] = { { "a", NULL, "0" }, { "b", NULL, "0" } },
                     numbers[] = { { "a", NULL, "2.50" }, { "b", NULL, "2.5" } };
    const char *labels[] = { "0", "1" };
    char *text;
    json_t *json;
    describe(BERT_TASK_BINARY, labels, 2, ROWS(words), ROWS(words), &text, &json);
    assert_non_null(strstr(text, "note: valid: all labels are equal\n"));
    assert_null(strstr(text, "note: train")); /* training says so itself */
    bert_free(text);
    json_decref(json);
    describe(BERT_TASK_REGRESSION, NULL, 0, ROWS(numbers), NULL, 0, &text, &json);
    assert_non_null(strstr(text, "note: train: all labels are equal\n"));
    bert_free(text);
    json_decref(json);
}

static void what_the_task_cannot_read_is_an_error(void **state)
{
    (void)state;
    static const row rows[] = { { "a", NULL, "1" }, { "b", NULL, "0" } };
    toy t;
    bert_err err;
    char *out = NULL;
    bert_dataset *d = make(ROWS(rows));
    toy_begin(&t, BERT_TASK_SIMILARITY, NULL, 0);
    assert_int_equal(bert_dataset_describe(d, NULL, &t.model, false, &out, &err), BERT_ERR_DATA);
    assert_string_equal(err.message, "row 0: task similarity needs two texts");
    assert_null(out);
    t.model.task = BERT_TASK_AUTO;
    assert_int_equal(bert_dataset_describe(d, d, &t.model, true, &out, &err), BERT_ERR_ARGUMENT);
    assert_string_equal(err.message, "the model has no head");
    bert_dataset_free(d);
    bert_tokenizer_free(t.module.tokenizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_classifier_sees_labels_lengths_and_what_is_odd),
        cmocka_unit_test(numbers_have_a_range_and_pairs_the_longer_length),
        cmocka_unit_test(several_labels_and_tags_are_counted_one_by_one),
        cmocka_unit_test(many_labels_are_cut_short_for_people_alone),
        cmocka_unit_test(odd_names_upset_neither_terminal_nor_json),
        cmocka_unit_test(equal_labels_are_noted),
        cmocka_unit_test(what_the_task_cannot_read_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

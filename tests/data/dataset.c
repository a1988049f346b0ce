/* Data sets: rows from files and from memory, the order of labels, what is refused. */
#include "base/label_word.h"
#include "base/scratch.h"
#include "data/dataset.h"
#include "data/labels.h"

#define TEXT(literal)               \
    {                               \
        literal, sizeof literal - 1 \
    }

static void write_file(const char *name, const char *content)
{
    assert_int_equal(file_write_whole(name, content, strlen(content), NULL), BERT_OK);
}

static void assert_text(bert_text text, const char *expected)
{
    assert_int_equal(text.size, strlen(expected));
    assert_memory_equal(text.data, expected, text.size);
}

static void a_file_becomes_a_data_set(void **state)
{
    (void)state;
    bert_table_options options;
    bert_dataset *d;
    const char *const *labels;
    char place[DATASET_PLACE];
    bert_table_defaults(&options);
    options.text_columns = "a,b";
    write_file("train.tsv", "a\tb\tlabel\nx\ty\t1\nxx\t\t0\nxxx\tz\t1\n");
    assert_int_equal(bert_dataset_load("train.tsv", &options, &d, NULL), BERT_OK);
    assert_int_equal(bert_dataset_size(d), 3);
    assert_text(d->texts[2], "xxx");
    assert_text(d->pairs[0], "y");
    assert_text(d->pairs[1], "");
    assert_int_equal(bert_dataset_labels(d, &labels), 2);
    assert_string_equal(labels[0], "0");
    assert_string_equal(labels[1], "1");
    assert_int_equal(d->label[0], 1);
    assert_int_equal(d->label[1], 0);
    assert_int_equal(d->label[2], 1);
    assert_string_equal(dataset_place(d, 2, place), "train.tsv:4");
    bert_dataset_free(d);
}

static void a_data_set_copies_what_it_is_made_from(void **state)
{
    (void)state;
    char first[] = "one", label[] = "b";
    const bert_text texts[] = { { first, 3 }, TEXT("t\0o") }, labels[] = { { label, 1 }, TEXT("a") };
    char place[DATASET_PLACE];
    bert_dataset *d;
    assert_int_equal(bert_dataset_create(texts, NULL, labels, 2, &d, NULL), BERT_OK);
    memset(first, '?', 3);
    memset(label, '?', 1);
    assert_text(d->texts[0], "one");
    assert_int_equal(d->texts[1].size, 3);
    assert_memory_equal(d->texts[1].data, "t\0o", 3);
    assert_null(d->pairs);
    assert_string_equal(d->labels[d->label[0]], "b");
    assert_string_equal(dataset_place(d, 1, place), "row 1");
    bert_dataset_free(d);
}

static void check_label_order(const char *const *given, size_t n, const char *const *expected, size_t n_expected)
{
    bert_text labels[16], texts[16];
    bert_dataset *d;
    for (size_t i = 0; i < n; i++) {
        labels[i] = (bert_text){ given[i], strlen(given[i]) };
        texts[i] = (bert_text){ "x", 1 };
    }
    assert_int_equal(bert_dataset_create(texts, NULL, labels, n, &d, NULL), BERT_OK);
    assert_int_equal(d->n_labels, n_expected);
    for (size_t i = 0; i < n_expected; i++)
        assert_string_equal(d->labels[i], expected[i]);
    for (size_t i = 0; i < n; i++)
        assert_text(label_word(labels[i]), d->labels[d->label[i]]);
    bert_dataset_free(d);
}

static void whole_numbers_are_ordered_by_value_and_words_by_their_bytes(void **state)
{
    (void)state;
    const char *const numbers[] = { "10", "9", "-2", "9", "+3", "0", "10" }, *const by_value[] = { "-2", "0", "3", "9",
                                                                                                   "10" };
    const char *const words[] = { "b", "a", "10", "9", "ab", "B", "\xc3\xa9" }, *const by_bytes[] = {
        "10", "9", "B", "a", "ab", "b", "\xc3\xa9"
    };
    const char *const reals[] = { "10.5", "9", "10" }, *const as_words[] = { "10", "10.5", "9" };
    const char *const zeros[] = { "1", "01", "1" }, *const both[] = { "01", "1" };
    check_label_order(numbers, 7, by_value, 5);
    check_label_order(words, 7, by_bytes, 7);
    check_label_order(reals, 3, as_words, 3);
    check_label_order(zeros, 3, both, 2);
}

static void a_label_is_the_same_word_in_every_spelling(void **state)
{
    (void)state;
    static const char *const SAME[][2] = {
        { " pos\t", "pos" },  { "1.0", "1" },    { " 1 ", "1" },     { "+1", "1" },       { "-3.000", "-3" },
        { "0.0", "0" },       { "-0", "0" },     { "True", "true" }, { "TRUE ", "true" }, { "true", "true" },
        { "False", "false" }, { "10.00", "10" }, { " ", "" },        { "a b", "a b" },    { "01", "01" },
        { "1_0", "1_0" },     { "1.", "1." },    { "1e0", "1e0" },   { "1.5", "1.5" },    { "1.10", "1.10" },
        { "tRUE", "tRUE" },   { "-", "-" },      { "00.0", "00.0" }, { "", "" },
    };
    for (size_t i = 0; i < sizeof SAME / sizeof *SAME; i++)
        assert_text(label_word((bert_text){ SAME[i][0], strlen(SAME[i][0]) }), SAME[i][1]);
}

/* The label of the same row, whatever the format; and of a model that an older libbert trained. */
static void every_format_gives_the_same_labels(void **state)
{
    (void)state;
    static const char *const FILES[][2] = {
        { "a.csv", "text,label\nx,1.0\ny, True \nz,no\n" },
        { "a.tsv", "text\tlabel\nx\t1\ny\tTRUE\nz\t no\n" },
        { "a.jsonl", "{\"text\": \"x\", \"label\": 1}\n{\"text\": \"y\", \"label\": true}\n{\"text\": \"z\", "
                     "\"label\": \"no \"}\n" },
        { "b.jsonl", "{\"text\": \"x\", \"label\": 1.0}\n{\"text\": \"y\", \"label\": \"True\"}\n{\"text\": \"z\", "
                     "\"label\": [\"no\"]}\n" },
    };
    static const char *const OLD[] = { "1.0", "True", "no" };
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        bert_dataset *d;
        label_index old;
        write_file(FILES[i][0], FILES[i][1]);
        assert_int_equal(bert_dataset_load(FILES[i][0], NULL, &d, NULL), BERT_OK);
        assert_text(d->label_texts[0], "1");
        assert_text(d->label_texts[1], "true");
        assert_text(d->label_texts[2], "no");
        assert_int_equal(label_index_create(&old, OLD, 3, NULL), BERT_OK);
        for (int32_t k = 0; k < 3; k++)
            assert_int_equal(label_place(&old, d->label_texts[k]), k);
        label_index_free(&old);
        bert_dataset_free(d);
    }
    label_index both;
    assert_int_equal(label_index_create(&both, (const char *const[]){ "1.0", "1", "1.00" }, 3, NULL), BERT_OK);
    assert_int_equal(label_place(&both, (bert_text)TEXT("1")), 1); /* what is written so goes first */
    assert_int_equal(label_place(&both, (bert_text)TEXT("1.00")), 2);
    assert_int_equal(label_place(&both, (bert_text)TEXT("2")), -1);
    label_index_free(&both);
}

static void many_rows_keep_their_order(void **state)
{
    (void)state;
    enum { N = 20000 };
    FILE *f = fopen("many.tsv", "w");
    assert_non_null(f);
    fprintf(f, "text\tlabel\n");
    for (int i = 0; i < N; i++)
        fprintf(f, "text %d\t%d\n", i, i * 7 % 1000);
    fclose(f);
    bert_dataset *d;
    assert_int_equal(bert_dataset_load("many.tsv", NULL, &d, NULL), BERT_OK);
    assert_int_equal(d->n, N);
    assert_int_equal(d->n_labels, 1000);
    for (int i = 0; i < N; i++) {
        char text[32];
        snprintf(text, sizeof text, "text %d", i);
        assert_text(d->texts[i], text);
        assert_int_equal(d->label[i], i * 7 % 1000);
        assert_int_equal(d->lines[i], i + 2);
    }
    bert_dataset_free(d);
}

static void bad_tables_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *file, *content;
        bert_status code;
        const char *message;
    } cases[] = {
        { "empty.tsv", "", BERT_ERR_DATA, "empty.tsv: no rows" },
        { "empty.txt", "", BERT_ERR_DATA, "empty.txt: no column \"label\"; it has 1, 2 (choose with --label-column)" },
        { "empty.jsonl", "", BERT_ERR_DATA, "empty.jsonl: no rows" },
        { "header.csv", "text,label\n", BERT_ERR_DATA, "header.csv: no rows" },
        { "a.tsv", "text\tlabel\n\t1\n \t\n", BERT_ERR_DATA, "a.tsv: every text is empty" },
        { "a.tsv", "text\tlabel\nx\t1\ny\n", BERT_ERR_DATA, "a.tsv:3: columns: 1, the header has 2" },
        { "a.tsv", "text\tclass\nx\t1\n", BERT_ERR_DATA,
          "a.tsv: no column \"label\"; it has text, class (choose with --label-column)" },
        { "a.jsonl", "{\"text\": \"x\", \"label\": \"a\\u0000\"}\n", BERT_ERR_DATA,
          "a.jsonl:1: the label holds a NUL" },
        { "absent.tsv", NULL, BERT_ERR_IO, "absent.tsv: cannot open: No such file or directory" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bert_err err = { 0 };
        bert_dataset *d = (void *)&err; /* no data set, but not NULL */
        if (cases[i].content)
            write_file(cases[i].file, cases[i].content);
        assert_int_equal(bert_dataset_load(cases[i].file, NULL, &d, &err), cases[i].code);
        assert_string_equal(err.message, cases[i].message);
        assert_null(d);
        assert_int_equal(bert_dataset_load(cases[i].file, NULL, &d, NULL), cases[i].code);
    }
}

static void bad_rows_in_memory_are_refused(void **state)
{
    (void)state;
    const bert_text texts[] = { TEXT("a"), TEXT("b") }, labels[] = { TEXT("1"), TEXT("\0") },
                    blanks[] = { TEXT(" "), TEXT("") };
    bert_dataset *d;
    bert_err err;
    assert_int_equal(bert_dataset_create(texts, texts, labels, 2, &d, &err), BERT_ERR_DATA);
    assert_string_equal(err.message, "row 1: the label holds a NUL");
    assert_null(d);
    assert_int_equal(bert_dataset_create(texts, NULL, labels, 0, &d, &err), BERT_ERR_DATA);
    assert_string_equal(err.message, "data set: no rows");
    assert_int_equal(bert_dataset_create(texts, NULL, NULL, 2, &d, &err), BERT_ERR_ARGUMENT);
    assert_string_equal(err.message, "data set: labels are missing");
    assert_int_equal(bert_dataset_create(blanks, texts, labels, 2, &d, &err), BERT_ERR_DATA);
    assert_string_equal(err.message, "data set: every text is empty");
    bert_dataset_free(NULL);
}

/* An empty label is a multilabel row's without labels; whether the task has such rows it says itself. */
static void labels_are_kept_as_they_are_written(void **state)
{
    (void)state;
    const bert_text texts[] = { TEXT("a"), TEXT("b"), TEXT("c") }, labels[] = { TEXT("x,y"), TEXT(""), TEXT("x") };
    bert_dataset *d;
    assert_int_equal(bert_dataset_create(texts, NULL, labels, 3, &d, NULL), BERT_OK);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(d->label_texts[i].size, labels[i].size);
        assert_memory_equal(d->label_texts[i].data, labels[i].data, labels[i].size);
        assert_ptr_equal(d->label_texts[i].data, d->labels[d->label[i]]);
    }
    assert_int_equal(d->n_labels, 3);
    assert_string_equal(d->labels[0], "");
    bert_dataset_free(d);
}

/* A second column that nobody asked for, and that has no text, is as if it were not there. */
static void a_second_column_without_texts_is_none_or_wrong(void **state)
{
    (void)state;
    bert_table_options options;
    bert_dataset *d;
    bert_err err;
    bert_table_defaults(&options);
    write_file("p.tsv", "text\ttext_pair\tlabel\na\t\t1\nb\t \t0\n");
    assert_int_equal(bert_dataset_load("p.tsv", &options, &d, NULL), BERT_OK);
    assert_null(d->pairs);
    bert_dataset_free(d);
    options.text_columns = "text,text_pair";
    assert_int_equal(bert_dataset_load("p.tsv", &options, &d, &err), BERT_ERR_DATA);
    assert_string_equal(err.message, "p.tsv: every second text is empty");
    assert_null(d);
}

static void rows_left_out_are_counted(void **state)
{
    (void)state;
    bert_table_options options;
    bert_dataset *d;
    bert_err err;
    bert_table_defaults(&options);
    options.skip_bad_rows = true;
    write_file("s.tsv", "text\tlabel\na\t1\nb\n\nc\t0\n");
    assert_int_equal(bert_dataset_load("s.tsv", &options, &d, NULL), BERT_OK);
    assert_int_equal(d->n, 2);
    assert_int_equal(d->lines[1], 5);
    assert_int_equal(bert_dataset_skipped(d), 1);
    assert_string_equal(bert_dataset_note(d, 0), "s.tsv: 1 empty line is no row");
    assert_string_equal(
        bert_dataset_note(d, 1),
        "s.tsv: 1 wrong row was left out (--skip-bad-rows); the first: s.tsv:3: columns: 1, the header has 2");
    assert_null(bert_dataset_note(d, 2));
    bert_dataset_free(d);
    write_file("s.tsv", "text\tlabel\na\nb\n");
    assert_int_equal(bert_dataset_load("s.tsv", &options, &d, &err), BERT_ERR_DATA);
    assert_string_equal(err.message, "s.tsv: no rows: all 2 were wrong and left out (--skip-bad-rows); the first: "
                                     "s.tsv:2: columns: 1, the header has 2");
}

static void hash_of(const char *file, unsigned char hash[32])
{
    bert_dataset *d;
    bert_table_options options;
    bert_table_defaults(&options);
    options.no_header = true;
    options.text_columns = "1,2";
    options.label_column = "3";
    assert_int_equal(bert_dataset_load(file, &options, &d, NULL), BERT_OK);
    dataset_hash(d, hash);
    bert_dataset_free(d);
}

/* Pinned: a cache is found again only as long as the hash stays. */
static void the_hash_knows_every_text_pair_and_label(void **state)
{
    (void)state;
    static const char *const tables[] = { "ab\tc\t0\nd\te\t1\n", "a\tbc\t0\nd\te\t1\n", "ab\tc\t1\nd\te\t1\n",
                                          "d\te\t1\nab\tc\t0\n", "ab\tc\t0\n" };
    static const unsigned char first[] = { 0xee, 0xe5, 0x0c, 0x8d, 0x34, 0x1b, 0xc8, 0x97 };
    unsigned char hash[5][32], again[32];
    for (size_t i = 0; i < 5; i++) {
        write_file("h.tsv", tables[i]);
        hash_of("h.tsv", hash[i]);
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(hash[i], hash[k], 32);
    }
    assert_memory_equal(hash[0], first, sizeof first);
    write_file("other.csv", "ab,c,0\n\"d\",e,1\n"); /* neither name nor format matters */
    hash_of("other.csv", again);
    assert_memory_equal(hash[0], again, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_becomes_a_data_set),
        cmocka_unit_test(a_data_set_copies_what_it_is_made_from),
        cmocka_unit_test(whole_numbers_are_ordered_by_value_and_words_by_their_bytes),
        cmocka_unit_test(a_label_is_the_same_word_in_every_spelling),
        cmocka_unit_test(every_format_gives_the_same_labels),
        cmocka_unit_test(many_rows_keep_their_order),
        cmocka_unit_test(bad_tables_are_refused),
        cmocka_unit_test(bad_rows_in_memory_are_refused),
        cmocka_unit_test(labels_are_kept_as_they_are_written),
        cmocka_unit_test(a_second_column_without_texts_is_none_or_wrong),
        cmocka_unit_test(rows_left_out_are_counted),
        cmocka_unit_test(the_hash_knows_every_text_pair_and_label),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}

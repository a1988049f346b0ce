/* The table of predictions, for every kind of label and every format. */
#include "report/report.h"

#include "base/scratch.h"
#include "sample.h"

#include <locale.h>

static const char *written(const sample *s, const char *name)
{
    file_mapping m;
    const char *path = scratch(name);
    assert_works(predictions_write(&s->outcomes, &s->data, s->report.threshold, path, err));
    assert_works(file_map(&m, path, err));
    char *text = arena_copy(&sample_memory, (const char *)m.data, m.size);
    file_unmap(&m);
    return text;
}

/* Two rows of a binary task with texts that no .tsv can hold. */
static void two_rows(sample *s)
{
    sample_binary(s, 2);
    s->report.threshold = 0.4;
    s->data.texts[0] = sample_text("a\tb\nc\rd \"e\"");
    s->data.pairs[0] = sample_text("x,y");
    s->data.texts[1] = sample_text("\xC3\xA9\xFF\\ \x01");
    s->data.pairs[1] = sample_text("");
    for (size_t i = 0; i < 2; i++) {
        s->data.label_texts[i] = sample_text(i ? "1" : "0");
        s->outcomes.scores[2 * i] = 0.5f;
        s->outcomes.scores[2 * i + 1] = i ? 0.25f : 0.5f;
    }
}

static void a_tsv_has_letters_for_tabs_ends_of_lines_and_backslashes(void **state)
{
    (void)state;
    sample s;
    two_rows(&s);
    assert_string_equal(written(&s, "out.tsv"), "text\ttext_pair\tlabel\tprediction\tscore_0\tscore_1\n"
                                                "a\\tb\\nc\\rd \"e\"\tx,y\t0\t1\t0.5\t0.5\n"
                                                "\xC3\xA9\xFF\\\\ \x01\t\t1\t0\t0.5\t0.25\n");
    sample_free(&s);
}

static void a_csv_has_quotes_where_they_are_needed(void **state)
{
    (void)state;
    sample s;
    two_rows(&s);
    assert_string_equal(written(&s, "out.csv"), "text,text_pair,label,prediction,score_0,score_1\n"
                                                "\"a\tb\nc\rd \"\"e\"\"\",\"x,y\",0,1,0.5,0.5\n"
                                                "\xC3\xA9\xFF\\ \x01,,1,0,0.5,0.25\n");
    sample_free(&s);
}

static void a_jsonl_keeps_texts_as_they_are_where_json_can(void **state)
{
    (void)state;
    sample s;
    two_rows(&s);
    assert_string_equal(written(&s, "out.jsonl"), "{\"text\": \"a\\u0009b\\u000ac\\u000dd \\\"e\\\"\", \"text_pair\": "
                                                  "\"x,y\", \"label\": \"0\", \"prediction\": \"1\", \"score_0\": 0.5, "
                                                  "\"score_1\": 0.5}\n"
                                                  "{\"text\": \"\xC3\xA9\\ufffd\\\\ \\u0001\", \"text_pair\": \"\", "
                                                  "\"label\": \"1\", \"prediction\": \"0\", \"score_0\": 0.5, "
                                                  "\"score_1\": 0.25}\n");
    sample_free(&s);
}

static void numbers_are_the_prediction_and_have_no_scores(void **state)
{
    (void)state;
    sample s;
    sample_regression(&s, 2);
    for (size_t i = 0; i < 2; i++)
        s.data.texts[i] = sample_text("a");
    s.data.label_texts[0] = sample_text(" 3.80");
    s.data.label_texts[1] = sample_text("0");
    s.outcomes.scores[0] = 3.25f;
    s.outcomes.scores[1] = NAN;
    assert_string_equal(written(&s, "out.tsv"), "text\tlabel\tprediction\na\t3.8\t3.25\na\t0\tnan\n");
    assert_string_equal(written(&s, "out.jsonl"), "{\"text\": \"a\", \"label\": 3.8, \"prediction\": 3.25}\n"
                                                  "{\"text\": \"a\", \"label\": 0, \"prediction\": null}\n");
    sample_free(&s);
}

static void labels_of_a_set_have_commas_between(void **state)
{
    (void)state;
    sample s;
    sample_multilabel(&s, 2, 3);
    s.data.texts[0] = s.data.texts[1] = sample_text("a");
    s.data.label_texts[0] = sample_text("emotion 1");
    for (size_t i = 0; i < 6; i++)
        s.outcomes.scores[i] = i == 0 || i == 2 ? 0.75f : 0.25f;
    assert_string_equal(written(&s, "out.tsv"),
                        "text\tlabel\tprediction\tscore_emotion 0\tscore_emotion 1\tscore_emotion 2\n"
                        "a\temotion 1\temotion 0,emotion 2\t0.75\t0.25\t0.75\n"
                        "a\t\t\t0.25\t0.25\t0.25\n");
    sample_free(&s);
}

static void tags_have_spaces_between(void **state)
{
    (void)state;
    sample s;
    sample_tokens(&s, 2);
    s.data.texts[0] = sample_text("in New York");
    s.data.texts[1] = sample_text("Bonn");
    s.data.label_texts[0] = sample_text("O B-LOC I-LOC");
    s.data.label_texts[1] = sample_text("B-LOC");
    static const uint32_t tags[] = { 0, 3, 4, 0 };
    s.truth.start[1] = 3;
    s.truth.start[2] = 4;
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < 9; k++)
            s.outcomes.scores[i * 9 + k] = k == tags[i];
    assert_string_equal(written(&s, "out.tsv"),
                        "text\tlabel\tprediction\nin New York\tO B-LOC I-LOC\tO B-LOC I-LOC\nBonn\tB-LOC\tO\n");
    sample_free(&s);
}

static void a_table_of_no_rows_has_its_head(void **state)
{
    (void)state;
    sample s;
    sample_binary(&s, 0);
    assert_string_equal(written(&s, "out.tsv"), "text\ttext_pair\tlabel\tprediction\tscore_0\tscore_1\n");
    assert_string_equal(written(&s, "out.jsonl"), "");
    sample_free(&s);
}

static void numbers_have_a_point_in_every_locale(void **state)
{
    (void)state;
    sample s;
    if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "fr_FR.UTF-8")) {
        print_message("skipped: no locale with a comma is installed\n");
        skip();
    }
    two_rows(&s);
    assert_non_null(strstr(written(&s, "out.tsv"), "\t0.25\n"));
    setlocale(LC_ALL, "C");
    sample_free(&s);
}

static void another_format_is_refused(void **state)
{
    (void)state;
    sample s;
    sample_binary(&s, 1);
    assert_fails(predictions_write(&s.outcomes, &s.data, 0.5, scratch("out.xlsx"), err), BERT_ERR_ARGUMENT,
                 "out.xlsx: predictions are written as .tsv, .csv or .jsonl");
    sample_free(&s);
}

static void a_table_in_no_folder_is_an_error(void **state)
{
    (void)state;
    sample s;
    sample_binary(&s, 1);
    assert_fails(predictions_write(&s.outcomes, &s.data, 0.5, scratch("none/out.tsv"), err), BERT_ERR_IO,
                 "none/out.tsv: cannot write: No such file or directory");
    sample_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tsv_has_letters_for_tabs_ends_of_lines_and_backslashes),
        cmocka_unit_test(a_csv_has_quotes_where_they_are_needed),
        cmocka_unit_test(a_jsonl_keeps_texts_as_they_are_where_json_can),
        cmocka_unit_test(numbers_are_the_prediction_and_have_no_scores),
        cmocka_unit_test(labels_of_a_set_have_commas_between),
        cmocka_unit_test(tags_have_spaces_between),
        cmocka_unit_test(a_table_of_no_rows_has_its_head),
        cmocka_unit_test(numbers_have_a_point_in_every_locale),
        cmocka_unit_test(another_format_is_refused),
        cmocka_unit_test(a_table_in_no_folder_is_an_error),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}

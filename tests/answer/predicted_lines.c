/* Lines of predictions, of every task. */
#include "toy_model.h"
#include "written.h"

/* Labels as hostile as a model's may be. */
static const char *const WORDS[] = { "plain", "\"\t\\\x01", "a,\xC3\xA9\n" };

static void assert_lines(bert_task task, size_t n_labels, const float *scores, size_t n, const char *jsonl,
                         const char *tsv)
{
    bert_head_spec head = toy_head((int)task, WORDS, n_labels);
    head.label_max = n_labels ? 0 : 5;
    bert_model *model = toy_model_of(toy_module("module", (toy){ 0 }), BERT_POOLING_AUTO, 14, &head);
    bert_session *session = open_session(model, 0, BERT_POOLING_AUTO, false);
    size_t bytes = n * bert_session_outputs(session) * sizeof *scores;
    assert_written(jsonl, bert_scores_write(&out, session, scores, n, BERT_ANSWER_JSONL));
    assert_written(tsv, bert_scores_write(&out, session, scores, n, BERT_ANSWER_TSV));
    bert_buffer_clear(&out);
    bert_scores_write(&out, session, scores, n, BERT_ANSWER_NUMBERS);
    assert_int_equal(out.size, bytes);
    assert_memory_equal(out.data, scores, bytes);
    assert_memory_failure_is_told(bert_scores_write(&full, session, scores, n, BERT_ANSWER_JSONL));
    assert_memory_failure_is_told(bert_scores_write(&full, session, scores, n, BERT_ANSWER_NUMBERS));
    bert_session_free(session);
    bert_model_free(model);
}

static void a_binary_answer_is_the_second_label_from_the_threshold_on(void **state)
{
    (void)state;
    static const float SCORES[] = { 0.5f, 0.5f, 0.75f, 0.25f, NAN, NAN };
    assert_lines(BERT_TASK_BINARY, 2, SCORES, 3,
                 "{\"label\": \"\\\"\\u0009\\\\\\u0001\", \"score\": 0.5, "
                 "\"scores\": {\"plain\": 0.5, \"\\\"\\u0009\\\\\\u0001\": 0.5}}\n"
                 "{\"label\": \"plain\", \"score\": 0.75, "
                 "\"scores\": {\"plain\": 0.75, \"\\\"\\u0009\\\\\\u0001\": 0.25}}\n"
                 "{\"label\": \"plain\", \"score\": null, "
                 "\"scores\": {\"plain\": null, \"\\\"\\u0009\\\\\\u0001\": null}}\n",
                 "\"\\t\\\\\x01\t0.5\nplain\t0.75\nplain\tnull\n");
}

static void a_multiclass_answer_is_the_likeliest_label(void **state)
{
    (void)state;
    static const float SCORES[] = { 0.25f, 0.25f, 0.5f, 0.375f, 0.375f, 0.25f };
    assert_lines(BERT_TASK_MULTICLASS, 3, SCORES, 2,
                 "{\"label\": \"a,\xC3\xA9\\u000a\", \"score\": 0.5, "
                 "\"scores\": {\"plain\": 0.25, \"\\\"\\u0009\\\\\\u0001\": 0.25, \"a,\xC3\xA9\\u000a\": 0.5}}\n"
                 "{\"label\": \"plain\", \"score\": 0.375, "
                 "\"scores\": {\"plain\": 0.375, \"\\\"\\u0009\\\\\\u0001\": 0.375, \"a,\xC3\xA9\\u000a\": 0.25}}\n",
                 "a,\xC3\xA9\\n\t0.5\nplain\t0.375\n");
}

static void a_multilabel_answer_is_all_labels_from_the_threshold_on(void **state)
{
    (void)state;
    static const float SCORES[] = { 0.5f, 0.25f, 1, 0, 0.25f, -0.0f };
    assert_lines(BERT_TASK_MULTILABEL, 3, SCORES, 2,
                 "{\"labels\": [\"plain\", \"a,\xC3\xA9\\u000a\"], "
                 "\"scores\": {\"plain\": 0.5, \"\\\"\\u0009\\\\\\u0001\": 0.25, \"a,\xC3\xA9\\u000a\": 1}}\n"
                 "{\"labels\": [], "
                 "\"scores\": {\"plain\": 0, \"\\\"\\u0009\\\\\\u0001\": 0.25, \"a,\xC3\xA9\\u000a\": -0}}\n",
                 "plain,a,\xC3\xA9\\n\t0.5,1\n\t\n");
}

static void a_number_is_its_value(void **state)
{
    (void)state;
    static const float SCORES[] = { 3.2f, -INFINITY, 1e-5f };
    for (bert_task task = BERT_TASK_REGRESSION; task <= BERT_TASK_SIMILARITY; task++)
        assert_lines(task, 0, SCORES, 3, "{\"value\": 3.20000005}\n{\"value\": null}\n{\"value\": 9.99999975e-06}\n",
                     "3.20000005\nnull\n9.99999975e-06\n");
}

static void what_has_no_scores_gets_no_line(void **state)
{
    (void)state;
    bert_err err;
    bert_model *model;
    check(bert_model_load(toy_module("module", (toy){ 0 }), &model, &err), &err);
    bert_session *session = open_session(model, 0, BERT_POOLING_AUTO, false);
    assert_written("", bert_scores_write(&out, session, NULL, 2, BERT_ANSWER_JSONL));
    bert_session_free(session);
    bert_model_free(model);
}

static void entities_are_listed_by_text(void **state)
{
    (void)state;
    static const char TEXT[] = "to \xC3\xA9\t\"Paris\xFF";
    const bert_text texts[] = { { "", 0 }, { TEXT, sizeof TEXT - 1 }, { "x", 1 } };
    const bert_entity entities[] = {
        { .text = 1, .label = "A\"\\", .byte_start = 3, .byte_end = 6, .char_start = 3, .char_end = 5, .score = 0.1 },
        { .text = 1, .label = "LOC", .byte_start = 6, .byte_end = 13, .char_start = 5, .char_end = 11, .score = NAN },
        { .text = 2, .label = "LOC", .byte_start = 0, .byte_end = 1, .char_start = 0, .char_end = 1, .score = 1 },
    };
    assert_written(
        "{\"entities\": []}\n"
        "{\"entities\": [{\"label\": \"A\\\"\\\\\", \"start\": 3, \"end\": 5, "
        "\"text\": \"\xC3\xA9\\u0009\", \"score\": 0.1}, "
        "{\"label\": \"LOC\", \"start\": 5, \"end\": 11, \"text\": \"\\\"Paris\\ufffd\", \"score\": null}]}\n"
        "{\"entities\": [{\"label\": \"LOC\", \"start\": 0, \"end\": 1, \"text\": \"x\", \"score\": 1}]}\n",
        bert_entities_write(&out, entities, 3, texts, 3, 0, BERT_ANSWER_JSONL));
    assert_written("42\tA\"\\\\\t3\t5\t0.1\t\xC3\xA9\\t\n42\tLOC\t5\t11\tnull\t\"Paris\xFF\n43\tLOC\t0\t1\t1\tx\n",
                   bert_entities_write(&out, entities, 3, texts, 3, 40, BERT_ANSWER_TSV));
    assert_written("", bert_entities_write(&out, entities, 3, texts, 3, 0, BERT_ANSWER_NUMBERS));
    assert_memory_failure_is_told(bert_entities_write(&full, entities, 3, texts, 3, 0, BERT_ANSWER_TSV));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(a_binary_answer_is_the_second_label_from_the_threshold_on),
        in_a_folder(a_multiclass_answer_is_the_likeliest_label),
        in_a_folder(a_multilabel_answer_is_all_labels_from_the_threshold_on),
        in_a_folder(a_number_is_its_value),
        in_a_folder(what_has_no_scores_gets_no_line),
        cmocka_unit_test(entities_are_listed_by_text),
    };
    int failed = cmocka_run_group_tests(tests, NULL, free_written);
    arena_free(&golden_memory);
    return failed;
}

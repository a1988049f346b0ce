/* Lines of vectors, tokens, features, metrics and events. */
#include "written.h"

/* ---- the buffer -------------------------------------------------------------------------------------------------- */

static void a_buffer_is_used_again(void **state)
{
    (void)state;
    bert_buffer b = { 0 };
    bert_buffer_clear(&b);
    bert_buffer_add(&b, "a\0b", 3);
    bert_buffer_printf(&b, "%d%s", 7, "");
    assert_int_equal(b.size, 4);
    assert_memory_equal(b.data, "a\0b7", 5);
    b.failed = true;
    bert_buffer_add(&b, "x", 1);
    assert_int_equal(b.size, 4);
    bert_buffer_clear(&b);
    assert_false(b.failed);
    assert_int_equal(b.size, 0);
    assert_string_equal(b.data, "");
    bert_buffer_free(&b);
    bert_buffer_free(&b);
    assert_null(b.data);
    assert_memory_failure_is_told(bert_buffer_add(&full, "x", 1));
    assert_memory_failure_is_told(bert_buffer_printf(&full, "%d", 1));
}

static void an_option_is_written_as_json(void **state)
{
    (void)state;
    bert_option_table table = bert_session_option_table();
    bert_session_options o;
    bert_table_options t;
    bert_session_defaults(&o);
    bert_table_defaults(&t);
    t.label_column = "a\"b\n\xff";
    static const char *const EXPECTED[][2] = {
        { "seq_len", "0" }, { "pooling", "\"auto\"" }, { "normalize", "false" }, { "combine", "\"mean\"" }
    };
    for (size_t i = 0; i < table.n; i++)
        for (size_t k = 0; k < sizeof EXPECTED / sizeof *EXPECTED; k++)
            if (!strcmp(table.options[i].name, EXPECTED[k][0]))
                assert_written(EXPECTED[k][1], bert_option_write(&out, &o, &table.options[i]));
    table = bert_table_option_table();
    for (size_t i = 0; i < table.n; i++)
        if (!strcmp(table.options[i].name, "label_column"))
            assert_written("\"a\\\"b\\u000a\\ufffd\"", bert_option_write(&out, &t, &table.options[i]));
        else if (table.options[i].type == BERT_OPTION_STRING)
            assert_written("null", bert_option_write(&out, &t, &table.options[i]));
}

/* ---- vectors ----------------------------------------------------------------------------------------------------- */

static const float X[] = { 0.25f, -1, 1e-7f, NAN, INFINITY, 1.0f / 3 }; /* (3, 2) */

static void a_line_a_vector(void **state)
{
    (void)state;
    assert_written("{\"embedding\": [0.25, -1]}\n{\"embedding\": [1.00000001e-07, null]}\n"
                   "{\"embedding\": [null, 0.333333343]}\n",
                   bert_vectors_write(&out, X, NULL, 3, 2, BERT_ANSWER_JSONL));
    assert_written("0.25\t-1\n1.00000001e-07\tnull\nnull\t0.333333343\n",
                   bert_vectors_write(&out, X, NULL, 3, 2, BERT_ANSWER_TSV));
    assert_written("", bert_vectors_write(&out, X, NULL, 0, 2, BERT_ANSWER_JSONL));
    bert_buffer_clear(&out);
    bert_vectors_write(&out, X, NULL, 3, 2, BERT_ANSWER_NUMBERS);
    assert_int_equal(out.size, sizeof X);
    assert_memory_equal(out.data, X, sizeof X);
}

static void a_list_a_text_of_several_vectors(void **state)
{
    (void)state;
    static const size_t COUNTS[] = { 2, 0, 1 };
    assert_written("{\"embedding\": [[0.25, -1], [1.00000001e-07, null]]}\n{\"embedding\": []}\n"
                   "{\"embedding\": [[null, 0.333333343]]}\n",
                   bert_vectors_write(&out, X, COUNTS, 3, 2, BERT_ANSWER_JSONL));
    assert_written("0.25\t-1\n1.00000001e-07\tnull\nnull\t0.333333343\n",
                   bert_vectors_write(&out, X, COUNTS, 3, 2, BERT_ANSWER_TSV));
    bert_buffer_clear(&out);
    bert_vectors_write(&out, X, COUNTS, 3, 2, BERT_ANSWER_NUMBERS);
    assert_memory_equal(out.data, X, sizeof X);
}

/* ---- tokens ------------------------------------------------------------------------------------------------------ */

static bert_tokenizer *tokenizer_of(const char *vocabulary)
{
    bert_tokenizer *t;
    assert_int_equal(bert_tokenizer_create(vocabulary, strlen(vocabulary), "vocabulary", NULL, &t, NULL), BERT_OK);
    return t;
}

static bert_tokens tokens_of(const bert_tokenizer *t, const char *text)
{
    bert_tokens tokens = { 0 };
    assert_int_equal(bert_tokenize(t, (bert_text){ text, strlen(text) }, &tokens, NULL), BERT_OK);
    return tokens;
}

static void tokens_stand_beside_their_ids_and_places(void **state)
{
    (void)state;
    bert_tokenizer *t = tokenizer_of("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nwell\n##s\n\"\n\\\n\xC3\xA9\n");
    bert_tokens a = tokens_of(t, "\xC3\xA9 Wells \""), b = tokens_of(t, "\\"), none = { 0 };
    assert_written("{\"tokens\": [\"[UNK]\", \"well\", \"##s\", \"\\\"\"], \"ids\": [1, 5, 6, 7], "
                   "\"offsets\": [[0, 1], [2, 6], [6, 7], [8, 9]]}\n",
                   bert_tokens_write(&out, t, &a, NULL, false));
    assert_written("{\"tokens\": [\"[CLS]\", \"\\\\\", \"[SEP]\"], \"ids\": [2, 8, 3], "
                   "\"offsets\": [[0, 0], [0, 1], [0, 0]]}\n",
                   bert_tokens_write(&out, t, &b, &none, true));
    assert_written("{\"tokens\": [\"\\\\\", \"\\\\\"], \"ids\": [8, 8], \"offsets\": [[0, 1], [0, 1]], "
                   "\"segments\": [0, 1]}\n",
                   bert_tokens_write(&out, t, &b, &b, false));
    assert_written("{\"tokens\": [\"[CLS]\", \"[SEP]\", \"\\\\\", \"[SEP]\"], \"ids\": [2, 3, 8, 3], "
                   "\"offsets\": [[0, 0], [0, 0], [0, 1], [0, 0]], \"segments\": [0, 0, 1, 1]}\n",
                   bert_tokens_write(&out, t, &none, &b, true));
    assert_written("{\"tokens\": [], \"ids\": [], \"offsets\": []}\n", bert_tokens_write(&out, t, &none, NULL, false));
    assert_memory_failure_is_told(bert_tokens_write(&full, t, &a, &b, true));
    bert_tokens_free(&a);
    bert_tokens_free(&b);
    bert_tokenizer_free(t);
}

/* Ids beyond the vocabulary and tokens that are not UTF-8 can be in a vocabulary that somebody damaged. */
static void a_token_that_json_cannot_hold_is_said_otherwise(void **state)
{
    (void)state;
    bert_tokenizer *t = tokenizer_of("[UNK]\n[CLS]\n[SEP]\na\xFF\x01");
    int32_t ids[] = { 3, 99, -1 };
    uint32_t places[3] = { 0 };
    bert_tokens odd = { .n = 3, .ids = ids, .char_start = places, .char_end = places };
    assert_written("{\"tokens\": [\"a\\ufffd\\u0001\", \"\", \"\"], \"ids\": [3, 99, -1], "
                   "\"offsets\": [[0, 0], [0, 0], [0, 0]]}\n",
                   bert_tokens_write(&out, t, &odd, NULL, false));
    bert_tokenizer_free(t);
}

static void features_are_three_lists_a_row(void **state)
{
    (void)state;
    int32_t ids[] = { 2, 5, 3, 2, 3, 0 }, mask[] = { 1, 1, 1, 1, 1, 0 }, segments[] = { 0, 0, 0, 0, 1, 0 };
    bert_features f = { .n = 2, .seq_len = 3, .input_ids = ids, .input_mask = mask, .segment_ids = segments };
    assert_written("{\"input_ids\": [2, 3, 0], \"input_mask\": [1, 1, 0], \"segment_ids\": [0, 1, 0]}\n",
                   bert_features_write(&out, &f, 1));
    assert_memory_failure_is_told(bert_features_write(&full, &f, 0));
}

/* ---- figures ----------------------------------------------------------------------------------------------------- */

static bert_metrics no_metrics(void)
{
    size_t n;
    bert_metrics m = { 0 };
    const bert_metric *table = bert_metric_table(&n);
    for (size_t i = 0; i < n; i++)
        *(double *)(void *)((char *)&m + table[i].offset) = NAN;
    return m;
}

static void metrics_leave_out_what_the_task_has_not(void **state)
{
    (void)state;
    bert_metrics m = no_metrics();
    assert_written("{\"n\": 0}\n", bert_metrics_write(&out, &m));
    m.n = 400;
    m.labels = 3;
    m.labels_seen = 2;
    m.loss = INFINITY;
    m.accuracy = 1.0 / 3;
    m.mse = 1e300;
    assert_written("{\"loss\": null, \"accuracy\": 0.333333333, \"mse\": 1e+300, \"labels\": 3, "
                   "\"labels_seen\": 2, \"n\": 400}\n",
                   bert_metrics_write(&out, &m));
}

static void an_evaluation_has_the_baseline_behind_its_metrics(void **state)
{
    (void)state;
    bert_evaluation e = { .metrics = no_metrics(), .baseline.metrics = no_metrics() };
    e.metrics.n = 2;
    e.metrics.accuracy = 1;
    e.baseline.metrics.accuracy = 0.5;
    strcpy(e.baseline.answer, "\"a\x01\xff\"");
    assert_written("{\"accuracy\": 1, \"n\": 2, \"baseline\": {\"accuracy\": 0.5, "
                   "\"answer\": \"\\\"a\\u0001\\ufffd\\\"\", \"beaten\": true}}\n",
                   bert_evaluation_write(&out, &e));
    strcpy(e.baseline.note, "no better");
    bert_evaluation_write(&out, &e);
    assert_non_null(strstr(out.data, "\"beaten\": false}}\n"));
    assert_memory_failure_is_told(bert_evaluation_write(&full, &e));
}

static void an_event_has_what_its_kind_has(void **state)
{
    (void)state;
    bert_event e = { .kind = BERT_EVENT_NOTE, .note = "a \"word\"\n" };
    bert_metrics m = no_metrics();
    assert_written("{\"event\": \"note\", \"note\": \"a \\\"word\\\"\\u000a\"}\n", bert_event_write(&out, &e));
    e = (bert_event){ .kind = BERT_EVENT_STEP,
                      .epoch = 1,
                      .epochs = 2,
                      .step = 3,
                      .steps = 4,
                      .done = 5,
                      .total = 6,
                      .seconds = 0.5,
                      .seconds_left = 1,
                      .samples_per_second = 10,
                      .learning_rate = 1e-5,
                      .grad_norm = NAN,
                      .loss = 0.25,
                      .accuracy = NAN,
                      .watch = "f1",
                      .valid = &m };
    assert_written("{\"event\": \"step\", \"epoch\": 1, \"epochs\": 2, \"step\": 3, \"steps\": 4, "
                   "\"best_epoch\": 0, \"done\": 5, \"total\": 6, \"seconds\": 0.5, \"seconds_left\": 1, "
                   "\"samples_per_second\": 10, \"learning_rate\": 1e-05, \"loss\": 0.25, \"watch\": \"f1\", "
                   "\"valid\": {\"n\": 0}}\n",
                   bert_event_write(&out, &e));
    e.kind = BERT_EVENT_EPOCH;
    bert_buffer_clear(&out);
    bert_event_write(&out, &e);
    assert_non_null(strstr(out.data, ", \"best\": false, \"peak_memory_mb\": "));
    e.kind = BERT_EVENT_END;
    bert_buffer_clear(&out);
    bert_event_write(&out, &e);
    assert_non_null(strstr(out.data, "0.25, \"peak_memory_mb\": "));
    assert_memory_failure_is_told(bert_event_write(&full, &e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_is_used_again),
        cmocka_unit_test(an_option_is_written_as_json),
        cmocka_unit_test(a_line_a_vector),
        cmocka_unit_test(a_list_a_text_of_several_vectors),
        cmocka_unit_test(tokens_stand_beside_their_ids_and_places),
        cmocka_unit_test(a_token_that_json_cannot_hold_is_said_otherwise),
        cmocka_unit_test(features_are_three_lists_a_row),
        cmocka_unit_test(metrics_leave_out_what_the_task_has_not),
        cmocka_unit_test(an_evaluation_has_the_baseline_behind_its_metrics),
        cmocka_unit_test(an_event_has_what_its_kind_has),
    };
    return cmocka_run_group_tests(tests, NULL, free_written);
}

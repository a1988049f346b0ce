/* The parts of training that stand alone: schedules, class weights, options as text, kept tokens. */
#include "train/toy_run.h"

#include "base/checksum.h"

#include "train/class_weights.h"
#include "with_case.h"

/* ---- schedules --------------------------------------------------------------------------------------------------- */

static schedule make_schedule(int kind, int64_t epochs, size_t n_batches, int64_t accumulate, int64_t max_steps,
                              double warmup)
{
    bert_train_options o = options_of(epochs, 0.5);
    o.schedule = kind;
    o.accumulate = accumulate;
    o.max_steps = max_steps;
    o.warmup = warmup;
    return schedule_create(&o, n_batches);
}

static void steps_are_counted_over_all_epochs(void **state)
{
    (void)state;
    assert_int_equal(make_schedule(0, 3, 10, 1, 0, 0).steps, 30);
    assert_int_equal(make_schedule(0, 3, 10, 4, 0, 0).steps, 9); /* 4, 4 and 2 batches */
    assert_int_equal(make_schedule(0, 3, 10, 4, 0, 0).steps_per_epoch, 3);
    assert_int_equal(make_schedule(0, 3, 10, 100, 0, 0).steps, 3);
    assert_int_equal(make_schedule(0, 3, 10, 1, 7, 0).steps, 7);
    assert_int_equal(make_schedule(0, 3, 10, 1, 70, 0).steps, 30);
    assert_int_equal(make_schedule(0, 3, 10, 1, 0, 0.1).warmup, 3); /* though 0.1 * 30 is a little more */
    assert_int_equal(make_schedule(0, 3, 10, 1, 0, 5).warmup, 5);
    assert_int_equal(make_schedule(0, 3, 10, 1, 0, 0.01).warmup, 0);
}

static void check_rates(schedule s, const double *expected, size_t n)
{
    assert_int_equal(s.steps, n);
    for (size_t i = 0; i < n; i++)
        if (!(fabs(schedule_rate(&s, (int64_t)i) - expected[i]) <= 1e-15))
            fail_msg("schedule %d, step %zu: %.17g, expected %.17g", s.kind, i + 1, schedule_rate(&s, (int64_t)i),
                     expected[i]);
}

static void rates_are_those_of_the_schedule(void **state)
{
    (void)state;
    static const double CONSTANT[] = { 0.125, 0.25, 0.375, 0.5, 0.5, 0.5 };
    static const double LINEAR[] = { 0.5, 0.4, 0.3, 0.2, 0.1 };
    static const double WARM_LINEAR[] = { 0.25, 0.5, 0.5, 0.375, 0.25, 0.125 };
    /* 0.25 (1 + cos(pi k / 4)) */
    static const double COSINE[] = { 0.25, 0.5, 0.5, 0.42677669529663687, 0.25, 0.07322330470336313 };
    static const double ALL_WARM[] = { 0.05, 0.1, 0.15 };
    check_rates(make_schedule(SCHEDULE_CONSTANT, 1, 6, 1, 0, 4), CONSTANT, 6);
    check_rates(make_schedule(SCHEDULE_LINEAR, 1, 5, 1, 0, 0), LINEAR, 5);
    check_rates(make_schedule(SCHEDULE_LINEAR, 2, 3, 1, 0, 2), WARM_LINEAR, 6);
    check_rates(make_schedule(SCHEDULE_COSINE, 3, 2, 1, 0, 1.0 / 3), COSINE, 6);
    check_rates(make_schedule(SCHEDULE_COSINE, 1, 3, 1, 0, 10), ALL_WARM, 3);
}

/* ---- class weights ----------------------------------------------------------------------------------------------- */

static void class_weights_are_read_or_balanced(void **state)
{
    (void)state;
    bert_err err;
    arena a = { 0 };
    float *weights;
    const char *labels[] = { "spam", "ham", "a=b" };
    bert_model m = { .labels = labels, .n_labels = 3 };
    int32_t ids[] = { 0, 1, 1, 1, 1, 0 };
    targets y = { .n = 6, .ids = ids };
    const task *t = task_by_id(BERT_TASK_MULTICLASS);
    check(class_weights_parse(NULL, &m, t, &y, &weights, &a, &err), &err);
    assert_null(weights);
    check(class_weights_parse("balanced", &m, t, &y, &weights, &a, &err), &err);
    assert_true(weights[0] == 1 && weights[1] == 0.5f && weights[2] == 1); /* 6 / (3 * 2), 6 / (3 * 4), none */
    check(class_weights_parse("ham=0.25,a=b=3", &m, t, &y, &weights, &a, &err), &err);
    assert_true(weights[0] == 1 && weights[1] == 0.25f && weights[2] == 3);
    assert_int_equal(class_weights_parse("ham=1", &m, task_by_id(BERT_TASK_REGRESSION), &y, &weights, &a, &err),
                     BERT_ERR_ARGUMENT);
    assert_string_equal(err.message, "--class-weights: task regression has no labels");
    /* The words of tagged texts, and the labels of texts that have several. */
    size_t start[] = { 0, 4, 6 };
    targets tags = { .n = 2, .ids = ids, .start = start };
    check(class_weights_parse("balanced", &m, task_by_id(BERT_TASK_TOKENS), &tags, &weights, &a, &err), &err);
    assert_true(weights[0] == 1 && weights[1] == 0.5f);
    float values[] = { 1, 0, 1, 1, 0, 0, 1, 1, 0 };
    targets several = { .n = 3, .values = values, .width = 3 };
    check(class_weights_parse("balanced", &m, task_by_id(BERT_TASK_MULTILABEL), &several, &weights, &a, &err), &err);
    assert_true(weights[0] == (float)(5.0 / 9) && weights[1] == (float)(5.0 / 3) && weights[2] == (float)(5.0 / 3));
    arena_free(&a);
}

static void a_weight_for_each_of_eighty_thousand_labels_takes_a_moment(void **state)
{
    (void)state;
    enum { N = 80000 };
    bert_err err;
    arena a = { 0 };
    buffer text = { 0 };
    float *weights;
    const char **labels = arena_array(&a, N, sizeof *labels);
    for (size_t i = 0; i < N; i++) {
        labels[i] = arena_printf(&a, "label %zu", i);
        buffer_printf(&text, "%s%s=%zu", i ? "," : "", labels[i], i);
    }
    bert_model m = { .labels = labels, .n_labels = N };
    clock_t began = clock();
    check(class_weights_parse(text.data, &m, task_by_id(BERT_TASK_MULTICLASS), NULL, &weights, &a, &err), &err);
    assert_true(clock() - began < 5 * CLOCKS_PER_SEC);
    for (size_t i = 0; i < N; i++)
        assert_true(weights[i] == (float)i);
    buffer_free(&text);
    arena_free(&a);
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

static void checkpoint_intervals_are_times_or_steps(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double seconds;
        int64_t steps;
    } CASES[] = { { "15m", 900, 0 }, { "90s", 90, 0 }, { "2h", 7200, 0 }, { "500", 0, 500 },
                  { "0", 0, 0 },     { "0m", 0, 0 },   { NULL, 0, 0 } };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_err err;
        checkpoint_interval every;
        check(checkpoint_interval_parse(CASES[i].text, &every, &err), &err);
        assert_true(every.seconds == CASES[i].seconds && every.steps == CASES[i].steps);
    }
}

static void differences_name_the_option_and_both_values(void **state)
{
    (void)state;
    static const char *const NONE[] = { NULL };
    buffer out = { 0 };
    bert_train_options a, b;
    bert_train_defaults(&a);
    b = a;
    json_t *was = options_to_texts(&a, bert_train_option_table());
    b.learning_rate = 2e-5;
    b.watch = "f1";
    b.epochs = 6;
    b.schedule = SCHEDULE_LINEAR;
    options_differences(&out, &b, bert_train_option_table(), was, RESUME_FREE);
    assert_string_equal(
        out.data,
        "learning_rate: 1e-05 in the checkpoint, 2e-05 now; schedule: constant in the checkpoint, linear now; "
        "watch: none in the checkpoint, f1 now");
    buffer_clear(&out);
    b = a;
    json_object_del(was, "frozen_precision"); /* of a version that had no such option */
    json_object_del(was, "learning_rate");
    options_differences(&out, &b, bert_train_option_table(), was, RESUME_FREE);
    assert_int_equal(out.size, 0);
    b.frozen_precision = 3;
    options_differences(&out, &b, bert_train_option_table(), was, RESUME_FREE);
    assert_string_equal(out.data, "frozen_precision: same in the checkpoint, int8 now");
    buffer_clear(&out);
    b = a;
    b.resume = true;
    options_differences(&out, &b, bert_train_option_table(), was, NONE);
    assert_string_equal(out.data, "resume: false in the checkpoint, true now");
    buffer_free(&out);
    json_decref(was);
}

/* ---- tokens ------------------------------------------------------------------------------------------------------ */

static void assert_same_tokens(const token_rows *a, const token_rows *b)
{
    assert_int_equal(a->n, b->n);
    assert_int_equal(a->form, b->form);
    assert_int_equal(a->longest, b->longest);
    assert_int_equal(a->losses.truncated, b->losses.truncated);
    assert_memory_equal(a->start, b->start, (a->n + 1) * sizeof *a->start);
    assert_memory_equal(a->second, b->second, a->n * sizeof *a->second);
    assert_memory_equal(a->ids, b->ids, a->start[a->n] * sizeof *a->ids);
    assert_int_equal(a->words != NULL, b->words != NULL);
    if (a->words)
        assert_memory_equal(a->words, b->words, a->start[a->n] * sizeof *a->words);
}

static void tokens_from_the_file_are_those_that_were_made(void **state)
{
    (void)state;
    bert_err err;
    bert_tokenizer *tokenizer;
    bert_dataset *two, *one;
    bert_text texts[] = { text_of("a bc \1 d"), text_of(""), text_of("x y z x y z x y z x y z") };
    bert_text pairs[] = { text_of("e"), text_of("f g"), text_of("h") },
              labels[] = { text_of("0"), text_of("1"), text_of("0") };
    const char *path = scratch("tokens"), *vocabulary = toy_vocabulary();
    check(bert_tokenizer_create(vocabulary, strlen(vocabulary), "vocabulary", NULL, &tokenizer, &err), &err);
    check(bert_dataset_create(texts, pairs, labels, 3, &two, &err), &err);
    check(bert_dataset_create(texts, NULL, labels, 3, &one, &err), &err);
    for (int form = ROW_TOGETHER; form <= ROW_WORDS; form++) {
        const bert_dataset *d = form == ROW_WORDS ? one : two;
        unsigned char data[32], key[32];
        cached_tokens made, read;
        const char *note = NULL;
        dataset_hash(d, data);
        check(token_key(data, tokenizer, 10, (row_form)form, key, &err), &err);
        check(cached_tokens_create(&made, d, tokenizer, 10, (row_form)form, key, path, &note, &err), &err);
        assert_int_equal(note != NULL, form != ROW_TOGETHER); /* the file of the form before */
        assert_int_equal(made.file.size, 0);
        note = NULL;
        check(cached_tokens_create(&read, d, tokenizer, 10, (row_form)form, key, path, &note, &err), &err);
        assert_null(note);
        assert_true(read.file.size > 0);
        assert_same_tokens(&made.rows, &read.rows);
        cached_tokens_free(&made);
        cached_tokens_free(&read);
    }
    bert_dataset_free(two);
    bert_dataset_free(one);
    bert_tokenizer_free(tokenizer);
}

/* The file with other bytes at a place, and a checksum that is right. Places as src/train/token_cache.c has them: a
 * header of 96 bytes, its numbers from byte 40 on, the checksum at 88; then the arrays. */
static void craft_tokens(const char *path, const buffer *whole, size_t at, const void *bytes, size_t n)
{
    bert_err err;
    buffer b = { 0 };
    buffer_add(&b, whole->data, whole->size);
    memcpy(b.data + at, bytes, n);
    uint64_t crc = crc32c(0, b.data + 96, b.size - 96);
    memcpy(b.data + 88, &crc, sizeof crc);
    check(file_write_whole(path, b.data, b.size, &err), &err);
    buffer_free(&b);
}

/* Somebody's file with the right key and checksum: what would be an index out of bounds makes it damaged. */
static void tokens_that_are_crafted_are_damaged(void **state)
{
    (void)state;
    enum { SEQ_LEN_OF_CRAFTED = 6, ROWS_OF_CRAFTED = 2 };
    enum { START = 96, SECOND = START + 8 * (ROWS_OF_CRAFTED + 1), IDS = SECOND + 8 };
    static const struct {
        size_t at, n;
        uint64_t value;
        int forms; /* bits */
    } CASES[] = {
        { 48, 8, 3, 7 },                  /* rows */
        { 56, 8, 1 << 20, 7 },            /* tokens */
        { 56, 8, UINT64_MAX, 7 },         /* tokens */
        { 64, 8, 99, 7 },                 /* longest */
        { 72, 8, 3, 7 },                  /* truncated */
        { START, 8, 1, 7 },               /* where the first row begins */
        { START + 8, 8, 1, 7 },           /* the first row has one token, the second more than seq_len */
        { START + 8, 8, 1 << 20, 7 },     /* it ends behind the second */
        { START + 8, 8, UINT64_MAX, 7 },  /* */
        { START + 16, 8, 3, 7 },          /* the last row ends before the tokens do */
        { SECOND, 4, 99, 7 },             /* more than the row has */
        { SECOND, 4, 0, 7 },              /* none of the first segment or sequence */
        { SECOND, 4, 1, 1 << ROW_APART }, /* a sequence of one token */
        { SECOND, 4, 5, 1 << ROW_APART }, /* the other one of one token */
        { IDS, 4, 1 << 30, 7 },           /* beyond the vocabulary */
        { IDS + 4, 4, UINT32_MAX, 7 },    /* below it */
    };
    bert_err err;
    bert_tokenizer *tokenizer;
    bert_dataset *two, *one;
    bert_text texts[] = { text_of("a"), text_of("b") }, pairs[] = { text_of("c"), text_of("d") },
              labels[] = { text_of("0"), text_of("1") };
    const char *path = arena_string(&golden_memory, scratch("tokens")), *vocabulary = toy_vocabulary();
    check(bert_tokenizer_create(vocabulary, strlen(vocabulary), "vocabulary", NULL, &tokenizer, &err), &err);
    check(bert_dataset_create(texts, pairs, labels, ROWS_OF_CRAFTED, &two, &err), &err);
    check(bert_dataset_create(texts, NULL, labels, ROWS_OF_CRAFTED, &one, &err), &err);
    for (int form = ROW_TOGETHER; form <= ROW_WORDS; form++) {
        const bert_dataset *d = form == ROW_WORDS ? one : two;
        unsigned char data[32], key[32];
        cached_tokens made, read;
        const char *note = NULL;
        file_mapping file;
        buffer whole = { 0 };
        remove(path);
        dataset_hash(d, data);
        check(token_key(data, tokenizer, SEQ_LEN_OF_CRAFTED, (row_form)form, key, &err), &err);
        check(cached_tokens_create(&made, d, tokenizer, SEQ_LEN_OF_CRAFTED, (row_form)form, key, path, &note, &err),
              &err);
        check(file_map(&file, path, &err), &err);
        buffer_add(&whole, file.data, file.size);
        file_unmap(&file);
        size_t words = (IDS + 4 * made.rows.start[ROWS_OF_CRAFTED] + 7) & ~(size_t)7;
        for (size_t i = 0; i <= sizeof CASES / sizeof *CASES; i++) {
            bool last = i == sizeof CASES / sizeof *CASES; /* a word that the text has not */
            uint64_t value = last ? 7 : CASES[i].value;
            if (last ? form != ROW_WORDS : !(CASES[i].forms >> form & 1))
                continue;
            craft_tokens(path, &whole, last ? words + 4 : CASES[i].at, &value, last ? 4 : CASES[i].n);
            note = NULL;
            check(cached_tokens_create(&read, d, tokenizer, SEQ_LEN_OF_CRAFTED, (row_form)form, key, path, &note, &err),
                  &err);
            if (!note || !strstr(note, "made anew") || read.file.size)
                fail_msg("form %d, case %zu: taken", form, i);
            assert_same_tokens(&made.rows, &read.rows);
            cached_tokens_free(&read);
        }
        cached_tokens_free(&made);
        buffer_free(&whole);
    }
    bert_dataset_free(two);
    bert_dataset_free(one);
    bert_tokenizer_free(tokenizer);
}

static void the_key_tells_data_vocabulary_case_length_and_form_apart(void **state)
{
    (void)state;
    enum { KEYS = 6 };
    bert_err err;
    unsigned char key[KEYS][32], data[32] = { 1 }, other[32] = { 2 };
    const char *vocabulary = toy_vocabulary(), *capitals = arena_printf(&golden_memory, "%sA\n", vocabulary);
    bert_tokenizer *plain, *larger, *cased;
    check(bert_tokenizer_create(vocabulary, strlen(vocabulary), "vocabulary", NULL, &plain, &err), &err);
    const bert_tokenizer_options options = with_case(false);
    check(bert_tokenizer_create(vocabulary, strlen(vocabulary), "vocabulary", &options, &cased, &err), &err);
    check(bert_tokenizer_create(capitals, strlen(capitals), "vocabulary", NULL, &larger, &err), &err);
    check(token_key(data, plain, 10, ROW_TOGETHER, key[0], &err), &err);
    check(token_key(other, plain, 10, ROW_TOGETHER, key[1], &err), &err);
    check(token_key(data, larger, 10, ROW_TOGETHER, key[2], &err), &err);
    check(token_key(data, plain, 11, ROW_TOGETHER, key[3], &err), &err);
    check(token_key(data, plain, 10, ROW_APART, key[4], &err), &err);
    check(token_key(data, cased, 10, ROW_TOGETHER, key[5], &err), &err);
    for (int i = 0; i < KEYS; i++)
        for (int j = 0; j < i; j++)
            assert_memory_not_equal(key[i], key[j], 32);
    bert_tokenizer_free(plain);
    bert_tokenizer_free(cased);
    bert_tokenizer_free(larger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_counted_over_all_epochs),
        cmocka_unit_test(rates_are_those_of_the_schedule),
        cmocka_unit_test(class_weights_are_read_or_balanced),
        cmocka_unit_test(a_weight_for_each_of_eighty_thousand_labels_takes_a_moment),
        cmocka_unit_test(checkpoint_intervals_are_times_or_steps),
        cmocka_unit_test(differences_name_the_option_and_both_values),
        in_a_folder(tokens_from_the_file_are_those_that_were_made),
        in_a_folder(tokens_that_are_crafted_are_damaged),
        cmocka_unit_test(the_key_tells_data_vocabulary_case_length_and_form_apart),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}

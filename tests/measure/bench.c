/* Measuring a model: figures that can be, for every kind of model, and texts of the length that is asked for. */
#include "toy_model.h"

#include "measure/roofline.h"
#include "formats/json.h"

#include <string.h>

static const double SHORT = 0.002; /* seconds */

/* What bert_model_bench prints as JSON; every figure must be there. */
static json_t *measured(const bert_model *model, const bert_session_options *session, const bert_dataset *data,
                        bool beside)
{
    bert_err err;
    char *text;
    json_t *json;
    const bert_bench_options options = { .seconds = SHORT, .roofline = beside };
    check(bert_model_bench(model, session, data, &options, true, &text, &err), &err);
    check(json_read_bytes(&json, text, strlen(text), "figures", &err), &err);
    bert_free(text);
    return json;
}

/* A number by its path: "tokenised.sequences_per_second". */
static double at(json_t *json, const char *path)
{
    char name[64];
    for (const char *p = path; *p;) {
        size_t n = strcspn(p, ".");
        snprintf(name, sizeof name, "%.*s", (int)n, p);
        json = json_object_get(json, name);
        p += n + (p[n] == '.');
    }
    if (!json_is_number(json))
        fail_msg("%s is no number", path);
    return json_number_value(json);
}

static void assert_latency(json_t *json, const char *which)
{
    char path[64];
    double last = 0;
    static const char *const NAMES[] = { "p50", "p95", "p99" };
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "latency_ms.%s.%s", which, NAMES[i]);
        double now = at(json, path);
        if (!(now > 0 && now >= last && now < 1e5))
            fail_msg("%s is %g, after %g", path, now, last);
        last = now;
    }
    snprintf(path, sizeof path, "latency_ms.%s.calls", which);
    assert_true(at(json, path) >= 20);
}

static void assert_shares(json_t *json, const char *which)
{
    char path[64];
    double sum = 0;
    static const char *const NAMES[] = { "embeddings", "products", "attention", "norms", "pooling", "rest" };
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        snprintf(path, sizeof path, "shares.%s.%s", which, NAMES[i]);
        double share = at(json, path);
        if (!(share >= 0 && share <= 1) || (i < 4 && share == 0))
            fail_msg("%s is %g", path, share);
        sum += share;
    }
    assert_true(fabs(sum - 1) < 1e-6);
}

static void assert_sane(json_t *json)
{
    double sequences = at(json, "texts.sequences"), tokens = at(json, "texts.tokens");
    assert_true(sequences >= at(json, "texts.rows") && tokens >= 2 * sequences);
    static const char *const RATES[] = { "tokenised", "with_tokenising" };
    for (size_t i = 0; i < 2; i++) {
        char path[2][64];
        snprintf(path[0], sizeof path[0], "%s.sequences_per_second", RATES[i]);
        snprintf(path[1], sizeof path[1], "%s.tokens_per_second", RATES[i]);
        assert_true(at(json, path[0]) > 0);
        assert_true(fabs(at(json, path[1]) / at(json, path[0]) - tokens / sequences) < 1e-6 * tokens);
    }
    assert_latency(json, "text_of_16_tokens");
    assert_latency(json, "texts");
    assert_shares(json, "many_texts");
    assert_shares(json, "one_text");
    assert_true(at(json, "memory.resident") > 0 && at(json, "memory.peak") >= at(json, "memory.resident"));
    assert_true(json_is_string(json_object_get(json, "machine")) &&
                json_is_string(json_object_get(json, "operations")));
}

static void a_module_is_measured_on_texts_that_are_made_up(void **state)
{
    (void)state;
    bert_model *model = load_model(toy_module("module", (toy){ 0 }));
    json_t *json = measured(model, NULL, NULL, false);
    assert_sane(json);
    assert_true(json_is_true(json_object_get(json_object_get(json, "texts"), "made_up")));
    assert_true(json_is_null(json_object_get(json, "roofline")) || !json_object_get(json, "roofline"));
    assert_int_equal(at(json, "model.layers"), TOY_LAYERS);
    assert_int_equal(at(json, "model.hidden"), TOY_HIDDEN);
    /* 4 H^2 + 2 H I numbers a layer, in panels of 32 outputs: 3 H, H and I rounded up; the last layer's query stands
     * apart */
    double whole = 128 * 40 + 64 * 40 + 96 * 40 + 64 * 72, last = 64 * 40 + 96 * 40 + 64 * 40 + 96 * 40 + 64 * 72;
    assert_int_equal(at(json, "memory.matrices"), 4 * (2 * whole + last));
    json_decref(json);
    bert_model_free(model);
}

static void every_kind_of_model_is_measured(void **state)
{
    (void)state;
    static const struct {
        int task, pooling;
        double sequences; /* of a row */
    } kinds[] = { { BERT_TASK_BINARY, BERT_POOLING_CLS, 1 },
                  { BERT_TASK_REGRESSION, BERT_POOLING_MEAN, 1 },
                  { BERT_TASK_SIMILARITY, BERT_POOLING_MEAN, 2 },
                  { BERT_TASK_TOKENS, BERT_POOLING_NONE, 1 } };
    static const char *const TAGS[] = { "O", "B-X", "I-X" };
    const char *module = toy_module("module", (toy){ 0 });
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        bool tags = kinds[i].task == BERT_TASK_TOKENS, words = kinds[i].task == BERT_TASK_BINARY;
        bert_head_spec head = toy_head(kinds[i].task,
                                       tags    ? TAGS
                                       : words ? TOY_BINARY
                                               : NULL,
                                       tags    ? 3
                                       : words ? 2
                                               : 0);
        head.label_max = tags || words ? 0 : 1;
        bert_model *model = toy_model_of(module, kinds[i].pooling, 20, &head);
        json_t *json = measured(model, NULL, NULL, false);
        assert_sane(json);
        assert_true(at(json, "texts.sequences") == kinds[i].sequences * at(json, "texts.rows"));
        json_decref(json);
        bert_model_free(model);
    }
}

static void a_data_set_is_measured_as_the_session_reads_it(void **state)
{
    (void)state;
    enum { N = 9 };
    bert_err err;
    random_stream r = { 6, 95, 0 };
    bert_text texts[N], labels[N] = { { 0 } };
    bert_dataset *data;
    bert_session_options o;
    for (size_t i = 0; i < N; i++)
        texts[i] = toy_text(&r, 20);
    check(bert_dataset_create(texts, NULL, labels, N, &data, &err), &err);
    bert_model *model = load_model(toy_module("module", (toy){ 0 }));
    bert_session_defaults(&o);
    o.seq_len = 10;
    o.threads = 1;
    json_t *json = measured(model, &o, data, false);
    assert_sane(json);
    assert_int_equal(at(json, "texts.rows"), N);
    assert_int_equal(at(json, "texts.tokens"), 10 * N);
    assert_int_equal(at(json, "threads"), 1);
    json_decref(json);
    o.pooling = BERT_POOLING_NONE;
    json = measured(model, &o, data, false);
    assert_sane(json);
    json_decref(json);
    o.pooling = BERT_POOLING_MEAN;
    o.seq_len = 0;
    o.window = 12;
    json = measured(model, &o, data, false);
    assert_sane(json);
    assert_true(at(json, "texts.tokens") > 22 * N);
    json_decref(json);
    bert_dataset_free(data);
    bert_model_free(model);
}

static void a_roofline_holds_products_and_reading(void **state)
{
    (void)state;
    bert_model *model = load_model(toy_module("module", (toy){ 0 }));
    json_t *json = measured(model, NULL, NULL, true), *products, *alone, *item;
    size_t i;
    assert_sane(json);
    products = json_object_get(json_object_get(json, "roofline"), "products");
    alone = json_object_get(products, "alone");
    assert_int_equal(json_array_size(alone), 4);
    json_array_foreach(alone, i, item)
    {
        assert_true(at(item, "gflops") > 0 && at(item, "in") > 0 && at(item, "out") > 0);
        if (json_is_string(json_object_get(products, "library")))
            assert_true(at(item, "onednn_gflops") > 0);
    }
    assert_true(at(products, "gflops_in_model") > 0 && at(products, "gflops_alone") > 0 &&
                at(products, "of_alone") > 0);
    assert_true(at(products, "share_of_time") > 0 && at(products, "share_of_time") < 1);
    assert_true(at(json, "roofline.reading.matrices_gb_per_second") > 0);
    assert_true(at(json, "roofline.reading.share_of_latency") > 0);
    json_decref(json);
    bert_model_free(model);
}

static void people_read_lines(void **state)
{
    (void)state;
    bert_err err;
    char *text;
    bert_model *model = load_model(toy_module("module", (toy){ 0 }));
    const bert_bench_options options = { .seconds = SHORT, .roofline = true };
    check(bert_model_bench(model, NULL, NULL, &options, false, &text, &err), &err);
    static const char *const LINES[] = { "model      fp32, 3 layers of 40 channels, pooling mean, task none\n",
                                         "that are made up",
                                         "with tokenising",
                                         "16 tokens",
                                         "matrix products",
                                         "resident after the first text",
                                         "of the time, at",
                                         "again and again" };
    for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++)
        if (!strstr(text, LINES[i]))
            fail_msg("\"%s\" is missing in\n%s", LINES[i], text);
    bert_free(text);
    bert_model_free(model);
}

static void what_cannot_be_measured_is_said(void **state)
{
    (void)state;
    char *text;
    bert_model *model = load_model(toy_module("module", (toy){ 0 }));
    bert_bench_options options = { .seconds = 0 };
    bert_session_options o;
    bert_session_defaults(&o);
    o.seq_len = TOY_POSITIONS + 1;
    assert_fails(bert_model_bench(model, NULL, NULL, &options, false, &text, err), BERT_ERR_ARGUMENT,
                 "--seconds: 0 is out of range, 0.001 to 3600");
    assert_null(text);
    assert_fails(bert_model_bench(model, &o, NULL, NULL, false, &text, err), BERT_ERR_ARGUMENT,
                 "seq_len 49: from 3 to the module's 48 positions");
    assert_null(text);
    bert_model_free(model);
}

/* Of a vocabulary: texts of exactly so many tokens, special ones counted. */
static void check_texts(const char *vocabulary)
{
    bert_err err;
    bert_tokenizer *t;
    bert_dataset *data;
    bert_features f = { 0 };
    check(bert_tokenizer_create(vocabulary, strlen(vocabulary), "vocabulary", NULL, &t, &err), &err);
    for (size_t tokens = 3; tokens < 40; tokens += 4) {
        check(bench_texts(t, 5, tokens, tokens, false, &data, &err), &err);
        check(bert_encode(t, data->texts, NULL, data->n, 64, &f, &err), &err);
        for (size_t i = 0; i < 5; i++)
            assert_true(f.input_mask[i * 64 + tokens - 1] == 1 && f.input_mask[i * 64 + tokens] == 0);
        bert_dataset_free(data);
    }
    bert_features_free(&f);
    bert_tokenizer_free(t);
}

static void made_up_texts_have_the_tokens_that_are_asked_for(void **state)
{
    (void)state;
    check_texts(toy_vocabulary());
    check_texts("[UNK]\n[CLS]\n[SEP]\n");
    /* of which one is read back as itself */
    check_texts("[PAD]\n[UNK]\n[CLS]\n[SEP]\n##a\nA\nb c\n\xFF\n\xE4\xB8\xAD\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(a_module_is_measured_on_texts_that_are_made_up),
        in_a_folder(every_kind_of_model_is_measured),
        in_a_folder(a_data_set_is_measured_as_the_session_reads_it),
        in_a_folder(a_roofline_holds_products_and_reading),
        in_a_folder(people_read_lines),
        in_a_folder(what_cannot_be_measured_is_said),
        in_a_folder(made_up_texts_have_the_tokens_that_are_asked_for),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}

/* Golden: pipelines of every kind of component give the ids and offsets of the package `tokenizers`.
 *
 *     test_text_pipeline_golden [FILE...]
 *
 * FILE, or each of tests/text/pipelines/, is what tests/hf/make_pipelines.py writes: {"tokenizer": a tokenizer.json, or
 * where it lies, "rows": [[text, [id, start, end, id, ...]], ...], "known": [...]}; offsets are in code points. */
#include "base/file.h"
#include "formats/json.h"
#include "text/split.h"
#include "text/tokenizer_json.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static bert_tokenizer *make_tokenizer(json_t *json, const char *where)
{
    bert_tokenizer *t = NULL;
    bert_tokenizer_options options;
    buffer packed = { 0 };
    arena a = { 0 };
    bert_err err;
    bert_tokenizer_defaults(&options);
    options.special_in_text = 1;
    if (tokenizer_json_pack(json, &packed, where, &err) || tokenizer_json_added(json, &options, &a, where, &err) ||
        bert_tokenizer_create(packed.data, packed.size, where, &options, &t, &err))
        fail_msg("%s", err.message);
    buffer_free(&packed);
    arena_free(&a);
    return t;
}

static void tell(const char *path, json_t *row, const bert_tokens *k, const char *what)
{
    char *text = json_dumps(row, JSON_COMPACT);
    printf("%s: %s\n  expected %s\n  found   ", path, what, text);
    for (size_t i = 0; i < k->n; i++)
        printf(" %d,%u,%u", k->ids[i], k->char_start[i], k->char_end[i]);
    printf("\n");
    free(text);
}

/* Whether a row is as it should be. */
static bool check_row(const char *path, const bert_tokenizer *t, json_t *row, bert_tokens *k, bool told)
{
    json_t *text = json_array_get(row, 0), *expected = json_array_get(row, 1);
    bert_err err;
    bert_tokens ids = { 0 };
    const bert_text given = { json_string_value(text), json_string_length(text) };
    if (bert_tokenize(t, given, k, &err) || split_text(t, given, (split_options){ .limit = SIZE_MAX }, &ids, &err))
        fail_msg("%s: %s", path, err.message);
    const char *what = 3 * k->n != json_array_size(expected) ? "the number of tokens" : NULL;
    for (size_t i = 0; !what && i < k->n; i++) {
        const json_int_t e[] = { json_integer_value(json_array_get(expected, 3 * i)),
                                 json_integer_value(json_array_get(expected, 3 * i + 1)),
                                 json_integer_value(json_array_get(expected, 3 * i + 2)) };
        what = k->ids[i] != e[0] ? "an id" : k->char_start[i] != e[1] || k->char_end[i] != e[2] ? "an offset" : NULL;
    }
    if (!what && (ids.n != k->n || (k->n && memcmp(ids.ids, k->ids, k->n * sizeof *ids.ids))))
        what = "ids without offsets are others";
    if (what && told)
        tell(path, row, k, what);
    bert_tokens_free(&ids);
    return !what;
}

static size_t check_file(const char *path)
{
    enum { MOST_TOLD = 10 };
    json_t *golden = NULL, *json = NULL;
    json_error_t error;
    bert_err err;
    file_mapping file;
    if (file_map(&file, path, &err))
        fail_msg("%s", err.message);
    golden = json_parse((const char *)file.data, file.size, JSON_ALLOW_NUL, &error);
    file_unmap(&file);
    if (!golden)
        fail_msg("%s: line %d: %s", path, error.line, error.text);
    json_t *tokenizer = json_object_get(golden, "tokenizer"), *rows = json_object_get(golden, "rows");
    if (json_is_string(tokenizer) && json_read_file(&json, json_string_value(tokenizer), &err))
        fail_msg("%s", err.message);
    bert_tokenizer *t = make_tokenizer(json ? json : tokenizer, path);
    bert_tokens tokens = { 0 };
    size_t wrong = 0, n = json_array_size(rows);
    for (size_t i = 0; i < n; i++)
        wrong += !check_row(path, t, json_array_get(rows, i), &tokens, wrong < MOST_TOLD);
    printf("%s: %zu texts, %zu differ\n", path, n, wrong);
    bert_tokens_free(&tokens);
    bert_tokenizer_free(t);
    json_decref(json);
    json_decref(golden);
    return wrong;
}

/* A tokenizer.json of its own is loaded as it stands, special tokens around a text's tokens as it says; what it has
 * that libbert has not is told by name. */
static void a_tokenizer_json_is_loaded(void **state)
{
    (void)state;
    char path[] = "/tmp/bert-tokenizer-XXXXXX.json";
    json_t *golden = NULL;
    bert_tokenizer *t = NULL;
    bert_features features = { 0 };
    bert_err err;
    const bert_text text = { "the", 3 };
    int file = mkstemps(path, 5);
    assert_true(file >= 0);
    close(file);
    json_error_t error;
    assert_non_null(golden = json_load_file("tests/text/pipelines/roberta.json", JSON_ALLOW_NUL, &error));
    json_t *tokenizer = json_object_get(golden, "tokenizer");
    assert_int_equal(json_dump_file(tokenizer, path, 0), 0);
    assert_int_equal(bert_tokenizer_load(path, NULL, &t, &err), BERT_OK);
    assert_int_equal(bert_encode(t, &text, &text, 1, 16, &features, &err), BERT_OK);
    const int32_t first = features.input_ids[0], last = bert_tokenizer_id(t, "</s>", 4);
    assert_int_equal(first, bert_tokenizer_id(t, "<s>", 3)); /* <s> a </s></s> b </s>, all of one segment */
    size_t n = 0, ends = 0;
    for (; n < 16 && features.input_mask[n]; n++) {
        ends += features.input_ids[n] == last;
        assert_int_equal(features.segment_ids[n], 0);
    }
    assert_int_equal(ends, 3);
    assert_int_equal(features.input_ids[n - 1], last);
    bert_features_free(&features);
    bert_tokenizer_free(t);

    json_object_set_new(json_object_get(tokenizer, "pre_tokenizer"), "sideways", json_true());
    assert_int_equal(json_dump_file(tokenizer, path, 0), 0);
    assert_int_equal(bert_tokenizer_load(path, NULL, &t, &err), BERT_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "pre_tokenizer ByteLevel: \"sideways\" is not known"));
    json_decref(golden);
    unlink(path);
}

static void pipelines_match_golden(void **state)
{
    (void)state;
    glob_t found = { 0 };
    assert_int_equal(glob("tests/text/pipelines/*.json", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++)
        assert_int_equal(check_file(found.gl_pathv[i]), 0);
    globfree(&found);
}

int main(int argc, char **argv)
{
    size_t wrong = 0;
    for (int i = 1; i < argc; i++)
        wrong += check_file(argv[i]);
    if (argc > 1)
        return wrong != 0;
    const struct CMUnitTest tests[] = { cmocka_unit_test(pipelines_match_golden),
                                        cmocka_unit_test(a_tokenizer_json_is_loaded) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

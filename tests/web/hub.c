/* bert_pull against a hub on loopback: the right files, checked, resumed, not fetched twice. */
#include "web/hub.h"

#include "http_server.h"
#include "base/scratch.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* SHA-256 of "weights"; git hash-object of "{}" */
#define WEIGHTS_TAG "\"9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c\""
#define BRACES_TAG "\"9e26dfeeb6e641a33dae4961196235bdb965b21b\""

static http_server server;

/* Serves these routes as the hub. */
static void hub_start(route *routes, size_t n)
{
    server_start(&server, routes, n);
    setenv("HF_ENDPOINT", server_url(&server, "/"), 1);
    unsetenv("HF_TOKEN");
}

static void assert_chosen(const char *const *names, size_t n_names, const char *const *expected, size_t n_expected)
{
    arena a = { 0 };
    const hub_file **chosen;
    hub_file *files = arena_array(&a, n_names, sizeof *files);
    size_t n;
    for (size_t i = 0; i < n_names; i++)
        files[i].name = names[i];
    assert_int_equal(hub_choose(&a, files, n_names, "o/r", &chosen, &n, NULL), BERT_OK);
    assert_int_equal(n, n_expected);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(chosen[i]->name, expected[i]);
    arena_free(&a);
}

#define CHOSEN(names, expected) \
    assert_chosen(names, sizeof(names) / sizeof *(names), expected, sizeof(expected) / sizeof *(expected))

static void the_best_weights_and_what_belongs_to_them_are_chosen(void **state)
{
    (void)state;
    static const char *const ALL[] = { ".gitattributes",
                                       "1_Pooling/config.json",
                                       "README.md",
                                       "config.json",
                                       "config_sentence_transformers.json",
                                       "data_config.json",
                                       "model.safetensors",
                                       "model.safetensors.index.json",
                                       "modules.json",
                                       "onnx/model.onnx",
                                       "onnx/deep/config.json",
                                       "pytorch_model.bin",
                                       "rust_model.ot",
                                       "sentence_bert_config.json",
                                       "special_tokens_map.json",
                                       "tf_model.h5",
                                       "tokenizer.json",
                                       "tokenizer_config.json",
                                       "vocab.txt" };
    static const char *const OF_ALL[] = { "1_Pooling/config.json",
                                          "config.json",
                                          "config_sentence_transformers.json",
                                          "model.safetensors",
                                          "modules.json",
                                          "sentence_bert_config.json",
                                          "special_tokens_map.json",
                                          "tokenizer.json",
                                          "tokenizer_config.json",
                                          "vocab.txt" };
    static const char *const SHARDED[] = { "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
                                           "model.safetensors.index.json", "pytorch_model.bin" };
    static const char *const TORCH[] = { "config.json", "pytorch_model.bin", "pytorch_model-00001-of-00001.bin" };
    static const char *const OF_TORCH[] = { "config.json", "pytorch_model.bin" };
    static const char *const TORCH_SHARDED[] = { "pytorch_model-00001-of-00001.bin", "pytorch_model.bin.index.json" };
    CHOSEN(ALL, OF_ALL);
    assert_chosen(SHARDED, 4, SHARDED, 3);
    CHOSEN(TORCH, OF_TORCH);
    CHOSEN(TORCH_SHARDED, TORCH_SHARDED);
}

static void names_that_leave_the_folder_are_refused(void **state)
{
    (void)state;
    static const char *const NAMES[] = { "../config.json", "/config.json", "./config.json", "..\\/config.json",
                                         "a\n/config.json" };
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        arena a = { 0 };
        bert_err err;
        const hub_file **chosen, files[] = { { .name = "model.safetensors" }, { .name = NAMES[i] } };
        size_t n;
        char text[256];
        snprintf(text, sizeof text, "o/r: refused, a file's name leads out of its folder: %s", NAMES[i]);
        assert_int_equal(hub_choose(&a, files, 2, "o/r", &chosen, &n, &err), BERT_ERR_FORMAT);
        assert_string_equal(err.message, text);
        arena_free(&a);
    }
}

#define LISTING                                                                                                     \
    "{\"id\": \"o/r\", \"siblings\": [{\"rfilename\": \"1_Pooling/config.json\"}, {\"rfilename\": \"README.md\"}, " \
    "{\"rfilename\": \"config.json\"}, {\"rfilename\": \"model.safetensors\"}]}"

static bool note_files(void *context, const char *file, uint64_t done, uint64_t total)
{
    (void)done, (void)total;
    char *files = context;
    if (!strstr(files, file))
        strcat(files, file);
    return true;
}

static void a_repository_arrives_and_is_not_fetched_twice(void **state)
{
    (void)state;
    char store[256], files[256] = "";
    route r[] = { { .path = "/api/models/o/r", .body = LISTING, .fail_first = 1 },
                  { .path = "/o/r/resolve/main/1_Pooling/config.json", .body = "{}", .etag = BRACES_TAG },
                  { .path = "/o/r/resolve/main/config.json", .body = "{}", .etag = BRACES_TAG },
                  { .path = "/o/r/resolve/main/model.safetensors", .location = store, .linked_etag = WEIGHTS_TAG },
                  { .path = "/store", .body = "weights", .etag = "\"a store's own\"" } };
    hub_start(r, 5);
    snprintf(store, sizeof store, "http://localhost:%d/store", server.port);
    setenv("HF_TOKEN", "secret-token", 1);
    assert_int_equal(bert_pull("o/r", scratch("out"), note_files, files, NULL), BERT_OK);
    assert_true(file_holds(scratch("out/1_Pooling/config.json"), "{}", 2));
    assert_true(file_holds(scratch("out/config.json"), "{}", 2));
    assert_true(file_holds(scratch("out/model.safetensors"), "weights", 7));
    assert_false(file_exists(scratch("out/README.md")));
    assert_non_null(strstr(files, "1_Pooling/config.json"));
    assert_non_null(strstr(files, "model.safetensors"));
    for (int i = 0; i < 4; i++)
        assert_non_null(strstr(r[i].request, "Authorization: Bearer secret-token\r\n"));
    assert_null(strstr(r[4].request, "secret"));
    assert_int_equal(bert_pull("o/r", scratch("out"), NULL, NULL, NULL), BERT_OK);
    assert_int_equal(r[4].hits, 1);
    r[2].body = "{\"new\": 1}"; /* the repository moves on */
    r[2].etag = "\"4977953ceef72187fa5d414d1691dc1b230de0d8\"";
    assert_int_equal(bert_pull("o/r", scratch("out"), NULL, NULL, NULL), BERT_OK);
    assert_true(file_holds(scratch("out/config.json"), "{\"new\": 1}", 10));
    assert_int_equal(r[4].hits, 1);
    server_stop(&server);
}

static void a_wrong_file_of_a_repository_is_not_kept(void **state)
{
    (void)state;
    bert_err err;
    route r[] = { { .path = "/api/models/o/r", .body = "{\"siblings\": [{\"rfilename\": \"model.safetensors\"}]}" },
                  { .path = "/o/r/resolve/main/model.safetensors", .body = "wrights", .linked_etag = WEIGHTS_TAG } };
    hub_start(r, 2);
    assert_int_equal(bert_pull("o/r", scratch("out"), NULL, NULL, &err), BERT_ERR_NETWORK);
    assert_non_null(strstr(err.message, "/o/r/resolve/main/model.safetensors: SHA-256 is "));
    assert_false(file_exists(scratch("out/model.safetensors")));
    server_stop(&server);
}

/* Size and checksum of the listing are held against what comes, whatever the server of the file says. */
static void the_listing_tells_size_and_checksum(void **state)
{
    (void)state;
    static const struct {
        const char *listed, *words; /* NULL: it arrives */
    } CASES[] = {
        { "\"size\": 7", NULL },
        { "\"size\": 7, \"lfs\": {\"sha256\": \"9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c\"}, "
          "\"blobId\": \"00\"",
          NULL },
        { "\"size\": 6", "/o/r/resolve/main/model.safetensors: the server sends more than the listed 6 bytes" },
        { "\"size\": 8", "/o/r/resolve/main/model.safetensors: 7 bytes came, 8 are listed" },
        { "\"lfs\": {\"sha256\": \"9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2d\"}",
          "/o/r/resolve/main/model.safetensors: SHA-256 is 9a129038" },
        { "\"blobId\": \"9e26dfeeb6e641a33dae4961196235bdb965b21b\"",
          "/o/r/resolve/main/model.safetensors: git SHA-1 is " },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_err err = { 0 };
        char listing[512];
        route r[] = { { .path = "/api/models/o/r", .body = listing },
                      { .path = "/o/r/resolve/main/model.safetensors", .body = "weights" } };
        snprintf(listing, sizeof listing, "{\"siblings\": [{\"rfilename\": \"model.safetensors\", %s}]}",
                 CASES[i].listed);
        hub_start(r, 2);
        folder_remove(scratch("out"), NULL);
        assert_int_equal(bert_pull("o/r", scratch("out"), NULL, NULL, &err),
                         CASES[i].words ? BERT_ERR_NETWORK : BERT_OK);
        assert_non_null(strstr(r[0].request, "GET /api/models/o/r?blobs=true "));
        if (CASES[i].words && !strstr(err.message, CASES[i].words))
            fail_msg("\"%s\" does not say \"%s\"", err.message, CASES[i].words);
        assert_int_equal(file_exists(scratch("out/model.safetensors")), !CASES[i].words);
        assert_false(file_exists(scratch("out/model.safetensors.part")));
        server_stop(&server);
    }
}

static void what_the_hub_says_wrong_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *listing;
        int status;
        bert_status code;
        const char *words;
    } CASES[] = {
        { "no", 404, BERT_ERR_NETWORK, "/api/models/o/r?blobs=true: the server answered 404 (not found)" },
        { "", 0, BERT_ERR_NETWORK, "no listing of a repository: " },
        { "<html>", 0, BERT_ERR_NETWORK, "no listing of a repository: " },
        { "{}", 0, BERT_ERR_NETWORK, "/api/models/o/r?blobs=true: the answer has no list of files (\"siblings\")" },
        { "{\"siblings\": [{}]}", 0, BERT_ERR_NETWORK,
          "/api/models/o/r?blobs=true: file 1 of the answer has no name (\"rfilename\")" },
        { "{\"siblings\": []}", 0, BERT_ERR_UNSUPPORTED,
          "o/r: holds no weights that are read here: no model.safetensors, no pytorch_model.bin" },
        { "{\"siblings\": [{\"rfilename\": \"model.safetensors\"}, {\"rfilename\": \"../config.json\"}]}", 0,
          BERT_ERR_FORMAT, "o/r: refused, a file's name leads out of its folder: ../config.json" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_err err;
        route r = { .path = "/api/models/o/r", .body = CASES[i].listing, .status = CASES[i].status };
        hub_start(&r, 1);
        assert_int_equal(bert_pull("o/r", scratch("out"), NULL, NULL, &err), CASES[i].code);
        assert_non_null(strstr(err.message, CASES[i].words));
        assert_false(file_exists(scratch("out")));
        server_stop(&server);
    }
}

static void names_that_are_no_repository_are_refused(void **state)
{
    (void)state;
    static const char *const NAMES[] = { "", "/", "a/", "/b", "a/b/c", "../x", "a/..", ".a", "a b", "a?b", "a/b#c" };
    bert_err err;
    char text[256];
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        assert_int_equal(bert_pull(NAMES[i], scratch("out"), NULL, NULL, &err), BERT_ERR_ARGUMENT);
        snprintf(text, sizeof text, "\"%s\": not a repository's name, expected OWNER/NAME", NAMES[i]);
        assert_string_equal(err.message, text);
    }
    setenv("HF_ENDPOINT", "ftp://hub", 1);
    assert_int_equal(bert_pull("a/b", scratch("out"), NULL, NULL, &err), BERT_ERR_ARGUMENT);
    assert_string_equal(err.message, "HF_ENDPOINT is ftp://hub, expected an http:// or https:// address");
}

int main(void)
{
#define IN_FOLDER(test) in_a_folder(test)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_weights_and_what_belongs_to_them_are_chosen),
        cmocka_unit_test(names_that_leave_the_folder_are_refused),
        IN_FOLDER(a_repository_arrives_and_is_not_fetched_twice),
        IN_FOLDER(a_wrong_file_of_a_repository_is_not_kept),
        IN_FOLDER(the_listing_tells_size_and_checksum),
        IN_FOLDER(what_the_hub_says_wrong_is_told),
        IN_FOLDER(names_that_are_no_repository_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

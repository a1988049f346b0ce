/* A thread that somebody starts with little stack may call anything of bert.h: include/bert.h says how much it
 * needs. */
#include "api/toy_folder.h"

#include <pthread.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
enum { STACK = 8 << 20 }; /* a sanitizer's frames are larger */
#else
enum { STACK = 128 << 10 };
#endif
enum { GUARD = 1 << 20 };

/* What went wrong, told by the thread that joins. */
static bert_err failure;

#define TRY(call)                                                 \
    do {                                                          \
        if (call) {                                               \
            snprintf(failure.message + 900, 100, " (%s)", #call); \
            return NULL;                                          \
        }                                                         \
    } while (0)

static void *import_and_tokenise(void *unused)
{
    (void)unused;
    bert_module *module;
    bert_tokens tokens = { 0 };
    bert_features features = { 0 };
    char *out;
    const bert_text texts[] = { { "How are you?", 12 }, { "Fine.", 5 } };
    TRY(bert_import("tests/files/toy", module_path, NULL, NULL, &failure));
    TRY(bert_module_open(module_path, &module, &failure));
    TRY(bert_tokenize(bert_module_tokenizer(module), texts[0], &tokens, &failure));
    TRY(bert_encode(bert_module_tokenizer(module), texts, NULL, 2, 16, &features, &failure));
    bert_tokens_free(&tokens);
    bert_features_free(&features);
    bert_module_free(module);
    TRY(bert_inspect(module_path, true, &out, &failure));
    bert_free(out);
    return &failure;
}

/* Every precision, so every kind of product; windows; all outputs. */
static void *freeze_and_predict(void *loaded)
{
    bert_model *model = loaded;
    bert_freeze_options options;
    bert_freeze_defaults(&options);
    for (options.precision = 0; options.precision < 3; options.precision++) {
        bert_model *frozen;
        bert_session *session;
        bert_table *table;
        bert_table_options columns;
        bert_rows rows;
        float scores[2 * 32], *vectors;
        bert_table_defaults(&columns);
        columns.text_columns = "1,2";
        TRY(bert_model_freeze(model, frozen_path, &options, NULL, NULL, &failure));
        TRY(bert_model_load(frozen_path, &frozen, &failure));
        TRY(bert_session_create(frozen, NULL, &session, &failure));
        TRY(bert_table_open("tests/files/toy-valid.tsv", &columns, false, &table, &failure));
        TRY(bert_table_next(table, 32, &rows, &failure));
        vectors = malloc(rows.n * bert_session_hidden(session) * sizeof *vectors);
        TRY(bert_session_predict(session, rows.texts, rows.pairs, rows.n, scores, NULL, &failure));
        TRY(bert_session_embed(session, rows.texts, rows.pairs, rows.n, vectors, NULL, NULL, &failure));
        free(vectors);
        bert_table_close(table);
        bert_session_free(session);
        bert_model_free(frozen);
    }
    return &failure;
}

static void *train(void *out)
{
    bert_layer_spec spec;
    bert_train_options options;
    bert_head_spec head;
    bert_model *model;
    bert_dataset *rows = toy_pairs("tests/files/toy-train.tsv", &failure),
                 *valid = toy_pairs("tests/files/toy-valid.tsv", &failure);
    TRY(!rows || !valid);
    bert_layer_defaults(&spec);
    spec.module = module_path;
    spec.seq_len = 24;
    spec.n_tune_layers = 1;
    spec.tune_embeddings = true;
    bert_head_defaults(&head);
    TRY(bert_head_of_dataset(&head, rows, &failure));
    TRY(bert_model_create(&spec, &head, 1, &model, &failure));
    bert_train_defaults(&options);
    options.epochs = 1;
    options.batch_size = 8;
    /* page and events, too */
    TRY(bert_model_train(model, rows, valid, &options, model_path, false, NULL, NULL, &failure));
    bert_dataset_free(rows);
    bert_dataset_free(valid);
    *(bert_model **)out = model;
    return &failure;
}

static void *export_all(void *model)
{
    static const char *const NAMES[] = { "model.onnx", "model.gguf", "hf" };
    bert_export_options options;
    bert_export_defaults(&options);
    for (options.format = BERT_EXPORT_ONNX; options.format <= BERT_EXPORT_HF; options.format++)
        TRY(bert_model_export(model, path_of(NAMES[options.format]), &options, NULL, &failure));
    return &failure;
}

/* Runs f in a thread of that stack: it lies in the middle of pages that hold a pattern, which would change if more was
 * used, even by a step over the guard. */
static void in_small_thread(void *(*f)(void *), void *argument)
{
    pthread_t thread;
    pthread_attr_t attributes;
    void *result = NULL;
    unsigned char *memory = mmap(NULL, GUARD + STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(memory != MAP_FAILED);
    memset(memory, 0xA5, GUARD);
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstack(&attributes, memory + GUARD, STACK), 0);
    assert_int_equal(pthread_create(&thread, &attributes, f, argument), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    pthread_attr_destroy(&attributes);
    if (!result)
        fail_msg("%s%s", failure.message, failure.message + 900);
    size_t i = 0;
    while (i < GUARD && memory[i] == 0xA5)
        i++;
    if (i < GUARD)
        fail_msg("%zu bytes of stack were not enough: %zu more were used", (size_t)STACK, (size_t)GUARD - i);
    munmap(memory, GUARD + STACK);
}

static void the_whole_way_runs_in_a_thread_of_little_stack(void **state)
{
    (void)state;
    bert_model *model = NULL;
    in_small_thread(import_and_tokenise, NULL);
    in_small_thread(train, &model);
    in_small_thread(freeze_and_predict, model);
    bert_model_free(model);
}

/* Arrays in arrays, as deep as nobody means them: told, not followed. */
static void *read_deep(void *unused)
{
    (void)unused;
    enum { DEEP = 100000 };
    static const char BEFORE[] = "{\"format\": \"libbert.model\", \"x\": ";
    char *text = malloc(sizeof BEFORE + 2 * DEEP + 2), *end = text + sprintf(text, "%s", BEFORE);
    bert_model *model;
    bert_table *table;
    bert_rows rows;
    bert_table_options options;
    memset(end, '[', DEEP);
    memset(end + DEEP, ']', DEEP);
    memcpy(end + 2 * DEEP, "}", 2);
    if (bert_model_from_json(text, folder, &model, &failure) != BERT_ERR_FORMAT || !strstr(failure.message, "depth"))
        return NULL;
    FILE *f = fopen(path_of("deep.jsonl"), "w");
    fprintf(f, "%s\n", text);
    fclose(f);
    free(text);
    bert_table_defaults(&options);
    TRY(bert_table_open(path_of("deep.jsonl"), &options, false, &table, &failure));
    if (bert_table_next(table, 1, &rows, &failure) != BERT_ERR_DATA || !strstr(failure.message, "depth"))
        return NULL;
    bert_table_close(table);
    return &failure;
}

static void json_that_is_too_deep_is_told(void **state)
{
    (void)state;
    in_small_thread(read_deep, NULL);
}

static void exports_run_in_a_thread_of_little_stack(void **state)
{
    (void)state;
    bert_model *model;
    bert_err err;
    if (bert_model_load(model_path, &model, &err))
        fail_msg("%s", err.message);
    in_small_thread(export_all, model);
    bert_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_way_runs_in_a_thread_of_little_stack),
        cmocka_unit_test(exports_run_in_a_thread_of_little_stack),
        cmocka_unit_test(json_that_is_too_deep_is_told),
    };
    return cmocka_run_group_tests(tests, toy_folder_make, toy_folder_remove);
}

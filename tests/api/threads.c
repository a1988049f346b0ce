/* What bert.h allows of many threads, done by many threads at once: under ThreadSanitizer (make tsan) a race fails,
 * everywhere a bit that differs does. */
#include "api/toy_folder.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { THREADS = 8, ROUNDS = 6, N = 8, SEQ_LEN = 24, MOST = 4096 };

static const char *const TEXTS[N] = { "how do i cook rice",
                                      "what is the best way to learn",
                                      "",
                                      "is it true that cats sleep all day",
                                      "can a dog eat rice, \xc3\xa9h?",
                                      "one two three four five six",
                                      "a b c d",
                                      "why, why, why is the sky blue so often" };

/* In a thread a failure is told by the thread's return: cmocka's asserts belong to the main one. */
#define expect(condition)              \
    do {                               \
        if (!(condition))              \
            return (void *)#condition; \
    } while (0)
#define done(call) expect(!(call))

typedef void *(*thread_body)(void *);

/* Runs bodies at once, each in a thread of its own. */
static void run_threads(const thread_body *bodies, size_t n, void *argument)
{
    pthread_t threads[16];
    for (size_t i = 0; i < n; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, bodies[i], argument), 0);
    const char *failure = NULL;
    for (size_t i = 0; i < n; i++) {
        void *said;
        pthread_join(threads[i], &said);
        failure = said ? said : failure;
    }
    if (failure)
        fail_msg("in a thread: %s", failure);
}

static void run_many(thread_body body, void *argument)
{
    thread_body bodies[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        bodies[i] = body;
    run_threads(bodies, THREADS, argument);
}

static void options_of(bert_train_options *options, int64_t epochs)
{
    bert_train_defaults(options);
    options->epochs = epochs;
    options->batch_size = 4;
}

static bert_session *open_session(const bert_model *model, int64_t threads)
{
    bert_session *session = NULL;
    bert_session_options options;
    bert_session_defaults(&options);
    options.threads = threads;
    options.streams = threads == 2 ? 2 : 0; /* tiles for each thread, however few texts */
    return bert_session_create(model, &options, &session, NULL) ? NULL : session;
}

static void fill_texts(bert_text texts[N])
{
    for (size_t i = 0; i < N; i++)
        texts[i] = (bert_text){ TEXTS[i], strlen(TEXTS[i]) };
}

typedef struct answers {
    float scores[N * 2];
    float vectors[MOST];
} answers;

static bool ask(bert_session *session, answers *a)
{
    bert_text texts[N];
    fill_texts(texts);
    memset(a, 0, sizeof *a);
    return bert_session_hidden(session) * N <= MOST &&
           !bert_session_predict(session, texts, NULL, N, a->scores, NULL, NULL) &&
           !bert_session_embed(session, texts, NULL, N, a->vectors, NULL, NULL, NULL);
}

static bool same(const answers *a, const answers *b)
{
    return !memcmp(a, b, sizeof *a);
}

static int set_up(void **state)
{
    if (toy_folder_make(state))
        return -1;
    bert_train_options options;
    bert_dataset *train = toy_pairs("tests/files/toy-train.tsv", NULL);
    bert_model *model = NULL;
    options_of(&options, 1);
    bool made = train && !bert_import("tests/files/toy", module_path, NULL, NULL, NULL) &&
                (model = toy_binary(SEQ_LEN, NULL)) &&
                !bert_model_train(model, train, NULL, &options, model_path, false, NULL, NULL, NULL) &&
                !bert_model_freeze(model, frozen_path, NULL, NULL, NULL, NULL);
    bert_model_free(model);
    bert_dataset_free(train);
    return made ? 0 : -1;
}

/* ---- one tokenizer ----------------------------------------------------------------------------------------------- */

static void *tokenize(void *module)
{
    const bert_tokenizer *tokenizer = bert_module_tokenizer(module);
    bert_text texts[N];
    bert_tokens tokens = { 0 };
    bert_features features = { 0 }, again = { 0 };
    fill_texts(texts);
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < N; i++)
            done(bert_tokenize(tokenizer, texts[i], &tokens, NULL));
        done(bert_encode(tokenizer, texts, texts, N, SEQ_LEN, &features, NULL));
        done(bert_encode(tokenizer, texts, texts, N, SEQ_LEN, &again, NULL));
        expect(!memcmp(features.input_ids, again.input_ids, N * SEQ_LEN * sizeof(int32_t)));
        expect(bert_tokenizer_id(tokenizer, "[CLS]", 5) >= 0);
    }
    bert_tokens_free(&tokens);
    bert_features_free(&features);
    bert_features_free(&again);
    return NULL;
}

static void many_threads_tokenize_with_one_tokenizer(void **state)
{
    (void)state;
    bert_module *module;
    check(bert_module_open(module_path, &module, &err));
    run_many(tokenize, module);
    bert_module_free(module);
}

/* ---- loading ----------------------------------------------------------------------------------------------------- */

static void *load_everything(void *expected)
{
    static const char *const paths[] = { model_path, frozen_path };
    for (size_t round = 0; round < ROUNDS; round++) {
        bert_module *module = NULL;
        bert_model *model = NULL;
        char *text = NULL;
        done(bert_module_open(module_path, &module, NULL));
        bert_module_free(module);
        bert_err err;
        expect(bert_model_load("tests/files/nowhere", &model, &err) == BERT_ERR_IO);
        for (size_t i = 0; i < 2; i++) {
            answers a;
            done(bert_model_load(paths[i], &model, NULL));
            bert_session *session = open_session(model, 1 + round % 2);
            expect(session && ask(session, &a) && same(&a, expected));
            bert_session_free(session);
            bert_model_free(model);
            done(bert_inspect(paths[i], true, &text, NULL));
            bert_free(text);
        }
        done(bert_verify(frozen_path, NULL));
    }
    return NULL;
}

static void many_threads_load_the_same_files(void **state)
{
    (void)state;
    answers expected;
    bert_model *model;
    check(bert_model_load(model_path, &model, &err));
    bert_session *session = open_session(model, 1);
    assert_true(ask(session, &expected));
    bert_session_free(session);
    bert_model_free(model);
    run_many(load_everything, &expected);
}

/* ---- sessions on one model --------------------------------------------------------------------------------------- */

typedef struct shared_model {
    bert_model *model;
    answers expected;
} shared_model;

static void *ask_one_model(void *argument)
{
    const shared_model *shared = argument;
    for (size_t round = 0; round < ROUNDS; round++) {
        answers a;
        bert_session *session = open_session(shared->model, round % 3);
        expect(session && ask(session, &a) && same(&a, &shared->expected));
        expect(ask(session, &a) && same(&a, &shared->expected));
        bert_session_free(session);
    }
    return NULL;
}

static void many_sessions_share_one_model(void **state)
{
    (void)state;
    const char *paths[] = { model_path, frozen_path };
    for (size_t i = 0; i < 2; i++) {
        shared_model shared;
        check(bert_model_load(paths[i], &shared.model, &err));
        bert_session *session = open_session(shared.model, 1);
        assert_true(ask(session, &shared.expected));
        bert_session_free(session);
        run_many(ask_one_model, &shared);
        bert_model_free(shared.model);
    }
}

/* Freezing, exporting and saving read the model alone: each thread into a file of its own. */
static void *write_one_model(void *argument)
{
    const shared_model *shared = argument;
    static atomic_int next;
    int own = atomic_fetch_add(&next, 1);
    char path[96];
    bert_export_options onnx;
    bert_export_defaults(&onnx);
    bert_freeze_options freeze;
    bert_freeze_defaults(&freeze);
    freeze.precision = own % 3;
    snprintf(path, sizeof path, "%s/%d.bert", folder, own);
    done(bert_model_freeze(shared->model, path, &freeze, NULL, NULL, NULL));
    done(bert_verify(path, NULL));
    snprintf(path, sizeof path, "%s/%d.onnx", folder, own);
    done(bert_model_export(shared->model, path, &onnx, NULL, NULL));
    snprintf(path, sizeof path, "%s/saved-%d", folder, own);
    done(bert_model_save(shared->model, path, true, NULL));
    return NULL;
}

static void many_threads_write_one_model(void **state)
{
    (void)state;
    shared_model shared;
    check(bert_model_load(model_path, &shared.model, &err));
    run_many(write_one_model, &shared);
    bert_model_free(shared.model);
}

/* ---- data sets --------------------------------------------------------------------------------------------------- */

static void *make_dataset(void *model)
{
    bert_text texts[N], labels[N];
    fill_texts(texts);
    for (size_t i = 0; i < N; i++)
        labels[i] = (bert_text){ i % 2 ? "1" : "0", 1 };
    for (size_t round = 0; round < ROUNDS; round++) {
        bert_dataset *d = NULL, *left, *right, *read = toy_pairs("tests/files/toy-train.tsv", NULL);
        char *text;
        done(bert_dataset_create(texts, NULL, labels, N, &d, NULL));
        done(bert_dataset_split(read, 0.25, round, &left, &right, NULL));
        expect(bert_dataset_size(left) + bert_dataset_size(right) == bert_dataset_size(read));
        done(bert_dataset_describe(read, right, model, true, &text, NULL));
        bert_free(text);
        bert_dataset_free(d);
        bert_dataset_free(left);
        bert_dataset_free(right);
        bert_dataset_free(read);
    }
    return NULL;
}

static void many_threads_make_data_sets(void **state)
{
    (void)state;
    bert_model *model;
    check(bert_model_load(model_path, &model, &err));
    run_many(make_dataset, model);
    bert_model_free(model);
}

/* ---- training ---------------------------------------------------------------------------------------------------- */

typedef struct training {
    bert_model *model;
    bert_dataset *data;
    answers before;
    bert_session *sessions[THREADS];
    atomic_int next;
    atomic_long asked; /* relaxed, as is `over`: what orders the threads would hide their races */
    atomic_bool over;
} training;

/* The next step waits for an answer, so that training and sessions run side by side however fast each is. */
static bool wait_for_an_answer(void *context, const bert_event *event)
{
    training *t = context;
    if (event->kind == BERT_EVENT_STEP)
        while (atomic_load_explicit(&t->asked, memory_order_relaxed) < event->step)
            sched_yield();
    return true;
}

static void *train(void *argument)
{
    training *t = argument;
    bert_train_options options;
    options_of(&options, 3);
    bert_status status = bert_model_train(t->model, t->data, t->data, &options, NULL, false, wait_for_an_answer, t,
                                          NULL);
    atomic_store_explicit(&t->over, true, memory_order_relaxed);
    expect(!status);
    return NULL;
}

static void *ask_while_it_trains(void *argument)
{
    training *t = argument;
    bert_session *session = t->sessions[atomic_fetch_add_explicit(&t->next, 1, memory_order_relaxed)];
    bool right = true;
    while (!atomic_load_explicit(&t->over, memory_order_relaxed)) {
        answers a;
        right = ask(session, &a) && same(&a, &t->before) && right;
        atomic_fetch_add_explicit(&t->asked, 1, memory_order_relaxed);
    }
    expect(right);
    return NULL;
}

static void sessions_keep_their_answers_while_their_model_trains(void **state)
{
    (void)state;
    training t = { .data = toy_pairs("tests/files/toy-train.tsv", NULL), .model = toy_binary(SEQ_LEN, NULL) };
    answers after;
    assert_true(t.data && t.model);
    for (size_t i = 0; i < THREADS; i++)
        t.sessions[i] = open_session(t.model, i % 2);
    assert_true(ask(t.sessions[0], &t.before));
    thread_body bodies[THREADS] = { train };
    for (size_t i = 1; i < THREADS; i++)
        bodies[i] = ask_while_it_trains;
    run_threads(bodies, THREADS, &t);
    bert_session *fresh = open_session(t.model, 1);
    assert_true(ask(fresh, &after) && !same(&after, &t.before));
    /* a session is of the weights of its creation */
    assert_true(ask(t.sessions[THREADS - 1], &after) && same(&after, &t.before));
    bert_session_free(fresh);
    for (size_t i = 0; i < THREADS; i++)
        bert_session_free(t.sessions[i]);
    bert_model_free(t.model);
    bert_dataset_free(t.data);
}

/* Several models, one data set: what they become does not depend on who trains beside them. */
static void *train_own_model(void *argument)
{
    training *t = argument;
    bert_train_options options;
    answers a;
    options_of(&options, 1);
    bert_model *model = toy_binary(SEQ_LEN, NULL);
    expect(model && !bert_model_train(model, t->data, t->data, &options, NULL, false, NULL, NULL, NULL));
    bert_session *session = open_session(model, 1);
    expect(session && ask(session, &a) && same(&a, &t->before));
    bert_session_free(session);
    bert_model_free(model);
    return NULL;
}

static void models_train_side_by_side_to_the_same_bits(void **state)
{
    (void)state;
    training t = { .data = toy_pairs("tests/files/toy-train.tsv", NULL), .model = toy_binary(SEQ_LEN, NULL) };
    bert_train_options options;
    options_of(&options, 1);
    assert_true(t.data && t.model);
    check(bert_model_train(t.model, t.data, t.data, &options, NULL, false, NULL, NULL, &err));
    bert_session *session = open_session(t.model, 1);
    assert_true(ask(session, &t.before));
    bert_session_free(session);
    run_many(train_own_model, &t);
    bert_model_free(t.model);
    bert_dataset_free(t.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_threads_tokenize_with_one_tokenizer),
        cmocka_unit_test(many_threads_load_the_same_files),
        cmocka_unit_test(many_sessions_share_one_model),
        cmocka_unit_test(many_threads_write_one_model),
        cmocka_unit_test(many_threads_make_data_sets),
        cmocka_unit_test(sessions_keep_their_answers_while_their_model_trains),
        cmocka_unit_test(models_train_side_by_side_to_the_same_bits),
    };
    return cmocka_run_group_tests(tests, set_up, toy_folder_remove);
}

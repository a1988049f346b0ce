/* Several outputs from one pass: each is what its own call gives; hidden states are the layer's, attention maps those
 * of the definition. */
#include "session/frozen_toys.h"

#include "each_isa.h"
#include "layers/layer.h"

enum { N = 7, SEQ_LEN = 14, HEADS = 5, HEAD_SIZE = TOY_HIDDEN / HEADS, ROOM = N * SEQ_LEN };

typedef struct sample {
    bert_text texts[N], pairs[N];
} sample;

static sample random_sample(void)
{
    random_stream r = { 41, 0, 0 };
    sample s;
    for (size_t i = 0; i < N; i++) {
        s.texts[i] = toy_text(&r, random_below(&r, SEQ_LEN + 2));
        s.pairs[i] = i % 2 ? toy_text(&r, random_below(&r, 5)) : (bert_text){ 0 };
    }
    return s;
}

/* Everything that a pass can give: of the embeddings and three layers. */
typedef struct everything {
    float scores[N * 2], vectors[ROOM * TOY_HIDDEN];
    size_t counts[N];
    int64_t layers[4];
    float hidden[4][ROOM * TOY_HIDDEN], attention[4][N * HEADS * SEQ_LEN * SEQ_LEN];
    float *hidden_at[4], *attention_at[4];
    bert_outputs outputs;
} everything;

static everything *ask_for_everything(void)
{
    everything *e = arena_alloc(&golden_memory, sizeof *e);
    for (int i = 0; i < 4; i++) {
        e->layers[i] = i - 1;
        e->hidden_at[i] = e->hidden[i];
        e->attention_at[i] = i ? e->attention[i] : NULL; /* the embeddings have none */
    }
    e->outputs = (bert_outputs){ e->scores, e->vectors, e->counts, e->layers, 4, e->hidden_at, e->attention_at };
    return e;
}

static void check_same_as_alone(bert_session *session, const sample *s, const everything *e)
{
    bert_err err;
    float scores[N * 2], vectors[ROOM * TOY_HIDDEN];
    size_t counts[N], cut = 0, cut_alone = 0, tokens = 0;
    bool per_token = bert_session_per_token(session);
    check(bert_session_run(session, s->texts, s->pairs, N, &e->outputs, &cut, &err), &err);
    check(bert_session_predict(session, s->texts, s->pairs, N, scores, &cut_alone, &err), &err);
    assert_int_equal(cut, cut_alone);
    assert_memory_equal(e->scores, scores, sizeof scores);
    check(bert_session_embed(session, s->texts, s->pairs, N, vectors, counts, NULL, &err), &err);
    for (size_t i = 0; i < N; i++) {
        assert_true(e->counts[i] >= 2 && e->counts[i] <= SEQ_LEN && (!per_token || e->counts[i] == counts[i]));
        tokens += e->counts[i];
    }
    assert_memory_equal(e->vectors, vectors, (per_token ? tokens : N) * TOY_HIDDEN * sizeof *vectors);
}

static void one_pass_gives_what_each_call_gives(void **state)
{
    (void)state;
    sample s = random_sample();
    const char *module = toy_module("module", (toy){ 0 });
    for (int precision = 0; precision < PRECISIONS; precision++)
        for (int pooling = BERT_POOLING_AUTO; pooling <= BERT_POOLING_MAX; pooling++) {
            bert_model *model = frozen_copy(toy_model(module, BERT_POOLING_CLS, SEQ_LEN), precision);
            bert_session_options options = session_options(1);
            options.pooling = pooling;
            options.normalize = pooling == BERT_POOLING_MEAN;
            bert_session *session = session_of(model, &options);
            check_same_as_alone(session, &s, ask_for_everything());
            bert_session_free(session);
            bert_model_free(model);
        }
}

/* What the layer calls layer_0 and so on, and embedding_output. */
static void hidden_states_are_the_layers(void **state)
{
    (void)state;
    static const char *const NAMES[] = { "embedding_output", "layer_0", "layer_1", "layer_2" };
    bert_err err;
    bert_layer_spec spec;
    bert_module *module;
    bert_layer *layer;
    bert_pass *pass;
    sample s = random_sample();
    everything *e = ask_for_everything();
    const char *path = toy_module("module", (toy){ 0 });
    bert_model *model = toy_model(path, BERT_POOLING_MEAN, SEQ_LEN), *plain = load_model(path);
    bert_session_options options = session_options(0);
    options.seq_len = SEQ_LEN;
    bert_session *session = session_of(plain, &options);
    e->outputs.scores = NULL;
    check(bert_session_run(session, s.texts, s.pairs, N, &e->outputs, NULL, &err), &err);
    bert_layer_defaults(&spec);
    spec.seq_len = SEQ_LEN;
    spec.n_tune_layers = 0;
    spec.outputs = "embedding_output,layer_0,layer_1,layer_2";
    check(bert_module_open(path, &module, &err), &err);
    check(bert_layer_create(module, &spec, 0, &layer, NULL, &err), &err);
    check(bert_layer_forward(layer, &(bert_input){ .n = N, .texts = s.texts, .pairs = s.pairs }, &(bert_run){ 0 },
                             &pass, &err),
          &err);
    for (int i = 0; i < 4; i++) {
        const float *expected = bert_pass_output(pass, NAMES[i], NULL);
        for (size_t t = 0, row = 0; t < N; row += e->counts[t++]) {
            double d = largest_difference(e->hidden[i] + row * TOY_HIDDEN, expected + t * SEQ_LEN * TOY_HIDDEN,
                                          e->counts[t] * TOY_HIDDEN);
            if (!(d <= 1e-5))
                fail_msg("%s of text %zu differs by %g", NAMES[i], t, d);
        }
    }
    bert_pass_free(pass);
    bert_layer_free(layer);
    bert_module_free(module);
    bert_session_free(session);
    bert_model_free(plain);
    bert_model_free(model);
}

/* q or k of one token and head, in double. */
static void project(double out[HEAD_SIZE], const bert_param *weight, const bert_param *bias, const float *x,
                    size_t head)
{
    for (size_t d = 0; d < HEAD_SIZE; d++) {
        size_t row = head * HEAD_SIZE + d;
        out[d] = bias->value[row];
        for (size_t c = 0; c < TOY_HIDDEN; c++)
            out[d] += (double)weight->value[row * TOY_HIDDEN + c] * x[c];
    }
}

/* Row i of softmax(q k^T / sqrt(D)). x (T, H): what the layer reads. */
static void map_row(double *p, const weight_list *w, size_t layer, const float *x, size_t T, size_t head, size_t i)
{
    double q[HEAD_SIZE], k[HEAD_SIZE], sum = 0;
    project(q, weight_at(w, QUERY_WEIGHT, layer), weight_at(w, QUERY_BIAS, layer), x + i * TOY_HIDDEN, head);
    for (size_t j = 0; j < T; j++) {
        double product = 0;
        project(k, weight_at(w, KEY_WEIGHT, layer), weight_at(w, KEY_BIAS, layer), x + j * TOY_HIDDEN, head);
        for (size_t d = 0; d < HEAD_SIZE; d++)
            product += q[d] * k[d];
        sum += p[j] = exp(product / sqrt(HEAD_SIZE));
    }
    for (size_t j = 0; j < T; j++)
        p[j] /= sum;
}

static void check_map(const weight_list *w, size_t layer, const float *x, const float *map, size_t T)
{
    double p[SEQ_LEN];
    for (size_t head = 0; head < HEADS; head++)
        for (size_t i = 0; i < T; i++, map += T) {
            map_row(p, w, layer, x, T, head, i);
            for (size_t j = 0; j < T; j++)
                if (!(fabs(p[j] - map[j]) <= 1e-5))
                    fail_msg("layer %zu, head %zu: token %zu looks at %zu with %g, expected %g", layer, head, i, j,
                             map[j], p[j]);
        }
}

static void attention_maps_are_the_softmax_of_queries_and_keys(void **state)
{
    (void)state;
    bert_err err;
    sample s = random_sample();
    bert_model *model = load_model(toy_module("module", (toy){ 0 }));
    for (int threads = 1; threads <= 2; threads++) {
        everything *e = ask_for_everything();
        bert_session_options options = session_options(threads);
        options.seq_len = SEQ_LEN;
        options.streams = threads > 1 ? 2 : 0; /* several tiles */
        bert_session *session = session_of(model, &options);
        e->outputs.scores = NULL;
        check(bert_session_run(session, s.texts, s.pairs, N, &e->outputs, NULL, &err), &err);
        for (size_t layer = 0; layer < TOY_LAYERS; layer++)
            for (size_t t = 0, row = 0, at = 0; t < N; t++) {
                size_t T = e->counts[t];
                check_map(&model->layer->weights, layer, e->hidden[layer] + row * TOY_HIDDEN,
                          e->attention[layer + 1] + at, T);
                row += T;
                at += HEADS * T * T;
            }
        bert_session_free(session);
    }
    bert_model_free(model);
}

static bert_status run_with(bert_session *session, const bert_outputs *outputs, bert_err *err)
{
    const bert_text text = text_of("a b");
    return bert_session_run(session, &text, NULL, 1, outputs, NULL, err);
}

static void what_one_pass_cannot_give_is_said(void **state)
{
    (void)state;
    float numbers[1];
    float *some[] = { numbers };
    size_t counts[1];
    int64_t layer = 3;
    const char *path = toy_module("module", (toy){ 0 });
    bert_model *model = toy_model(path, BERT_POOLING_MEAN, SEQ_LEN);
    bert_head_spec similarity = toy_head(BERT_TASK_SIMILARITY, NULL, 0);
    similarity.label_max = 1;
    bert_model *apart = toy_model_of(path, BERT_POOLING_MEAN, SEQ_LEN, &similarity), *plain = load_model(path);
    bert_session_options options = session_options(0);
    bert_session *session = session_of(model, &options), *of_apart = session_of(apart, &options),
                 *of_plain = session_of(plain, &options);
    options.window = 8;
    bert_session *windows = session_of(model, &options);
    bert_outputs o = { .layers = &layer, .n_layers = 1, .hidden = some };
    assert_fails(run_with(session, &o, err), BERT_ERR_ARGUMENT,
                 "rows for each token are asked for: counts must be given");
    o.counts = counts;
    assert_fails(run_with(session, &o, err), BERT_ERR_ARGUMENT, "layer 3: there are 0 to 2, and -1 for the embeddings");
    layer = -2;
    assert_fails(run_with(session, &o, err), BERT_ERR_ARGUMENT,
                 "layer -2: there are 0 to 2, and -1 for the embeddings");
    layer = -1;
    o.attention = some;
    assert_fails(run_with(session, &o, err), BERT_ERR_ARGUMENT, "layer -1: the embeddings have no attention");
    o = (bert_outputs){ .scores = numbers };
    assert_fails(run_with(windows, &o, err), BERT_ERR_ARGUMENT,
                 "several outputs from one pass are not read in windows; open a session without");
    assert_fails(run_with(of_apart, &o, err), BERT_ERR_ARGUMENT,
                 "task similarity reads its two texts apart: its scores are bert_session_predict's");
    assert_int_equal(run_with(of_plain, &o, NULL), BERT_ERR_ARGUMENT);
    bert_session_free(session);
    bert_session_free(of_apart);
    bert_session_free(of_plain);
    bert_session_free(windows);
    bert_model_free(model);
    bert_model_free(apart);
    bert_model_free(plain);
}

static int groups(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(one_pass_gives_what_each_call_gives),
        in_a_folder(hidden_states_are_the_layers),
        in_a_folder(attention_maps_are_the_softmax_of_queries_and_keys),
        in_a_folder(what_one_pass_cannot_give_is_said),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}

int main(void)
{
    return run_each_isa(groups);
}

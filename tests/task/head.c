/* Heads: logits and losses against a double-precision reference written apart from them, and every gradient against
 * central differences of that reference, for each kind of head and task, with class weights, smoothing and dropout. */
#include "toy_model.h"

#include "ops/dropout.h"
#include "task/head.h"

static const double DROPPED_OUTPUTS = 0.1, DROPPED_HEAD = 0.4;

enum { H = TOY_HIDDEN, N = 6, K = 3, HIDDEN = 7, MOST_ROWS = 2 * N + 4 };

static const char *const LABELS[] = { "a", "b", "c" }, *const TAGS[] = { "O", "B-A", "I-A" };

/* One head on random vectors. */
typedef struct experiment {
    bert_model *model;
    const family *family;
    const task *task;
    size_t rows, k; /* vectors; width of the logits */
    target_rows y;
    loss_spec spec;
    step_dropout drop;
    int32_t ids[N], tokens[N];
    float values[N * K], weights[K];
    float x[MOST_ROWS * H];
    double dx[MOST_ROWS * H];                            /* x in double */
    double w1[HIDDEN * H], b1[HIDDEN], w2[K * H], b2[K]; /* the weights in double */
    double logits[N * K];                                /* of the last reference loss */
} experiment;

/* ---- the reference ----------------------------------------------------------------------------------------------- */

/* In transformers Bert- and Roberta... drop classifier_dropout of what the classifier reads, RobertaClassificationHead
 * before both of its dense layers; DistilBertForSequenceClassification drops seq_classif_dropout behind pre_classifier
 * alone, DistilBertForTokenClassification `dropout` of what its one dense layer reads. */
static double dropped(const experiment *e, double v, uint32_t site, size_t element)
{
    bool input = site == DROPOUT_SITE_HEAD;
    double here = e->family == &FAMILY_DISTILBERT && input ? (e->model->head_hidden ? 0 : DROPPED_OUTPUTS)
                                                           : DROPPED_HEAD;
    float rate = e->drop.on ? (float)here : 0;
    dropout_mask m = dropout_start((dropout){ .seed = e->drop.seed, .step = e->drop.step, .site = site, .rate = rate });
    return rate == 0 ? v : dropout_keeps(&m, element) ? v * (double)m.scale : 0;
}

/* out (n_out) of row i of a dense layer that reads `in` through dropout */
static void reference_dense(const experiment *e, double *out, const double *in, const double *w, const double *b,
                            size_t i, size_t n_in, size_t n_out, uint32_t site)
{
    for (size_t o = 0; o < n_out; o++) {
        out[o] = b[o];
        for (size_t c = 0; c < n_in; c++)
            out[o] += w[o * n_in + c] * dropped(e, in[c], site, i * n_in + c);
    }
}

static double activated(activation act, double x)
{
    return act == ACTIVATION_RELU ? fmax(x, 0) : act == ACTIVATION_GELU ? x / 2 * (1 + erf(x / sqrt(2))) : tanh(x);
}

static void reference_logits(experiment *e)
{
    bool two = e->model->head_hidden > 0;
    for (size_t i = 0; i < e->y.n; i++) {
        const double *x = e->dx + (e->y.tokens ? (size_t)e->y.tokens[i] : i) * H;
        double h[HIDDEN];
        if (!e->model->outputs) {
            const double *a = e->dx + 2 * i * H, *b = a + H;
            double ab = 0, aa = 0, bb = 0;
            for (size_t c = 0; c < H; c++)
                ab += a[c] * b[c], aa += a[c] * a[c], bb += b[c] * b[c];
            e->logits[i] = aa * bb > 0 ? ab / sqrt(aa * bb) : 0;
            continue;
        }
        if (two) {
            reference_dense(e, h, x, e->w1, e->b1, i, H, HIDDEN, DROPOUT_SITE_HEAD);
            for (size_t c = 0; c < HIDDEN; c++)
                h[c] = activated(e->model->layer->config.family->head_activation, h[c]);
        }
        reference_dense(e, e->logits + i * e->k, two ? h : x, e->w2, e->b2, i, two ? HIDDEN : H, e->k,
                        two ? DROPOUT_SITE_HEAD + 1 : DROPOUT_SITE_HEAD);
    }
}

/* -t log p - (1 - t) log(1 - p) */
static double cross_entropy(double z, double t)
{
    double p = 1 / (1 + exp(-z));
    return -t * log(p) - (1 - t) * log1p(-p);
}

static double reference_row(const experiment *e, size_t i)
{
    const double *z = e->logits + i * e->k;
    double s = e->spec.smoothing, sum = 0, loss = 0;
    const float *w = e->spec.class_weights;
    switch (e->task->id) {
    case BERT_TASK_BINARY:
        return (w ? w[e->ids[i]] : 1) * cross_entropy(z[0], (1 - s) * e->ids[i] + s / 2);
    case BERT_TASK_MULTILABEL:
        for (size_t k = 0; k < K; k++)
            loss += (w ? w[k] : 1) * cross_entropy(z[k], (1 - s) * e->values[i * K + k] + s / 2) / K;
        return loss;
    case BERT_TASK_REGRESSION:
    case BERT_TASK_SIMILARITY:
        return (z[0] - e->values[i]) * (z[0] - e->values[i]);
    default:
        for (size_t k = 0; k < K; k++)
            sum += exp(z[k]);
        for (size_t k = 0; k < K; k++)
            loss -= ((1 - s) * (k == (size_t)e->ids[i]) + s / K) * log(exp(z[k]) / sum);
        return (w ? w[e->ids[i]] : 1) * loss;
    }
}

/* The mean over the rows. */
static double reference_loss(experiment *e)
{
    double sum = 0;
    reference_logits(e);
    for (size_t i = 0; i < e->y.n; i++)
        sum += reference_row(e, i);
    return sum / (double)e->y.n;
}

/* ---- the experiment ---------------------------------------------------------------------------------------------- */

static void to_double(experiment *e, double *to, weight_id id)
{
    const bert_param *p = weight_at(&e->model->layer->weights, id, 0);
    for (size_t i = 0; p && i < weight_size(p); i++)
        to[i] = p->value[i];
}

static void begin(experiment *e, bert_task id, size_t hidden)
{
    bool tags = id == BERT_TASK_TOKENS, numbers = id == BERT_TASK_REGRESSION || id == BERT_TASK_SIMILARITY;
    bert_head_spec head = toy_head((int)id, tags ? TAGS : LABELS, numbers ? 0 : id == BERT_TASK_BINARY ? 2 : K);
    head.head_hidden = (int64_t)hidden;
    head.label_max = 1;
    *e = (experiment){ .model = toy_model_of(toy_module("module", (toy){ 0 }),
                                             tags ? BERT_POOLING_NONE : BERT_POOLING_MEAN, 16, &head) };
    e->task = task_by_id(id);
    e->k = task_width(e->model);
    e->rows = tags ? MOST_ROWS : e->task->form == ROW_APART ? 2 * N : N;
    random_stream r = { 7, (uint64_t)id, 0 };
    for (size_t i = 0; i < e->rows * H; i++)
        e->dx[i] = e->x[i] = random_normal(&r);
    for (size_t i = 0; i < N; i++) {
        e->ids[i] = (int32_t)(i % (id == BERT_TASK_BINARY ? 2 : K));
        e->tokens[i] = (int32_t)(2 * i + 1);
        for (size_t k = 0; k < K; k++)
            e->values[i * K + k] = numbers ? random_uniform(&r, 0, 1) : (float)random_below(&r, 2);
    }
    for (size_t k = 0; k < K; k++)
        e->weights[k] = 0.5f + (float)k;
    for (weight_id w = HEAD_HIDDEN_WEIGHT; w <= HEAD_BIAS; w = (weight_id)(w + 1)) { /* biases that are not zero */
        bert_param *p = weight_at(&e->model->layer->weights, w, 0);
        for (size_t i = 0; p && p->cols == 1 && i < p->rows; i++)
            p->tuned[i] = random_normal(&r) / 4;
    }
    to_double(e, e->w1, HEAD_HIDDEN_WEIGHT);
    to_double(e, e->b1, HEAD_HIDDEN_BIAS);
    to_double(e, e->w2, HEAD_WEIGHT);
    to_double(e, e->b2, HEAD_BIAS);
    bool values = e->task->kind == &KIND_NUMBER || e->task->kind == &KIND_CLASSES;
    e->y = (target_rows){ .n = N,
                          .ids = values ? NULL : e->ids,
                          .values = values ? e->values : NULL,
                          .width = e->k,
                          .tokens = tags ? e->tokens : NULL };
}

static void assert_near(const experiment *e, const char *what, size_t i, double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance * (1 + fabs(expected))))
        fail_msg("%s: %s[%zu] is %.9g, expected %.9g", e->task->name, what, i, got, expected);
}

/* gradient (n) is that of the reference by x (n) */
static void assert_slopes(experiment *e, const char *what, double *x, const float *gradient, size_t n)
{
    const double h = 1e-5;
    for (size_t i = 0; i < n; i++) {
        double was = x[i];
        x[i] = was + h;
        double above = reference_loss(e);
        x[i] = was - h;
        double below = reference_loss(e);
        x[i] = was;
        assert_near(e, what, i, gradient[i], (above - below) / (2 * h), 2e-6);
    }
}

static void assert_weight(experiment *e, const char *what, double *x, weight_id id)
{
    const bert_param *p = weight_at(&e->model->layer->weights, id, 0);
    if (p)
        assert_slopes(e, what, x, p->grad, weight_size(p));
}

static void check_experiment(experiment *e)
{
    bert_err err;
    arena a = { 0 };
    head_result result = { 0 };
    float dx[MOST_ROWS * H], logits[N * K];
    memset(dx, 0x55, sizeof dx); /* assigned, not added to */
    check(head_train(e->model, e->task, e->x, dx, e->rows, &e->y, &e->spec, e->drop, logits, &result, &a, &err), &err);
    assert_int_equal(result.n, N);
    assert_near(e, "loss", 0, result.loss, N * reference_loss(e), 1e-6);
    for (size_t i = 0; i < N * e->k; i++)
        assert_near(e, "logits", i, logits[i], e->logits[i], 2e-6);
    assert_slopes(e, "dx", e->dx, dx, e->rows * H);
    assert_weight(e, "hidden weight", e->w1, HEAD_HIDDEN_WEIGHT);
    assert_weight(e, "hidden bias", e->b1, HEAD_HIDDEN_BIAS);
    assert_weight(e, "weight", e->w2, HEAD_WEIGHT);
    assert_weight(e, "bias", e->b2, HEAD_BIAS);
    if (e->model->outputs) { /* gradients of weights are added to what is there */
        const bert_param *p = weight_at(&e->model->layer->weights, HEAD_WEIGHT, 0);
        float once = p->grad[0];
        check(head_train(e->model, e->task, e->x, dx, e->rows, &e->y, &e->spec, e->drop, NULL, &result, &a, &err),
              &err);
        assert_near(e, "grad twice", 0, p->grad[0], 2 * once, 1e-6);
    }
    arena_free(&a);
    bert_model_free(e->model);
}

static void check_task(bert_task id, size_t hidden, bool weighted, float smoothing, const family *dropping)
{
    experiment e;
    begin(&e, id, hidden);
    e.spec = (loss_spec){ weighted ? e.weights : NULL, smoothing };
    e.drop = (step_dropout){ 3, 5, dropping != NULL, false };
    config *c = &e.model->layer->config;
    e.family = c->family = dropping ? dropping : c->family;
    c->hidden_dropout_prob = DROPPED_OUTPUTS;
    c->head_dropout_prob = DROPPED_HEAD;
    check_experiment(&e);
}

static void plain_heads_match_the_reference(void **state)
{
    (void)state;
    for (bert_task id = BERT_TASK_BINARY; id <= BERT_TASK_TOKENS; id++)
        check_task(id, 0, false, 0, NULL);
}

static void hidden_heads_match_the_reference(void **state)
{
    (void)state;
    for (bert_task id = BERT_TASK_BINARY; id <= BERT_TASK_TOKENS; id++)
        if (id != BERT_TASK_SIMILARITY)
            check_task(id, HIDDEN, false, 0, NULL);
}

static void class_weights_and_smoothing_match_the_reference(void **state)
{
    (void)state;
    for (bert_task id = BERT_TASK_BINARY; id <= BERT_TASK_TOKENS; id++) {
        check_task(id, 0, true, 0, NULL);
        check_task(id, 0, false, 0.2f, NULL);
        check_task(id, 0, true, 0.1f, NULL);
    }
}

static void dropout_matches_the_reference(void **state)
{
    (void)state;
    for (const family *const *f = FAMILIES; *f; f++) {
        check_task(BERT_TASK_BINARY, 0, false, 0, *f);
        check_task(BERT_TASK_MULTICLASS, HIDDEN, true, 0.1f, *f);
        check_task(BERT_TASK_TOKENS, HIDDEN, false, 0, *f);
        check_task(BERT_TASK_TOKENS, 0, false, 0, *f);
        check_task(BERT_TASK_SIMILARITY, 0, false, 0, *f); /* which has none */
    }
}

/* A gradient does not vanish by mistake with the dropout of the hidden layer, whose mask is its own. */
static void the_hidden_layers_mask_is_its_own(void **state)
{
    (void)state;
    experiment e;
    begin(&e, BERT_TASK_MULTICLASS, HIDDEN);
    float rate = 0.5f;
    dropout_mask a = dropout_start((dropout){ .seed = 3, .step = 5, .site = DROPOUT_SITE_HEAD, .rate = rate }),
                 b = dropout_start((dropout){ .seed = 3, .step = 5, .site = DROPOUT_SITE_HEAD + 1, .rate = rate });
    int differ = 0;
    for (size_t i = 0; i < 64; i++)
        differ += dropout_keeps(&a, i) != dropout_keeps(&b, i);
    assert_true(differ > 16 && differ < 48);
    bert_model_free(e.model);
}

static void a_vector_of_zeros_has_cosine_0_and_no_gradient(void **state)
{
    (void)state;
    bert_err err;
    arena a = { 0 };
    experiment e;
    head_result result = { 0 };
    float dx[MOST_ROWS * H], logits[N];
    begin(&e, BERT_TASK_SIMILARITY, 0);
    memset(e.x, 0, H * sizeof *e.x);             /* the first of pair 0 */
    memset(e.x + 3 * H, 0, H * sizeof *e.x);     /* the second of pair 1 */
    memset(e.x + 4 * H, 0, 2 * H * sizeof *e.x); /* both of pair 2 */
    check(head_train(e.model, e.task, e.x, dx, e.rows, &e.y, &e.spec, e.drop, logits, &result, &a, &err), &err);
    for (size_t i = 0; i < 3; i++)
        assert_true(logits[i] == 0);
    for (size_t i = 0; i < 6 * H; i++)
        assert_true(dx[i] == 0);
    assert_true(logits[3] != 0 && dx[6 * H] != 0);
    assert_int_equal(result.correct, 0);
    arena_free(&a);
    bert_model_free(e.model);
}

static void what_is_right_is_counted(void **state)
{
    (void)state;
    static const bert_task IDS[] = { BERT_TASK_BINARY, BERT_TASK_MULTICLASS, BERT_TASK_MULTILABEL, BERT_TASK_TOKENS };
    for (size_t t = 0; t < sizeof IDS / sizeof *IDS; t++) {
        bert_err err;
        arena a = { 0 };
        experiment e;
        head_result result = { 0 };
        float dx[MOST_ROWS * H], logits[N * K];
        size_t expected = 0;
        begin(&e, IDS[t], 0);
        check(head_train(e.model, e.task, e.x, dx, e.rows, &e.y, &e.spec, e.drop, logits, &result, &a, &err), &err);
        for (size_t i = 0; i < N; i++) {
            const float *z = logits + i * e.k;
            bool all = true;
            for (size_t k = 0; k < K; k++)
                all &= (z[k < e.k ? k : 0] >= 0) == (e.values[i * K + k] > 0);
            if (IDS[t] == BERT_TASK_MULTILABEL)
                expected += all;
            else
                expected += (IDS[t] == BERT_TASK_BINARY ? z[0] >= 0 : best_label(z, K)) == (size_t)e.ids[i];
        }
        assert_int_equal(result.correct, expected);
        arena_free(&a);
        bert_model_free(e.model);
    }
}

static void a_batch_without_labelled_words_teaches_nothing(void **state)
{
    (void)state;
    bert_err err;
    arena a = { 0 };
    experiment e;
    head_result result = { 0 };
    float dx[MOST_ROWS * H];
    begin(&e, BERT_TASK_TOKENS, 0);
    e.y.n = 0;
    check(head_train(e.model, e.task, e.x, dx, e.rows, &e.y, &e.spec, (step_dropout){ 1, 1, true, false }, NULL,
                     &result, &a, &err),
          &err);
    assert_true(result.n == 0 && result.loss == 0);
    for (size_t i = 0; i < e.rows * H; i++)
        assert_true(dx[i] == 0);
    arena_free(&a);
    bert_model_free(e.model);
}

static void inference_gives_the_logits_without_dropout(void **state)
{
    (void)state;
    static const struct {
        bert_task id;
        size_t hidden;
    } CASES[] = { { BERT_TASK_BINARY, 0 }, { BERT_TASK_MULTICLASS, HIDDEN }, { BERT_TASK_SIMILARITY, 0 } };
    for (size_t t = 0; t < sizeof CASES / sizeof *CASES; t++) {
        experiment e;
        float logits[N * K], hidden[N * HIDDEN], again[N * K];
        begin(&e, CASES[t].id, CASES[t].hidden);
        model_head h = head_over(e.model, &e.model->layer->weights);
        head_forward(&h, ops_room_create(&golden_memory), logits, hidden, e.x, N);
        reference_logits(&e);
        for (size_t i = 0; i < N * e.k; i++)
            assert_near(&e, "logits", i, logits[i], e.logits[i], 2e-6);
        bert_param *weight = weight_at(&e.model->layer->weights, HEAD_WEIGHT, 0);
        if (weight)
            weight->tuned[0] += 1;
        head_forward(&h, ops_room_create(&golden_memory), again, hidden, e.x, N); /* as they are now */
        assert_int_equal(memcmp(again, logits, N * e.k * sizeof *logits) != 0, weight != NULL);
        bert_model_free(e.model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(plain_heads_match_the_reference),
        in_a_folder(hidden_heads_match_the_reference),
        in_a_folder(class_weights_and_smoothing_match_the_reference),
        in_a_folder(dropout_matches_the_reference),
        in_a_folder(the_hidden_layers_mask_is_its_own),
        in_a_folder(a_vector_of_zeros_has_cosine_0_and_no_gradient),
        in_a_folder(what_is_right_is_counted),
        in_a_folder(a_batch_without_labelled_words_teaches_nothing),
        in_a_folder(inference_gives_the_logits_without_dropout),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}

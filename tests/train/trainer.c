/* The training loop on sets that can be learned: what it gives, what it keeps, what it tells. */
#include "train/toy_run.h"

#include "each_isa.h"

/* ---- learning ---------------------------------------------------------------------------------------------------- */

static void check_learns(const bert_layer_spec *spec, size_t n_labels, int64_t head_hidden)
{
    static const char *const WORDS[] = { "0", "1", "2" };
    bert_err err;
    bert_head_spec of_task = toy_head(n_labels == 2 ? BERT_TASK_BINARY : BERT_TASK_MULTICLASS, WORDS, n_labels);
    of_task.head_hidden = head_hidden;
    bert_model *model = new_model(spec, &of_task);
    bert_dataset *train = learnable(480, n_labels, 1), *valid = learnable(60, n_labels, 2);
    bert_train_options o = options_of(8, 0.01);
    told *t = new_told();
    bert_metrics before = evaluate(model, valid);
    check(bert_model_train(model, train, valid, &o, NULL, false, listen, t, &err), &err);
    bert_metrics after = evaluate(model, valid);
    if (!(after.loss < 0.7 * before.loss && after.accuracy > 1.5 / (double)n_labels))
        fail_msg("pooling %d, %zu labels: loss from %g to %g, accuracy %g", spec->pooling, n_labels, before.loss,
                 after.loss, after.accuracy);
    assert_true(told_event(t, BERT_EVENT_EPOCH, 7)->loss < t->events[0].loss);
    bert_model_free(model);
    bert_dataset_free(train);
    bert_dataset_free(valid);
}

static void what_can_be_learned_is_learned(void **state)
{
    (void)state;
    static const int POOLINGS[] = { BERT_POOLING_CLS, BERT_POOLING_CLS_RAW, BERT_POOLING_MEAN, BERT_POOLING_SQRT_MEAN,
                                    BERT_POOLING_MAX };
    bert_layer_spec spec = toy_spec(toy_module("module", (toy){ .seq_layer = 2 }), 0, 1);
    for (size_t i = 0; i < sizeof POOLINGS / sizeof *POOLINGS; i++) {
        spec.pooling = POOLINGS[i];
        check_learns(&spec, 2, 0);
    }
    spec.pooling = BERT_POOLING_CLS;
    check_learns(&spec, 3, 0);
    check_learns(&spec, 3, 24);
    spec.tune_embeddings = true;
    check_learns(&spec, 2, 0);
    spec.tune_embeddings = false;
    spec.n_tune_layers = 0;
    spec.pooling = BERT_POOLING_MEAN;
    check_learns(&spec, 2, 0); /* the head alone */
    spec.outputs = "layer_0";  /* not what the head reads */
    check_learns(&spec, 2, 0);
}

/* ---- every task -------------------------------------------------------------------------------------------------- */

/* n rows of a task: texts of letters whose thirds of the alphabet are what the label is about. */
static bert_dataset *task_rows(bert_task id, size_t n, uint64_t seed)
{
    static const char *const TAGS[] = { "O", "B-X" };
    bert_err err;
    bert_dataset *d;
    random_stream r = { seed, 95, 0 };
    bert_text *texts = arena_alloc(&golden_memory, n * sizeof *texts), *pairs = NULL,
              *labels = arena_alloc(&golden_memory, n * sizeof *labels);
    if (id == BERT_TASK_SIMILARITY)
        pairs = arena_alloc(&golden_memory, n * sizeof *pairs);
    for (size_t i = 0; i < n; i++) {
        size_t a = random_below(&r, 3), b = random_below(&r, 3);
        const char *label;
        texts[i] = letters_of(&r, a);
        if (id == BERT_TASK_SIMILARITY) {
            pairs[i] = letters_of(&r, b);
            label = a == b ? "5" : "0";
        } else if (id == BERT_TASK_REGRESSION)
            label = arena_printf(&golden_memory, "%zu.5", 2 * a);
        else if (id == BERT_TASK_MULTILABEL) {
            bert_text other = letters_of(&r, b);
            texts[i].data = arena_printf(&golden_memory, "%.*s %.*s", (int)texts[i].size, texts[i].data,
                                         (int)other.size, other.data);
            texts[i].size = strlen(texts[i].data);
            label = a == b ? arena_printf(&golden_memory, "%zu", a)
                           : arena_printf(&golden_memory, "%zu,%zu", a < b ? a : b, a < b ? b : a);
        } else { /* a tag for each letter: those of the first third are entities */
            char *text = arena_copy(&golden_memory, texts[i].data, texts[i].size),
                 *tags = arena_string(&golden_memory, "");
            for (size_t k = 0; k < texts[i].size; k += 2) {
                text[k] = (char)('a' + random_below(&r, 24));
                tags = arena_printf(&golden_memory, "%s%s%s", tags, k ? " " : "", TAGS[text[k] < 'a' + 8]);
            }
            texts[i].data = text;
            label = tags;
        }
        labels[i] = text_of(label);
    }
    check(bert_dataset_create(texts, pairs, labels, n, &d, &err), &err);
    return d;
}

static void every_task_learns(void **state)
{
    (void)state;
    static const struct {
        bert_task task;
        int pooling;
        const char *metric;
        double least;
    } CASES[] = {
        { BERT_TASK_MULTILABEL, BERT_POOLING_MEAN, "f1_micro", 0.8 },
        { BERT_TASK_REGRESSION, BERT_POOLING_MEAN, "pearson", 0.9 },
        { BERT_TASK_SIMILARITY, BERT_POOLING_MEAN, "pearson", 0.8 },
        { BERT_TASK_TOKENS, BERT_POOLING_NONE, "f1", 0.9 },
    };
    const char *module = toy_module("module", (toy){ 0 }), *shallow = toy_module("shallow", (toy){ .layers = 1 });
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_err err;
        bert_dataset *train = task_rows(CASES[i].task, 300, 1), *valid = task_rows(CASES[i].task, 60, 2);
        bert_head_spec of_task = toy_head((int)CASES[i].task, NULL, 0);
        bool tokens = CASES[i].task == BERT_TASK_TOKENS; /* many random layers leave little of a single token */
        bert_layer_spec spec = toy_spec(tokens ? shallow : module, CASES[i].pooling, tokens ? 1 : 2);
        spec.seq_len = 24;
        spec.tune_embeddings = tokens;
        check(bert_head_of_dataset(&of_task, train, &err), &err);
        bert_model *model = new_model(&spec, &of_task);
        bert_train_options o = options_of(8, 0.003);
        const bert_metric *metric = metric_by_name(CASES[i].metric);
        told *t = new_told();
        o.unfreeze_every = i % 2; /* for the way with fewer layers, too */
        check(bert_model_train(model, train, valid, &o, NULL, false, listen, t, &err), &err);
        bert_metrics after = evaluate(model, valid);
        double value = bert_metric_value(&after, metric);
        if (!(value > CASES[i].least))
            fail_msg("%s: %s is %g", bert_task_name(CASES[i].task), CASES[i].metric, value);
        int64_t best = told_event(t, BERT_EVENT_END, 0)->best_epoch;
        assert_same_metrics(&after, told_valid(t, (size_t)best - 1));
        assert_int_equal(isnan(t->events[0].accuracy),
                         CASES[i].task == BERT_TASK_REGRESSION || CASES[i].task == BERT_TASK_SIMILARITY);
        bert_model_free(model);
        bert_dataset_free(train);
        bert_dataset_free(valid);
    }
}

/* ---- the same bits ----------------------------------------------------------------------------------------------- */

static bert_model *trained(const bert_layer_spec *spec, const bert_train_options *o, int threads)
{
    bert_err err;
    bert_dataset *train = learnable(50, 2, 1), *valid = learnable(20, 2, 2);
    bert_model *model = new_binary(spec);
    threads_allow((size_t)threads);
    check(bert_model_train(model, train, valid, o, NULL, false, NULL, NULL, &err), &err);
    bert_dataset_free(train);
    bert_dataset_free(valid);
    return model;
}

static void assert_same_run(const bert_layer_spec *spec, const bert_train_options *a, const bert_train_options *b,
                            int threads, bool same)
{
    bert_model *first = trained(spec, a, 1), *other = trained(spec, b, threads);
    assert_int_equal(!memcmp(first->layer->values, other->layer->values, first->layer->n_tuned * sizeof(float)), same);
    bert_model_free(first);
    bert_model_free(other);
}

static void the_same_seed_gives_the_same_bits_on_any_number_of_threads(void **state)
{
    (void)state;
    const char *module = toy_module("module", (toy){ 0 });
    for (int i = 0; i < 4; i++) {
        bert_layer_spec spec = toy_spec(module, i == 1 ? BERT_POOLING_MEAN : BERT_POOLING_CLS, 2);
        bert_train_options o = options_of(2, 0.003), other;
        spec.tune_embeddings = i == 2;
        o.frozen_dropout = i == 3;
        o.clip_norm = 1;
        for (int threads = 1; threads <= 4; threads++)
            assert_same_run(&spec, &o, &o, threads, true);
        other = o;
        other.seed = 43;
        assert_same_run(&spec, &o, &other, 1, false);
    }
}

static void kept_outputs_change_no_bit_wherever_they_are(void **state)
{
    (void)state;
    bert_layer_spec spec = toy_spec(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, 1);
    for (int64_t bf16 = 0; bf16 < 2; bf16++) {
        bert_train_options o = options_of(2, 0.003), none, file;
        o.cache_precision = (int)bf16;
        none = file = o;
        none.cache_budget = 0;
        file.cache = scratch("cache");
        assert_same_run(&spec, &o, &none, 2, true);
        assert_same_run(&spec, &o, &file, 2, true); /* made */
        assert_same_run(&spec, &o, &file, 2, true); /* read */
        none.frozen_dropout = true;
        assert_same_run(&spec, &o, &none, 1, false);
        folder_remove(scratch("cache"), NULL);
    }
}

static void the_precision_of_frozen_layers_is_theirs_alone(void **state)
{
    (void)state;
    bert_layer_spec spec = toy_spec(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, 1), whole = spec;
    bert_train_options o = options_of(2, 0.003), fp32 = o, int8 = o, other;
    fp32.frozen_precision = 1;
    int8.frozen_precision = 3;
    assert_same_run(&spec, &o, &fp32, 1, true);
    assert_same_run(&spec, &o, &int8, 1, false);
    other = int8;
    other.cache_budget = 0;
    assert_same_run(&spec, &int8, &other, 3, true);
    other.frozen_dropout = true;
    assert_same_run(&spec, &other, &other, 3, true);
    assert_same_run(&spec, &int8, &other, 1, false);
    whole.n_tune_layers = 3; /* nothing is frozen but the embeddings */
    assert_same_run(&whole, &o, &int8, 1, true);
    whole.n_tune_layers = 1;
    whole.tune_embeddings = true; /* which learn through the layers that do not */
    assert_same_run(&whole, &o, &int8, 1, true);
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

static double distance(const bert_model *a, const bert_model *b)
{
    double sum = 0, size = 0;
    for (size_t i = 0; i < a->layer->n_tuned; i++) {
        double d = (double)a->layer->values[i] - b->layer->values[i];
        sum += d * d;
        size += (double)a->layer->values[i] * a->layer->values[i];
    }
    return sqrt(sum / size);
}

/* Without dropout two batches of 16 that make one step are one batch of 32. Epsilon is large beside the gradients, so
 * that rounding is not blown up by the division. */
static void two_batches_of_16_are_one_of_32(void **state)
{
    (void)state;
    bert_err err;
    bert_layer_spec spec = toy_spec(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, 2);
    bert_dataset *train = learnable(32, 2, 1);
    change_module(scratch("module"), "config.json", "hidden_dropout_prob", json_real(0));
    change_module(scratch("module"), "config.json", "attention_probs_dropout_prob", json_real(0));
    bert_model *start = new_binary(&spec), *one = new_binary(&spec), *two = new_binary(&spec);
    bert_train_options o = options_of(5, 0.1);
    told *t = new_told();
    o.epsilon = 0.1;
    o.batch_size = 32;
    check(bert_model_train(one, train, NULL, &o, NULL, false, NULL, NULL, &err), &err);
    o.batch_size = 16;
    o.accumulate = 2;
    check(bert_model_train(two, train, NULL, &o, NULL, false, listen, t, &err), &err);
    assert_int_equal(told_event(t, BERT_EVENT_END, 0)->step, 5);
    assert_int_equal(told_count(t, BERT_EVENT_STEP), 10);
    assert_int_equal(told_event(t, BERT_EVENT_STEP, 0)->step, 0); /* half of it is done */
    assert_int_equal(told_event(t, BERT_EVENT_STEP, 1)->step, 1);
    assert_true(distance(start, one) > 1e-3);
    if (!(distance(one, two) < 1e-3 * distance(start, one)))
        fail_msg("differ by %g of %g", distance(one, two), distance(start, one));
    bert_model_free(start);
    bert_model_free(one);
    bert_model_free(two);
    bert_dataset_free(train);
}

/* ---- unfreezing -------------------------------------------------------------------------------------------------- */

typedef struct unfreezing {
    const bert_model *model;
    float *before; /* (tuned) */
    int64_t every;
} unfreezing;

/* At the end of each epoch: who has moved since the last one? */
static bool check_moved(told *t, const bert_event *e)
{
    unfreezing *u = t->context;
    const weight_list *w = &u->model->layer->weights;
    if (e->kind != BERT_EVENT_EPOCH)
        return true;
    int64_t free = (e->epoch - 1) / u->every;
    for (size_t i = 0, at = 0; i < w->n; i++) {
        const bert_param *p = &w->items[i];
        size_t layer = w->places[i].layer, n = weight_size(p);
        if (!p->tuned)
            continue;
        weight_group group = weight_group_of(w, i);
        bool learns = group == GROUP_EMBEDDINGS ? free > 2
                      : group == GROUP_LAYER    ? layer + (size_t)free >= w->layers
                                                : true;
        bool moved = memcmp(p->value, u->before + at, n * sizeof(float)) != 0;
        bool by_nothing = strstr(p->name, "key.bias"); /* its gradient is zero but for rounding */
        if (moved != learns && !by_nothing)
            fail_msg("epoch %lld: %s %s", (long long)e->epoch, p->name, moved ? "has moved" : "has not moved");
        assert_false(moved && !learns);
        at += n;
    }
    memcpy(u->before, u->model->layer->values, u->model->layer->n_tuned * sizeof(float));
    return true;
}

static void layers_are_unfrozen_from_the_last_one_down(void **state)
{
    (void)state;
    bert_err err;
    bert_layer_spec spec = toy_spec(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, 2);
    bert_dataset *train = learnable(ROWS, 2, 1);
    for (int embeddings = 0; embeddings < 2; embeddings++) {
        spec.tune_embeddings = embeddings;
        bert_model *model = new_binary(&spec);
        bert_train_options o = options_of(7, 0.003);
        told *t = new_told();
        unfreezing u = { model, arena_alloc(&golden_memory, model->layer->n_tuned * sizeof(float)), 2 };
        memcpy(u.before, model->layer->values, model->layer->n_tuned * sizeof(float));
        o.unfreeze_every = 2;
        t->then = check_moved;
        t->context = &u;
        check(bert_model_train(model, train, NULL, &o, NULL, false, listen, t, &err), &err);
        bert_model_free(model);
    }
    bert_dataset_free(train);
}

/* ---- the best epoch ---------------------------------------------------------------------------------------------- */

/* Turns the head round at the end of epoch 1. */
static bool spoil(told *t, const bert_event *e)
{
    if (e->kind != BERT_EVENT_EPOCH || e->epoch != 1)
        return true;
    bert_param *weight = weight_at(&bert_model_layer(t->context)->weights, HEAD_WEIGHT, 0);
    for (size_t i = 0; i < weight->cols; i++)
        weight->tuned[i] *= -1;
    weight[1].tuned[0] *= -1;
    return true;
}

/* A run whose first epoch is its best: then the head is turned round, and the learning rate is too low to mend that. */
static void the_best_epoch_is_kept_in_memory_and_on_disk(void **state)
{
    (void)state;
    bert_err err;
    json_t *json;
    bert_model *model = toy_model(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, SEQ_LEN), *loaded;
    bert_dataset *train = learnable(ROWS, 2, 1), *valid = learnable(40, 2, 2);
    bert_train_options o = options_of(6, 0.01);
    check(bert_model_train(model, train, NULL, &o, NULL, false, NULL, NULL, &err), &err);
    for (int on_disk = 0; on_disk < 2; on_disk++) {
        const char *folder = on_disk ? scratch("model") : NULL;
        told *t = new_told();
        t->then = spoil;
        t->context = model;
        o = options_of(3, 1e-9);
        check(bert_model_train(model, train, valid, &o, folder, false, listen, t, &err), &err);
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(told_event(t, BERT_EVENT_EPOCH, i)->best, i == 0);
            assert_int_equal(told_event(t, BERT_EVENT_EPOCH, i)->best_epoch, 1);
            assert_int_equal(told_valid(t, i)->accuracy > 0.5, i == 0);
        }
        bert_metrics after = evaluate(model, valid);
        assert_same_metrics(&after, told_valid(t, 0));
    }
    loaded = open_folder(scratch("model"));
    assert_same_weights(model, loaded);
    check(json_read_file(&json, scratch("model/history.json"), &err), &err);
    assert_int_equal(json_integer_value(json_object_get(json, "best_epoch")), 1);
    json_decref(json);
    bert_model_free(loaded);
    bert_model_free(model);
    bert_dataset_free(train);
    bert_dataset_free(valid);
}

static void patience_ends_a_run_that_gets_no_better(void **state)
{
    (void)state;
    bert_err err;
    bert_dataset *train = learnable(ROWS, 2, 1), *valid = learnable(40, 2, 2);
    const char *module = toy_module("module", (toy){ 0 });
    bert_model *model = toy_model(module, BERT_POOLING_CLS, SEQ_LEN);
    bert_train_options o = options_of(20, 0); /* nothing is learned */
    told *t = new_told();
    o.patience = 3;
    o.watch = "f1";
    check(bert_model_train(model, train, valid, &o, NULL, false, listen, t, &err), &err);
    assert_int_equal(told_count(t, BERT_EVENT_EPOCH), 4);
    assert_string_equal(told_event(t, BERT_EVENT_END, 0)->note, "no better f1 for 3 epochs");
    assert_string_equal(told_event(t, BERT_EVENT_END, 0)->watch, "f1");
    bert_model_free(model);
    bert_dataset_free(train);
    bert_dataset_free(valid);
}

static void a_run_may_end_within_an_epoch(void **state)
{
    (void)state;
    bert_err err;
    bert_dataset *train = learnable(ROWS, 2, 1), *valid = learnable(40, 2, 2);
    bert_model *model = toy_model(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, SEQ_LEN);
    bert_train_options o = options_of(20, 0.001);
    told *t = new_told();
    o.max_steps = ROWS / BATCH + 3;
    check(bert_model_train(model, train, valid, &o, scratch("model"), false, listen, t, &err), &err);
    assert_int_equal(told_count(t, BERT_EVENT_EPOCH), 2);
    const bert_event *e = told_event(t, BERT_EVENT_EPOCH, 1), *end = told_event(t, BERT_EVENT_END, 0);
    assert_int_equal(e->done, 3 * BATCH);
    assert_int_equal(e->step, o.max_steps);
    assert_int_equal(e->steps, o.max_steps);
    assert_string_equal(end->note, "15 steps are done");
    assert_int_equal(end->step, o.max_steps);
    bert_model_free(model);
    bert_dataset_free(train);
    bert_dataset_free(valid);
}

static void the_threshold_is_chosen_on_the_best_epoch_and_kept(void **state)
{
    (void)state;
    bert_err err;
    bert_dataset *train = learnable(ROWS, 2, 1), *valid = learnable(41, 2, 2);
    bert_model *model = toy_model(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, SEQ_LEN), *loaded;
    bert_train_options o = options_of(3, 1e-4); /* hardly trained: 0.5 is not the best */
    told *t = new_told();
    o.choose_threshold = true;
    o.watch = "accuracy";
    check(bert_model_train(model, train, valid, &o, scratch("model"), false, listen, t, &err), &err);
    loaded = open_folder(scratch("model"));
    assert_true(bert_model_threshold(model) != 0.5 && bert_model_threshold(model) == bert_model_threshold(loaded));
    bert_metrics chosen = evaluate(loaded, valid);
    assert_same_metrics(&chosen, told_valid(t, (size_t)told_event(t, BERT_EVENT_END, 0)->best_epoch - 1));
    loaded->threshold = 0.5;
    assert_true(chosen.accuracy > evaluate(loaded, valid).accuracy);
    bert_model_free(loaded);
    bert_model_free(model);
    bert_dataset_free(train);
    bert_dataset_free(valid);
}

/* ---- what is told ------------------------------------------------------------------------------------------------ */

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value))
        fail_msg("history.json: %s is no number", key);
    return json_number_value(value);
}

static void assert_close(double a, double b)
{
    if (!(fabs(a - b) <= 1e-8 * fabs(b)))
        fail_msg("%.17g, expected %.17g", a, b);
}

static void the_history_tells_every_epoch_and_all_options(void **state)
{
    (void)state;
    bert_err err;
    json_t *json;
    bert_model *model = toy_model(toy_module("module", (toy){ 0 }), BERT_POOLING_MEAN, SEQ_LEN);
    bert_dataset *train = learnable(ROWS, 2, 1), *valid = learnable(40, 2, 2);
    bert_train_options o = options_of(2, 0.002);
    told *t = new_told();
    o.class_weights = "0=2,1=1.5";
    check(bert_model_train(model, train, valid, &o, scratch("model"), false, listen, t, &err), &err);
    check(json_read_file(&json, scratch("model/history.json"), &err), &err);
    json_t *epochs = json_object_get(json, "epochs"), *options = json_object_get(json, "options");
    assert_string_equal(json_string_value(json_object_get(json, "format")), "libbert.history");
    assert_string_equal(json_string_value(json_object_get(json, "watch")), "accuracy");
    assert_int_equal(json_array_size(epochs), 2);
    for (size_t i = 0; i < 2; i++) {
        const json_t *e = json_array_get(epochs, i);
        const bert_event *event = told_event(t, BERT_EVENT_EPOCH, i);
        size_t n;
        const bert_metric *table = bert_metric_table(&n);
        assert_int_equal(number(e, "epoch"), i + 1);
        assert_int_equal(number(e, "step"), (i + 1) * ROWS / BATCH);
        assert_close(number(e, "loss"), event->loss);
        assert_close(number(e, "accuracy"), event->accuracy);
        assert_close(number(e, "learning_rate"), 0.002);
        assert_true(number(e, "seconds") > 0);
        for (size_t k = 0; k < n; k++) {
            char name[48];
            snprintf(name, sizeof name, "val_%s", table[k].name);
            double value = bert_metric_value(told_valid(t, i), &table[k]);
            if (isnan(value))
                assert_null(json_object_get(e, name));
            else
                assert_close(number(e, name), value);
        }
    }
    assert_int_equal(json_object_size(options), bert_train_option_table().n);
    assert_close(number(options, "learning_rate"), 0.002);
    assert_int_equal(number(options, "batch_size"), BATCH);
    assert_true(json_is_false(json_object_get(options, "frozen_dropout")));
    assert_true(json_is_null(json_object_get(options, "watch")));
    assert_string_equal(json_string_value(json_object_get(options, "class_weights")), "0=2,1=1.5");
    assert_string_equal(json_string_value(json_object_get(options, "schedule")), "constant");
    json_decref(json);
    bert_model_free(model);
    bert_dataset_free(train);
    bert_dataset_free(valid);
}

static void events_come_step_by_step_and_then_the_epoch(void **state)
{
    (void)state;
    bert_err err;
    bert_model *model = toy_model(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, SEQ_LEN);
    bert_dataset *train = learnable(ROWS + 3, 2, 1), *valid = learnable(10, 2, 2);
    bert_train_options o = options_of(3, 0.001);
    told *t = new_told();
    size_t steps = ROWS / BATCH + 1, i = 0;
    o.clip_norm = 1e-3;
    o.schedule = SCHEDULE_LINEAR;
    check(bert_model_train(model, train, valid, &o, NULL, false, listen, t, &err), &err);
    assert_int_equal(t->n, 3 * (steps + 1) + 1);
    assert_int_equal(t->events[t->n - 1].kind, BERT_EVENT_END);
    assert_null(t->events[t->n - 1].note);
    for (int64_t epoch = 1; epoch <= 3; epoch++) {
        size_t before = 0;
        for (size_t k = 0; k <= steps; k++, i++) {
            const bert_event *e = &t->events[i];
            int64_t step = (epoch - 1) * (int64_t)steps + (int64_t)(k < steps ? k + 1 : k);
            assert_int_equal(e->kind, k < steps ? BERT_EVENT_STEP : BERT_EVENT_EPOCH);
            assert_int_equal(e->epoch, epoch);
            assert_int_equal(e->epochs, 3);
            assert_int_equal(e->step, step);
            assert_int_equal(e->steps, 3 * steps);
            assert_int_equal(e->total, ROWS + 3);
            assert_int_equal(e->valid != NULL, k == steps);
            assert_true(e->seconds >= 0 && e->seconds_left >= 0 && e->samples_per_second > 0 && e->grad_norm > 0);
            assert_true(fabs(e->learning_rate - 0.001 * (1 - (double)(step - 1) / (3.0 * (double)steps))) < 1e-12);
            assert_true(e->loss > 0 && e->accuracy >= 0 && e->accuracy <= 1);
            assert_true(k == steps ? e->done == before : e->done > before && e->done <= before + BATCH);
            before = e->done;
        }
        assert_int_equal(before, ROWS + 3);
    }
    assert_true(t->events[steps].best); /* the first epoch always is */
    bert_model_free(model);
    bert_dataset_free(train);
    bert_dataset_free(valid);
}

static size_t files_in(const char *folder, const char *part)
{
    char command[256];
    size_t n = 0;
    snprintf(command, sizeof command, "ls %s | grep -c %s", folder, part);
    FILE *f = popen(command, "r");
    assert_int_equal(fscanf(f, "%zu", &n), 1);
    pclose(f);
    return n;
}

static void report_and_event_files_are_written_where_they_are_asked_for(void **state)
{
    (void)state;
    bert_err err;
    bert_dataset *train = learnable(ROWS, 2, 1), *valid = learnable(10, 2, 2);
    const char *module = arena_string(&golden_memory, toy_module("module", (toy){ 0 }));
    for (int on = 0; on < 2; on++) {
        bert_model *model = toy_model(module, BERT_POOLING_CLS, SEQ_LEN);
        bert_train_options o = options_of(2, 0.001);
        o.report = o.tensorboard = o.force = on;
        check(bert_model_train(model, train, valid, &o, scratch("model"), false, NULL, NULL, &err), &err);
        assert_int_equal(file_exists(scratch("model/report.html")), on);
        assert_int_equal(file_exists(scratch("model/logs")), on);
        assert_true(file_exists(scratch("model/checkpoint.safetensors")) && !file_exists(scratch("model/train.lock")));
        bert_model_free(model);
    }
    bert_model *model = toy_model(module, BERT_POOLING_CLS, SEQ_LEN);
    bert_train_options o = options_of(1, 0.001);
    o.report = true;
    check(bert_model_train(model, train, NULL, &o, scratch("without"), false, NULL, NULL, &err), &err);
    assert_true(file_exists(scratch("without/report.html")));
    bert_model_free(model);
    assert_int_equal(files_in(scratch("model/logs"), "events.out.tfevents"), 1);
    bert_dataset_free(train);
    bert_dataset_free(valid);
}

/* ---- what a caller has ------------------------------------------------------------------------------------------- */

static void gradients_of_a_caller_survive_a_refusal(void **state)
{
    (void)state;
    bert_layer_spec spec = toy_spec(toy_module("module", (toy){ 0 }), BERT_POOLING_MEAN, 1);
    bert_model *model = new_binary(&spec);
    bert_dataset *train = learnable(8, 2, 1);
    bert_train_options wrong = options_of(1, 0.01), resumed = options_of(1, 0.01), right = options_of(1, 0.01);
    bert_layer *l = model->layer;
    wrong.learning_rate = -1;
    resumed.resume = true;
    for (size_t i = 0; i < l->n_tuned; i++)
        l->grads[i] = (float)i;
    assert_fails(bert_model_train(model, train, NULL, &wrong, NULL, false, NULL, NULL, err), BERT_ERR_ARGUMENT,
                 "--learning-rate: -1 is out of range, at least 0");
    assert_fails(bert_model_train(model, train, NULL, &resumed, NULL, false, NULL, NULL, err), BERT_ERR_ARGUMENT,
                 "--resume: there is no folder to go on from");
    const char *words = arena_printf(
        &golden_memory, "%s/checkpoint.safetensors: is not there: there is nothing to go on with", scratch("new"));
    assert_fails(bert_model_train(model, train, NULL, &resumed, scratch("new"), false, NULL, NULL, err), BERT_ERR_IO,
                 words);
    for (size_t i = 0; i < l->n_tuned; i++)
        assert_true(l->grads[i] == (float)i);
    bert_err e;
    check(bert_model_train(model, train, NULL, &right, NULL, false, NULL, NULL, &e), &e);
    for (size_t i = 0; i < l->n_tuned; i++)
        assert_true(l->grads[i] == 0);
    bert_model_free(model);
    bert_dataset_free(train);
}

static int groups(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(what_can_be_learned_is_learned),
        in_a_folder(every_task_learns),
        in_a_folder(the_same_seed_gives_the_same_bits_on_any_number_of_threads),
        in_a_folder(kept_outputs_change_no_bit_wherever_they_are),
        in_a_folder(the_precision_of_frozen_layers_is_theirs_alone),
        in_a_folder(two_batches_of_16_are_one_of_32),
        in_a_folder(layers_are_unfrozen_from_the_last_one_down),
        in_a_folder(the_best_epoch_is_kept_in_memory_and_on_disk),
        in_a_folder(patience_ends_a_run_that_gets_no_better),
        in_a_folder(a_run_may_end_within_an_epoch),
        in_a_folder(the_threshold_is_chosen_on_the_best_epoch_and_kept),
        in_a_folder(the_history_tells_every_epoch_and_all_options),
        in_a_folder(events_come_step_by_step_and_then_the_epoch),
        in_a_folder(report_and_event_files_are_written_where_they_are_asked_for),
        in_a_folder(gradients_of_a_caller_survive_a_refusal),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}

int main(void)
{
    return run_each_isa(groups);
}

/* What cannot go well is told before it begins, or where it happens, with the words that the user reads. */
#include "train/toy_run.h"

#include "each_isa.h"

#include <signal.h>
#include <sys/resource.h>

static bert_dataset *load_rows(const char *name, const char *rows)
{
    bert_err err;
    bert_dataset *d;
    check(file_write_whole(scratch(name), rows, strlen(rows), &err), &err);
    check(bert_dataset_load(scratch(name), NULL, &d, &err), &err);
    return d;
}

static bert_model *any_model(void)
{
    return toy_model(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, SEQ_LEN);
}

/* Three labels: "a", "b" and "c,d". */
static bert_model *words_model(void)
{
    static const char *const WORDS[] = { "a", "b", "c=d" };
    bert_layer_spec spec = toy_spec(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, 1);
    bert_head_spec of_task = toy_head(BERT_TASK_MULTICLASS, WORDS, 3);
    return new_model(&spec, &of_task);
}

/* ---- labels and texts -------------------------------------------------------------------------------------------- */

static void an_unknown_label_is_found_before_training_starts(void **state)
{
    (void)state;
    char words[512];
    bert_model *model = any_model();
    bert_dataset *good = load_rows("good.tsv", "text\tlabel\na b\t0\nc d\t1\n");
    bert_dataset *bad = load_rows("bad.tsv", "text\tlabel\na b\t0\nc d\t1\ne f\tmaybe\n");
    told *t = new_told();
    snprintf(words, sizeof words, "%s:4: label \"maybe\" is not one of the model's: 0, 1", scratch("bad.tsv"));
    assert_fails(bert_model_train(model, bad, NULL, NULL, scratch("model"), false, listen, t, err), BERT_ERR_DATA,
                 words);
    assert_fails(bert_model_train(model, good, bad, NULL, scratch("model"), false, listen, t, err), BERT_ERR_DATA,
                 words);
    assert_int_equal(t->n, 0);
    assert_false(file_exists(scratch("model")));
    bert_dataset_free(good);
    bert_dataset_free(bad);
    bert_model_free(model);
}

static told *notes_of(bert_model *model, const bert_dataset *train, const bert_dataset *valid,
                      const bert_train_options *o)
{
    bert_err err;
    told *t = new_told();
    check(bert_model_train(model, train, valid, o, NULL, false, listen, t, &err), &err);
    return t;
}

/* Notes on the data: one epoch of a toy may end no better than it began, which is told, too. */
static size_t notes_on_data(const told *t)
{
    return told_count(t, BERT_EVENT_NOTE) - was_noted(t, "no better than always answering");
}

static void odd_labels_and_batches_are_noted(void **state)
{
    (void)state;
    bert_model *model = words_model();
    bert_train_options o = options_of(1, 0.001);
    bert_dataset *even = load_rows("even.tsv",
                                   "text\tlabel\na b\ta\nc d\tb\ne f\tb\ng h\ta\ni j\tc=d\nk l\tc=d\nm n\ta\no p\tb\n");
    bert_dataset *single = load_rows("single.tsv", "text\tlabel\na b\ta\nc d\tb\ne f\tb\n");
    bert_dataset *equal = load_rows("equal.tsv", "text\tlabel\na b\tb\nc d\tb\n");
    told *t = notes_of(model, even, even, &o);
    assert_int_equal(notes_on_data(t), 0);
    t = notes_of(model, single, even, &o);
    assert_int_equal(notes_on_data(t), 3);
    assert_true(
        was_noted(t, "the batch size of 8 is more than the 3 rows of the training data: an epoch is one batch"));
    assert_true(was_noted(t, "labels that stand once in the training data: \"a\""));
    assert_true(was_noted(t, "labels of the validation data that the training data has not: \"c=d\""));
    assert_int_equal(told_event(t, BERT_EVENT_STEP, 0)->done, 3);
    t = notes_of(model, equal, NULL, &o);
    assert_true(was_noted(t, "every label of the training data is \"b\": there is nothing to tell apart"));
    bert_dataset_free(even);
    bert_dataset_free(single);
    bert_dataset_free(equal);
    bert_model_free(model);
}

/* Of texts that hold something, though nothing that becomes a token. */
static void texts_that_are_all_empty_are_an_error(void **state)
{
    (void)state;
    bert_err e;
    bert_model *model = any_model();
    bert_text nothing[] = { text_of("\1"), text_of(" \2 ") }, something[] = { text_of("\1"), text_of("x") },
              labels[] = { text_of("0"), text_of("1") };
    bert_dataset *empty, *one;
    bert_train_options o = options_of(1, 0.001);
    check(bert_dataset_create(nothing, NULL, labels, 2, &empty, &e), &e);
    check(bert_dataset_create(something, NULL, labels, 2, &one, &e), &e);
    assert_fails(bert_model_train(model, empty, NULL, &o, NULL, false, NULL, NULL, err), BERT_ERR_DATA,
                 "every text of the training data is empty; is the text column the right one?");
    notes_of(model, one, empty, &o);
    bert_dataset_free(empty);
    bert_dataset_free(one);
    bert_model_free(model);
}

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

static void a_loss_that_is_not_finite_ends_the_run(void **state)
{
    (void)state;
    bert_err e = { 0 };
    bert_model *model = any_model();
    bert_dataset *train = learnable(ROWS, 2, 1);
    bert_train_options o = options_of(2, 1e300);
    o.checkpoint_every = "1";
    o.batch_size = ROWS / 2;
    /* The first step spoils the weights: that is seen as soon as they are to be saved. */
    assert_int_equal(bert_model_train(model, train, NULL, &o, scratch("model"), false, NULL, NULL, &e),
                     BERT_ERR_NUMERIC);
    assert_non_null(strstr(e.message, "a weight is not finite after step 1, in epoch 1; the last batch: row "));
    assert_non_null(strstr(e.message, " and 45 more; try a lower learning rate, a warm-up or clip_norm"));
    assert_false(file_exists(scratch("model/checkpoint.safetensors")));
    bert_model_free(model);
    model = any_model();
    assert_int_equal(bert_model_train(model, train, NULL, &o, NULL, false, NULL, NULL, &e), BERT_ERR_NUMERIC);
    assert_non_null(strstr(e.message, "a weight is not finite after step 1")); /* no folder, nothing saved: the same */
    bert_model_free(model);
    model = any_model();
    o.checkpoint_every = "0";
    o.batch_size = BATCH;
    assert_int_equal(bert_model_train(model, train, NULL, &o, NULL, false, NULL, NULL, &e), BERT_ERR_NUMERIC);
    /* which has a sign, but none that matters */
    assert_non_null(strstr(e.message, "the loss is nan at step 2, in epoch 1; its batch: row "));
    assert_non_null(strstr(e.message, " and 5 more; try a lower learning rate, a warm-up or clip_norm"));
    bert_model_free(model);
    /* One step an epoch: no loss tells of it any more. */
    model = any_model();
    o.batch_size = ROWS;
    assert_int_equal(bert_model_train(model, train, NULL, &o, scratch("model"), false, NULL, NULL, &e),
                     BERT_ERR_NUMERIC);
    assert_non_null(strstr(e.message, "a weight is not finite after step 1, in epoch 1"));
    assert_false(file_exists(scratch("model/model.json")));
    assert_false(file_exists(scratch("model/train.lock")));
    bert_dataset_free(train);
    bert_model_free(model);
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

static void what_cannot_be_trained_is_said(void **state)
{
    (void)state;
    static const char WORDS[] = "only a model with a task that is made on a module can be trained";
    bert_model *model = any_model();
    bert_dataset *train = learnable(8, 2, 1);
    bert_task id = model->task;
    model->task = BERT_TASK_AUTO; /* as a module alone */
    assert_fails(bert_model_train(model, train, NULL, NULL, NULL, false, NULL, NULL, err), BERT_ERR_ARGUMENT, WORDS);
    model->task = id;
    model->module->frozen = true;
    assert_fails(bert_model_train(model, train, NULL, NULL, NULL, false, NULL, NULL, err), BERT_ERR_ARGUMENT, WORDS);
    model->module->frozen = false;
    bert_dataset_free(train);
    bert_model_free(model);
}

typedef struct wrong {
    const char *option, *value, *words;
} wrong;

static void check_wrong(bert_model *model, const bert_dataset *train, const bert_dataset *valid, const wrong *cases,
                        size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bert_err err;
        bert_train_options o = options_of(1, 0.001);
        check(bert_options_set(&o, bert_train_option_table(), cases[i].option, cases[i].value, &err), &err);
        assert_int_equal(bert_model_train(model, train, valid, &o, NULL, false, NULL, NULL, &err), BERT_ERR_ARGUMENT);
        assert_string_equal(err.message, cases[i].words);
    }
}

static void options_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    static const wrong ALONE[] = {
        { "watch", "f1", "--watch: f1 needs validation data; without it the loss is watched" },
        { "choose_threshold", "true", "--choose-threshold: there is no validation data" },
        { "checkpoint_every", "soon",
          "--checkpoint-every: \"soon\" is neither a time (15m, 90s, 2h) nor a number of steps" },
        { "checkpoint_every", "5d",
          "--checkpoint-every: \"5d\" is neither a time (15m, 90s, 2h) nor a number of steps" },
        { "checkpoint_every", "-5m",
          "--checkpoint-every: \"-5m\" is neither a time (15m, 90s, 2h) nor a number of steps" },
        { "class_weights", "0", "--class-weights: \"0\" is neither balanced nor LABEL=NUMBER" },
        { "class_weights", "0=2,spam=3", "--class-weights: the model has no label \"spam\"" },
        { "class_weights", "0=two", "--class-weights: \"two\" of label \"0\" is no number from 0" },
        { "class_weights", "1=-1", "--class-weights: \"-1\" of label \"1\" is no number from 0" },
    };
    bert_model *model = any_model(), *words = words_model();
    bert_dataset *train = learnable(8, 2, 1), *letters = load_rows("words.tsv", "text\tlabel\na b\ta\nc d\tb\n");
    check_wrong(model, train, NULL, ALONE, sizeof ALONE / sizeof *ALONE);
    check_wrong(words, letters, letters,
                &(wrong){ "choose_threshold", "true", "--choose-threshold: task multiclass has no threshold" }, 1);
    bert_train_options o = options_of(0, 0.001);
    assert_fails(bert_model_train(model, train, NULL, &o, NULL, false, NULL, NULL, err), BERT_ERR_ARGUMENT,
                 "--epochs: 0 is out of range, 1 to 100000");
    bert_dataset_free(train);
    bert_dataset_free(letters);
    bert_model_free(model);
    bert_model_free(words);
}

#define OF_WORDS                                                                                                      \
    "loss, accuracy, precision, recall, f1, precision_micro, recall_micro, f1_micro, precision_macro, recall_macro, " \
    "f1_macro, "                                                                                                      \
    "precision_macro_seen, recall_macro_seen, f1_macro_seen"
#define OF_NUMBERS "it has loss, pearson, spearman, mse"

static void options_that_the_task_does_not_have_are_refused(void **state)
{
    (void)state;
    static const struct {
        bert_task task;
        const char *labels[4];
        wrong wrong;
    } CASES[] = {
        { BERT_TASK_BINARY,
          { "0", "1" },
          { "watch", "spearman", "--watch: task binary has no metric \"spearman\"; it has " OF_WORDS ", mcc, auc" } },
        { BERT_TASK_BINARY,
          { "0", "1" },
          { "watch", "beauty", "--watch: task binary has no metric \"beauty\"; it has " OF_WORDS ", mcc, auc" } },
        { BERT_TASK_MULTICLASS,
          { "a", "b", "c" },
          { "watch", "pearson", "--watch: task multiclass has no metric \"pearson\"; it has " OF_WORDS ", mcc, auc" } },
        { BERT_TASK_MULTILABEL,
          { "a", "b" },
          { "watch", "mcc", "--watch: task multilabel has no metric \"mcc\"; it has " OF_WORDS ", auc" } },
        { BERT_TASK_TOKENS,
          { "O O", "B-X O" },
          { "watch", "auc", "--watch: task tokens has no metric \"auc\"; it has " OF_WORDS } },
        { BERT_TASK_REGRESSION,
          { "1", "2" },
          { "watch", "auc", "--watch: task regression has no metric \"auc\"; " OF_NUMBERS } },
        { BERT_TASK_SIMILARITY,
          { "1", "2" },
          { "watch", "accuracy", "--watch: task similarity has no metric \"accuracy\"; " OF_NUMBERS } },
        { BERT_TASK_REGRESSION,
          { "1", "2" },
          { "class_weights", "balanced", "--class-weights: task regression has no labels" } },
        { BERT_TASK_SIMILARITY,
          { "1", "2" },
          { "class_weights", "1=2", "--class-weights: task similarity has no labels" } },
        { BERT_TASK_REGRESSION,
          { "1", "2" },
          { "label_smoothing", "0.1", "--label-smoothing: task regression has no labels to smooth" } },
        { BERT_TASK_SIMILARITY,
          { "1", "2" },
          { "label_smoothing", "0.1", "--label-smoothing: task similarity has no labels to smooth" } },
        { BERT_TASK_MULTICLASS,
          { "a", "b" },
          { "choose_threshold", "true",
            "--choose-threshold: task multiclass has no threshold; with two labels, task binary has one" } },
    };
    const char *module = arena_string(&golden_memory, toy_module("module", (toy){ 0 }));
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_err err;
        bert_dataset *d;
        bert_text texts[4], labels[4];
        size_t n = 0;
        for (; n < 4 && CASES[i].labels[n]; n++) {
            texts[n] = text_of("a b");
            labels[n] = text_of(CASES[i].labels[n]);
        }
        check(bert_dataset_create(texts, texts, labels, n, &d, &err), &err);
        bert_head_spec of_task = toy_head((int)CASES[i].task, NULL, 0);
        check(bert_head_of_dataset(&of_task, d, &err), &err);
        bert_model *model = toy_model_of(module, BERT_POOLING_AUTO, SEQ_LEN, &of_task);
        check_wrong(model, d, d, &CASES[i].wrong, 1);
        bert_model_free(model);
        bert_dataset_free(d);
    }
}

static void a_watched_metric_without_a_value_gives_way_to_the_loss(void **state)
{
    (void)state;
    bert_model *model = any_model();
    bert_dataset *train = learnable(ROWS, 2, 1), *equal = load_rows("equal.tsv", "text\tlabel\na b\t0\nc d\t0\n");
    bert_train_options o = options_of(3, 0.01);
    o.watch = "auc"; /* which takes both labels */
    told *t = notes_of(model, train, equal, &o);
    assert_true(was_noted(t, "auc has no value on this validation data: the loss tells the best epoch"));
    size_t best = (size_t)told_event(t, BERT_EVENT_END, 0)->best_epoch;
    for (size_t i = 0; i < 3; i++)
        assert_true(told_valid(t, i)->loss >= told_valid(t, best - 1)->loss);
    bert_dataset_free(train);
    bert_dataset_free(equal);
    bert_model_free(model);
}

/* bf16 works where the processor has it, and is told where not; either way the layer is as before. */
static void precision_is_for_the_run_alone(void **state)
{
    (void)state;
    bert_err err;
    const ops *unused;
    bert_model *model = any_model();
    bert_dataset *train = learnable(ROWS, 2, 1), *valid = learnable(20, 2, 2);
    bert_train_options o = options_of(1, 0.001);
    bool has = !ops_select_precision(OPS_BF16, &unused, NULL);
    o.force = true;
    for (o.precision = 0; o.precision < 2; o.precision++) {
        o.frozen_precision = o.precision ? 0 : 2;
        bert_status s = bert_model_train(model, train, valid, &o, scratch("model"), false, NULL, NULL, &err);
        assert_int_equal(s, has ? BERT_OK : BERT_ERR_UNSUPPORTED);
        assert_true(has || strstr(err.message, "precision bf16: this processor has no AVX512-BF16"));
        assert_int_equal(file_exists(scratch("model")), has);
        assert_int_equal(model->layer->encoder.precision, OPS_FP32);
        assert_int_equal(layer_frozen_precision(model->layer), OPS_FP32);
    }
    for (size_t i = 0; i < model->layer->n_tuned; i++)
        assert_true(model->layer->grads[i] == 0);
    bert_dataset_free(train);
    bert_dataset_free(valid);
    bert_model_free(model);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static void a_folder_that_cannot_be_written_is_found_before_training_starts(void **state)
{
    (void)state;
    bert_err err = { 0 };
    bert_model *model = any_model();
    bert_dataset *train = learnable(8, 2, 1);
    told *t = new_told();
    assert_int_equal(bert_model_train(model, train, NULL, NULL, "/proc/self", false, listen, t, &err), BERT_ERR_IO);
    assert_non_null(strstr(err.message, "/proc/self/train.lock: cannot write: "));
    assert_int_equal(t->n, 0);
    bert_dataset_free(train);
    bert_model_free(model);
}

/* JSON cannot hold such a path: where it is needed again that is told before the first step, where it is only shown its
 * bytes are replaced. */
static void a_module_whose_path_is_not_utf_8_is_copied_or_told_at_once(void **state)
{
    (void)state;
    bert_err e = { 0 };
    bert_layer_spec spec = toy_spec(arena_string(&golden_memory, toy_module("m\xFE", (toy){ 0 })), BERT_POOLING_CLS, 1);
    bert_dataset *train = learnable(16, 2, 1);
    bert_train_options o = options_of(1, 0.001);
    const char *folder = arena_string(&golden_memory, scratch("model\xFD"));
    bert_model *model = new_binary(&spec);
    told *t = new_told();
    o.report = true;
    o.cache = arena_string(&golden_memory, scratch("cache\xFC"));
    assert_int_equal(bert_model_train(model, train, NULL, &o, folder, false, listen, t, &e), BERT_ERR_ARGUMENT);
    assert_string_equal(e.message, "../m\xFE: the module's path is not UTF-8, which JSON asks for");
    assert_int_equal(t->n, 0);
    check(bert_model_train(model, train, NULL, &o, folder, true, listen, t, &e), &e);
    o.resume = true;
    check(bert_model_train(model, train, NULL, &o, folder, true, listen, t, &e), &e);
    bert_model_free(model);
    bert_model_free(open_folder(folder));
    bert_dataset_free(train);
}

static void a_module_is_no_folder_for_a_model(void **state)
{
    (void)state;
    bert_model *model = any_model();
    bert_dataset *train = learnable(8, 2, 1);
    const char *module = scratch("module");
    const char *words = arena_printf(&golden_memory, "%s: a module stands there; give the model a folder of its own",
                                     module);
    assert_fails(bert_model_train(model, train, NULL, NULL, module, false, NULL, NULL, err), BERT_ERR_ARGUMENT, words);
    words = arena_printf(&golden_memory, "%s: this is a module; give the model a folder of its own (--output)", module);
    assert_fails(bert_model_save(model, module, false, err), BERT_ERR_ARGUMENT, words);
    assert_false(file_exists(scratch("module/model.json")));
    assert_false(file_exists(scratch("module/train.lock")));
    bert_dataset_free(train);
    bert_model_free(model);
}

static bool fill_disk(told *t, const bert_event *e)
{
    (void)t;
    if (e->kind == BERT_EVENT_EPOCH && e->epoch == 1) {
        struct rlimit limit;
        getrlimit(RLIMIT_FSIZE, &limit);
        limit.rlim_cur = 100;
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    return true;
}

static void a_disk_that_fills_up_leaves_the_last_good_model(void **state)
{
    (void)state;
    bert_err err = { 0 };
    bert_model *model = any_model(), *first;
    bert_dataset *train = learnable(ROWS, 2, 1);
    const char *folder = scratch("model");
    bert_train_options o = options_of(3, 0.01);
    told *t = new_told();
    struct rlimit before;
    t->then = fill_disk;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    bert_status s = bert_model_train(model, train, NULL, &o, folder, false, listen, t, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(s, BERT_ERR_IO);
    assert_string_equal(
        err.message, arena_printf(&golden_memory, "%s/weights.next.safetensors: cannot write: File too large", folder));
    first = open_folder(folder);
    bert_model_free(model);
    /* Epoch 1 of the same run, written to a disk that has room. */
    model = any_model();
    o.epochs = 1;
    check(bert_model_train(model, train, NULL, &o, scratch("alone"), false, NULL, NULL, &err), &err);
    assert_same_weights(first, model);
    bert_model_free(first);
    bert_model_free(model);
    bert_dataset_free(train);
}

/* ---- the cache --------------------------------------------------------------------------------------------------- */

typedef struct cached_run {
    told *told;
    bert_model *model;
} cached_run;

static cached_run run_cached(const char *module, uint64_t data_seed)
{
    bert_err err;
    cached_run r = { new_told(), toy_model(module, BERT_POOLING_CLS, SEQ_LEN) };
    bert_dataset *train = learnable(ROWS, 2, data_seed), *valid = learnable(20, 2, data_seed + 1);
    bert_train_options o = options_of(2, 0.003);
    o.cache = scratch("cache");
    check(bert_model_train(r.model, train, valid, &o, NULL, false, listen, r.told, &err), &err);
    bert_dataset_free(train);
    bert_dataset_free(valid);
    return r;
}

/* No file of the cache has room: the run goes on without, and gives the same bits. */
static void a_cache_on_a_full_disk_is_left_and_noted(void **state)
{
    (void)state;
    const char *module = arena_string(&golden_memory, toy_module("module", (toy){ 0 }));
    struct rlimit before, limit;
    cached_run full, free_again;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    limit = before;
    limit.rlim_cur = 1000;
    setrlimit(RLIMIT_FSIZE, &limit);
    full = run_cached(module, 1);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_DFL);
    assert_true(
        was_noted(full.told, "cache/train.tokens: the file of tokens cannot be written whole: they stay in memory"));
    assert_true(was_noted(full.told,
                          "cache/train.kept: the disk has no room for the file of kept outputs: they stay in memory"));
    assert_true(was_noted(full.told,
                          "cache/valid.kept: the disk has no room for the file of kept outputs: they stay in memory"));
    assert_false(file_exists(scratch("cache/train.tokens")));
    free_again = run_cached(module, 1);
    assert_int_equal(told_count(free_again.told, BERT_EVENT_NOTE), 0);
    assert_same_weights(full.model, free_again.model);
    bert_model_free(full.model);
    bert_model_free(free_again.model);
}

static void spoil_byte(const char *path, size_t at)
{
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    fseek(f, (long)at, SEEK_SET);
    int c = fgetc(f);
    fseek(f, (long)at, SEEK_SET);
    fputc(c ^ 1, f);
    fclose(f);
}

static void a_cache_of_other_data_or_another_module_or_damaged_is_made_anew(void **state)
{
    (void)state;
    bert_err err;
    const char *module = arena_string(&golden_memory, toy_module("module", (toy){ 0 }));
    cached_run first = run_cached(module, 1), other, again;
    assert_int_equal(told_count(first.told, BERT_EVENT_NOTE), 0);
    for (int i = 0; i < 2; i++) { /* other data over these, and these over the others */
        other = run_cached(module, i ? 1 : 5);
        assert_true(was_noted(other.told, "cache/train.tokens: the file of tokens is of other data, another vocabulary "
                                          "or another seq_len: it is made anew"));
        assert_true(was_noted(other.told, "cache/valid.kept: the file of kept outputs is of other data"));
        if (i)
            assert_same_weights(first.model, other.model);
        bert_model_free(other.model);
    }
    const char *larger = arena_string(&golden_memory, toy_module("larger", (toy){ .layers = 4 }));
    other = run_cached(larger, 1);
    assert_false(was_noted(other.told, "train.tokens")); /* the same words in the same vocabulary */
    assert_true(was_noted(other.told, "cache/train.kept: the file of kept outputs is of other data, another module"));
    bert_model_free(other.model);
    again = run_cached(module, 1);
    bert_model_free(again.model);
    again = run_cached(module, 1);
    assert_int_equal(told_count(again.told, BERT_EVENT_NOTE), 0);
    assert_same_weights(first.model, again.model);
    bert_model_free(again.model);
    for (size_t at = 0; at < 1200; at += 100) {
        spoil_byte(scratch("cache/train.tokens"), at);
        again = run_cached(module, 1);
        assert_true(was_noted(again.told, "cache/train.tokens: the file of tokens is "));
        assert_same_weights(first.model, again.model);
        bert_model_free(again.model);
    }
    check(file_write_whole(scratch("cache/train.tokens"), "short", 5, &err), &err);
    again = run_cached(module, 1);
    assert_true(was_noted(again.told, "cache/train.tokens: the file of tokens is damaged: it is made anew"));
    assert_same_weights(first.model, again.model);
    bert_model_free(again.model);
    bert_model_free(first.model);
}

static int groups(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(an_unknown_label_is_found_before_training_starts),
        in_a_folder(odd_labels_and_batches_are_noted),
        in_a_folder(texts_that_are_all_empty_are_an_error),
        in_a_folder(a_loss_that_is_not_finite_ends_the_run),
        in_a_folder(what_cannot_be_trained_is_said),
        in_a_folder(options_that_do_not_fit_are_refused),
        in_a_folder(options_that_the_task_does_not_have_are_refused),
        in_a_folder(a_watched_metric_without_a_value_gives_way_to_the_loss),
        in_a_folder(precision_is_for_the_run_alone),
        in_a_folder(a_folder_that_cannot_be_written_is_found_before_training_starts),
        in_a_folder(a_module_whose_path_is_not_utf_8_is_copied_or_told_at_once),
        in_a_folder(a_module_is_no_folder_for_a_model),
        in_a_folder(a_disk_that_fills_up_leaves_the_last_good_model),
        in_a_folder(a_cache_on_a_full_disk_is_left_and_noted),
        in_a_folder(a_cache_of_other_data_or_another_module_or_damaged_is_made_anew),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}

int main(void)
{
    return run_each_isa(groups);
}

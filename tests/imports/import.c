/* Imports of what others fine-tuned: which task a folder becomes, and what is refused. The folders are exports of toy
 * models, changed. */
#include "exports/exported.h"

/* Exports a model of three labels, or of one number, as the folder `theirs`. */
static void write_theirs(bert_task id)
{
    bert_model *m = model_of(id, BERT_POOLING_AUTO, 0);
    folder_remove(scratch("theirs"), NULL); /* what a test changed is an export no more */
    assert_works(export_to(m, "theirs", true, NULL, err));
    bert_model_free(m);
}

static const char *settings(void)
{
    return scratch("theirs/config.json");
}

/* Leaves nothing that says what the outputs are. */
static void forget_meaning(void)
{
    change_member(settings(), "problem_type", NULL);
    change_member(settings(), "sentence_transformers", NULL);
}

static bert_model *import_theirs(char **note)
{
    assert_works(bert_import(scratch("theirs"), scratch("ours"), NULL, note, err));
    return load_model(scratch("ours"));
}

static void assert_refused(bert_status code, const char *message)
{
    size_t before = scratch_entries();
    assert_fails(bert_import(scratch("theirs"), scratch("ours"), NULL, NULL, err), code, message);
    assert_int_equal(scratch_entries(), before); /* nothing half-written */
}

/* ---- tasks ------------------------------------------------------------------------------------------------------- */

#define SIGMOID "torch.nn.modules.activation.Sigmoid"
#define IDENTITY "torch.nn.modules.linear.Identity"

/* One output: a number, or a probability. What CrossEncoder puts behind it counts for more than problem_type. */
static void one_output_is_what_its_settings_say(void **state)
{
    (void)state;
    static const struct {
        const char *activation, *problem;
        bool older; /* the key of sentence-transformers before 4 */
        bert_task task;
        const char *note;
    } CASES[] = {
        { IDENTITY, NULL, false, BERT_TASK_REGRESSION, NULL },
        { IDENTITY, NULL, true, BERT_TASK_REGRESSION, NULL },
        { SIGMOID, NULL, false, BERT_TASK_BINARY, NULL },
        { SIGMOID, "regression", true, BERT_TASK_BINARY, NULL },
        { NULL, "regression", false, BERT_TASK_REGRESSION, NULL },
        { NULL, "multi_label_classification", false, BERT_TASK_BINARY, NULL },
        { NULL, NULL, false, BERT_TASK_BINARY,
          "one output, and nothing tells what it is: read as a probability with a sigmoid, as transformers and "
          "CrossEncoder do" },
    };
    float numbers[TEXTS], scores[2 * TEXTS];
    bert_model *m = model_of(BERT_TASK_REGRESSION, BERT_POOLING_AUTO, 0);
    predict(m, numbers);
    bert_model_free(m);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char *note;
        write_theirs(BERT_TASK_REGRESSION);
        forget_meaning();
        if (CASES[i].problem)
            change_member(settings(), "problem_type", json_string(CASES[i].problem));
        if (CASES[i].activation && CASES[i].older)
            change_member(settings(), "sbert_ce_default_activation_function", json_string(CASES[i].activation));
        else if (CASES[i].activation)
            change_member(settings(), "sentence_transformers",
                          json_pack("{s:s}", "activation_fn", CASES[i].activation));
        bert_model *ours = import_theirs(&note);
        assert_int_equal(bert_model_task(ours), CASES[i].task);
        assert_true(note ? CASES[i].note && !strcmp(note, CASES[i].note) : !CASES[i].note);
        predict(ours, scores);
        for (size_t k = 0; k < TEXTS; k++) {
            float p = 1 / (1 + expf(-numbers[k]));
            if (CASES[i].task == BERT_TASK_BINARY)
                assert_near(&scores[2 * k + 1], &p, 1, 1e-6f);
            else
                assert_near(&scores[k], &numbers[k], 1, 2e-6f);
        }
        bert_free(note);
        bert_model_free(ours);
    }
}

static void the_file_of_a_cross_encoder_counts_first(void **state)
{
    (void)state;
    write_theirs(BERT_TASK_REGRESSION);
    scratch_text("theirs/config_sentence_transformers.json",
                 "{\"model_type\": \"CrossEncoder\", \"activation_fn\": \"" SIGMOID "\"}");
    scratch_text(
        "theirs/modules.json",
        "[{\"idx\": 0, \"path\": \"\", \"type\": \"sentence_transformers.base.modules.transformer.Transformer\"}]");
    bert_model *ours = import_theirs(NULL);
    assert_int_equal(bert_model_task(ours), BERT_TASK_BINARY);
    bert_model_free(ours);
}

static void one_labels_name_is_that_of_the_yes(void **state)
{
    (void)state;
    static const struct {
        const char *theirs, *ours;
    } CASES[] = { { "toxic", "toxic" }, { "LABEL_0", "1" }, { "0", "1" }, { "1", "1" } };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const char *const *labels;
        write_theirs(BERT_TASK_REGRESSION);
        forget_meaning();
        change_member(settings(), "id2label", json_pack("{s:s}", "0", CASES[i].theirs));
        bert_model *ours = import_theirs(NULL);
        assert_int_equal(bert_model_labels(ours, &labels), 2);
        assert_string_equal(labels[0], "0");
        assert_string_equal(labels[1], CASES[i].ours);
        bert_model_free(ours);
    }
}

/* The only name that an export's config.json gives its output, and what CrossEncoder puts behind it. */
static void assert_single(const char *label, const char *behind)
{
    json_t *written = json_load_file(scratch("back/config.json"), 0, NULL);
    json_t *names = json_object_get(written, "id2label");
    assert_int_equal(json_object_size(names), 1);
    assert_string_equal(json_string_value(json_object_get(names, "0")), label);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(written, "sentence_transformers"), "activation_fn")), behind);
    assert_null(json_object_get(written, "problem_type"));
    json_decref(written);
}

/* A CrossEncoder of one output stays one, from the model folder and from a frozen file: the same words, the same
 * bits. */
static void one_output_goes_back_as_it_came(void **state)
{
    (void)state;
    static const struct {
        const char *theirs, *back;
    } CASES[] = { { "LABEL_0", "LABEL_0" }, { "relevant", "relevant" } };
    float first[2 * TEXTS], second[2 * TEXTS];
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        for (int frozen = 0; frozen < 2; frozen++) {
            write_theirs(BERT_TASK_REGRESSION);
            forget_meaning();
            change_member(settings(), "id2label", json_pack("{s:s}", "0", CASES[i].theirs));
            change_member(settings(), "sentence_transformers", json_pack("{s:s}", "activation_fn", SIGMOID));
            bert_model *ours = import_theirs(NULL);
            predict(ours, first);
            if (frozen) {
                assert_works(bert_model_freeze(ours, scratch("frozen.bert"), NULL, NULL, NULL, err));
                bert_model_free(ours);
                ours = load_model(scratch("frozen.bert"));
            }
            assert_works(export_to(ours, "back", true, NULL, err));
            assert_single(CASES[i].back, SIGMOID);
            bert_model_free(ours);
            assert_works(bert_import(scratch("back"), scratch("again"), NULL, NULL, err));
            bert_model *again = load_model(scratch("again"));
            const char *const *labels;
            assert_int_equal(bert_model_labels(again, &labels), 2);
            assert_string_equal(labels[1], i ? "relevant" : "1");
            predict(again, second);
            assert_memory_equal(first, second, sizeof first);
            bert_model_free(again);
        }
}

static void several_outputs_are_probabilities_together_or_each(void **state)
{
    (void)state;
    static const struct {
        const char *activation, *problem;
        bert_task task;
    } CASES[] = {
        { NULL, NULL, BERT_TASK_MULTICLASS },
        { IDENTITY, NULL, BERT_TASK_MULTICLASS },
        { "torch.nn.modules.activation.Softmax", NULL, BERT_TASK_MULTICLASS },
        { NULL, "single_label_classification", BERT_TASK_MULTICLASS },
        { NULL, "multi_label_classification", BERT_TASK_MULTILABEL },
        { SIGMOID, NULL, BERT_TASK_MULTILABEL },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        write_theirs(BERT_TASK_MULTICLASS);
        forget_meaning();
        if (CASES[i].problem)
            change_member(settings(), "problem_type", json_string(CASES[i].problem));
        if (CASES[i].activation)
            change_member(settings(), "sentence_transformers",
                          json_pack("{s:s}", "activation_fn", CASES[i].activation));
        bert_model *ours = import_theirs(NULL);
        assert_int_equal(bert_model_task(ours), CASES[i].task);
        bert_model_free(ours);
    }
}

/* Two rows of numbers stay two, for softmax gives the very same scores; a row of zeros is libbert's own binary head. */
static void two_labels_stay_two_rows_unless_one_is_zero(void **state)
{
    (void)state;
    bert_head_spec head = toy_head(BERT_TASK_MULTICLASS, WORDS, 2);
    float scores[2 * TEXTS], again[2 * TEXTS];
    bert_model *m = toy_model_of(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, SEQ_LEN, &head),
               *back = round_trip(m);
    assert_int_equal(bert_model_task(back), BERT_TASK_MULTICLASS);
    predict(m, scores);
    predict(back, again);
    assert_memory_equal(scores, again, sizeof scores);
    bert_model_free(back);
    weight_at(&m->layer->weights, HEAD_BIAS, 0)->tuned[1] = 0.5f;
    memset(weight_at(&m->layer->weights, HEAD_WEIGHT, 0)->tuned, 0, TOY_HIDDEN * sizeof(float));
    back = round_trip(m);
    assert_int_equal(bert_model_task(back), BERT_TASK_BINARY);
    predict(m, scores);
    predict(back, again);
    assert_near(again, scores, 2 * TEXTS, 1e-6f);
    bert_model_free(back);
    bert_model_free(m);
}

static void labels_without_names_are_called_as_transformers_calls_them(void **state)
{
    (void)state;
    const char *const *labels;
    write_theirs(BERT_TASK_MULTICLASS);
    change_member(settings(), "id2label", NULL);
    bert_model *ours = import_theirs(NULL);
    assert_int_equal(bert_model_labels(ours, &labels), 3);
    assert_string_equal(labels[0], "LABEL_0");
    assert_string_equal(labels[2], "LABEL_2");
    bert_model_free(ours);
}

/* The words of a prediction are those of id2label, in transformers too; who trained with the other file should know. */
static void ids_that_contradict_the_labels_are_told(void **state)
{
    (void)state;
    const struct {
        json_t *ids;
        const char *told; /* NULL: nothing is */
    } CASES[] = {
        { json_pack("{s:i, s:i, s:i}", "c", 2, "b", 1, "a", 0), NULL },
        { json_object(), NULL },
        { json_null(), NULL },
        { json_pack("{s:i, s:i, s:i}", "a", 0, "b", 2, "c", 1), "where \"b\" is not output 2" },
        { json_pack("{s:i}", "other", 0), "where \"other\" is not output 0" },
        { json_pack("{s:i}", "a", 3), "where \"a\" is not output 3" },
        { json_pack("{s:i}", "a", -1), "where \"a\" is not output -1" },
        { json_pack("{s:s}", "a", "0"), "where \"a\" is not output of that number" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char *note, expected[256];
        const char *const *labels;
        write_theirs(BERT_TASK_MULTICLASS);
        change_member(settings(), "label2id", CASES[i].ids);
        bert_model *ours = import_theirs(&note);
        bert_model_labels(ours, &labels);
        assert_string_equal(labels[1], "b");
        snprintf(expected, sizeof expected,
                 "%s: label2id contradicts id2label, %s; the words are those of id2label, as with transformers",
                 settings(), CASES[i].told);
        if (CASES[i].told)
            assert_string_equal(note, expected);
        else
            assert_null(note);
        bert_free(note);
        bert_model_free(ours);
    }
}

static void tags_without_a_prefix_are_inside(void **state)
{
    (void)state;
    char *note;
    const char *const *labels;
    write_theirs(BERT_TASK_TOKENS);
    change_member(settings(), "id2label", json_pack("{s:s, s:s, s:s}", "0", "O", "1", "PER", "2", "B-LOC"));
    change_member(settings(), "label2id", NULL);
    bert_model *ours = import_theirs(&note);
    assert_int_equal(bert_model_task(ours), BERT_TASK_TOKENS);
    bert_model_labels(ours, &labels);
    assert_string_equal(labels[0], "O");
    assert_string_equal(labels[1], "I-PER");
    assert_string_equal(labels[2], "B-LOC");
    assert_string_equal(
        note, "1 of the 3 labels begin with neither B- nor I-: read as if they began with I-, as transformers does");
    bert_free(note);
    bert_model_free(ours);
}

static void an_imported_model_is_whole_and_freezes(void **state)
{
    (void)state;
    float scores[TEXTS * MOST_COLUMNS], again[TEXTS * MOST_COLUMNS];
    write_theirs(BERT_TASK_MULTICLASS);
    bert_model *ours = import_theirs(NULL);
    assert_works(folder_remove(scratch("theirs"), err));
    assert_int_equal(rename(scratch("ours"), scratch("moved")), 0); /* the module is inside */
    bert_model *moved = load_model(scratch("moved"));
    assert_works(bert_model_freeze(moved, scratch("frozen"), NULL, NULL, NULL, err));
    bert_model *frozen = load_model(scratch("frozen"));
    predict(ours, scores);
    predict(frozen, again);
    assert_memory_equal(scores, again, sizeof scores);
    bert_model_free(frozen);
    bert_model_free(moved);
    bert_model_free(ours);
}

/* ---- lengths ----------------------------------------------------------------------------------------------------- */

static void texts_are_cut_where_the_tokenizer_cuts_them(void **state)
{
    (void)state;
    const struct {
        json_t *length;
        int64_t seq_len;
    } CASES[] = {
        { json_integer(9), 9 },  { json_integer(TOY_POSITIONS + 1), TOY_POSITIONS }, { json_real(1e30), TOY_POSITIONS },
        { NULL, TOY_POSITIONS }, { json_integer(INT64_MAX), TOY_POSITIONS },         { json_null(), TOY_POSITIONS },
    };
    write_theirs(BERT_TASK_MULTICLASS);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        change_member(scratch("theirs/tokenizer_config.json"), "model_max_length", CASES[i].length);
        bert_model *ours = import_theirs(NULL);
        assert_int_equal(ours->layer->spec.seq_len, CASES[i].seq_len);
        bert_model_free(ours);
    }
    change_member(scratch("theirs/tokenizer_config.json"), "model_max_length", json_integer(2));
    assert_refused(BERT_ERR_FORMAT,
                   "theirs: tokenizer_config.json: model_max_length is 2, expected a whole number from 3 on");
}

/* transformers' own writing of a length that it does not know is no int64. */
static void a_length_that_is_not_told_is_all_positions(void **state)
{
    (void)state;
    write_theirs(BERT_TASK_MULTICLASS);
    scratch_text("theirs/tokenizer_config.json", "{\"model_max_length\": 1000000000000000019884624838656, "
                                                 "\"do_lower_case\": false, \"tokenizer_class\": \"BertTokenizer\"}");
    bert_model *ours = import_theirs(NULL);
    assert_int_equal(ours->layer->spec.seq_len, TOY_POSITIONS);
    assert_false(bert_tokenizer_settings(ours->module->tokenizer)->do_lower_case);
    bert_model_free(ours);
}

/* A file that is there and cannot be read is not taken for one that is absent. */
static void configurations_that_cannot_be_read_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *file, *text, *message;
    } CASES[] = {
        { "tokenizer_config.json", "{\"do_lower_case\": true",
          "tokenizer_config.json: line 1, column 22: '}' expected near end of file" },
        { "tokenizer_config.json", "{\"do_lower_case\": \"false\"}",
          "tokenizer_config.json: do_lower_case is a string, expected true or false" },
        { "tokenizer_config.json", "{\"model_max_length\": \"512\"}",
          "tokenizer_config.json: model_max_length is a string, expected a number" },
        { "tokenizer_config.json", "[]", "tokenizer_config.json: is an array, expected a JSON object" },
        { "sentence_bert_config.json", "{",
          "sentence_bert_config.json: line 1, column 1: string or '}' expected near end of file" },
        { "config_sentence_transformers.json", "",
          "config_sentence_transformers.json: is empty, expected a JSON object" },
        { "config_sentence_transformers.json", "{\"activation_fn\": 1}",
          "config_sentence_transformers.json: activation_fn is a whole number, expected a string" },
        { "modules.json", "[{\"path\": 1}]", "modules.json: path is a whole number, expected a string" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char name[128];
        bert_err err;
        write_theirs(BERT_TASK_MULTICLASS);
        snprintf(name, sizeof name, "theirs/%s", CASES[i].file);
        scratch_text(name, CASES[i].text);
        assert_int_equal(bert_import(scratch("theirs"), scratch("refused"), NULL, NULL, &err), BERT_ERR_FORMAT);
        if (!strstr(err.message, CASES[i].message))
            fail_msg("\"%s\" lacks \"%s\"", err.message, CASES[i].message);
        unlink(scratch(name));
    }
}

/* ---- refusals ---------------------------------------------------------------------------------------------------- */

static void settings_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    const struct {
        bert_task task;
        const char *key;
        json_t *value;
        bert_status code;
        const char *message;
    } CASES[] = {
        { BERT_TASK_MULTICLASS, "num_labels", json_integer(1000000000), BERT_ERR_FORMAT,
          "theirs/config.json: 1000000000 labels, the classifier has 3 rows" },
        { BERT_TASK_MULTICLASS, "num_labels", json_integer(-1), BERT_ERR_FORMAT,
          "theirs/config.json: num_labels is -1, expected 0 to 9223372036854775807" },
        { BERT_TASK_MULTICLASS, "num_labels", json_string("3"), BERT_ERR_FORMAT,
          "theirs/config.json: num_labels is a string, expected a whole number" },
        { BERT_TASK_MULTICLASS, "id2label", json_pack("{s:s, s:s}", "0", "a", "1", "b"), BERT_ERR_FORMAT,
          "theirs/config.json: 2 labels, the classifier has 3 rows" },
        { BERT_TASK_MULTICLASS, "id2label", json_pack("{s:s, s:s, s:s}", "0", "a", "2", "b", "7", "c"), BERT_ERR_FORMAT,
          "theirs/config.json: id2label has no text for \"1\"" },
        { BERT_TASK_MULTICLASS, "id2label", json_pack("{s:s, s:f, s:s}", "0", "a", "1", 1.5, "2", "c"), BERT_ERR_FORMAT,
          "theirs/config.json: id2label has no text for \"1\"" },
        { BERT_TASK_MULTICLASS, "id2label", json_pack("{s:s, s:s, s:s}", "0", "a", "1", "b", "2", "a"), BERT_ERR_FORMAT,
          "theirs/config.json: labels 0 and 2 are the same, \"a\"" },
        { BERT_TASK_MULTICLASS, "id2label", json_pack("[s, s, s]", "a", "b", "c"), BERT_ERR_FORMAT,
          "theirs/config.json: \"id2label\" is no object" },
        { BERT_TASK_MULTICLASS, "problem_type", json_string("ranking"), BERT_ERR_UNSUPPORTED,
          "theirs/config.json: problem_type \"ranking\" is not one of regression, single_label_classification, "
          "multi_label_classification" },
        { BERT_TASK_MULTICLASS, "problem_type", json_integer(3), BERT_ERR_FORMAT,
          "theirs/config.json: problem_type is a whole number, expected a string" },
        { BERT_TASK_MULTICLASS, "problem_type", json_string("regression"), BERT_ERR_UNSUPPORTED,
          "theirs/config.json: regression with 3 outputs; libbert has one" },
        { BERT_TASK_MULTICLASS, "sentence_transformers",
          json_pack("{s:s}", "activation_fn", "torch.nn.modules.activation.Tanh"), BERT_ERR_UNSUPPORTED,
          "theirs/config.json: activation Tanh behind 3 outputs; libbert has Softmax and Sigmoid" },
        { BERT_TASK_REGRESSION, "sentence_transformers",
          json_pack("{s:s}", "activation_fn", "torch.nn.modules.activation.Tanh"), BERT_ERR_UNSUPPORTED,
          "theirs/config.json: activation Tanh behind one output; libbert has Sigmoid and Identity" },
        { BERT_TASK_REGRESSION, "sentence_transformers", json_pack("{s:i}", "activation_fn", 5), BERT_ERR_FORMAT,
          "theirs/config.json: activation_fn is a whole number, expected a string" },
        { BERT_TASK_MULTICLASS, "sentence_transformers", json_string(SIGMOID), BERT_ERR_FORMAT,
          "theirs/config.json: \"sentence_transformers\" is no object" },
        { BERT_TASK_MULTICLASS, "sbert_ce_default_activation_function", json_pack("[s]", SIGMOID), BERT_ERR_FORMAT,
          "theirs/config.json: sbert_ce_default_activation_function is an array, expected a string" },
        { BERT_TASK_MULTICLASS, "label2id", json_pack("[s, s, s]", "a", "b", "c"), BERT_ERR_FORMAT,
          "theirs/config.json: \"label2id\" is no object" },
        { BERT_TASK_MULTICLASS, "model_type", json_string("longformer"), BERT_ERR_UNSUPPORTED,
          "theirs/config.json: model_type \"longformer\" is another family; libbert reads bert, "
          "distilbert, roberta, xlm-roberta, camembert, electra, albert, mpnet" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        write_theirs(CASES[i].task);
        change_member(settings(), CASES[i].key, CASES[i].value);
        assert_refused(CASES[i].code, CASES[i].message);
    }
}

static void tensors_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    static const int64_t ROWS[] = { 2, TOY_HIDDEN }, FLAT[] = { 3 * TOY_HIDDEN, 0 }, NARROW[] = { 3, TOY_HIDDEN / 2 },
                         SHORT[] = { 2, 0 };
    static const struct {
        const char *name;
        const int64_t *shape; /* NULL: it is gone */
        const char *message;
    } CASES[] = {
        { "classifier.weight", NULL, "tensor classifier.weight is absent; BertForSequenceClassification has it" },
        { "classifier.bias", NULL, "tensor classifier.bias is absent; BertForSequenceClassification has it" },
        { "classifier.bias", SHORT, "tensor classifier.bias has shape [2], expected [3]" },
        { "classifier.weight", ROWS, "tensor classifier.bias has shape [3], expected [2]" },
        { "classifier.weight", NARROW, "tensor classifier.weight has shape [3, 20], expected [3, 40]" },
        { "classifier.weight", FLAT, "tensor classifier.weight has shape [120], expected [1, 40]" },
        { "bert.pooler.dense.weight", NULL, "no pooler, which BertForSequenceClassification has" },
        { "bert.pooler.dense.bias", NULL, "tensor bert.pooler.dense.bias is absent" },
        { "bert.encoder.layer.1.output.dense.bias", NULL, "tensor bert.encoder.layer.1.output.dense.bias is absent" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char message[256];
        write_theirs(BERT_TASK_MULTICLASS);
        change_tensor(CASES[i].name, CASES[i].shape);
        snprintf(message, sizeof message, "theirs/model.safetensors: %s", CASES[i].message);
        assert_refused(BERT_ERR_FORMAT, message);
    }
}

static void a_head_reads_the_last_layer(void **state)
{
    (void)state;
    bert_import_options options;
    bert_import_defaults(&options);
    options.seq_layer = 1;
    write_theirs(BERT_TASK_TOKENS);
    assert_fails(bert_import(scratch("theirs"), scratch("ours"), &options, NULL, err), BERT_ERR_ARGUMENT,
                 "seq_layer 1: the head reads the last layer, 2");
    assert_false(file_exists(scratch("ours")));
}

static void an_earlier_model_is_replaced_and_nothing_else(void **state)
{
    (void)state;
    write_theirs(BERT_TASK_MULTICLASS);
    bert_model_free(import_theirs(NULL));
    bert_model_free(import_theirs(NULL));
    scratch_text("ours/history.json", "{}");
    assert_refused(BERT_ERR_ARGUMENT,
                   "ours: a trained model stands there; give another name, or replace it with --force");
    assert_int_equal(unlink(scratch("ours/history.json")), 0);
    assert_int_equal(unlink(scratch("ours/model.json")), 0);
    assert_refused(BERT_ERR_ARGUMENT,
                   "ours: a trained model stands there; give another name, or replace it with --force");
    assert_int_equal(unlink(scratch("ours/weights.safetensors")), 0);
    assert_refused(BERT_ERR_ARGUMENT, "ours: a folder of other files stands there; give a new name or an empty folder");
}

/* ---- sentence-transformers --------------------------------------------------------------------------------------- */

static void write_vectors(void)
{
    bert_model *m = model_of(BERT_TASK_SIMILARITY, BERT_POOLING_MEAN, 0);
    assert_works(export_to(m, "theirs", true, NULL, err));
    bert_model_free(m);
}

static void every_spelling_of_a_pooling_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int pooling;
    } CASES[] = {
        { "{\"pooling_mode\": \"cls\"}", BERT_POOLING_CLS_RAW },
        { "{\"pooling_mode\": [\"max\"]}", BERT_POOLING_MAX },
        { "{\"pooling_mode\": \"mean_sqrt_len_tokens\", \"include_prompt\": true}", BERT_POOLING_SQRT_MEAN },
        { "{\"pooling_mode_cls_token\": true, \"pooling_mode_mean_tokens\": false}", BERT_POOLING_CLS_RAW },
        { "{\"pooling_mode_max_tokens\": true}", BERT_POOLING_MAX },
        { "{}", BERT_POOLING_MEAN },
    };
    write_vectors();
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        scratch_text("theirs/1_Pooling/config.json", CASES[i].text);
        bert_model *ours = import_theirs(NULL);
        assert_int_equal(ours->layer->spec.pooling, CASES[i].pooling);
        bert_model_free(ours);
    }
}

static void the_length_of_a_sentence_is_sentence_transformers(void **state)
{
    (void)state;
    write_vectors();
    scratch_text("theirs/sentence_bert_config.json", "{\"max_seq_length\": 7, \"do_lower_case\": false}");
    bert_model *ours = import_theirs(NULL);
    assert_int_equal(ours->layer->spec.seq_len, 7);
    bert_model_free(ours);
    scratch_text("theirs/sentence_bert_config.json", "{\"max_seq_length\": null}");
    ours = import_theirs(NULL);
    assert_int_equal(ours->layer->spec.seq_len, SEQ_LEN);
    bert_model_free(ours);
    scratch_text("theirs/sentence_bert_config.json", "{\"max_seq_length\": 0}");
    assert_refused(BERT_ERR_FORMAT,
                   "theirs: sentence_bert_config.json: max_seq_length is 0, expected a whole number from 3 on");
}

static void a_prompt_is_told(void **state)
{
    (void)state;
    char *note;
    write_vectors();
    change_member(scratch("theirs/config_sentence_transformers.json"), "default_prompt_name", json_string("query"));
    bert_model_free(import_theirs(&note));
    assert_string_equal(
        note, "sentence-transformers puts the prompt \"query\" before every text; libbert takes texts as they are\n"
              "the checkpoint has no pooler: pooling `cls` will start a new one");
    bert_free(note);
}

static void members_of_a_step_that_are_not_known_are_told(void **state)
{
    (void)state;
    char *note;
    write_vectors();
    scratch_text("theirs/sentence_bert_config.json",
                 "{\"max_seq_length\": 7, \"transformer_task\": \"feature-extraction\", \"query_length\": null, "
                 "\"processing_kwargs\": {}, \"document_length\": 5}");
    scratch_text("theirs/1_Pooling/config.json",
                 "{\"embedding_dimension\": 8, \"pooling_mode\": \"mean\", \"include_prompt\": true, "
                 "\"pooling_mode_first_tokens\": true}");
    bert_model_free(import_theirs(&note));
    assert_non_null(
        strstr(note, "1_Pooling/config.json: pooling_mode_first_tokens is not known to libbert and passed over\n"));
    assert_non_null(
        strstr(note, "sentence_bert_config.json: document_length is not known to libbert and passed over\n"));
    assert_null(strstr(note, "query_length"));
    assert_null(strstr(note, "processing_kwargs"));
    bert_free(note);
}

#define FIRST "[{\"type\": \"x.Transformer\", \"path\": \"\"}, "
#define POOLING "{\"type\": \"x.Pooling\", \"path\": \"1_Pooling\"}"

static void steps_that_libbert_does_not_take_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *steps, *pooling; /* NULL: as it was */
        bert_status code;
        const char *message;
    } CASES[] = {
        { FIRST POOLING ", {\"type\": \"x.Dense\", \"path\": \"2_Dense\"}]", NULL, BERT_ERR_UNSUPPORTED,
          "theirs/modules.json: step 2 is Dense, a layer of its own behind the pooled vector, without which the "
          "vectors are others; libbert "
          "takes Transformer, Pooling and Normalize, in this order" },
        { FIRST "{\"type\": \"x.Normalize\", \"path\": \"\"}, " POOLING "]", NULL, BERT_ERR_UNSUPPORTED,
          "theirs/modules.json: step 1 is Normalize; libbert takes Transformer, Pooling and Normalize, in this order" },
        { "[{\"type\": \"x.Pooling\"}]", NULL, BERT_ERR_UNSUPPORTED,
          "theirs/modules.json: step 0 is Pooling; libbert takes Transformer, Pooling and Normalize, in this order" },
        { FIRST "{\"path\": \"1_Pooling\"}]", NULL, BERT_ERR_FORMAT, "theirs/modules.json: step 1 has no \"type\"" },
        { FIRST "{\"type\": \"x.Pooling\", \"path\": \"../other\"}]", NULL, BERT_ERR_FORMAT,
          "theirs/modules.json: the step Pooling has no folder of its own" },
        { FIRST "{\"type\": \"x.Pooling\"}]", NULL, BERT_ERR_FORMAT,
          "theirs/modules.json: the step Pooling has no folder of its own" },
        { FIRST "{\"type\": \"x.Pooling\", \"path\": \"none\"}]", NULL, BERT_ERR_IO,
          "theirs/none/config.json: cannot open: No such file or directory" },
        { "{}", NULL, BERT_ERR_FORMAT, "theirs/modules.json: is an object, expected a JSON array" },
        { "[]", NULL, BERT_ERR_FORMAT, "theirs/modules.json: no step in it" },
        { FIRST, NULL, BERT_ERR_FORMAT, "theirs/modules.json: line 1, column 39: unexpected token near end of file" },
        { FIRST POOLING "]", "{\"pooling_mode\": \"lasttoken\"}", BERT_ERR_UNSUPPORTED,
          "theirs/1_Pooling/config.json: pooling \"lasttoken\" is not one of cls, mean, max, mean_sqrt_len_tokens" },
        { FIRST POOLING "]", "{\"pooling_mode_weightedmean_tokens\": true}", BERT_ERR_UNSUPPORTED,
          "theirs/1_Pooling/config.json: pooling \"weightedmean\" is not one of cls, mean, max, mean_sqrt_len_tokens" },
        { FIRST POOLING "]", "{\"pooling_mode\": [\"cls\", \"mean\"]}", BERT_ERR_UNSUPPORTED,
          "theirs/1_Pooling/config.json: 2 poolings side by side; libbert takes one" },
        { FIRST POOLING "]", "{\"pooling_mode_cls_token\": true, \"pooling_mode_mean_tokens\": true}",
          BERT_ERR_UNSUPPORTED, "theirs/1_Pooling/config.json: 2 poolings side by side; libbert takes one" },
        { FIRST POOLING "]", "{\"pooling_mode_cls_token\": \"true\"}", BERT_ERR_FORMAT,
          "theirs/1_Pooling/config.json: pooling_mode_cls_token is a string, expected true or false" },
        { FIRST POOLING "]", "{\"pooling_mode_mean_tokens\": true, \"pooling_mode_cls_token\": 1}", BERT_ERR_FORMAT,
          "theirs/1_Pooling/config.json: pooling_mode_cls_token is a whole number, expected true or false" },
        { FIRST POOLING "]", "{\"pooling_mode\": 1}", BERT_ERR_FORMAT,
          "theirs/1_Pooling/config.json: \"pooling_mode\" is no text" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        write_vectors();
        scratch_text("theirs/modules.json", CASES[i].steps);
        if (CASES[i].pooling)
            scratch_text("theirs/1_Pooling/config.json", CASES[i].pooling);
        assert_refused(CASES[i].code, CASES[i].message);
    }
}

/* A module says how its vectors are taken; one that says nonsense is not opened. */
static void a_module_whose_vectors_are_nonsense_is_refused(void **state)
{
    (void)state;
    const struct {
        const char *key;
        json_t *value;
        const char *message;
    } CASES[] = {
        { "pooling", json_string("none"),
          "ours/module.json: vectors: pooling \"none\" is none that gives one vector a text" },
        { "pooling", json_string("middle"),
          "ours/module.json: vectors: pooling \"middle\" is none that gives one vector a text" },
        { "normalize", json_integer(1), "ours/module.json: normalize is a whole number, expected true or false" },
        { "seq_len", json_integer(TOY_POSITIONS + 1), "ours/module.json: seq_len is 49, expected 3 to 48" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_module *m;
        write_vectors();
        bert_model_free(import_theirs(NULL));
        json_t *json = read_json(scratch("ours/module.json"));
        json_object_set_new(json_object_get(json_object_get(json, "signatures"), "vectors"), CASES[i].key,
                            CASES[i].value);
        assert_works(json_write_file(json, scratch("ours/module.json"), err));
        json_decref(json);
        assert_fails(bert_module_open(scratch("ours"), &m, err), BERT_ERR_FORMAT, CASES[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(one_output_is_what_its_settings_say),
        in_a_folder(the_file_of_a_cross_encoder_counts_first),
        in_a_folder(one_labels_name_is_that_of_the_yes),
        in_a_folder(one_output_goes_back_as_it_came),
        in_a_folder(several_outputs_are_probabilities_together_or_each),
        in_a_folder(two_labels_stay_two_rows_unless_one_is_zero),
        in_a_folder(labels_without_names_are_called_as_transformers_calls_them),
        in_a_folder(ids_that_contradict_the_labels_are_told),
        in_a_folder(tags_without_a_prefix_are_inside),
        in_a_folder(an_imported_model_is_whole_and_freezes),
        in_a_folder(texts_are_cut_where_the_tokenizer_cuts_them),
        in_a_folder(a_length_that_is_not_told_is_all_positions),
        in_a_folder(configurations_that_cannot_be_read_are_refused),
        in_a_folder(settings_that_do_not_fit_are_refused),
        in_a_folder(tensors_that_do_not_fit_are_refused),
        in_a_folder(a_head_reads_the_last_layer),
        in_a_folder(an_earlier_model_is_replaced_and_nothing_else),
        in_a_folder(every_spelling_of_a_pooling_is_read),
        in_a_folder(the_length_of_a_sentence_is_sentence_transformers),
        in_a_folder(a_prompt_is_told),
        in_a_folder(members_of_a_step_that_are_not_known_are_told),
        in_a_folder(steps_that_libbert_does_not_take_are_refused),
        in_a_folder(a_module_whose_vectors_are_nonsense_is_refused),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}

/* Checkpoints that hold more than an encoder, under Hugging Face's names and under Google's: a head becomes a model, or
 * is told; each row of the tables of what is not read (src/imports/source_unread.c, src/arch/bert.c). The checkpoints
 * are exports of toy models, changed. */
#include "exports/exported.h"

/* How Google calls what Hugging Face calls so: parts of a name, in the order in which they are replaced. */
static const struct {
    const char *theirs, *googles;
} PARTS[] = {
    { "classifier.weight", "output_weights" },
    { "classifier.bias", "output_bias" },
    { "embeddings.weight", "embeddings" },
    { "LayerNorm.weight", "LayerNorm.gamma" },
    { "LayerNorm.bias", "LayerNorm.beta" },
    { ".weight", ".kernel" },
    { "layer.", "layer_" },
};

static bool is_kernel(const char *google)
{
    return path_ends(google, "/kernel");
}

static const char *google_name(const char *name, arena *a)
{
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++) {
        const char *at = strstr(name, PARTS[i].theirs);
        if (at)
            name = arena_printf(a, "%.*s%s%s", (int)(at - name), name, PARTS[i].googles, at + strlen(PARTS[i].theirs));
    }
    char *slashes = arena_string(a, name);
    for (char *p = slashes; (p = strchr(p, '.'));)
        *p = '/';
    return slashes;
}

/* x (rows, cols) as (cols, rows) */
static void transpose(tensor *t, arena *a)
{
    size_t rows = (size_t)t->shape[0], cols = (size_t)t->shape[1];
    const float *from = t->data;
    float *to = arena_array(a, t->n, sizeof *to);
    for (size_t i = 0; i < t->n; i++)
        to[i % cols * rows + i / cols] = from[i];
    t->shape[0] = (int64_t)cols, t->shape[1] = (int64_t)rows;
    t->data = to;
}

/* Writes the weights of `theirs` anew, with Google's names or as they are, without its tensors that begin with
 * `without`, and with one of that name more (each may be NULL). */
static void rewrite(bool google, const char *without, const char *with)
{
    static const float NUMBER[1] = { 1 };
    arena a = { 0 };
    tensor_set set = { 0 };
    assert_works(safetensors_open(&set, scratch("theirs/model.safetensors"), NULL, err));
    tensor *items = arena_array(&a, set.n + 1, sizeof *items);
    size_t n = 0;
    for (size_t i = 0; i < set.n; i++) {
        if (without && !strncmp(set.items[i].name, without, strlen(without)))
            continue;
        tensor *t = &items[n++];
        *t = set.items[i];
        if (!google)
            continue;
        t->name = google_name(t->name, &a);
        if (is_kernel(t->name))
            transpose(t, &a);
    }
    if (with)
        items[n++] = (tensor){ .name = with, .type = DTYPE_F32, .rank = 1, .shape = { 1 }, .n = 1, .data = NUMBER };
    assert_works(safetensors_write(scratch("changed"), items, n, NULL, err));
    tensors_close(&set);
    arena_free(&a);
    assert_int_equal(rename(scratch("changed"), scratch("theirs/model.safetensors")), 0);
}

/* Exports a model of three labels as the folder `theirs`; as Google's files its configuration tells nothing of a
 * head. */
static void write_theirs(const char *architecture)
{
    bert_model *m = model_of(BERT_TASK_MULTICLASS, BERT_POOLING_AUTO, 0);
    folder_remove(scratch("theirs"), NULL); /* what a test changed is an export no more */
    assert_works(export_to(m, "theirs", true, NULL, err));
    bert_model_free(m);
    change_member(scratch("theirs/config.json"), "architectures", architecture ? json_pack("[s]", architecture) : NULL);
    for (size_t i = 0; !architecture && i < 3; i++)
        change_member(scratch("theirs/config.json"), (const char *[]){ "problem_type", "id2label", "label2id" }[i],
                      NULL);
}

static char *import_theirs(void)
{
    char *note;
    folder_remove(scratch("ours"), NULL);
    assert_works(bert_import(scratch("theirs"), scratch("ours"), NULL, &note, err));
    return note;
}

/* ---- heads ------------------------------------------------------------------------------------------------------- */

static void the_classifier_of_googles_run_classifier_is_a_model(void **state)
{
    (void)state;
    float expected[TEXTS * MOST_COLUMNS], found[TEXTS * MOST_COLUMNS];
    const char *const *labels;
    write_theirs("BertForSequenceClassification");
    bert_free(import_theirs());
    bert_model *theirs = load_model(scratch("ours"));
    predict(theirs, expected);
    bert_model_free(theirs);
    write_theirs(NULL);
    rewrite(true, NULL, NULL);
    char *note = import_theirs();
    assert_string_equal(
        note,
        "output_weights: read as the classifier of Google's run_classifier, 3 outputs; how its labels are called, the "
        "checkpoint does not say");
    bert_free(note);
    bert_model *ours = load_model(scratch("ours"));
    assert_int_equal(bert_model_task(ours), BERT_TASK_MULTICLASS);
    assert_int_equal(bert_model_labels(ours, &labels), 3);
    assert_string_equal(labels[2], "LABEL_2");
    predict(ours, found);
    assert_memory_equal(found, expected, sizeof found);
    bert_model_free(ours);
}

static void half_a_classifier_of_googles_is_refused(void **state)
{
    (void)state;
    write_theirs(NULL);
    rewrite(false, "classifier.bias", NULL);
    rewrite(true, NULL, NULL);
    assert_fails(bert_import(scratch("theirs"), scratch("ours"), NULL, NULL, err), BERT_ERR_FORMAT,
                 "theirs/model.safetensors: tensor output_bias is absent; a fine-tuned checkpoint of Google's has it");
}

/* The encoder becomes a module, which embeds and trains. */
static void a_head_of_questions_is_told_and_its_encoder_is_a_module(void **state)
{
    (void)state;
    static const char TOLD[] =
        "not read: qa_outputs (1 tensor, a question-answering head, a task that libbert has not)";
    write_theirs("BertForQuestionAnswering");
    rewrite(false, "classifier.", "qa_outputs.weight");
    char *note = import_theirs();
    assert_string_equal(note, TOLD);
    bert_free(note);
    bert_model *ours = load_model(scratch("ours"));
    assert_int_equal(bert_model_task(ours), BERT_TASK_AUTO);
    bert_model_free(ours);
}

/* ---- what is not read -------------------------------------------------------------------------------------------- */

/* Each row of the table, and what no row knows; NULL: it says nothing, and nothing is told. */
static void what_is_not_read_is_told_by_what_it_is(void **state)
{
    (void)state;
    static const char ADAM[] = "an optimizer's state",
                      UNFIT[] = "of layers beyond num_hidden_layers, or parts that BERT's layers have not";
    static const struct {
        bool google;
        const char *tensor, *group, *what;
    } CASES[] = {
        { false, "bert.embeddings.position_ids", NULL, NULL },
        { false, "bert.embeddings.token_type_ids", NULL, NULL },
        { true, "bert/embeddings/word_embeddings/adam_m", ADAM, NULL },
        { true, "bert/embeddings/word_embeddings/adam_v", ADAM, NULL },
        { true, "bert/embeddings/word_embeddings/Adam", ADAM, NULL },
        { true, "bert/embeddings/word_embeddings/Adam_1", ADAM, NULL },
        { true, "bert/embeddings/word_embeddings/lamb_m", ADAM, NULL },
        { true, "bert/embeddings/word_embeddings/lamb_v", ADAM, NULL },
        { true, "bert/pooler/dense/kernel/Momentum", ADAM, NULL },
        { true, "beta1_power", ADAM, NULL },
        { true, "global_step", ADAM, NULL },
        { false, "cls.predictions.bias", "cls.predictions", "the masked-language head" },
        { true, "cls/predictions/output_bias", "cls/predictions", "the masked-language head" },
        { false, "cls.seq_relationship.weight", "cls.seq_relationship", "the next-sentence head" },
        { true, "cls/seq_relationship/output_weights", "cls/seq_relationship", "the next-sentence head" },
        { false, "qa_outputs.bias", "qa_outputs", "a question-answering head, a task that libbert has not" },
        { true, "cls/squad/output_weights", "cls/squad", "a question-answering head, a task that libbert has not" },
        { false, "classifier.weight", "classifier", "a head, whose task nothing tells" },
        { true, "output_bias", "output_weights, output_bias", "a head, whose task nothing tells" },
        { false, "bert.encoder.layer.3.attention.self.query.weight", "encoder.layer", UNFIT },
        { true, "bert/encoder/layer_0/adapter/kernel", "encoder/layer", UNFIT },
        { false, "bert.my_gate.weight", "bert.my_gate", NULL },
        { false, "lm_head.decoder.weight", "lm_head", NULL },
        { true, "loss/temperature", "loss", NULL },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char expected[256];
        write_theirs("BertModel");
        rewrite(CASES[i].google, "classifier.", CASES[i].tensor);
        char *note = import_theirs();
        snprintf(expected, sizeof expected, "not read: %s (1 tensor%s%s)", CASES[i].group ? CASES[i].group : "",
                 CASES[i].what ? ", " : "", CASES[i].what ? CASES[i].what : "");
        if (CASES[i].group ? !note || strcmp(note, expected) : note != NULL)
            fail_msg("%s: \"%s\", expected \"%s\"", CASES[i].tensor, note ? note : "", CASES[i].group ? expected : "");
        bert_free(note);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(the_classifier_of_googles_run_classifier_is_a_model),
        in_a_folder(half_a_classifier_of_googles_is_refused),
        in_a_folder(a_head_of_questions_is_told_and_its_encoder_is_a_module),
        in_a_folder(what_is_not_read_is_told_by_what_it_is),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}

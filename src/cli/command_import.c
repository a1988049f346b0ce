/* bert import: a published checkpoint into a module, or a model where it was fine-tuned. */
#include "cli/command.h"
#include "cli/messages.h"
#include "cli/results.h"

typedef struct import_options {
    const char *output;
    bert_import_options import;
} import_options;

static const bert_option OPTIONS[] = {
    OPTION_STRING(import_options, output, "FOLDER", "the folder to write"),
};

/* What stands on the encoder: the head of a model, or how a module's vectors are taken where its source tells. */
static void tell_top(bert_buffer *out, const bert_model *model, const bert_model_facts *facts)
{
    const char *const *labels;
    size_t n = bert_model_labels(model, &labels);
    bert_task task = bert_model_task(model);
    if (task)
        bert_buffer_printf(out, "; a model of task %s", bert_task_name(task));
    for (size_t i = 0; i < n && i < 4; i++)
        bert_buffer_printf(out, "%s%s", i ? ", " : ", labels ", labels[i]);
    if (n > 4)
        bert_buffer_printf(out, " and %zu more", n - 4);
    if (!task && facts->pooling)
        bert_buffer_printf(out, "; vectors: pooling %s%s", facts->pooling, facts->normalize ? ", length 1" : "");
    bert_buffer_printf(out, "\n");
}

/* "demo/module: 6 layers of 384 channels, 30522 tokens, 22.7 M parameters", and what it is for. */
static int tell_import(const char *path)
{
    bert_model *model;
    bert_err err;
    if (bert_model_load(path, &model, &err))
        return report_failure(&err);
    bert_model_facts facts = bert_model_facts_of(model);
    const bert_tokenizer *tokenizer = bert_model_tokenizer(model);
    bert_buffer out = { 0 };
    bert_buffer_printf(&out, "%s: %zu layers of %zu channels, %zu %s, ", path, facts.layers, facts.hidden,
                       tokenizer ? bert_tokenizer_size(tokenizer) : facts.vocab_size, tokenizer ? "tokens" : "ids");
    if (facts.parameters < 1000000)
        bert_buffer_printf(&out, "%zu parameters", facts.parameters);
    else
        bert_buffer_printf(&out, "%.1f M parameters", (double)facts.parameters / 1e6);
    tell_top(&out, model, &facts);
    bert_model_free(model);
    return results_print(&out, STATUS_FINE);
}

static int run_import(const void *options, const char *source)
{
    const import_options *o = options;
    char *note = NULL;
    bert_err err;
    if (bert_import(source, o->output, &o->import, &note, &err))
        return report_failure(&err);
    if (note)
        report_note("%s", note);
    bert_free(note);
    return tell_import(o->output);
}

const command import_command = {
    .name = "import",
    .usage = "SOURCE -o FOLDER",
    .summary = "Turns a published checkpoint into a module",
    .details =
        "SOURCE is a folder or file as somebody published it: a TensorFlow bundle (bert_model.ckpt), a TF1 Hub "
        "module, a Hugging Face or sentence-transformers folder, weights of PyTorch (.bin, .pt, .pth). An "
        "encoder becomes a module, which Hugging Face loads, too; of a sentence-transformers folder it keeps "
        "the pooling. Families: BERT, DistilBERT, ELECTRA, ALBERT, RoBERTa, XLM-RoBERTa, CamemBERT, MPNet; "
        "tokenisers: vocab.txt, any pipeline of a tokenizer.json, vocab.json with merges.txt, a SentencePiece model. "
        "...ForSequenceClassification, a CrossEncoder among them, ...ForTokenClassification and Google's "
        "run_classifier become a model, ready to predict and to freeze. FOLDER is written whole or not at all.",
    .argument = "SOURCE",
    .argument_needed = true,
    .required = (const char *const[]){ "output", NULL },
    .argument_is_input = true,
    .outputs = (const output_option[]){ { .name = "output", .output = BERT_OUTPUT_IMPORT }, { .name = NULL } },
    .groups =
        (const option_group[]){
            OWN_OPTIONS,
            GROUP(bert_import_option_table, import_options, import, "options", NULL, NULL),
            { .title = NULL },
        },
    .options_size = sizeof(import_options),
    .run = run_import,
};

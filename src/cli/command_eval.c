/* bert eval: how good a model is on a table with labels. */
#include "cli/command.h"
#include "cli/labelled.h"
#include "cli/open_model.h"
#include "cli/messages.h"
#include "cli/rows.h"

typedef struct eval_options {
    const char *model, *report, *predictions;
    bool force;
    bert_session_options session;
    bert_table_options table;
} eval_options;

static const bert_option OPTIONS[] = {
    OPTION_STRING(eval_options, model, "ANY", "a model or a frozen file"),
    OPTION_STRING(eval_options, report, "PAGE", "write a page (.html): figures, curves, the worst mistakes"),
    OPTION_STRING(eval_options, predictions, "OUT",
                  "write a table (.tsv, .csv or .jsonl) with text, label, prediction and scores of each row"),
    OPTION_FLAG(eval_options, force, FORCE_HELP ", and a text at --predictions"),
};

/* What a person should know of the figures. */
static void tell(const bert_model *model, const bert_session *session, const bert_dataset *dataset, bool windows,
                 const bert_evaluation *e)
{
    model_note_texts(model, e->pairs, bert_dataset_size(dataset));
    model_note_truncated(e->truncated, bert_dataset_size(dataset), bert_session_seq_len(session), windows);
    if (e->baseline.note[0])
        report_note("%s: the model has learned nothing of use for these texts, or they are read otherwise than those "
                    "it was trained on",
                    e->baseline.note);
    if (e->cut_words)
        report_note(
            "%zu of %zu words were cut off or have no token: the model is not asked about them, and they count as O",
            e->cut_words, e->metrics.n);
    if (e->metrics.labels_seen < e->metrics.labels)
        report_note("%zu of the model's %zu %s are neither in the data nor among the answers: to the macro figures "
                    "they are 0; those with _seen leave them out, as scikit-learn does",
                    e->metrics.labels - e->metrics.labels_seen, e->metrics.labels,
                    bert_task_facts_of(bert_model_task(model)).averaged);
}

static int evaluate(const eval_options *o, const bert_model *model, const char *file)
{
    bert_err err;
    bert_evaluation evaluation;
    bert_head_spec head = labelled_head(model);
    bert_session *session = NULL;
    bert_dataset *dataset = NULL;
    bert_status s = bert_session_create(model, &o->session, &session, &err);
    if (!s)
        s = labelled_load(file, &o->table, &head, &dataset, &err);
    if (!s)
        rows_note_dataset(dataset);
    if (!s)
        s = bert_session_evaluate(session, dataset, o->report, o->predictions, &evaluation, &err);
    if (!s)
        tell(model, session, dataset, o->session.window != 0, &evaluation);
    bert_dataset_free(dataset);
    bert_session_free(session);
    if (s)
        return report_failure(&err);
    bert_buffer out = { 0 };
    bert_evaluation_write(&out, &evaluation);
    return results_print(&out, STATUS_FINE);
}

static int run_eval(const void *options, const char *file)
{
    const eval_options *o = options;
    bert_model *model;
    int status = model_open(o->model, &model);
    if (status)
        return status;
    status = model_predicts(model, o->model) ? evaluate(o, model, file) : STATUS_FAILED;
    bert_model_free(model);
    return status;
}

const command eval_command = {
    .name = "eval",
    .usage = "-m ANY FILE [--report PAGE] [--predictions OUT]",
    .summary = "Measures a model on texts whose labels are known",
    .details = "Prints one JSON object: the metrics that the model's task has, and the number of rows, n (of words for "
               "task tokens). Binary: precision, recall and f1 are those of the second label; tokens: of whole "
               "entities; else they are means over the labels. _macro figures are means over all labels of the model "
               "(tokens: types of entities), _macro_seen over those that the data or the answers hold, as "
               "scikit-learn's are.",
    .argument = "FILE",
    .argument_needed = true,
    .required = (const char *const[]){ "model", NULL },
    .argument_is_input = true,
    .inputs = (const char *const[]){ "model", NULL },
    .outputs = (const output_option[]){ { .name = "report", .output = BERT_OUTPUT_PAGE },
                                        { .name = "predictions", .output = BERT_OUTPUT_TABLE },
                                        { .name = NULL } },
    .groups =
        (const option_group[]){
            OWN_OPTIONS,
            GROUP(bert_session_option_table, eval_options, session, "options", NOT_OF_PREDICTION, NULL),
            GROUP(bert_table_option_table, eval_options, table, "how FILE is read", NULL, NULL),
            { .title = NULL },
        },
    .options_size = sizeof(eval_options),
    .run = run_eval,
};

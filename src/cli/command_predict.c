/* bert predict: texts to labels, values or entities. */
#include "cli/answers.h"
#include "cli/messages.h"
#include "cli/open_model.h"

#include <stdio.h>

enum { PREDICT_ROWS = 4096 };

static const bert_option OPTIONS[] = { ANSWER_OPTIONS(
    "a model or a frozen file",
    "JSON lines, columns with tabs between, or the scores as NumPy's .npy, which needs --output") };

/* ---- computing --------------------------------------------------------------------------------------------------- */

static bert_status compute_scores(answers *a, row_chunk *c, bert_err *err)
{
    return bert_session_predict(a->session, c->rows.texts, c->rows.pairs, c->rows.n, c->numbers, &a->truncated, err);
}

/* A row without a second text is the caller's mistake in one line of a file: it is named, and the rows before it
 * count. */
static bert_status compute_similarity(answers *a, row_chunk *c, bert_err *err)
{
    size_t all = c->rows.n, n = 0;
    while (n < all && rows_is_pair(&c->rows, n))
        n++;
    c->rows.n = n;
    bert_status s = compute_scores(a, c, err);
    if (s)
        c->rows.n = 0;
    if (s || n == all)
        return s;
    *err = (bert_err){ .code = BERT_ERR_DATA };
    snprintf(err->message, sizeof err->message, "row %zu: no second text to compare with", n);
    return err->code;
}

static bert_status compute_entities(answers *a, row_chunk *c, bert_err *err)
{
    const bert_entity *entities;
    size_t n;
    bert_status s = bert_session_entities(a->session, c->rows.texts, c->rows.n, &entities, &n, &a->truncated, err);
    if (s || row_chunk_keep_entities(c, entities, n))
        return s;
    *err = (bert_err){ BERT_ERR_MEMORY, "out of memory: entities" };
    return BERT_ERR_MEMORY;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static void write_entities(void *context, const row_chunk *c, results *out)
{
    const answers *a = context;
    bert_entities_write(&out->text, c->entities, c->n_entities, c->rows.texts, c->rows.n, c->first,
                        (bert_answer_format)a->options->format);
}

static void write_scores(void *context, const row_chunk *c, results *out)
{
    const answers *a = context;
    for (size_t i = 0; i < c->rows.n; i++) {
        bert_scores_write(&out->text, a->session, c->numbers + i * a->work.numbers, 1,
                          (bert_answer_format)a->options->format);
        results_line_done(out);
    }
}

/* ------------------------------------------------------------------------------------------------------------------ */

static int prepare_predict(answers *a)
{
    bert_task task = bert_model_task(a->model);
    size_t columns = bert_session_outputs(a->session);
    if (!model_predicts(a->model, a->options->model))
        return STATUS_FAILED;
    if (a->options->format == BERT_ANSWER_NUMBERS && !columns)
        return report_error(
            "task %s gives entities, not scores: --format npy has no place for them, jsonl and tsv have",
            bert_task_name(task));
    a->work.most = PREDICT_ROWS;
    a->work.numbers = columns;
    a->work.write = columns ? write_scores : write_entities;
    a->compute = bert_task_facts_of(task).compares ? compute_similarity : columns ? compute_scores : compute_entities;
    return STATUS_FINE;
}

static int run_predict(const void *options, const char *file)
{
    return answers_run(&predict_command, options, file, prepare_predict, model_note_texts);
}

const command predict_command = {
    .name = "predict",
    .usage = "-m ANY [FILE] [--format F] [-o OUT [--resume]]",
    .summary = "Predicts labels, values or entities of texts and pairs",
    .details =
        "Prints one line a row, in the order of FILE (standard input where there is none), by the task of the model:\n"
        "binary, multiclass: {\"label\": \"1\", \"score\": 0.984, \"scores\": {\"0\": 0.016, \"1\": 0.984}}\n"
        "multilabel: {\"labels\": [\"a\", \"b\"], \"scores\": {\"a\": 0.9, \"b\": 0.7, \"c\": 0.1}}\n"
        "regression, similarity: {\"value\": 3.2}\n"
        "tokens: {\"entities\": [{\"label\": \"LOC\", \"start\": 10, \"end\": 15, \"text\": \"Paris\", \"score\": "
        "0.98}]}\n"
        "\n"
        "--format tsv: label and score; labels and their scores, commas between; the value; for entities a line each: "
        "the number of the row, label, start, end, score, text; \\t, \\n, \\r and \\\\ stand for a tab, ends of lines "
        "and a backslash. Memory does not grow with FILE.\n" ANSWER_DETAILS,
    ANSWER_COMMAND,
    .groups = (const option_group[]){ OWN_OPTIONS,
                                      GROUP(bert_session_option_table, answer_options, session, "options",
                                            NOT_OF_PREDICTION, NULL),
                                      ANSWER_GROUPS },
    .run = run_predict,
};

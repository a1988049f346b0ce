/* bert predict: texts to labels, values or entities. */
#include "cli/command.h"
#include "cli/open_model.h"
#include "cli/pipeline.h"
#include "cli/record.h"
#include "cli/messages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MOST = 4096 };

typedef struct predict_options {
    const char *model, *output;
    int format;
    bool resume, force, verify;
    bert_session_options session;
    rows_options rows;
} predict_options;

static const bert_option OPTIONS[] = {
    OPTION_STRING(predict_options, model, "ANY", "a model or a frozen file"),
    OPTION_STRING(predict_options, output, "OUT", "a file instead of standard output"),
    OPTION_CHOICE(predict_options, format, "jsonl", ANSWER_FORMATS, "FORMAT",
                  "JSON lines, columns with tabs between, or the scores as NumPy's .npy, which needs --output"),
    OPTION_FLAG(predict_options, resume, "go on with OUT where a run was stopped"),
    OPTION_FLAG(predict_options, force, FORCE_HELP ", a text, and OUT.part of a run that was stopped"),
    OPTION_FLAG(predict_options, verify, "compare all of ANY with the hashes that it carries first"),
};

static bert_option_table predict_table(void)
{
    return OPTION_TABLE(OPTIONS);
}

typedef struct predict {
    bert_session *session;
    size_t columns; /* of scores; 0: entities */
    bool similarity;
    const char *file; /* for messages */
    bert_answer_format format;
    const bert_model *model;
    size_t truncated, pairs;
} predict;

/* ---- computing --------------------------------------------------------------------------------------------------- */

/* How many rows come before the first one that is no pair. */
static size_t count_pairs(const bert_rows *rows)
{
    size_t n = 0;
    while (n < rows->n && rows_is_pair(rows, n))
        n++;
    return n;
}

static bert_status compute_scores(predict *p, row_chunk *c, size_t n, bert_err *err)
{
    return bert_session_predict(p->session, c->rows.texts, c->rows.pairs, n, c->numbers, &p->truncated, err);
}

/* A row without a second text is the caller's mistake in one line of a file: it is named, and the rows before it
 * count. */
static bert_status compute_similarity(predict *p, row_chunk *c, bert_err *err)
{
    size_t n = count_pairs(&c->rows), line = n < c->rows.n ? c->rows.lines[n] : 0;
    bert_status s = compute_scores(p, c, n, err);
    if (s || n == c->rows.n) {
        c->rows.n = s ? 0 : n;
        return s;
    }
    c->rows.n = n;
    *err = (bert_err){ .code = BERT_ERR_DATA };
    snprintf(err->message, sizeof err->message, "%s:%zu: no second text to compare with", p->file, line);
    return err->code;
}

static bert_status compute_entities(predict *p, row_chunk *c, bert_err *err)
{
    const bert_entity *entities;
    size_t n;
    bert_status s = bert_session_entities(p->session, c->rows.texts, c->rows.n, &entities, &n, &p->truncated, err);
    if (s || row_chunk_keep_entities(c, entities, n))
        return s;
    *err = (bert_err){ BERT_ERR_MEMORY, "out of memory: entities" };
    return BERT_ERR_MEMORY;
}

static bert_status predict_chunk(void *context, row_chunk *c, bert_err *err)
{
    predict *p = context;
    for (size_t i = 0; i < c->rows.n; i++)
        p->pairs += rows_is_pair(&c->rows, i);
    if (p->similarity)
        return compute_similarity(p, c, err);
    bert_status s = p->columns ? compute_scores(p, c, c->rows.n, err) : compute_entities(p, c, err);
    if (s)
        c->rows.n = 0;
    return s;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static void write_answers(void *context, const row_chunk *c, results *out)
{
    const predict *p = context;
    if (!p->columns)
        bert_entities_write(&out->text, c->entities, c->n_entities, c->rows.texts, c->rows.n, c->first, p->format);
    for (size_t i = 0; p->columns && i < c->rows.n; i++) {
        bert_scores_write(&out->text, p->session, c->numbers + i * p->columns, 1, p->format);
        results_line_done(out);
    }
}

/* ------------------------------------------------------------------------------------------------------------------ */

static int predict_all(const predict_options *o, const bert_model *model, predict *p, const char *file)
{
    size_t n, columns = p->columns;
    bool npy = o->format == BERT_ANSWER_NUMBERS;
    char *record = NULL;
    if (o->output && record_make(&predict_command, o, model, p->session, &record))
        return STATUS_FAILED;
    pipeline_work work = {
        .context = p, .most = ROWS_MOST, .numbers = columns, .compute = predict_chunk, .write = write_answers
    };
    pipeline_target target = {
        .path = o->output, .cols = columns, .resume = o->resume, .force = o->force, .record = record
    };
    target.form = npy ? OUTPUT_NPY : OUTPUT_LINES;
    int status = pipeline_run(file, &o->rows, &work, &target, &n);
    model_note_texts(p->model, p->pairs, n);
    model_note_truncated(p->truncated, n, bert_session_seq_len(p->session), o->session.window != 0);
    free(record);
    return status;
}

static int predict_with(const predict_options *o, const bert_model *model, const char *file)
{
    predict p = { .model = model,
                  .similarity = bert_task_facts_of(bert_model_task(model)).compares,
                  .format = (bert_answer_format)o->format };
    bert_err err;
    int status;
    p.file = file && strcmp(file, "-") ? file : "standard input";
    if (!model_predicts(model, o->model))
        return STATUS_FAILED;
    if (bert_session_create(model, &o->session, &p.session, &err))
        return report_failure(&err);
    p.columns = bert_session_outputs(p.session);
    if (o->format == BERT_ANSWER_NUMBERS && !p.columns)
        status = report_error(
            "task %s gives entities, not scores: --format npy has no place for them, jsonl and tsv have",
            bert_task_name(bert_model_task(model)));
    else
        status = predict_all(o, model, &p, file);
    bert_session_free(p.session);
    return status;
}

static int run_predict(const void *options, const char *file)
{
    const predict_options *o = options;
    bert_model *model;
    int status = target_check(&predict_command, o->output, o->format == BERT_ANSWER_NUMBERS, o->resume);
    if (!status)
        status = model_open_verified(o->model, o->verify, &model);
    if (status)
        return status;
    status = predict_with(o, model, file);
    bert_model_free(model);
    return status;
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
        "the number of "
        "the row, label, start, end, score, text; \\t, \\n, \\r and \\\\ stand for a tab, ends of lines and a "
        "backslash. Memory does not grow "
        "with "
        "FILE.\n"
        "\n"
        "Ctrl-C ends it behind a whole line. OUT appears when it is whole: a run that is stopped, by whatever it is, "
        "leaves OUT.part, and "
        "the same command with --resume goes on from there to the same bytes.",
    .argument = "FILE",
    .required = (const char *const[]){ "model", NULL },
    .argument_is_input = true,
    .inputs = (const char *const[]){ "model", NULL },
    .outputs = (const output_option[]){ { .name = "output", .output = BERT_OUTPUT_TABLE, .kept = true },
                                        { .name = NULL } },
    .groups =
        (const option_group[]){
            { .table = predict_table, .title = "options" },
            { bert_session_option_table, offsetof(predict_options, session), "options", NOT_OF_PREDICTION, NULL },
            { bert_table_option_table, offsetof(predict_options, rows.table), "how FILE is read", LABEL_COLUMN, NULL },
            { rows_option_table, offsetof(predict_options, rows), "how FILE is read", NULL, NULL },
            { .table = NULL },
        },
    .options_size = sizeof(predict_options),
    .run = run_predict,
};

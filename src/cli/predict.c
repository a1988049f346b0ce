/* bert predict: texts to labels, values or entities. */
#include "cli/answers.h"
#include "cli/command.h"
#include "cli/model.h"
#include "cli/report.h"
#include "cli/rows.h"

#include <stdlib.h>

enum { FORMAT_JSONL, FORMAT_TSV };
static const char *const FORMATS[] = { "jsonl", "tsv", NULL };

typedef struct predict_options {
    const char *model, *output;
    int format;
    bert_session_options session;
    rows_options rows;
} predict_options;

static const bert_option OPTIONS[] = {
    OPTION_STRING(predict_options, model, "ANY", "a model or a frozen file"),
    OPTION_STRING(predict_options, output, "OUT", "a file instead of standard output"),
    OPTION_CHOICE(predict_options, format, "jsonl", FORMATS, "FORMAT", "JSON lines, or columns with tabs between"),
};

static bert_option_table table(void)
{
    return OPTION_TABLE(OPTIONS);
}

typedef struct predict {
    bert_session *session;
    answers answers;
    float *scores; /* (most, columns) */
    size_t seen;   /* rows before this chunk */
    size_t truncated;
} predict;

static bert_status predict_scores(predict *p, const bert_rows *rows, results *out, bert_err *err)
{
    bert_status s = bert_session_predict(p->session, rows->texts, rows->pairs, rows->n, p->scores, &p->truncated, err);
    for (size_t i = 0; !s && i < rows->n; i++)
        answers_scores(&p->answers, p->scores + i * p->answers.columns, out);
    return s;
}

static bert_status predict_entities(predict *p, const bert_rows *rows, results *out, bert_err *err)
{
    const bert_entity *entities;
    size_t n, at = 0;
    bert_status s = bert_session_entities(p->session, rows->texts, rows->n, &entities, &n, &p->truncated, err);
    for (size_t i = 0; !s && i < rows->n; i++) {
        size_t first = at;
        while (at < n && entities[at].text == i)
            at++;
        answers_entities(&p->answers, entities + first, at - first, rows->texts[i], p->seen + i + 1, out);
    }
    return s;
}

static bert_status predict_rows(void *context, const bert_rows *rows, results *out, bert_err *err)
{
    predict *p = context;
    bert_status s = (p->answers.columns ? predict_scores : predict_entities)(p, rows, out, err);
    p->seen += rows->n;
    return s;
}

static int predict_all(const predict_options *o, predict *p, const char *file)
{
    size_t most = rows_most(&o->rows, 1024), n = 0;
    p->scores = calloc(most * p->answers.columns + 1, sizeof *p->scores); /* entities need none */
    if (!p->scores)
        return report_error("out of memory: %zu scores", most * p->answers.columns);
    results out;
    int status = results_open(&out, o->output);
    if (!status)
        status = results_close(&out, rows_each(file, &o->rows, most, predict_rows, p, &out, &n));
    model_note_truncated(p->truncated, n, bert_session_seq_len(p->session));
    free(p->scores);
    return status;
}

static int run(const void *options, const char *file)
{
    const predict_options *o = options;
    bert_model *model;
    int status = model_open(o->model, &model);
    if (status)
        return status;
    predict p = { 0 };
    bert_err err;
    if (!model_predicts(model, o->model))
        status = STATUS_FAILED;
    else if (bert_session_create(model, &o->session, &p.session, &err))
        status = report_failure(&err);
    else if (!answers_open(&p.answers, model, p.session, o->format == FORMAT_TSV))
        status = report_error("%s: this version cannot write the answers of task %s", o->model, bert_task_name(bert_model_task(model)));
    else
        status = predict_all(o, &p, file);
    bert_session_free(p.session);
    bert_model_free(model);
    return status;
}

const command predict_command = {
    .name = "predict",
    .usage = "-m ANY [FILE] [--format F] [-o OUT]",
    .summary = "Predicts labels, values or entities of texts and pairs",
    .details = "Prints one line a row, in the order of FILE (standard input where there is none), by the task of the model:\n"
               "binary, multiclass: {\"label\": \"1\", \"score\": 0.984, \"scores\": {\"0\": 0.016, \"1\": 0.984}}\n"
               "multilabel: {\"labels\": [\"a\", \"b\"], \"scores\": {\"a\": 0.9, \"b\": 0.7, \"c\": 0.1}}\n"
               "regression, similarity: {\"value\": 3.2}\n"
               "tokens: {\"entities\": [{\"label\": \"LOC\", \"start\": 10, \"end\": 15, \"text\": \"Paris\", \"score\": 0.98}]}\n"
               "\n"
               "--format tsv: label and score; labels and their scores, commas between; the value; for entities a line each: the number of "
               "the row, label, start, end, score, text. Memory does not grow with FILE.",
    .argument = "FILE",
    .required = (const char *const[]){ "model", NULL },
    .groups =
        (const option_group[]){
            { .table = table, .title = "options" },
            { bert_session_option_table, offsetof(predict_options, session), "options", NOT_OF_PREDICTION, NULL },
            { bert_table_option_table, offsetof(predict_options, rows.table), "how FILE is read", LABEL_COLUMN, NULL },
            { rows_option_table, offsetof(predict_options, rows), "how FILE is read", NULL, NULL },
            { .table = NULL },
        },
    .options_size = sizeof(predict_options),
    .run = run,
};

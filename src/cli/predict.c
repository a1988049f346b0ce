/* bert predict: texts to labels and their probabilities. */
#include "cli/command.h"
#include "cli/model.h"
#include "cli/report.h"
#include "cli/results.h"
#include "cli/rows.h"

#include <stdlib.h>
#include <string.h>

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
    OPTION_CHOICE(predict_options, format, "jsonl", FORMATS, "FORMAT", "JSON lines, or label and score separated by a tab"),
};

static bert_option_table table(void)
{
    return OPTION_TABLE(OPTIONS);
}

typedef struct predict {
    bert_session *session;
    const char *const *labels; /* (K) */
    size_t K;
    float *scores; /* (most, K) */
    int format;
    size_t truncated;
} predict;

static size_t best_of(const float *scores, size_t K)
{
    size_t best = 0;
    for (size_t k = 1; k < K; k++)
        if (scores[k] > scores[best])
            best = k;
    return best;
}

static void write_json(const predict *p, const float *scores, results *out)
{
    size_t best = best_of(scores, p->K);
    results_string(out, "{\"label\": ");
    results_json_string(out, p->labels[best], strlen(p->labels[best]));
    results_string(out, ", \"score\": ");
    results_number(out, scores[best]);
    results_string(out, ", \"scores\": {");
    for (size_t k = 0; k < p->K; k++) {
        results_string(out, k ? ", " : "");
        results_json_string(out, p->labels[k], strlen(p->labels[k]));
        results_string(out, ": ");
        results_number(out, scores[k]);
    }
    results_string(out, "}}\n");
}

/* A label never holds a tab or a newline: it was read from a table. */
static void write_tsv(const predict *p, const float *scores, results *out)
{
    size_t best = best_of(scores, p->K);
    results_printf(out, "%s\t", p->labels[best]);
    results_number(out, scores[best]);
    results_string(out, "\n");
}

static bert_status predict_rows(void *context, const bert_rows *rows, results *out, bert_err *err)
{
    predict *p = context;
    bert_status s = bert_session_predict(p->session, rows->texts, rows->pairs, rows->n, p->scores, &p->truncated, err);
    for (size_t i = 0; !s && i < rows->n; i++)
        (p->format == FORMAT_TSV ? write_tsv : write_json)(p, p->scores + i * p->K, out);
    return s;
}

static int predict_all(const predict_options *o, predict *p, const char *file)
{
    size_t most = rows_most(&o->rows, 1024), n = 0;
    p->scores = calloc(most * p->K, sizeof *p->scores);
    if (!p->scores)
        return report_error("out of memory: %zu scores", most * p->K);
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
    predict p = { .format = o->format };
    p.K = bert_model_labels(model, &p.labels);
    bert_err err;
    if (!p.K)
        status = report_error("%s: a module has no head and predicts nothing; bert train makes a model from it", o->model);
    else if (bert_session_create(model, &o->session, &p.session, &err))
        status = report_failure(&err);
    else
        status = predict_all(o, &p, file);
    bert_session_free(p.session);
    bert_model_free(model);
    return status;
}

const command predict_command = {
    .name = "predict",
    .usage = "-m ANY [FILE] [--format F] [-o OUT]",
    .summary = "Predicts the label of each text or pair",
    .details = "Prints one line a row, in the order of FILE (standard input where there is none):\n"
               "{\"label\": \"1\", \"score\": 0.984, \"scores\": {\"0\": 0.016, \"1\": 0.984}}\n"
               "score is that of the label. Memory does not grow with FILE.",
    .argument = "FILE",
    .required = (const char *const[]){ "model", NULL },
    .groups =
        (const option_group[]){
            { table, 0, "options", NULL },
            { bert_session_option_table, offsetof(predict_options, session), "options", (const char *const[]){ "pooling", "normalize", NULL } },
            { bert_table_option_table, offsetof(predict_options, rows.table), "how FILE is read", LABEL_COLUMN },
            { rows_option_table, offsetof(predict_options, rows), "how FILE is read", NULL },
            { NULL, 0, NULL, NULL },
        },
    .options_size = sizeof(predict_options),
    .run = run,
};

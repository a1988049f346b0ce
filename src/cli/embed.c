/* bert embed: texts to vectors. */
#include "cli/command.h"
#include "cli/model.h"
#include "cli/report.h"
#include "cli/results.h"
#include "cli/rows.h"

#include <stdlib.h>
#include <string.h>

enum { FORMAT_JSONL, FORMAT_TSV, FORMAT_NPY };
static const char *const FORMATS[] = { "jsonl", "tsv", "npy", NULL };

typedef struct embed_options {
    const char *model, *output;
    int format;
    bert_session_options session;
    rows_options rows;
} embed_options;

static const bert_option OPTIONS[] = {
    OPTION_STRING(embed_options, model, "ANY", "a module, a model or a frozen file"),
    OPTION_STRING(embed_options, output, "OUT", "a file instead of standard output"),
    OPTION_CHOICE(embed_options, format, "jsonl", FORMATS, "FORMAT", "JSON lines, tab-separated numbers, or NumPy's .npy, which needs --output"),
};

static bert_option_table table(void)
{
    return OPTION_TABLE(OPTIONS);
}

typedef struct embed {
    bert_session *session;
    size_t hidden;
    bool per_token;
    size_t most;    /* rows of one chunk */
    float *vectors; /* (most, hidden); per token (most * seq_len, hidden) */
    size_t *counts; /* (most) tokens of each text; NULL unless per token */
    int format;
    bert_npy *npy; /* NULL unless that is the format */
    size_t truncated;
} embed;

/* ---- one chunk ---------------------------------------------------------------------------------------------------------- */

static void write_json_vector(const embed *e, const float *x, results *out)
{
    results_string(out, "[");
    results_numbers(out, x, e->hidden, ", ");
    results_string(out, "]");
}

static void write_json(const embed *e, size_t n, results *out)
{
    const float *x = e->vectors;
    for (size_t i = 0; i < n; i++) {
        size_t rows = e->per_token ? e->counts[i] : 1;
        results_string(out, e->per_token ? "{\"embedding\": [" : "{\"embedding\": ");
        for (size_t k = 0; k < rows; k++, x += e->hidden) {
            results_string(out, k ? ", " : "");
            write_json_vector(e, x, out);
        }
        results_string(out, e->per_token ? "]}\n" : "}\n");
    }
}

static void write_tsv(const embed *e, size_t n, results *out)
{
    for (size_t i = 0; i < n; i++) {
        results_numbers(out, e->vectors + i * e->hidden, e->hidden, "\t");
        results_string(out, "\n");
    }
}

static bert_status embed_rows(void *context, const bert_rows *rows, results *out, bert_err *err)
{
    embed *e = context;
    bert_status s = bert_session_embed(e->session, rows->texts, rows->pairs, rows->n, e->vectors, e->counts, &e->truncated, err);
    if (s)
        return s;
    if (e->npy)
        return bert_npy_write(e->npy, e->vectors, rows->n, err);
    if (e->format == FORMAT_TSV)
        write_tsv(e, rows->n, out);
    else
        write_json(e, rows->n, out);
    return BERT_OK;
}

/* ---- all of them -------------------------------------------------------------------------------------------------------- */

/* Room for one chunk. Per token a text may have seq_len vectors, so there are fewer texts: memory stays the same. */
static int make_room(embed *e, const rows_options *options)
{
    size_t seq_len = bert_session_seq_len(e->session);
    size_t most = e->per_token ? 1 + 8192 / seq_len : 1024;
    e->most = rows_most(options, most);
    size_t vectors = e->per_token ? e->most * seq_len : e->most;
    e->vectors = calloc(vectors * e->hidden, sizeof *e->vectors);
    e->counts = e->per_token ? calloc(e->most, sizeof *e->counts) : NULL;
    if (!e->vectors || (e->per_token && !e->counts))
        return report_error("out of memory: %zu vectors of %zu", vectors, e->hidden);
    return STATUS_FINE;
}

static int embed_to_npy(embed *e, const embed_options *o, const char *file, size_t *n)
{
    bert_err err;
    if (bert_npy_create(o->output, e->hidden, &e->npy, &err))
        return report_failure(&err);
    results none = { .stream = stdout }; /* nothing is written there */
    int status = rows_each(file, &o->rows, e->most, embed_rows, e, &none, n);
    if (status)
        bert_npy_abort(e->npy);
    else if (bert_npy_commit(e->npy, &err))
        status = report_failure(&err);
    return status;
}

static int embed_to_text(embed *e, const embed_options *o, const char *file, size_t *n)
{
    results out;
    int status = results_open(&out, o->output);
    if (status)
        return status;
    return results_close(&out, rows_each(file, &o->rows, e->most, embed_rows, e, &out, n));
}

static int embed_all(const embed_options *o, const bert_model *model, const char *file)
{
    embed e = { .format = o->format };
    bert_err err;
    if (bert_session_create(model, &o->session, &e.session, &err))
        return report_failure(&err);
    e.hidden = bert_session_hidden(e.session);
    e.per_token = bert_session_per_token(e.session);
    size_t n = 0;
    int status = make_room(&e, &o->rows);
    if (!status && e.per_token && e.format != FORMAT_JSONL)
        status = report_error("pooling none gives a text several vectors: --format %s has no place for them, jsonl has", FORMATS[e.format]);
    if (!status)
        status = e.format == FORMAT_NPY ? embed_to_npy(&e, o, file, &n) : embed_to_text(&e, o, file, &n);
    model_note_truncated(e.truncated, n, bert_session_seq_len(e.session));
    free(e.vectors);
    free(e.counts);
    bert_session_free(e.session);
    return status;
}

static int run(const void *options, const char *file)
{
    const embed_options *o = options;
    if (o->format == FORMAT_NPY && (!o->output || !strcmp(o->output, "-")))
        return report_usage(&embed_command, "--format npy needs --output FILE");
    bert_model *model;
    int status = model_open(o->model, &model);
    if (status)
        return status;
    status = embed_all(o, model, file);
    bert_model_free(model);
    return status;
}

const command embed_command = {
    .name = "embed",
    .usage = "-m ANY [FILE] [--pooling P] [--normalize] [--format F] [-o OUT]",
    .summary = "Turns texts into vectors",
    .details = "Prints one line a row, in the order of FILE (standard input where there is none):\n"
               "{\"embedding\": [...]}\n"
               "With --pooling none there is one list per token, special ones included. Memory does not grow with FILE.",
    .argument = "FILE",
    .required = (const char *const[]){ "model", NULL },
    .groups =
        (const option_group[]){
            { .table = table, .title = "options" },
            { bert_session_option_table, offsetof(embed_options, session), "vectors", NULL, NULL },
            { bert_table_option_table, offsetof(embed_options, rows.table), "how FILE is read", LABEL_COLUMN, NULL },
            { rows_option_table, offsetof(embed_options, rows), "how FILE is read", NULL, NULL },
            { .table = NULL },
        },
    .options_size = sizeof(embed_options),
    .run = run,
};

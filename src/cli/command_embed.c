/* bert embed: texts to vectors. */
#include "cli/command.h"
#include "cli/open_model.h"
#include "cli/pipeline.h"
#include "cli/record.h"
#include "cli/messages.h"

#include <stdlib.h>

enum { ROWS_MOST = 2048, TOKENS_MOST = 8192 };

typedef struct embed_options {
    const char *model, *output;
    int format;
    bool resume, force, verify;
    bert_session_options session;
    rows_options rows;
} embed_options;

static const bert_option OPTIONS[] = {
    OPTION_STRING(embed_options, model, "ANY", "a module, a model or a frozen file"),
    OPTION_STRING(embed_options, output, "OUT", "a file instead of standard output"),
    OPTION_CHOICE(embed_options, format, "jsonl", ANSWER_FORMATS, "FORMAT",
                  "JSON lines, tab-separated numbers, or NumPy's .npy, which needs --output"),
    OPTION_FLAG(embed_options, resume, "go on with OUT where a run was stopped"),
    OPTION_FLAG(embed_options, force, FORCE_HELP ", a text, and OUT.part of a run that was stopped"),
    OPTION_FLAG(embed_options, verify, "compare all of ANY with the hashes that it carries first"),
};

static bert_option_table embed_table(void)
{
    return OPTION_TABLE(OPTIONS);
}

typedef struct embed {
    bert_session *session;
    size_t hidden;
    bool per_token;
    bert_answer_format format;
    size_t truncated, pairs;
} embed;

static bert_status embed_chunk(void *context, row_chunk *c, bert_err *err)
{
    embed *e = context;
    size_t *counts = e->per_token ? c->counts : NULL;
    for (size_t i = 0; i < c->rows.n; i++)
        e->pairs += rows_is_pair(&c->rows, i);
    bert_status s = bert_session_embed(e->session, c->rows.texts, c->rows.pairs, c->rows.n, c->numbers, counts,
                                       &e->truncated, err);
    if (s)
        c->rows.n = 0;
    return s;
}

static void write_vectors(void *context, const row_chunk *c, results *out)
{
    const embed *e = context;
    const float *x = c->numbers;
    for (size_t i = 0; i < c->rows.n; i++) {
        const size_t *count = e->per_token ? &c->counts[i] : NULL;
        bert_vectors_write(&out->text, x, count, 1, e->hidden, e->format);
        results_line_done(out);
        x += e->hidden * (count ? *count : 1);
    }
}

/* ------------------------------------------------------------------------------------------------------------------ */

/* Per token a text may have seq_len vectors, so there are fewer texts in a chunk: memory stays the same. */
static int embed_all(const embed_options *o, const bert_model *model, embed *e, const char *file)
{
    size_t n, seq_len = bert_session_seq_len(e->session);
    if (e->per_token && o->format != BERT_ANSWER_JSONL)
        return report_error("pooling none gives a text several vectors: --format %s has no place for them, jsonl has",
                            ANSWER_FORMATS[o->format]);
    char *record = NULL;
    if (o->output && record_make(&embed_command, o, model, e->session, &record))
        return STATUS_FAILED;
    pipeline_work work = { .context = e, .compute = embed_chunk, .write = write_vectors };
    work.most = e->per_token ? 1 + TOKENS_MOST / seq_len : ROWS_MOST;
    work.numbers = e->per_token ? seq_len * e->hidden : e->hidden;
    pipeline_target target = {
        .path = o->output, .cols = e->hidden, .resume = o->resume, .force = o->force, .record = record
    };
    target.form = o->format == BERT_ANSWER_NUMBERS ? OUTPUT_NPY : OUTPUT_LINES;
    int status = pipeline_run(file, &o->rows, &work, &target, &n);
    model_note_vectors(model, e->pairs, n);
    model_note_truncated(e->truncated, n, seq_len, o->session.window != 0);
    free(record);
    return status;
}

static int run_embed(const void *options, const char *file)
{
    const embed_options *o = options;
    bert_model *model;
    bert_err err;
    int status = target_check(&embed_command, o->output, o->format == BERT_ANSWER_NUMBERS, o->resume);
    if (!status)
        status = model_open_verified(o->model, o->verify, &model);
    if (status)
        return status;
    embed e = { .format = (bert_answer_format)o->format };
    if (bert_session_create(model, &o->session, &e.session, &err)) {
        status = report_failure(&err);
    } else {
        e.hidden = bert_session_hidden(e.session);
        e.per_token = bert_session_per_token(e.session);
        status = embed_all(o, model, &e, file);
    }
    bert_session_free(e.session);
    bert_model_free(model);
    return status;
}

const command embed_command = {
    .name = "embed",
    .usage = "-m ANY [FILE] [--pooling P] [--normalize] [--format F] [-o OUT [--resume]]",
    .summary = "Turns texts into vectors",
    .details =
        "Prints one line a row, in the order of FILE (standard input where there is none):\n"
        "{\"embedding\": [...]}\n"
        "With --pooling none there is one list per token, special ones included. Memory does not grow with FILE.\n"
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
            { .table = embed_table, .title = "options" },
            { bert_session_option_table, offsetof(embed_options, session), "vectors", NULL, NULL },
            { bert_table_option_table, offsetof(embed_options, rows.table), "how FILE is read", LABEL_COLUMN, NULL },
            { rows_option_table, offsetof(embed_options, rows), "how FILE is read", NULL, NULL },
            { .table = NULL },
        },
    .options_size = sizeof(embed_options),
    .run = run_embed,
};

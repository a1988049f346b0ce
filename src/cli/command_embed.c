/* bert embed: texts to vectors. */
#include "cli/answers.h"
#include "cli/messages.h"
#include "cli/open_model.h"

enum { EMBED_ROWS = 2048, EMBED_TOKENS = 8192 };

static const bert_option OPTIONS[] = { ANSWER_OPTIONS(
    "a module, a model or a frozen file", "JSON lines, tab-separated numbers, or NumPy's .npy, which needs --output") };

static bert_status embed_chunk(answers *a, row_chunk *c, bert_err *err)
{
    return bert_session_embed(a->session, c->rows.texts, c->rows.pairs, c->rows.n, c->numbers,
                              bert_session_per_token(a->session) ? c->counts : NULL, &a->truncated, err);
}

static void write_vectors(void *context, const row_chunk *c, results *out)
{
    const answers *a = context;
    const float *x = c->numbers;
    size_t hidden = bert_session_hidden(a->session);
    for (size_t i = 0; i < c->rows.n; i++) {
        const size_t *count = bert_session_per_token(a->session) ? &c->counts[i] : NULL;
        bert_vectors_write(&out->text, x, count, 1, hidden, (bert_answer_format)a->options->format);
        results_line_done(out);
        x += hidden * (count ? *count : 1);
    }
}

/* Per token a text may have seq_len vectors, so there are fewer texts in a chunk: memory stays the same. */
static int prepare_embed(answers *a)
{
    size_t seq_len = bert_session_seq_len(a->session), hidden = bert_session_hidden(a->session);
    bool tokens = bert_session_per_token(a->session);
    if (tokens && a->options->format != BERT_ANSWER_JSONL)
        return report_error("pooling none gives a text several vectors: --format %s has no place for them, jsonl has",
                            ANSWER_FORMATS[a->options->format]);
    a->work.most = tokens ? 1 + EMBED_TOKENS / seq_len : EMBED_ROWS;
    a->work.numbers = tokens ? seq_len * hidden : hidden;
    a->work.write = write_vectors;
    a->compute = embed_chunk;
    return STATUS_FINE;
}

static int run_embed(const void *options, const char *file)
{
    return answers_run(&embed_command, options, file, prepare_embed, model_note_vectors);
}

const command embed_command = {
    .name = "embed",
    .usage = "-m ANY [FILE] [--pooling P] [--normalize] [--format F] [-o OUT [--resume]]",
    .summary = "Turns texts into vectors",
    .details = "Prints one line a row, in the order of FILE (standard input where there is none):\n"
               "{\"embedding\": [...]}\n"
               "With --pooling none there is one list per token, special ones included. Memory does not grow with "
               "FILE.\n" ANSWER_DETAILS,
    ANSWER_COMMAND,
    .groups = (const option_group[]){ OWN_OPTIONS,
                                      GROUP(bert_session_option_table, answer_options, session, "vectors", NULL, NULL),
                                      ANSWER_GROUPS },
    .run = run_embed,
};

/* bert tokenize: texts to tokens, or to the three matrices that BERT reads. */
#include "cli/command.h"
#include "cli/open_model.h"
#include "cli/messages.h"
#include "cli/results.h"
#include "cli/rows.h"

typedef struct tokenize_options {
    const char *model;
    bool special;
    int64_t seq_len;
    rows_options rows;
} tokenize_options;

static const bert_option OPTIONS[] = {
    OPTION_STRING(tokenize_options, model, "ANY", "a module, a model or a frozen file"),
    OPTION_FLAG(tokenize_options, special, "with [CLS] and [SEP], as BERT reads a text"),
    OPTION_INT(tokenize_options, seq_len, "0", 0, 65536, "N",
               "give input_ids, input_mask and segment_ids, cut and padded to N tokens, instead; 0: no"),
};

typedef struct tokenize {
    const bert_tokenizer *tokenizer;
    bool special;
    size_t seq_len;
    bert_tokens tokens[2]; /* of a text and its pair */
    bert_features features;
    size_t truncated;
} tokenize;

static bert_status tokenize_rows(void *context, const bert_rows *rows, results *out, bert_err *err)
{
    tokenize *t = context;
    for (size_t i = 0; i < rows->n; i++) {
        const bert_text texts[2] = { rows->texts[i], rows->pairs ? rows->pairs[i] : (bert_text){ "", 0 } };
        for (int k = 0; k < 2; k++) {
            bert_status s = bert_tokenize(t->tokenizer, texts[k], &t->tokens[k], err);
            if (s)
                return s;
        }
        bert_tokens_write(&out->text, t->tokenizer, &t->tokens[0], &t->tokens[1], t->special);
        results_line_done(out);
    }
    return BERT_OK;
}

static bert_status encode_rows(void *context, const bert_rows *rows, results *out, bert_err *err)
{
    tokenize *t = context;
    bert_features *f = &t->features;
    bert_status s = bert_encode(t->tokenizer, rows->texts, rows->pairs, rows->n, t->seq_len, f, err);
    if (s)
        return s;
    t->truncated += f->truncated;
    for (size_t i = 0; i < rows->n; i++) {
        bert_features_write(&out->text, f, i);
        results_line_done(out);
    }
    return BERT_OK;
}

/* ------------------------------------------------------------------------------------------------------------------ */

static int run_tokenize(const void *options, const char *file)
{
    const tokenize_options *o = options;
    bert_model *model;
    int status = model_open(o->model, &model);
    if (status)
        return status;
    if (!bert_model_tokenizer(model)) {
        bert_model_free(model);
        return report_error("%s: it reads ids, and libbert has not the tokeniser that makes them", o->model);
    }
    tokenize t = { .tokenizer = bert_model_tokenizer(model), .special = o->special, .seq_len = (size_t)o->seq_len };
    results out;
    status = results_open(&out, NULL);
    if (!status) {
        size_t n;
        status = rows_each(file, &o->rows, 1024, t.seq_len ? encode_rows : tokenize_rows, &t, &out, &n);
        status = results_close(&out, status);
        if (t.truncated)
            report_note("%zu of %zu texts were cut to %zu tokens (--seq-len)", t.truncated, n, t.seq_len);
    }
    bert_tokens_free(&t.tokens[0]);
    bert_tokens_free(&t.tokens[1]);
    bert_features_free(&t.features);
    bert_model_free(model);
    return status;
}

const command tokenize_command = {
    .name = "tokenize",
    .usage = "-m ANY [FILE] [--special | --seq-len N]",
    .summary = "Splits texts into the word pieces that a model reads",
    .details =
        "Prints one line a row:\n"
        "{\"tokens\": [...], \"ids\": [...], \"offsets\": [[start, end], ...]}\n"
        "Offsets count code points of the text that the token comes from; a special token has [0, 0]. A row with a "
        "pair has "
        "the tokens of both texts, and \"segments\": 0 for the first, 1 for the second. With --seq-len the line is\n"
        "{\"input_ids\": [...], \"input_mask\": [...], \"segment_ids\": [...]}",
    .argument = "FILE",
    .required = (const char *const[]){ "model", NULL },
    .groups =
        (const option_group[]){
            OWN_OPTIONS,
            GROUP(bert_table_option_table, tokenize_options, rows.table, "how FILE is read", LABEL_COLUMN, NULL),
            GROUP(rows_option_table, tokenize_options, rows, "how FILE is read", NULL, NULL),
            { .title = NULL },
        },
    .options_size = sizeof(tokenize_options),
    .run = run_tokenize,
};

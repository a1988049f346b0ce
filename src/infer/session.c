/* Sessions: one thread's way to run a model. What a call needs lives in arenas that the next call uses again. */
#include "infer/session.h"

#include "base/options.h"
#include "report/report.h"
#include "text/words.h"

#include <math.h>
#include <stdlib.h>

static const bert_option SESSION[] = {
    OPTION_INT(bert_session_options, seq_len, "0", 0, 65536, "N",
               "tokens of a text, special ones counted; 0: the model's, a module's positions"),
    OPTION_CHOICE(bert_session_options, pooling, "auto", POOLING_WORDS, "WORD",
                  "from the tokens' vectors to one; auto: the model's, mean for a module"),
    OPTION_BOOL(bert_session_options, normalize, "false", "vectors of length 1"),
};

bert_option_table bert_session_option_table(void)
{
    return OPTION_TABLE(SESSION);
}

void bert_session_defaults(bert_session_options *options)
{
    bert_options_defaults(options, bert_session_option_table());
}

static bert_status create(bert_session *s, bert_err *err)
{
    const bert_layer_spec *spec = &s->model->layer->spec;
    size_t seq_len = (size_t)(s->options.seq_len ? s->options.seq_len : spec->seq_len);
    bert_status status = options_check(&s->options, bert_session_option_table(), err);
    bool same = s->options.pooling == BERT_POOLING_AUTO || s->options.pooling == spec->pooling;
    if (!status && (same || s->model->task))
        status = text_encoder_create(&s->own, s->model, BERT_POOLING_AUTO, seq_len, err);
    if (!status && !same)
        status = text_encoder_create(&s->other, s->model, (bert_pooling)s->options.pooling, seq_len, err);
    s->vectors = same ? &s->own : &s->other;
    if (!status && s->model->task)
        status = classifier_create(&s->classifier, s->model, &s->own.rows, err);
    if (!status && s->model->task)
        status = classifier_hold(&s->classifier, err);
    return status;
}

bert_status bert_session_create(const bert_model *model, const bert_session_options *options, bert_session **session, bert_err *err)
{
    *session = NULL;
    bert_session *s = calloc(1, sizeof *s);
    if (!s)
        return fail_memory(err, "a session");
    s->model = model;
    if (options)
        s->options = *options;
    else
        bert_session_defaults(&s->options);
    bert_status status = create(s, err);
    if (status) {
        bert_session_free(s);
        return status;
    }
    *session = s;
    return BERT_OK;
}

void bert_session_free(bert_session *session)
{
    if (!session)
        return;
    classifier_free(&session->classifier);
    text_encoder_free(&session->own);
    text_encoder_free(&session->other);
    arena_free(&session->words);
    free(session->entities.items);
    free(session);
}

size_t bert_session_hidden(const bert_session *session)
{
    return (size_t)session->model->layer->config.hidden_size;
}

size_t bert_session_seq_len(const bert_session *session)
{
    return session->vectors->seq_len;
}

bool bert_session_per_token(const bert_session *session)
{
    return session->vectors->rows.request.tokens;
}

size_t bert_session_outputs(const bert_session *session)
{
    const task *t = session->classifier.task;
    return t && t->label != LABEL_TAGS ? t->columns(session->model->n_labels) : 0;
}

bert_status session_no_head(const bert_session *session, bert_err *err)
{
    const char *path = session->model->module->path;
    return fail(err, BERT_ERR_ARGUMENT, "%s: has no head, so it predicts nothing; train a model on it, or embed", path ? path : "the model");
}

/* ---- scores ----------------------------------------------------------------------------------------------------------------- */

/* Blanks alone are no second text. */
static bert_status check_pairs(const task *t, const bert_text *pairs, size_t n, bert_err *err)
{
    if (n && !pairs)
        return fail(err, BERT_ERR_ARGUMENT, "task %s compares two texts, and there are no second ones", t->name);
    for (size_t i = 0; i < n; i++)
        if (text_blank(pairs[i]))
            return fail(err, BERT_ERR_ARGUMENT, "row %zu: task %s needs two texts", i, t->name);
    return BERT_OK;
}

bert_status bert_session_predict(bert_session *session, const bert_text *texts, const bert_text *pairs, size_t n, float *scores,
                                 size_t *truncated, bert_err *err)
{
    const task *t = session->classifier.task;
    if (!t)
        return session_no_head(session, err);
    if (t->label == LABEL_TAGS)
        return fail(err, BERT_ERR_ARGUMENT, "a model of task %s has no scores for a text; ask for its entities", t->name);
    size_t columns = bert_session_outputs(session);
    token_rows rows;
    bert_status s = t->form == ROW_APART ? check_pairs(t, pairs, n, err) : BERT_OK;
    for (size_t i = 0; !s && i < n; i += TEXT_ENCODER_PART) {
        size_t part = session_part(n - i);
        s = text_encoder_tokenise(&session->own, texts + i, pairs ? pairs + i : NULL, part, t->form, &rows, truncated, err);
        if (!s)
            s = classifier_run(&session->classifier, &rows, 0, part, scores + i * columns, err);
    }
    return s;
}

/* ---- evaluation ------------------------------------------------------------------------------------------------------------- */

static bert_status write_pages(const bert_session *s, const bert_dataset *d, const token_rows *rows, const outcomes *o,
                               const bert_metrics *metrics, const char *page, const char *predictions, bert_err *err)
{
    double threshold = bert_model_threshold(s->model);
    report r = { .title = "Evaluation report",
                 .model = s->model,
                 .outcomes = o,
                 .metrics = metrics,
                 .threshold = threshold,
                 .data = d,
                 .tokens = rows,
                 .seq_len = s->own.seq_len };
    bert_status status = page ? report_write(&r, page, err) : BERT_OK;
    return status || !predictions ? status : predictions_write(o, d, threshold, predictions, err);
}

bert_status bert_session_evaluate(bert_session *session, const bert_dataset *dataset, const char *page, const char *predictions,
                                  bert_metrics *metrics, bert_err *err)
{
    const task *t = session->classifier.task;
    if (!t)
        return session_no_head(session, err);
    targets truth = { 0 };
    token_rows rows = { 0 };
    outcomes o = { 0 };
    bert_status s = targets_create(&truth, t, session->model, dataset, err);
    if (!s)
        s = token_rows_create(&rows, dataset, session->own.tokenizer, session->own.seq_len, t->form, err);
    if (!s)
        s = classifier_judge(&session->classifier, &rows, &truth, &o, err);
    if (!s)
        s = outcomes_metrics(&o, bert_model_threshold(session->model), metrics, err);
    if (!s)
        s = write_pages(session, dataset, &rows, &o, metrics, page, predictions, err);
    outcomes_free(&o);
    token_rows_free(&rows);
    targets_free(&truth);
    return s;
}

/* ---- vectors ---------------------------------------------------------------------------------------------------------------- */

/* Rows (n, H) to length 1; a zero row stays. */
static void normalise(float *rows, size_t n, size_t H)
{
    for (size_t i = 0; i < n; i++) {
        double squares = 0;
        for (size_t c = 0; c < H; c++)
            squares += (double)rows[i * H + c] * rows[i * H + c];
        float scale = squares > 0 ? (float)(1 / sqrt(squares)) : 0;
        for (size_t c = 0; c < H; c++)
            rows[i * H + c] *= scale;
    }
}

bert_status bert_session_embed(bert_session *session, const bert_text *texts, const bert_text *pairs, size_t n, float *vectors, size_t *counts,
                               size_t *truncated, bert_err *err)
{
    bool tokens = bert_session_per_token(session);
    if (tokens && !counts)
        return fail(err, BERT_ERR_ARGUMENT, "pooling none gives a vector a token: counts must be given");
    bert_status s = text_encoder_run(session->vectors, texts, pairs, n, vectors, tokens ? counts : NULL, truncated, err);
    if (s || !session->options.normalize)
        return s;
    size_t rows = n;
    if (tokens) {
        rows = 0;
        for (size_t i = 0; i < n; i++)
            rows += counts[i];
    }
    normalise(vectors, rows, bert_session_hidden(session));
    return BERT_OK;
}

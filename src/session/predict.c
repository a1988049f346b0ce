/* Predictions, vectors and all else that one pass gives: the calls of a session. Texts are taken in parts, a part's
 * rows in parts of their own, so that memory does not grow with a call. */
#include "session/session.h"

#include "base/finite.h"
#include "session/session_windows.h"
#include "base/words.h"

#include <math.h>

/* A call, and how far it is. */
typedef struct session_call {
    bert_session *session;
    const bert_outputs *asked;
    const output_request *vectors; /* what asked->vectors are */
    size_t tokens, squares;        /* tokens of the texts that are done; numbers of a layer's attention maps */
} session_call;

static bool same_request(const output_request *a, const output_request *b)
{
    return a->layer == b->layer && a->tokens == b->tokens && a->pool == b->pool && a->pooler == b->pooler;
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

/* What a pass over some rows is asked for. */
typedef struct pass_lists {
    output_request *requests;
    float **values;
    forward_attention *attention;
    row_outputs outputs;
} pass_lists;

static bool make_lists(pass_lists *l, size_t most_layers, arena *a)
{
    *l = (pass_lists){ .requests = arena_array(a, most_layers + 2, sizeof *l->requests),
                       .values = arena_array(a, most_layers + 2, sizeof *l->values),
                       .attention = arena_array(a, most_layers, sizeof *l->attention) };
    l->outputs = (row_outputs){ .requests = l->requests, .values = l->values, .attention = l->attention };
    return l->requests && l->values && l->attention;
}

static void add_request(pass_lists *l, const output_request *request, float *value)
{
    l->requests[l->outputs.n_requests] = *request;
    l->values[l->outputs.n_requests++] = value;
}

static void add_layers(pass_lists *l, const session_call *call)
{
    const bert_outputs *o = call->asked;
    size_t H = bert_session_hidden(call->session);
    for (size_t i = 0; i < o->n_layers; i++) {
        if (o->hidden && o->hidden[i])
            add_request(l, &(output_request){ .layer = (int)o->layers[i], .tokens = true },
                        o->hidden[i] + call->tokens * H);
        if (o->attention && o->attention[i])
            l->attention[l->outputs.n_attention++] = (forward_attention){ (int)o->layers[i],
                                                                          o->attention[i] + call->squares };
    }
}

static void count_rows(session_call *call, const token_rows *rows, size_t first, size_t n)
{
    size_t heads = (size_t)call->session->model->layer->config.num_attention_heads;
    for (size_t i = first; i < first + n; i++) {
        size_t T = token_rows_length(rows, i);
        call->tokens += T;
        call->squares += heads * T * T;
    }
}

/* Rows first .. first + n - 1: scores (n, columns) and vectors, either may be NULL. What is made on the way is in the
 * session's arena. */
static bert_status predict_run_rows(session_call *call, const token_rows *rows, size_t first, size_t n, float *scores,
                                    float *vectors, bert_err *err)
{
    bert_session *s = call->session;
    const output_request *head = &s->rows.request;
    pass_lists l;
    float *x = vectors; /* what the head reads */
    bool own = scores && !(vectors && same_request(head, call->vectors));
    if (own)
        x = arena_alloc_raw(&s->part, n * token_rows_sequences(rows) * bert_session_hidden(s) * sizeof *x);
    if (!make_lists(&l, call->asked->n_layers, &s->part) || (own && !x))
        return fail_memory(err, "a session");
    if (vectors)
        add_request(&l, call->vectors, vectors);
    if (own)
        add_request(&l, head, x);
    add_layers(&l, call);
    bert_status status = row_encoder_run_all(&s->rows, rows, first, n, &l.outputs, err);
    if (!status && scores)
        status = classifier_scores(&s->classifier, rows, first, x, n, scores, err);
    count_rows(call, rows, first, n);
    return status;
}

/* ---- texts ------------------------------------------------------------------------------------------------------- */

/* The rows of a part of the texts, each a text; scores and vectors are the part's. */
static bert_status run_whole(session_call *call, const token_rows *rows, float *scores, float *vectors, bert_err *err)
{
    bert_session *session = call->session;
    size_t columns = bert_session_outputs(session), H = bert_session_hidden(session);
    bert_status s = BERT_OK;
    for (size_t i = 0, n; !s && i < rows->n; i += n) {
        size_t before = vectors && call->vectors->tokens ? rows->start[i] : i;
        n = classifier_part(rows, i, rows->n - i);
        arena_reset(&session->part);
        s = predict_run_rows(call, rows, i, n, scores ? scores + i * columns : NULL,
                             vectors ? vectors + before * H : NULL, err);
    }
    return s;
}

/* The same where a text may have several rows. */
static bert_status run_windows(session_call *call, const token_rows *rows, float *scores, float *vectors, bert_err *err)
{
    bert_session *session = call->session;
    size_t columns = bert_session_outputs(session), H = bert_session_hidden(session);
    combine how = (combine)session->options.combine;
    bert_status s = BERT_OK;
    for (size_t i = 0, n; !s && i < rows->n; i += n) {
        arena *a = &session->part;
        n = classifier_part(rows, i, rows->n - i);
        arena_reset(a);
        float *p = scores ? arena_alloc_raw(a, n * columns * sizeof *p) : NULL,
              *v = vectors ? arena_alloc_raw(a, n * H * sizeof *v) : NULL;
        s = (scores && !p) || (vectors && !v) ? fail_memory(err, "a session")
                                              : predict_run_rows(call, rows, i, n, p, v, err);
        if (!s && scores)
            windows_combine(scores, p, rows, i, n, columns, how);
        if (!s && vectors)
            windows_combine(vectors, v, rows, i, n, H, how);
    }
    return s;
}

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

/* The vectors of a part's texts, one each or one a token. */
static bert_status check_vectors(const session_call *call, const token_rows *rows, const float *vectors, size_t n,
                                 bert_err *err)
{
    size_t H = bert_session_hidden(call->session), all = (call->vectors->tokens ? rows->start[rows->n] : n) * H;
    size_t bad = first_not_finite(vectors, all), text = bad / H;
    if (bad == all)
        return BERT_OK;
    for (size_t i = 0; call->vectors->tokens && i < rows->n; i++)
        if (rows->start[i] <= bad / H)
            text = i;
    return fail(err, BERT_ERR_NUMERIC, "row %zu: what the model gives is %s; its weights are not sound",
                rows->before + text, not_finite_word(vectors[bad]));
}

static bert_status predict_run_texts(session_call *call, const bert_text *texts, const bert_text *pairs, size_t n,
                                     row_form form, size_t *truncated, bert_err *err)
{
    bert_session *session = call->session;
    const bert_outputs *o = call->asked;
    size_t columns = bert_session_outputs(session), H = bert_session_hidden(session);
    bert_status s = BERT_OK;
    for (size_t i = 0, part; !s && i < n; i += part) {
        const token_rows *rows;
        part = session_part(n - i);
        s = session_tokenise(session, texts + i, pairs ? pairs + i : NULL, i, part, form, &rows, truncated, err);
        if (s)
            break;
        float *scores = o->scores ? o->scores + i * columns : NULL;
        float *vectors = o->vectors ? o->vectors + (call->vectors->tokens ? call->tokens : i) * H : NULL;
        size_t tokens = rows->start[rows->n];
        s = (rows->text ? run_windows : run_whole)(call, rows, scores, vectors, err);
        if (!s && vectors)
            s = check_vectors(call, rows, vectors, part, err);
        for (size_t k = 0; !s && o->counts && k < part; k++)
            o->counts[i + k] = token_rows_length(rows, k);
        if (!s && vectors && session->options.normalize)
            normalise(vectors, call->vectors->tokens ? tokens : part, H);
    }
    return s;
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

static bert_status check_session_head(const bert_session *session, bert_err *err)
{
    const task *t = session->classifier.task;
    if (!t)
        return session_no_head(session, err);
    if (t->form == ROW_WORDS)
        return fail(err, BERT_ERR_ARGUMENT, "a model of task %s has no scores for a text; ask for its entities",
                    t->name);
    return BERT_OK;
}

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

static bert_status check_layers(const bert_session *session, const bert_outputs *o, bert_err *err)
{
    int64_t layers = (int64_t)session->encoder.n_layers;
    for (size_t i = 0; i < o->n_layers; i++) {
        bool attention = o->attention && o->attention[i];
        if (o->layers[i] < -1 || o->layers[i] >= layers)
            return fail(err, BERT_ERR_ARGUMENT, "layer %lld: there are 0 to %lld, and -1 for the embeddings",
                        (long long)o->layers[i], (long long)layers - 1);
        if (o->layers[i] < 0 && attention)
            return fail(err, BERT_ERR_ARGUMENT, "layer -1: the embeddings have no attention");
    }
    return BERT_OK;
}

static bert_status check_outputs(const bert_session *session, const bert_outputs *o, bert_err *err)
{
    const task *t = session->classifier.task;
    bool tokens = o->n_layers || (o->vectors && bert_session_per_token(session));
    if (session->options.window)
        return fail(err, BERT_ERR_ARGUMENT,
                    "several outputs from one pass are not read in windows; open a session without");
    if (o->scores && t && t->form == ROW_APART)
        return fail(err, BERT_ERR_ARGUMENT, "task %s reads its two texts apart: its scores are bert_session_predict's",
                    t->name);
    if (tokens && !o->counts)
        return fail(err, BERT_ERR_ARGUMENT, "rows for each token are asked for: counts must be given");
    bert_status s = o->scores ? check_session_head(session, err) : BERT_OK;
    return s ? s : check_layers(session, o, err);
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

/* Windows of two texts that stay apart: first the vector of each text, then their cosine. */
static bert_status compare_windows(session_call *call, const bert_text *texts, const bert_text *pairs, size_t n,
                                   float *scores, size_t *truncated, bert_err *err)
{
    bert_session *session = call->session;
    size_t H = bert_session_hidden(session), most = SESSION_PART / 2;
    bert_status s = BERT_OK;
    for (size_t i = 0, part; !s && i < n; i += part) {
        part = n - i < most ? n - i : most;
        arena_reset(&session->call);
        bert_text *both = arena_array(&session->call, 2 * part, sizeof *both);
        float *x = arena_alloc_raw(&session->call, 2 * part * H * sizeof *x);
        if (!both || !x)
            return fail_memory(err, "a session");
        for (size_t k = 0; k < part; k++) {
            both[2 * k] = texts[i + k];
            both[2 * k + 1] = pairs[i + k];
        }
        call->asked = &(bert_outputs){ .vectors = x };
        s = predict_run_texts(call, both, NULL, 2 * part, ROW_TOGETHER, truncated, err);
        if (!s)
            s = classifier_scores(&session->classifier, &(token_rows){ .form = ROW_APART, .n = part, .before = i }, 0,
                                  x, part, scores + i, err);
    }
    return s;
}

bert_status bert_session_predict(bert_session *session, const bert_text *texts, const bert_text *pairs, size_t n,
                                 float *scores, size_t *truncated, bert_err *err)
{
    const task *t = session->classifier.task;
    bert_status s = check_session_head(session, err);
    if (!s && t->form == ROW_APART)
        s = check_pairs(t, pairs, n, err);
    if (s)
        return s;
    size_t before = session_threads(session);
    session_call call = { .session = session,
                          .asked = &(bert_outputs){ .scores = scores },
                          .vectors = &session->rows.request };
    if (t->form == ROW_APART && session->options.window)
        s = compare_windows(&call, texts, pairs, n, scores, truncated, err);
    else
        s = predict_run_texts(&call, texts, pairs, n, t->form, truncated, err);
    threads_allow(before);
    return s;
}

static bert_status run_outputs(bert_session *session, const bert_text *texts, const bert_text *pairs, size_t n,
                               const bert_outputs *outputs, size_t *truncated, bert_err *err)
{
    size_t before = session_threads(session);
    session_call call = { .session = session, .asked = outputs, .vectors = &session->vectors };
    bert_status s = predict_run_texts(&call, texts, pairs, n, ROW_TOGETHER, truncated, err);
    threads_allow(before);
    return s;
}

bert_status bert_session_embed(bert_session *session, const bert_text *texts, const bert_text *pairs, size_t n,
                               float *vectors, size_t *counts, size_t *truncated, bert_err *err)
{
    bool tokens = bert_session_per_token(session);
    if (tokens && !counts)
        return fail(err, BERT_ERR_ARGUMENT, "pooling none gives a vector a token: counts must be given");
    if (tokens && session->options.window)
        return fail(err, BERT_ERR_ARGUMENT,
                    "pooling none gives a vector a token: it is not read in windows; take another pooling");
    const bert_outputs outputs = { .vectors = vectors, .counts = tokens ? counts : NULL };
    return run_outputs(session, texts, pairs, n, &outputs, truncated, err);
}

bert_status bert_session_run(bert_session *session, const bert_text *texts, const bert_text *pairs, size_t n,
                             const bert_outputs *outputs, size_t *truncated, bert_err *err)
{
    bert_status s = check_outputs(session, outputs, err);
    return s ? s : run_outputs(session, texts, pairs, n, outputs, truncated, err);
}

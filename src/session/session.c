/* Sessions: one thread's way to run a model. What a call needs lives in arenas that the next call uses again. */
#include "session/session.h"

#include "base/options.h"

#include <stdlib.h>

static const char *const STREAMS[] = { "auto", "one", "many", NULL }, *const COMBINE[] = { "mean", "max", NULL };

static const bert_option SESSION[] = {
    OPTION_INT(bert_session_options, seq_len, "0", 0, 65536, "N",
               "tokens of a text, special ones counted; 0: the model's, a module's positions"),
    OPTION_CHOICE(bert_session_options, pooling, "auto", POOLING_WORDS, "WORD",
                  "from the tokens' vectors to one; auto: the model's, mean for a module"),
    OPTION_BOOL(bert_session_options, normalize, "false", "vectors of length 1"),
    OPTION_INT(bert_session_options, threads, "0", 0, 1024, "N", "threads that compute; 0: as many as there are cores"),
    OPTION_CHOICE(
        bert_session_options, streams, "auto", STREAMS, "WORD",
        "one: all threads work on the same texts; many: each has texts of its own; auto: by the number of texts"),
    OPTION_INT(bert_session_options, window, "0", 0, 65536, "N",
               "read long texts in windows of so many tokens, special ones counted; 0: cut them to seq_len"),
    OPTION_INT(bert_session_options, stride, "0", 0, 65536, "N",
               "tokens from the start of a window to that of the next; 0: half of what fits"),
    OPTION_CHOICE(bert_session_options, combine, "mean", COMBINE, "WORD",
                  "the scores or vectors of a text's windows: their mean or maximum"),
};

bert_option_table bert_session_option_table(void)
{
    return OPTION_TABLE(SESSION);
}

void bert_session_defaults(bert_session_options *options)
{
    bert_options_defaults(options, bert_session_option_table());
}

/* What the options say of windows. */
static bert_status check_windows(const bert_session_options *o, const bert_model *model, bert_err *err)
{
    long long positions = (long long)config_positions(&model->layer->config), window = (long long)o->window;
    if (!window)
        return o->stride
                   ? fail(err, BERT_ERR_ARGUMENT, "stride %lld: there are no windows (window)", (long long)o->stride)
                   : BERT_OK;
    const special_template *specials = module_specials(model->module);
    long long least = (long long)special_count(specials, true) + WINDOWS_LEAST_ROOM,
              room = window - (long long)special_count(specials, false);
    if (window < least || window > positions)
        return fail(err, BERT_ERR_ARGUMENT, "window %lld: from %lld to the module's %lld positions", window, least,
                    positions);
    if (o->stride > room)
        return fail(
            err, BERT_ERR_ARGUMENT,
            "stride %lld: a window of %lld tokens holds %lld of a text, so what stands between would not be read",
            (long long)o->stride, window, room);
    return BERT_OK;
}

static bert_status create(bert_session *s, bert_err *err)
{
    const bert_session_options *o = &s->options;
    bert_status status = options_check(o, bert_session_option_table(), err);
    if (!status)
        status = check_windows(o, s->model, err);
    if (status)
        return status;
    if (o->pooling == BERT_POOLING_AUTO)
        s->options.normalize |= s->model->normalize;
    s->options.seq_len = o->window ? o->window : o->seq_len ? o->seq_len : s->model->layer->spec.seq_len;
    status = session_encoder_create(s, err);
    if (!status && s->model->task)
        status = classifier_create(&s->classifier, s->model, &s->weights->weights, &s->rows, err);
    return status;
}

bert_status bert_session_create(const bert_model *model, const bert_session_options *options, bert_session **session,
                                bert_err *err)
{
    *session = NULL;
    bert_session *s = calloc(1, sizeof *s);
    if (!s)
        return fail_memory(err, "a session");
    s->model = model;
    s->threshold = bert_model_threshold(model);
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
    session_encoder_free(session);
    arena_free(&session->part);
    arena_free(&session->call);
    free(session->entities.items);
    free(session);
}

size_t bert_session_hidden(const bert_session *session)
{
    return (size_t)session->model->layer->config.hidden_size;
}

size_t bert_session_seq_len(const bert_session *session)
{
    return (size_t)session->options.seq_len;
}

bool bert_session_per_token(const bert_session *session)
{
    return session->vectors.tokens;
}

size_t bert_session_outputs(const bert_session *session)
{
    const task *t = session->classifier.task;
    return t && t->form != ROW_WORDS ? task_columns(t, session->model) : 0;
}

bert_status session_no_head(const bert_session *session, bert_err *err)
{
    const char *path = session->model->module->path;
    return fail(err, BERT_ERR_ARGUMENT, "%s: has no head, so it predicts nothing; train a model on it, or embed",
                path ? path : "the model");
}

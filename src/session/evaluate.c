/* Evaluation: what a session says of a data set, beside what is true. */
#include "data/dataset.h"
#include "session/session.h"
#include "report/report.h"
#include "task/baseline.h"

#include <string.h>

/* A data set as it is judged. */
typedef struct judging {
    bert_session *session;
    const task *task;
    const bert_dataset *data;
    targets truth;
    token_rows rows; /* each a text, cut; empty where texts are read in windows */
    outcomes outcomes;
    size_t truncated;
} judging;

/* ---- texts that are cut ------------------------------------------------------------------------------------------ */

static bert_status judge_cut(judging *j, bert_err *err)
{
    bert_status s = token_rows_create(&j->rows, j->data, j->session->model->module->tokenizer,
                                      bert_session_seq_len(j->session), j->task->form, err);
    if (!s)
        s = classifier_judge(&j->session->classifier, &j->rows, &j->truth, &j->outcomes, err);
    j->truncated = j->rows.losses.truncated;
    return s;
}

/* ---- texts in windows: what prediction says, and the losses of that ---------------------------------------------- */

/* The words of text i of the data set, whose number in its part is `text`. */
static bert_status judge_words(judging *j, text_rows *of, size_t i, size_t text, bert_err *err)
{
    outcomes *o = &j->outcomes;
    const float *const *words;
    size_t n, first = j->truth.start[i];
    bert_status s = session_words_next(j->session, of, text, &words, &n, err);
    for (size_t w = 0; !s && w < n; w++)
        if (words[w]) {
            memcpy(o->scores + (first + w) * o->columns, words[w], o->columns * sizeof *o->scores);
            o->unseen--;
            s = outcomes_losses(o, first + w, 1, err);
        }
    return s;
}

static bert_status judge_all_words(judging *j, bert_err *err)
{
    const bert_dataset *d = j->data;
    bert_status s = BERT_OK;
    for (size_t i = 0, n; !s && i < d->n; i += n) {
        const token_rows *rows;
        text_rows of;
        n = session_part(d->n - i);
        s = session_tokenise(j->session, d->texts + i, d->pairs ? d->pairs + i : NULL, i, n, j->task->form, &rows,
                             &j->truncated, err);
        if (!s)
            s = session_words_begin(j->session, rows, &of, err);
        for (size_t k = 0; !s && k < n; k++)
            s = judge_words(j, &of, i + k, k, err);
    }
    return s;
}

static bert_status judge_windows(judging *j, bert_err *err)
{
    outcomes *o = &j->outcomes;
    bert_status s = outcomes_create(o, j->session->model, j->task, &j->truth, err);
    if (s || j->task->form == ROW_WORDS)
        return s ? s : judge_all_words(j, err);
    s = bert_session_predict(j->session, j->data->texts, j->data->pairs, j->data->n, o->scores, &j->truncated, err);
    return s ? s : outcomes_losses(o, 0, o->n, err);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static bert_status write_pages(const judging *j, const bert_evaluation *e, const char *page, const char *predictions,
                               bert_err *err)
{
    const bert_model *model = j->session->model;
    double threshold = j->session->threshold;
    report r = { .title = "Evaluation report",
                 .model = model,
                 .outcomes = &j->outcomes,
                 .metrics = &e->metrics,
                 .baseline = &e->baseline,
                 .threshold = threshold,
                 .data = j->data,
                 .tokens = &j->rows,
                 .seq_len = bert_session_seq_len(j->session) };
    bert_status status = page ? report_write(&r, page, err) : BERT_OK;
    return status || !predictions ? status : predictions_write(&j->outcomes, j->data, threshold, predictions, err);
}

bert_status bert_session_evaluate(bert_session *session, const bert_dataset *dataset, const char *page,
                                  const char *predictions, bert_evaluation *evaluation, bert_err *err)
{
    judging j = { .session = session, .task = session->classifier.task, .data = dataset };
    *evaluation = (bert_evaluation){ 0 };
    if (!j.task)
        return session_no_head(session, err);
    size_t before = session_threads(session);
    session->classifier.data = dataset;
    bert_status s = targets_create(&j.truth, j.task, session->model, dataset, err);
    if (!s)
        s = (session->options.window ? judge_windows : judge_cut)(&j, err);
    if (!s)
        s = outcomes_metrics(&j.outcomes, session->threshold, &evaluation->metrics, err);
    if (!s)
        s = baseline_create(&evaluation->baseline, session->model, j.task, &j.truth, err);
    if (!s)
        baseline_compare(&evaluation->baseline, &evaluation->metrics, metric_by_name(j.task->watch));
    evaluation->pairs = dataset_pairs(dataset);
    evaluation->truncated = j.truncated;
    evaluation->cut_words = j.outcomes.unseen;
    if (!s)
        s = write_pages(&j, evaluation, page, predictions, err);
    outcomes_free(&j.outcomes);
    token_rows_free(&j.rows);
    targets_free(&j.truth);
    session->classifier.data = NULL;
    threads_allow(before);
    return s;
}

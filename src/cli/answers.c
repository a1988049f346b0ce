/* A run of embed or predict. */
#include "cli/answers.h"
#include "cli/messages.h"
#include "cli/open_model.h"
#include "cli/record.h"

#include <stdlib.h>

static bert_status compute_answers(void *context, row_chunk *c, bert_err *err)
{
    answers *a = context;
    size_t n = c->rows.n;
    for (size_t i = 0; i < n; i++)
        a->pairs += rows_is_pair(&c->rows, i);
    bert_status s = a->compute(a, c, err);
    if (s && c->rows.n == n)
        c->rows.n = 0;
    return s;
}

static int answer_rows(answers *a, const command *c, const char *file,
                       void (*note)(const bert_model *model, size_t pairs, size_t n))
{
    const answer_options *o = a->options;
    size_t n;
    char *record = NULL;
    if (o->output && record_make(c, o, a->model, a->session, &record))
        return STATUS_FAILED;
    pipeline_target target = { .path = o->output,
                               .form = o->format == BERT_ANSWER_NUMBERS ? OUTPUT_NPY : OUTPUT_LINES,
                               .cols = a->work.numbers,
                               .resume = o->resume,
                               .force = o->force,
                               .record = record };
    int status = pipeline_run(file, &o->rows, &a->work, &target, &n);
    note(a->model, a->pairs, n);
    model_note_truncated(a->truncated, n, bert_session_seq_len(a->session), o->session.window != 0);
    free(record);
    return status;
}

int answers_run(const command *c, const answer_options *options, const char *file, int (*prepare)(answers *a),
                void (*note)(const bert_model *model, size_t pairs, size_t n))
{
    bert_model *model;
    bert_err err;
    int status = target_check(c, options->output, options->format == BERT_ANSWER_NUMBERS, options->resume);
    if (!status)
        status = model_open_verified(options->model, options->verify, &model);
    if (status)
        return status;
    answers a = { .options = options, .model = model, .work = { .context = &a, .compute = compute_answers } };
    status = bert_session_create(model, &options->session, &a.session, &err) ? report_failure(&err) : prepare(&a);
    if (!status)
        status = answer_rows(&a, c, file, note);
    bert_session_free(a.session);
    bert_model_free(model);
    return status;
}

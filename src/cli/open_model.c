/* -m: opening what a command works on. */
#include "cli/open_model.h"
#include "cli/command.h"
#include "cli/messages.h"

const char *const NOT_OF_PREDICTION[] = { "pooling", "normalize", NULL };

int model_open(const char *path, bert_model **model)
{
    bert_err err;
    if (bert_model_load(path, model, &err))
        return report_failure(&err);
    if (bert_model_note(*model))
        report_note("%s", bert_model_note(*model));
    return STATUS_FINE;
}

int model_open_verified(const char *path, bool verify, bert_model **model)
{
    bert_err err;
    *model = NULL;
    return verify && bert_verify(path, &err) ? report_failure(&err) : model_open(path, model);
}

bool model_predicts(const bert_model *model, const char *path)
{
    bool predicts = bert_model_task(model) != BERT_TASK_AUTO;
    if (!predicts)
        report_error("%s: a module has no head and predicts nothing; bert train makes a model from it", path);
    return predicts;
}

static void note_texts(int texts, const char *results, size_t pairs, size_t n)
{
    if (texts == 2 && pairs < n)
        report_note("the model was trained on pairs of texts, and %zu of %zu rows have no second text: its %s for them "
                    "mean little (--text-columns FIRST,SECOND; in a .txt FIRST ||| SECOND)",
                    n - pairs, n, results);
    if (texts == 1 && pairs)
        report_note("the model was trained on single texts, and %zu of %zu rows have two: its %s for them mean little "
                    "(--text-columns NAME chooses one)",
                    pairs, n, results);
}

void model_note_texts(const bert_model *model, size_t pairs, size_t n)
{
    note_texts(bert_model_texts(model), "answers", pairs, n);
}

void model_note_vectors(const bert_model *model, size_t pairs, size_t n)
{
    note_texts(bert_task_facts_of(bert_model_task(model)).compares ? 1 : bert_model_texts(model), "vectors", pairs, n);
}

void model_note_truncated(size_t truncated, size_t n, size_t seq_len, bool windows)
{
    if (truncated && windows)
        report_note(
            "of %zu of %zu pairs the first text was cut, to fit into windows of %zu tokens with the second (--window)",
            truncated, n, seq_len);
    else if (truncated)
        report_note("%zu of %zu texts were cut to %zu tokens (--seq-len; --window reads all of a text)", truncated, n,
                    seq_len);
}

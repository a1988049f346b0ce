/* A prediction in words. JSON: an object a text. TSV: a line a text; of entities a line each, the row first. */
#include "cli/answers.h"

#include <string.h>

struct answer_form {
    bert_task task;
    void (*json)(const answers *a, const float *scores, results *out); /* members of an object */
    void (*tsv)(const answers *a, const float *scores, results *out);
};

static void put_label(const answers *a, size_t k, results *out)
{
    results_json_string(out, a->labels[k], strlen(a->labels[k]));
}

/* , "scores": {"0": 0.2, "1": 0.8} */
static void put_scores(const answers *a, const float *scores, results *out)
{
    results_string(out, ", \"scores\": {");
    for (size_t k = 0; k < a->K; k++) {
        results_string(out, k ? ", " : "");
        put_label(a, k, out);
        results_string(out, ": ");
        results_number(out, (double)scores[k]);
    }
    results_string(out, "}");
}

/* ---- one label ---------------------------------------------------------------------------------------------------------- */

/* Two labels: the second one from the threshold on. More: the likeliest. */
static size_t label_of(const answers *a, const float *scores)
{
    if (a->form->task == BERT_TASK_BINARY)
        return (double)scores[1] >= a->threshold;
    size_t best = 0;
    for (size_t k = 1; k < a->K; k++)
        if (scores[k] > scores[best])
            best = k;
    return best;
}

static void label_json(const answers *a, const float *scores, results *out)
{
    size_t k = label_of(a, scores);
    results_string(out, "\"label\": ");
    put_label(a, k, out);
    results_string(out, ", \"score\": ");
    results_number(out, (double)scores[k]);
    put_scores(a, scores, out);
}

static void field_tsv(const char *word, results *out)
{
    results_tsv(out, word, strlen(word));
}

static void label_tsv(const answers *a, const float *scores, results *out)
{
    size_t k = label_of(a, scores);
    field_tsv(a->labels[k], out);
    results_string(out, "\t");
    results_number(out, (double)scores[k]);
}

/* ---- any number of labels ----------------------------------------------------------------------------------------------- */

static void labels_json(const answers *a, const float *scores, results *out)
{
    results_string(out, "\"labels\": [");
    for (size_t k = 0, n = 0; k < a->K; k++)
        if ((double)scores[k] >= a->threshold) {
            results_string(out, n++ ? ", " : "");
            put_label(a, k, out);
        }
    results_string(out, "]");
    put_scores(a, scores, out);
}

/* "red,green\t0.9,0.7" */
static void labels_tsv(const answers *a, const float *scores, results *out)
{
    for (int column = 0; column < 2; column++) {
        results_string(out, column ? "\t" : "");
        for (size_t k = 0, n = 0; k < a->K; k++) {
            if ((double)scores[k] < a->threshold)
                continue;
            results_string(out, n++ ? "," : "");
            if (column)
                results_number(out, (double)scores[k]);
            else
                field_tsv(a->labels[k], out);
        }
    }
}

/* ---- a value ------------------------------------------------------------------------------------------------------------ */

static void value_tsv(const answers *a, const float *scores, results *out)
{
    (void)a;
    results_number(out, (double)scores[0]);
}

static void value_json(const answers *a, const float *scores, results *out)
{
    results_string(out, "\"value\": ");
    value_tsv(a, scores, out);
}

/* ---- entities ----------------------------------------------------------------------------------------------------------- */

static void entity_json(const bert_entity *e, bert_text text, results *out)
{
    results_string(out, "{\"label\": ");
    results_json_string(out, e->label, strlen(e->label));
    results_printf(out, ", \"start\": %zu, \"end\": %zu, \"text\": ", e->char_start, e->char_end);
    results_json_string(out, text.data + e->byte_start, e->byte_end - e->byte_start);
    results_string(out, ", \"score\": ");
    results_number(out, e->score);
    results_string(out, "}");
}

/* "3\tLOC\t10\t15\t0.99\tParis" */
static void entity_tsv(const bert_entity *e, bert_text text, size_t row, results *out)
{
    results_printf(out, "%zu\t", row);
    field_tsv(e->label, out);
    results_printf(out, "\t%zu\t%zu\t", e->char_start, e->char_end);
    results_number(out, e->score);
    results_string(out, "\t");
    results_tsv(out, text.data + e->byte_start, e->byte_end - e->byte_start);
    results_string(out, "\n");
}

void answers_entities(const answers *a, const bert_entity *entities, size_t n, bert_text text, size_t row, results *out)
{
    results_string(out, a->tsv ? "" : "{\"entities\": [");
    for (size_t i = 0; i < n; i++) {
        results_string(out, !a->tsv && i ? ", " : "");
        if (a->tsv)
            entity_tsv(&entities[i], text, row, out);
        else
            entity_json(&entities[i], text, out);
    }
    results_string(out, a->tsv ? "" : "]}\n");
}

/* ---- by task ------------------------------------------------------------------------------------------------------------ */

static const answer_form FORMS[] = {
    { BERT_TASK_BINARY, label_json, label_tsv },       { BERT_TASK_MULTICLASS, label_json, label_tsv },
    { BERT_TASK_MULTILABEL, labels_json, labels_tsv }, { BERT_TASK_REGRESSION, value_json, value_tsv },
    { BERT_TASK_SIMILARITY, value_json, value_tsv },   { BERT_TASK_TOKENS, NULL, NULL },
};

bool answers_open(answers *a, const bert_model *model, const bert_session *session, bool tsv)
{
    *a = (answers){ .threshold = bert_model_threshold(model), .tsv = tsv };
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++)
        if (FORMS[i].task == bert_model_task(model))
            a->form = &FORMS[i];
    if (!a->form)
        return false;
    a->K = bert_model_labels(model, &a->labels);
    a->columns = bert_session_outputs(session);
    return true;
}

void answers_scores(const answers *a, const float *scores, results *out)
{
    results_string(out, a->tsv ? "" : "{");
    (a->tsv ? a->form->tsv : a->form->json)(a, scores, out);
    results_string(out, a->tsv ? "\n" : "}\n");
}

/* Predictions of whole texts: each kind of label says how. */
#include "base/fields.h"
#include "session/session.h"

void bert_scores_write(bert_buffer *out, const bert_session *session, const float *scores, size_t n,
                       bert_answer_format format)
{
    const task *t = session->classifier.task;
    size_t columns = bert_session_outputs(session);
    bool tsv = format == BERT_ANSWER_TSV;
    if (format == BERT_ANSWER_NUMBERS)
        buffer_add(out, scores, n * columns * sizeof *scores);
    for (size_t i = 0; format != BERT_ANSWER_NUMBERS && columns && i < n; i++) {
        buffer_string(out, tsv ? "" : "{");
        (tsv ? t->kind->answer_tsv : t->kind->answer_json)(out, t, session->model, scores + i * columns,
                                                           session->threshold);
        buffer_string(out, tsv ? "\n" : "}\n");
    }
}

/* What a model of tokens finds: tags of words to stretches of a text. */
#include "base/size.h"
#include "base/utf8.h"
#include "session/session.h"
#include "task/label_words.h"
#include "base/words.h"

#include <stdlib.h>

/* The words of one text while its entities are found. */
typedef struct tagged_text {
    bert_session *session;
    size_t number; /* of the text in the call */
    bert_text text;
    int32_t *tags;        /* (n) */
    float *probabilities; /* (n) of those tags */
    size_t *start, *end;  /* (n) bytes */
    size_t n;
    size_t byte, character; /* a place that was counted already */
    bool failed;
} tagged_text;

/* The code points before a byte; bytes are asked for in their order. */
static size_t characters_before(tagged_text *t, size_t byte)
{
    uint32_t character;
    while (t->byte < byte) {
        size_t step = utf8_decode((const unsigned char *)t->text.data + t->byte, t->text.size - t->byte, &character);
        t->character += step > 0;
        t->byte += step ? step : 1;
    }
    return t->character;
}

static void found_entity(void *context, size_t first, size_t last, const char *type)
{
    tagged_text *t = context;
    entity_list *list = &t->session->entities;
    double sum = 0;
    if (!ARRAY_HOLDS(list->items, list->capacity, list->n + 1)) {
        t->failed = true;
        return;
    }
    for (size_t i = first; i <= last; i++)
        sum += t->probabilities[i];
    bert_entity *e = &list->items[list->n++];
    *e = (bert_entity){ .text = t->number, .label = type, .byte_start = t->start[first], .byte_end = t->end[last] };
    e->char_start = characters_before(t, e->byte_start);
    e->char_end = characters_before(t, e->byte_end);
    e->score = sum / (double)(last - first + 1);
}

/* ---- words of a text that may stand in several rows -------------------------------------------------------------- */

/* How far a token stands from where its row was cut from the text; the text's own ends are no edge. */
static size_t depth_of(const text_rows *t, size_t row, size_t token)
{
    size_t left = row == t->first ? SIZE_MAX : token;
    size_t right = row + 1 == t->end ? SIZE_MAX : token_rows_length(t->rows, row) - 1 - token;
    return left < right ? left : right;
}

bert_status session_words_begin(bert_session *s, const token_rows *rows, text_rows *of, bert_err *err)
{
    arena_reset(&s->part);
    size_t columns = s->model->n_labels, words = 0;
    for (size_t k = 0; k < rows->start[rows->n]; k++)
        words += rows->words[k] >= 0;
    float *scores = arena_alloc_raw(&s->part, words * columns * sizeof *scores);
    *of = (text_rows){ .rows = rows, .scores = scores };
    return scores ? classifier_run(&s->classifier, rows, 0, rows->n, scores, err) : fail_memory(err, "entities");
}

bert_status session_words_next(bert_session *s, text_rows *of, size_t text, const float *const **words, size_t *n,
                               bert_err *err)
{
    const token_rows *rows = of->rows;
    for (of->first = of->end; of->end < rows->n && token_rows_text(rows, of->end) == text; of->end++) {
    }
    *n = 0;
    for (size_t k = rows->start[of->first]; k < rows->start[of->end]; k++)
        *n = rows->words[k] >= (int32_t)*n ? (size_t)rows->words[k] + 1 : *n;
    const float **best = arena_array(&s->part, *n, sizeof *best);
    size_t *depth = arena_array(&s->part, *n, sizeof *depth); /* how deep in its row a word stands */
    *words = best;
    if (!best || !depth)
        return fail_memory(err, "entities");
    for (size_t row = of->first; row < of->end; row++)
        for (size_t k = 0; k < token_rows_length(rows, row); k++) {
            int32_t word = rows->words[rows->start[row] + k];
            if (word < 0)
                continue;
            size_t here = depth_of(of, row, k);
            if (here > depth[word]) {
                depth[word] = here;
                best[word] = of->scores;
            }
            of->scores += s->model->n_labels;
        }
    return BERT_OK;
}

/* ---- entities ---------------------------------------------------------------------------------------------------- */

/* Places and tags of the words up to the last one that has a token; one without is outside. */
static bool tag_words(tagged_text *t, const float *const *words)
{
    const bert_model *m = t->session->model;
    arena *a = &t->session->part;
    size_t outside = 0;
    t->tags = arena_array(a, t->n, sizeof *t->tags);
    t->probabilities = arena_array(a, t->n, sizeof *t->probabilities);
    t->start = arena_array(a, t->n, sizeof *t->start);
    t->end = arena_array(a, t->n, sizeof *t->end);
    if (!t->tags || !t->probabilities || !t->start || !t->end)
        return false;
    for (size_t k = 0; k < m->n_labels; k++)
        outside = tag_is_outside(m->labels[k]) ? k : outside;
    for (size_t i = 0, at = 0; i < t->n && word_next(t->text, &at, &t->start[i], &t->end[i]); i++) {
        size_t tag = words[i] ? best_label(words[i], m->n_labels) : outside;
        t->tags[i] = (int32_t)tag;
        t->probabilities[i] = words[i] ? words[i][tag] : 0;
    }
    return true;
}

/* Entities of a part of the texts, the first of which is number `first` of the call. */
static bert_status find_in_part(bert_session *s, const bert_text *texts, size_t first, size_t n, const token_rows *rows,
                                bert_err *err)
{
    text_rows of;
    bert_status status = session_words_begin(s, rows, &of, err);
    for (size_t i = 0; !status && i < n; i++) {
        const float *const *words;
        tagged_text t = { .session = s, .number = first + i, .text = texts[first + i] };
        status = session_words_next(s, &of, i, &words, &t.n, err);
        t.failed = !status && !tag_words(&t, words);
        if (!status && !t.failed)
            entities_find(s->model->labels, t.tags, t.n, found_entity, &t);
        if (t.failed)
            status = fail_memory(err, "entities");
    }
    return status;
}

bert_status bert_session_entities(bert_session *session, const bert_text *texts, size_t n, const bert_entity **entities,
                                  size_t *n_entities, size_t *truncated, bert_err *err)
{
    const task *t = session->classifier.task;
    *entities = NULL;
    *n_entities = 0;
    if (!t)
        return session_no_head(session, err);
    if (t->form != ROW_WORDS)
        return fail(err, BERT_ERR_ARGUMENT, "a model of task %s finds no entities; ask for its scores", t->name);
    bert_status s = BERT_OK;
    size_t before = session_threads(session);
    session->entities.n = 0;
    for (size_t i = 0; !s && i < n; i += SESSION_PART) {
        const token_rows *rows;
        s = session_tokenise(session, texts + i, NULL, i, session_part(n - i), t->form, &rows, truncated, err);
        if (!s)
            s = find_in_part(session, texts, i, session_part(n - i), rows, err);
    }
    threads_allow(before);
    if (s)
        return s;
    *entities = session->entities.items;
    *n_entities = session->entities.n;
    return BERT_OK;
}

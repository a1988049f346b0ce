/* What a model of tokens finds: tags of words to stretches of a text. */
#include "infer/session.h"
#include "task/label_words.h"
#include "text/utf8.h"
#include "text/words.h"

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

static bool grow(entity_list *list)
{
    size_t capacity = list->capacity ? 2 * list->capacity : 64;
    bert_entity *items = realloc(list->items, capacity * sizeof *items);
    if (items) {
        list->items = items;
        list->capacity = capacity;
    }
    return items;
}

static void add_entity(void *context, size_t first, size_t last, const char *type)
{
    tagged_text *t = context;
    entity_list *list = &t->session->entities;
    double sum = 0;
    if (list->n == list->capacity && !grow(list)) {
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

/* Tags the words up to the last one that has a token. scores: those of the text's tokens that begin a word; returns what follows them. */
static const float *tag_words(tagged_text *t, const int32_t *word, size_t n_tok, const float *scores, arena *a, bert_err *err)
{
    const bert_model *m = t->session->model;
    size_t columns = m->n_labels, most = 0, outside = 0;
    for (size_t k = 0; k < n_tok; k++)
        most = word[k] >= 0 ? (size_t)word[k] + 1 : most;
    t->n = most;
    t->tags = arena_array(a, most, sizeof *t->tags);
    t->probabilities = arena_array(a, most, sizeof *t->probabilities);
    t->start = arena_array(a, most, sizeof *t->start);
    t->end = arena_array(a, most, sizeof *t->end);
    if (!t->tags || !t->probabilities || !t->start || !t->end) {
        fail_memory(err, "entities");
        return NULL;
    }
    for (size_t k = 0; k < columns; k++)
        outside = tag_is_outside(m->labels[k]) ? k : outside;
    for (size_t i = 0, at = 0; i < most && word_next(t->text, &at, &t->start[i], &t->end[i]); i++)
        t->tags[i] = (int32_t)outside;
    for (size_t k = 0; k < n_tok; k++) {
        if (word[k] < 0)
            continue;
        size_t best = best_label(scores, columns);
        t->tags[word[k]] = (int32_t)best;
        t->probabilities[word[k]] = scores[best];
        scores += columns;
    }
    return scores;
}

/* Entities of a part of the texts, the first of which is number `first` of the call. */
static bert_status find_in_part(bert_session *s, const bert_text *texts, size_t first, size_t n, const token_rows *rows, bert_err *err)
{
    arena *a = &s->words;
    arena_reset(a);
    size_t columns = s->model->n_labels, words = 0;
    for (size_t k = 0; k < rows->start[n]; k++)
        words += rows->words[k] >= 0;
    float *scores = arena_alloc_raw(a, words * columns * sizeof *scores);
    bert_status status = scores ? classifier_run(&s->classifier, rows, 0, n, scores, err) : fail_memory(err, "entities");
    const float *at = scores;
    for (size_t i = 0; !status && i < n; i++) {
        tagged_text t = { .session = s, .number = first + i, .text = texts[first + i] };
        at = tag_words(&t, rows->words + rows->start[i], token_rows_length(rows, i), at, a, err);
        if (!at)
            return BERT_ERR_MEMORY;
        entities_find(s->model->labels, t.tags, t.n, add_entity, &t);
        if (t.failed)
            status = fail_memory(err, "entities");
    }
    return status;
}

bert_status bert_session_entities(bert_session *session, const bert_text *texts, size_t n, const bert_entity **entities, size_t *n_entities,
                                  size_t *truncated, bert_err *err)
{
    const task *t = session->classifier.task;
    *entities = NULL;
    *n_entities = 0;
    if (!t)
        return session_no_head(session, err);
    if (t->label != LABEL_TAGS)
        return fail(err, BERT_ERR_ARGUMENT, "a model of task %s finds no entities; ask for its scores", t->name);
    token_rows rows;
    bert_status s = BERT_OK;
    session->entities.n = 0;
    for (size_t i = 0; !s && i < n; i += TEXT_ENCODER_PART) {
        s = text_encoder_tokenise(&session->own, texts + i, NULL, session_part(n - i), t->form, &rows, truncated, err);
        if (!s)
            s = find_in_part(session, texts, i, session_part(n - i), &rows, err);
    }
    if (s)
        return s;
    *entities = session->entities.items;
    *n_entities = session->entities.n;
    return BERT_OK;
}

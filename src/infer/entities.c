/* What a model of tokens finds: tags of words to stretches of a text. */
#include "base/utf8.h"
#include "infer/session.h"
#include "task/label_words.h"
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

/* The rows of one text. */
typedef struct text_rows {
    const token_rows *rows;
    size_t first, end;
} text_rows;

/* How far a token stands from where its row was cut from the text; the text's own ends are no edge. */
static size_t depth_of(const text_rows *t, size_t row, size_t token)
{
    size_t left = row == t->first ? SIZE_MAX : token;
    size_t right = row + 1 == t->end ? SIZE_MAX : token_rows_length(t->rows, row) - 1 - token;
    return left < right ? left : right;
}

/* Makes room for the words up to the last one that has a token; all are outside so far. depth (n): how deep in its row a word stands. */
static bool begin_words(tagged_text *t, const text_rows *of, size_t **depth, arena *a)
{
    const bert_model *m = t->session->model;
    const token_rows *rows = of->rows;
    size_t outside = 0;
    t->n = 0;
    for (size_t k = rows->start[of->first]; k < rows->start[of->end]; k++)
        t->n = rows->words[k] >= (int32_t)t->n ? (size_t)rows->words[k] + 1 : t->n;
    t->tags = arena_array(a, t->n, sizeof *t->tags);
    t->probabilities = arena_array(a, t->n, sizeof *t->probabilities);
    t->start = arena_array(a, t->n, sizeof *t->start);
    t->end = arena_array(a, t->n, sizeof *t->end);
    *depth = arena_array(a, t->n, sizeof **depth);
    if (!t->tags || !t->probabilities || !t->start || !t->end || !*depth)
        return false;
    for (size_t k = 0; k < m->n_labels; k++)
        outside = tag_is_outside(m->labels[k]) ? k : outside;
    for (size_t i = 0, at = 0; i < t->n && word_next(t->text, &at, &t->start[i], &t->end[i]); i++)
        t->tags[i] = (int32_t)outside;
    return true;
}

/* Tags the words, each from the row in which it stands deepest. scores: those of the rows' tokens that begin a word; returns what follows them,
 * NULL: out of memory. */
static const float *tag_words(tagged_text *t, const text_rows *of, const float *scores, arena *a)
{
    const token_rows *rows = of->rows;
    size_t columns = t->session->model->n_labels, *depth;
    if (!begin_words(t, of, &depth, a))
        return NULL;
    for (size_t row = of->first; row < of->end; row++)
        for (size_t k = 0; k < token_rows_length(rows, row); k++) {
            int32_t word = rows->words[rows->start[row] + k];
            if (word < 0)
                continue;
            size_t best = best_label(scores, columns), here = depth_of(of, row, k);
            if (here > depth[word]) {
                depth[word] = here;
                t->tags[word] = (int32_t)best;
                t->probabilities[word] = scores[best];
            }
            scores += columns;
        }
    return scores;
}

/* Entities of a part of the texts, the first of which is number `first` of the call. */
static bert_status find_in_part(bert_session *s, const bert_text *texts, size_t first, size_t n, const token_rows *rows, bert_err *err)
{
    arena *a = &s->part;
    arena_reset(a);
    size_t columns = s->model->n_labels, words = 0;
    for (size_t k = 0; k < rows->start[rows->n]; k++)
        words += rows->words[k] >= 0;
    float *scores = arena_alloc_raw(a, words * columns * sizeof *scores);
    bert_status status = scores ? classifier_run(&s->classifier, rows, 0, rows->n, scores, err) : fail_memory(err, "entities");
    const float *at = scores;
    text_rows of = { .rows = rows };
    for (size_t i = 0; !status && i < n; i++) {
        tagged_text t = { .session = s, .number = first + i, .text = texts[first + i] };
        for (of.first = of.end; of.end < rows->n && token_rows_text(rows, of.end) == i; of.end++) {
        }
        at = tag_words(&t, &of, at, a);
        if (at)
            entities_find(s->model->labels, t.tags, t.n, add_entity, &t);
        if (!at || t.failed)
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
    bert_status s = BERT_OK;
    int before = session_begin(session);
    session->entities.n = 0;
    for (size_t i = 0; !s && i < n; i += TEXT_ENCODER_PART) {
        const token_rows *rows;
        s = text_encoder_tokenise(&session->texts, texts + i, NULL, i, session_part(n - i), t->form, &rows, truncated, err);
        if (!s)
            s = find_in_part(session, texts, i, session_part(n - i), rows, err);
    }
    session_end(session, before);
    if (s)
        return s;
    *entities = session->entities.items;
    *n_entities = session->entities.n;
    return BERT_OK;
}

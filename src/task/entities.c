/* Entities in rows of tags. An entity begins at "B-", at an "I-" behind nothing, and at an "I-" of another type; it goes on as long as "I-" of
 * its type follow. So does seqeval in its default mode, after conlleval. */
#include "task/entities.h"

#include "task/label_words.h"

#include <string.h>

static const char *type_of(const char *tag)
{
    return tag + 2;
}

void entities_find(const char *const *labels, const int32_t *tags, size_t n,
                   void (*found)(void *context, size_t first, size_t last, const char *type), void *context)
{
    const char *open = NULL; /* the type of the entity that began at first */
    size_t first = 0;
    for (size_t i = 0; i <= n; i++) {
        const char *tag = i < n ? labels[tags[i]] : "O";
        bool outside = tag_is_outside(tag), begins = !outside && (tag[0] == 'B' || !open || strcmp(type_of(tag), open));
        if (open && (outside || begins))
            found(context, first, i - 1, open);
        if (begins) {
            first = i;
            open = type_of(tag);
        } else if (outside)
            open = NULL;
    }
}

/* ---- counting --------------------------------------------------------------------------------------------------------------- */

typedef struct entity {
    size_t first, last;
    const char *type;
} entity;

/* The entities of one row; room for one a word. */
typedef struct entity_list {
    entity *items;
    size_t n;
} entity_list;

static void add(void *context, size_t first, size_t last, const char *type)
{
    entity_list *list = context;
    list->items[list->n++] = (entity){ first, last, type };
}

/* The first label of a type. */
static size_t label_of(const bert_model *m, const char *type)
{
    size_t k = 0;
    while (tag_is_outside(m->labels[k]) || strcmp(type_of(m->labels[k]), type))
        k++;
    return k;
}

/* Both lists are in the order of their words, and no two of one list overlap. */
static void count_row(counts *c, const bert_model *m, const entity_list *predicted, const entity_list *actual)
{
    for (size_t i = 0; i < predicted->n; i++)
        c->labels[label_of(m, predicted->items[i].type)].predicted++;
    for (size_t i = 0, p = 0; i < actual->n; i++) {
        const entity *e = &actual->items[i];
        hits *h = &c->labels[label_of(m, e->type)];
        h->actual++;
        while (p < predicted->n && predicted->items[p].first < e->first)
            p++;
        if (p < predicted->n && predicted->items[p].first == e->first && predicted->items[p].last == e->last)
            h->right += !strcmp(predicted->items[p].type, e->type);
    }
}

bert_status entities_count(const outcomes *o, counts *c, size_t *types, arena *a, bert_err *err)
{
    const targets *t = o->truth;
    size_t longest = 0;
    for (size_t i = 0; i < t->n; i++)
        longest = t->start[i + 1] - t->start[i] > longest ? t->start[i + 1] - t->start[i] : longest;
    int32_t *tags = arena_array(a, longest, sizeof *tags);
    entity_list predicted = { .items = arena_array(a, longest, sizeof(entity)) }, actual = { .items = arena_array(a, longest, sizeof(entity)) };
    if (!tags || !predicted.items || !actual.items)
        return fail_memory(err, "metrics");
    for (size_t i = 0; i < t->n; i++) {
        size_t first = t->start[i], n = t->start[i + 1] - first;
        for (size_t k = 0; k < n; k++)
            tags[k] = (int32_t)outcome_label(o, first + k, 0);
        predicted.n = actual.n = 0;
        entities_find(o->model->labels, tags, n, add, &predicted);
        entities_find(o->model->labels, t->ids + first, n, add, &actual);
        count_row(c, o->model, &predicted, &actual);
    }
    *types = 0;
    for (size_t k = 0; k < c->n_labels; k++)
        *types += !tag_is_outside(o->model->labels[k]) && label_of(o->model, type_of(o->model->labels[k])) == k;
    return BERT_OK;
}

/* Entities in rows of tags. An entity begins at "B-", at an "I-" behind nothing, and at an "I-" of another type; it
 * goes on as long as "I-" of its type follow. So does seqeval in its default mode, after conlleval. */
#include "task/entities.h"

#include "task/label_words.h"

#include <string.h>

static const char *entities_type_of(const char *tag)
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
        bool outside = tag_is_outside(tag),
             begins = !outside && (tag[0] == 'B' || !open || strcmp(entities_type_of(tag), open));
        if (open && (outside || begins))
            found(context, first, i - 1, open);
        if (begins) {
            first = i;
            open = entities_type_of(tag);
        } else if (outside)
            open = NULL;
    }
}

/* ---- counting ---------------------------------------------------------------------------------------------------- */

typedef struct entity {
    size_t first, last;
    size_t type; /* the first label of it */
} entity;

/* The entities of one row; room for one a word. */
typedef struct entity_run {
    const size_t *types; /* (labels) the first label of each one's type */
    const int32_t *tags; /* of the row */
    entity *items;
    size_t n;
} entity_run;

static void entities_add(void *context, size_t first, size_t last, const char *type)
{
    entity_run *list = context;
    (void)type;
    list->items[list->n++] = (entity){ first, last, list->types[list->tags[first]] };
}

/* The first label of each one's type, and how many types there are. NULL: memory is out. */
static const size_t *find_types(const bert_model *m, size_t *n, arena *a)
{
    word_set set = { 0 };
    size_t *types = arena_array(a, m->n_labels, sizeof *types), *first = arena_array(a, m->n_labels, sizeof *first);
    bool fine = types && first;
    for (size_t k = 0; fine && k < m->n_labels; k++) {
        const char *type = entities_type_of(m->labels[k]);
        if (tag_is_outside(m->labels[k]))
            continue;
        bert_text word = { type, strlen(type) };
        int32_t known = word_set_find(&set, word);
        if (known < 0)
            first[set.n] = k;
        types[k] = known < 0 ? k : first[known];
        fine = known >= 0 || word_set_add(&set, word);
    }
    *n = set.n;
    word_set_free(&set);
    return fine ? types : NULL;
}

/* Both lists are in the order of their words, and no two of one list overlap. */
static void count_row(counts *c, const entity_run *predicted, const entity_run *actual)
{
    for (size_t i = 0; i < predicted->n; i++)
        c->labels[predicted->items[i].type].predicted++;
    for (size_t i = 0, p = 0; i < actual->n; i++) {
        const entity *e = &actual->items[i];
        hits *h = &c->labels[e->type];
        h->actual++;
        while (p < predicted->n && predicted->items[p].first < e->first)
            p++;
        if (p < predicted->n && predicted->items[p].first == e->first && predicted->items[p].last == e->last)
            h->right += predicted->items[p].type == e->type;
    }
}

bert_status entities_count(const outcomes *o, counts *c, size_t *types, arena *a, bert_err *err)
{
    const targets *t = o->truth;
    size_t longest = 0;
    for (size_t i = 0; i < t->n; i++)
        longest = t->start[i + 1] - t->start[i] > longest ? t->start[i + 1] - t->start[i] : longest;
    const size_t *first_of = find_types(o->model, types, a);
    int32_t *tags = arena_array(a, longest, sizeof *tags);
    entity_run predicted = { first_of, tags, arena_array(a, longest, sizeof(entity)), 0 };
    entity_run actual = { first_of, NULL, arena_array(a, longest, sizeof(entity)), 0 };
    if (!first_of || !tags || !predicted.items || !actual.items)
        return fail_memory(err, "metrics");
    for (size_t i = 0; i < t->n; i++) {
        size_t first = t->start[i], n = t->start[i + 1] - first;
        for (size_t k = 0; k < n; k++)
            tags[k] = (int32_t)outcome_label(o, first + k, 0);
        actual.tags = t->ids + first;
        predicted.n = actual.n = 0;
        entities_find(o->model->labels, predicted.tags, n, entities_add, &predicted);
        entities_find(o->model->labels, actual.tags, n, entities_add, &actual);
        count_row(c, &predicted, &actual);
    }
    return BERT_OK;
}

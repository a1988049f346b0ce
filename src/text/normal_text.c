/* Memory is looked at once, in text_work.failed, by who began the work. */
#include "text/normal_text.h"

#include "base/size.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

bool normal_text_reserve(normal_text *t, size_t capacity, bool spans)
{
    if (capacity <= t->capacity && (t->end || !spans))
        return true;
    bool fine = capacity < UINT32_MAX;
    size_t larger = size_most(capacity + capacity / 2 + 64, t->capacity);
    if (!fine)
        return false;
    t->bytes = array_sized(t->bytes, larger, 1, &fine);
    if (spans || t->end) {
        t->start = array_sized(t->start, larger, sizeof *t->start, &fine);
        t->end = array_sized(t->end, larger, sizeof *t->end, &fine);
    }
    t->capacity = fine ? larger : t->capacity;
    return fine;
}

void normal_text_free(normal_text *t)
{
    free(t->bytes);
    free(t->start);
    free(t->end);
    *t = (normal_text){ 0 };
}

void text_work_free(text_work *w)
{
    normal_text_free(&w->text);
    normal_text_free(&w->next);
    free(w->pieces);
    free(w->next_pieces);
    free(w->changes);
    free(w->choices);
    *w = (text_work){ 0 };
}

bool text_is_ascii(const normal_text *t)
{
    unsigned char all = 0;
    for (size_t i = 0; i < t->size; i++)
        all |= t->bytes[i];
    return all < 0x80;
}

/* Each byte of sound UTF-8 stands where its character does. */
static void fill_places(normal_text *t, size_t from, size_t original)
{
    for (size_t i = from; i < t->size;) {
        size_t length = character_size(t->bytes[i]);
        uint32_t start = (uint32_t)(original + (i - from)), end = start + (uint32_t)length;
        for (size_t k = 0; k < length; k++, i++) {
            t->start[i] = start;
            t->end[i] = end;
        }
    }
}

void text_work_begin(text_work *w, const unsigned char *original, size_t begin, size_t end, bool spans)
{
    normal_text *t = &w->text;
    w->spans = spans;
    w->refused = false;
    w->origin = (uint32_t)begin;
    w->n_pieces = w->dropped = 0;
    t->size = 0;
    w->failed = !normal_text_reserve(t, end - begin + 1, spans);
    while (!w->failed && begin < end) {
        size_t sound = utf8_sound(original + begin, end - begin), from = t->size;
        memcpy(t->bytes + from, original + begin, sound);
        t->size += sound;
        if (spans)
            fill_places(t, from, begin);
        w->dropped += begin + sound < end;
        begin += sound + 1; /* the byte behind is not UTF-8, or the end */
    }
}

/* ---- changes ----------------------------------------------------------------------------------------------------- */

void text_change_add(text_work *w, uint32_t cp, int32_t change)
{
    if (ARRAY_HOLDS(w->changes, w->changes_capacity, w->n_changes + 1))
        w->changes[w->n_changes++] = (text_change){ cp, change };
    else
        w->failed = true;
}

/* The place behind n characters from `at` on. */
static size_t skip_characters(const normal_text *t, size_t at, size_t n)
{
    while (n-- && at < t->size)
        at += character_size(t->bytes[at]);
    return at;
}

void text_change_apply(text_work *w, size_t removed)
{
    normal_text *t = &w->text, *to = &w->next;
    size_t at = skip_characters(t, 0, removed);
    w->failed = w->failed || !normal_text_reserve(to, 4 * w->n_changes + 1, w->spans);
    if (w->failed)
        return;
    to->size = 0;
    for (size_t i = 0; i < w->n_changes; i++) {
        const text_change *c = &w->changes[i];
        size_t length = utf8_encode(c->cp, to->bytes + to->size);
        if (w->spans) {
            size_t like = c->change > 0 ? at - 1 : size_least(at, t->size - 1);
            bool none = (c->change > 0 && !at) || !t->size;
            for (size_t k = 0; k < length; k++) {
                to->start[to->size + k] = none ? w->origin : t->start[like];
                to->end[to->size + k] = none ? w->origin : t->end[like];
            }
            if (c->change <= 0)
                at = skip_characters(t, at, 1 + (size_t)-c->change);
        }
        to->size += length;
    }
    next_end(w);
    w->n_changes = 0;
}

/* ---- the next text ----------------------------------------------------------------------------------------------- */

void next_begin(text_work *w, size_t capacity)
{
    w->failed = w->failed || !normal_text_reserve(&w->next, capacity, w->spans);
    w->next.size = 0;
}

void next_copy(text_work *w, size_t from, size_t to)
{
    normal_text *n = &w->next;
    size_t size = to - from;
    if (w->failed || !(normal_text_reserve(n, n->size + size, w->spans) || !(w->failed = true)))
        return;
    memcpy(n->bytes + n->size, w->text.bytes + from, size);
    if (w->spans) {
        memcpy(n->start + n->size, w->text.start + from, size * sizeof *n->start);
        memcpy(n->end + n->size, w->text.end + from, size * sizeof *n->end);
    }
    n->size += size;
}

void next_put(text_work *w, const char *bytes, size_t size, size_t like)
{
    normal_text *n = &w->next;
    if (w->failed || !(normal_text_reserve(n, n->size + size, w->spans) || !(w->failed = true)))
        return;
    memcpy(n->bytes + n->size, bytes, size);
    for (size_t i = 0; w->spans && i < size; i++) {
        n->start[n->size + i] = like == SIZE_MAX ? w->origin : w->text.start[like];
        n->end[n->size + i] = like == SIZE_MAX ? w->origin : w->text.end[like];
    }
    n->size += size;
}

void next_end(text_work *w)
{
    normal_text old = w->text;
    w->text = w->next;
    w->next = old;
}

/* ---- pieces ------------------------------------------------------------------------------------------------------ */

void piece_add(text_work *w, size_t start, size_t end)
{
    if (start == end)
        return;
    if (ARRAY_HOLDS(w->next_pieces, w->next_capacity, w->n_next + 1))
        w->next_pieces[w->n_next++] = (text_piece){ (uint32_t)start, (uint32_t)end };
    else
        w->failed = true;
}

void pieces_end(text_work *w)
{
    text_piece *old = w->pieces;
    size_t capacity = w->pieces_capacity;
    w->pieces = w->next_pieces;
    w->pieces_capacity = w->next_capacity;
    w->n_pieces = w->n_next;
    w->next_pieces = old;
    w->next_capacity = capacity;
    w->n_next = 0;
}

void pieces_begin(text_work *w, size_t start, size_t end)
{
    w->n_next = 0;
    piece_add(w, start, end);
    pieces_end(w);
}

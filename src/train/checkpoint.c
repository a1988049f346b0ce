/* Checkpoints: what is written is read back by name; numbers keep all their digits. */
#include "train/checkpoint.h"

#include "base/checksum.h"
#include "base/clock.h"
#include "formats/json.h"
#include "train/checkpoint_state.h"
#include "train/listeners.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TENSORS_A_SLOT = 3 }; /* the value, m, v */

/* ---- tensors ----------------------------------------------------------------------------------------------------- */

/* The three tensors of each slot of the optimiser, as they stand in a file. items: room for TENSORS_A_SLOT a slot. */
static bool name_tensors(tensor *items, const train_run *r, arena *a)
{
    static const char *const PREFIX[TENSORS_A_SLOT] = { "", "optimizer.m.", "optimizer.v." };
    const weight_list *w = &r->model->layer->weights;
    size_t n = weights_to_tensors(w, true, items);
    bool fine = n == r->optimizer->n_slots; /* both go through the list in its order */
    for (size_t i = 0; fine && i < n; i++) {
        const optimizer_slot *slot = &r->optimizer->slots[i];
        const float *data[TENSORS_A_SLOT] = { slot->value, slot->m, slot->v };
        for (size_t k = 1; k < TENSORS_A_SLOT; k++) {
            tensor *t = &items[k * n + i];
            *t = items[i];
            t->data = data[k];
            t->name = arena_printf(a, "%s%s", PREFIX[k], slot->name);
            fine &= t->name != NULL;
        }
    }
    return fine;
}

static uint32_t checksum(const tensor *items, size_t n)
{
    uint32_t crc = 0;
    for (size_t i = 0; i < n; i++)
        crc = crc32c(crc, items[i].data, items[i].n * sizeof(float));
    return crc;
}

/* The run's own tensors; *n of them. */
static bert_status run_tensors(const train_run *r, tensor **items, size_t *n, arena *a, bert_err *err)
{
    *n = r->optimizer->n_slots * TENSORS_A_SLOT;
    *items = arena_array(a, *n + r->model->layer->weights.n, sizeof **items);
    return *items && name_tensors(*items, r, a) ? BERT_OK : fail_memory(err, "a checkpoint");
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

bert_status checkpoint_write(const char *path, const train_run *r, const progress *p, const run_record *record,
                             bert_err *err)
{
    arena a = { 0 };
    tensor *items;
    size_t n;
    json_t *metadata = NULL;
    bert_status s = run_tensors(r, &items, &n, &a, err);
    json_t *state = s ? NULL : state_of_run(r, p, record, checksum(items, n));
    char *text = json_compact(state);
    if (!s && text)
        metadata = json_pack("{s:s, s:s, s:s}", "format", "pt", "libbert", "checkpoint", "state", text);
    if (!s)
        s = metadata ? safetensors_write(path, items, n, metadata, err) : fail_memory(err, "a checkpoint");
    json_decref(metadata);
    free(text);
    json_decref(state);
    arena_free(&a);
    return s;
}

static bert_status checkpoint_hear(void *self, train_loop *l, const train_event *e, bert_err *err)
{
    (void)self;
    if (e->told.kind != BERT_EVENT_CHECKPOINT && e->told.kind != BERT_EVENT_EPOCH)
        return BERT_OK;
    progress at = l->at;
    at.seconds += at.rows ? clock_seconds() - l->pace.began : 0;
    return checkpoint_write(l->saved.path, &l->run, &at, &l->record, err);
}

void checkpoint_listen(train_loop *l)
{
    loop_add(l, (listener){ .saves = true, .hear = checkpoint_hear });
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

bert_status checkpoint_open(checkpoint *c, const char *path, bert_err *err)
{
    json_t *metadata = NULL;
    *c = (checkpoint){ .path = path };
    bert_status s = safetensors_open(&c->tensors, path, &metadata, err);
    if (s)
        return s;
    const json_t *text = json_object_get(metadata, "state");
    if (!json_is_string(text))
        s = fail(err, BERT_ERR_FORMAT, "%s: is no checkpoint of a training run", path);
    else if ((s = json_read_bytes(&c->state, json_string_value(text), json_string_length(text), "state", err)))
        fail_in(err, s, "%s", path);
    else
        s = json_check_format(c->state, STATE_FORMAT, STATE_VERSION, path, err);
    json_decref(metadata);
    if (s)
        checkpoint_close(c);
    return s;
}

void checkpoint_close(checkpoint *c)
{
    tensors_close(&c->tensors);
    json_decref(c->state);
    *c = (checkpoint){ 0 };
}

bert_status checkpoint_check(const checkpoint *c, const train_run *r, bert_err *err)
{
    buffer differences = { 0 };
    state_differences(&differences, c->state, r);
    bert_status s = differences.failed ? fail_memory(err, "a checkpoint")
                    : differences.size ? fail(err, BERT_ERR_ARGUMENT, "%s: cannot go on: %s", c->path, differences.data)
                                       : BERT_OK;
    buffer_free(&differences);
    return s;
}

/* The file's tensors in the order of the run's own. */
static bert_status match_tensors(const checkpoint *c, const tensor *own, size_t n, tensor *found, bert_err *err)
{
    for (size_t i = 0; i < n; i++) {
        const tensor *t = tensors_find(&c->tensors, own[i].name);
        if (!t)
            return fail(err, BERT_ERR_FORMAT, "%s: tensor %s is absent", c->path, own[i].name);
        if (t->type != DTYPE_F32 || t->n != own[i].n)
            return fail(err, BERT_ERR_FORMAT, "%s: tensor %s has %zu numbers of type %s, expected %zu of F32", c->path,
                        t->name, t->n, dtype_name(t->type), own[i].n);
        found[i] = *t;
    }
    int64_t stored;
    bert_status s = json_get_int(c->state, "crc", 0, UINT32_MAX, &stored, c->path, err);
    if (!s && checksum(found, n) != (uint32_t)stored)
        s = fail(err, BERT_ERR_FORMAT, "%s: the tensors are damaged: their checksum is not %08x", c->path,
                 (unsigned)stored);
    return s;
}

/* A run saves no number that is not finite, but for a mean of squares that is too large for one; none of those is below
 * zero. */
static bert_status check_numbers(const checkpoint *c, const tensor *items, size_t n, bert_err *err)
{
    for (size_t i = 0; i < n; i++) {
        const float *x = (const float *)items[i].data;
        bool square = i / (n / TENSORS_A_SLOT) == 2;
        for (size_t k = 0; k < items[i].n; k++)
            if (square ? !(x[k] >= 0) : !isfinite(x[k]))
                return fail(err, BERT_ERR_FORMAT, "%s: tensor %s: number %zu is %g", c->path, items[i].name, k,
                            plain_nan(x[k]));
    }
    return BERT_OK;
}

bert_status checkpoint_restore(const checkpoint *c, train_run *r, progress *p, run_record *record, bert_err *err)
{
    arena a = { 0 };
    tensor *own;
    size_t n;
    bert_status s = run_tensors(r, &own, &n, &a, err);
    tensor *found = s ? NULL : arena_array(&a, n, sizeof *found);
    if (!s)
        s = found ? match_tensors(c, own, n, found, err) : fail_memory(err, "a checkpoint");
    if (!s)
        s = check_numbers(c, found, n, err);
    if (!s)
        s = state_to_run(c->state, c->path, r, p, record, err);
    size_t n_slots = r->optimizer->n_slots;
    for (size_t i = 0; !s && i < n_slots; i++) {
        const optimizer_slot *slot = &r->optimizer->slots[i];
        float *const values[TENSORS_A_SLOT] = { slot->value, slot->m, slot->v };
        for (size_t k = 0; k < TENSORS_A_SLOT; k++)
            memcpy(values[k], found[k * n_slots + i].data, slot->n * sizeof(float));
    }
    arena_free(&a);
    return s;
}

/* Snapshots of weights: made, found again, freed with their last user. */
#include "layers/snapshot.h"

#include <stdlib.h>
#include <string.h>

/* Whether training would change it under the snapshot. */
static bool may_change(const bert_layer *l, const bert_param *now)
{
    return now->value && layer_owns(l, now->value);
}

/* Whether the encoder's packed forms are a copy of it. */
static bool is_packed(const weight_list *list, size_t i)
{
    return weight_kind_of(list, i) == WEIGHT_MATRIX && weight_group_of(list, i) != GROUP_HEAD;
}

/* Copies what may change, one behind another in the order of the list: the biases of query, key and value stay side by
 * side. */
static bert_status copy_changing(layer_snapshot *s, const bert_layer *l, bert_err *err)
{
    weight_list *list = &s->weights;
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++)
        n += may_change(l, &list->items[i]) && !is_packed(list, i) ? weight_size(&list->items[i]) : 0;
    float *at = arena_alloc_raw(&s->memory, n * sizeof *at);
    if (!at)
        return fail_memory(err, "weights");
    for (size_t i = 0; i < list->n; i++) {
        bert_param *p = &list->items[i];
        if (!may_change(l, p) || is_packed(list, i))
            continue;
        p->value = memcpy(at, p->value, weight_size(p) * sizeof *at);
        at += weight_size(p);
    }
    return BERT_OK;
}

static bool linear_is_now(const linear *l, const bert_layer *layer)
{
    return !l->base.weight || !layer_owns(layer, l->base.weight) || dense_packed_is_now(&l->base);
}

/* Whether the snapshot is of the weights that the list has now. */
static bool is_of(const layer_snapshot *s, const weight_list *now, const bert_layer *l)
{
    const encoder *e = &s->encoder;
    if (e->precision != l->encoder.precision || s->weights.layers != now->layers || s->weights.pooler != now->pooler)
        return false;
    for (size_t i = 0; i < now->n; i++) {
        const bert_param *was = &s->weights.items[i], *is = &now->items[i];
        if (may_change(l, is) && !is_packed(now, i) ? memcmp(was->value, is->value, weight_size(is) * sizeof(float))
                                                    : was->value != is->value)
            return false;
    }
    bool same = linear_is_now(&e->pooler, l);
    for (size_t i = 0; same && i < e->n_layers * e->n_blocks; i++)
        for (size_t k = 0; same && k < e->blocks[i].n_linears; k++)
            same = linear_is_now(&e->blocks[i].linears[k], l);
    return same;
}

static void snapshot_free(layer_snapshot *s)
{
    encoder_unpack(&s->encoder);
    arena_free(&s->memory);
    free(s);
}

/* From the weights that it lists to what it is. */
static bert_status snapshot_complete(layer_snapshot *s, bert_layer *l, bert_err *err)
{
    bert_status status = copy_changing(s, l, err);
    if (!status)
        status = encoder_create(&s->encoder, &s->memory, l->encoder.ops, l->encoder.precision, &l->config, &s->weights,
                                s->weights.layers, err);
    return status ? status : encoder_pack(&s->encoder, &l->encoder, err);
}

/* One of the layer's, or a new one. */
static bert_status find_or_make(bert_layer *l, const output_request *r, layer_snapshot **snapshot, bert_err *err)
{
    layer_snapshot *made = calloc(1, sizeof *made), *found = l->snapshots;
    if (!made)
        return fail_memory(err, "weights");
    bert_status s = request_weights(r, l, &l->weights.head, &made->weights, &made->memory, err);
    if (!s && r->pooler && !weight_is_there(&made->weights, weight_at(&made->weights, POOLER_WEIGHT, 0)))
        s = fail(err, BERT_ERR_ARGUMENT, "pooling cls: the module has no pooler; take another pooling");
    while (!s && found && !is_of(found, &made->weights, l))
        found = found->next;
    if (!s && !found)
        s = snapshot_complete(made, l, err);
    if (s || found)
        snapshot_free(made);
    if (s)
        return s;
    if (!found) {
        made->next = l->snapshots;
        l->snapshots = found = made;
    }
    found->users++;
    *snapshot = found;
    return BERT_OK;
}

bert_status layer_snapshot_take(bert_layer *l, const output_request *r, layer_snapshot **snapshot, bert_err *err)
{
    bert_status s = layer_ready(l, err);
    if (s)
        return s;
    pthread_mutex_lock(&l->lock);
    s = find_or_make(l, r, snapshot, err);
    pthread_mutex_unlock(&l->lock);
    return s;
}

void layer_snapshot_release(bert_layer *l, layer_snapshot *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&l->lock);
    if (--s->users == 0) {
        layer_snapshot **at = &l->snapshots;
        while (*at != s)
            at = &(*at)->next;
        *at = s->next;
        snapshot_free(s);
    }
    pthread_mutex_unlock(&l->lock);
}

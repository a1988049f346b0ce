/* Making a layer: which outputs, which layers, which weights are tuned. */
#include "layers/layer.h"

#include "base/buffer.h"
#include "base/options.h"
#include "base/random.h"
#include "formats/json_build.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- outputs ----------------------------------------------------------------------------------------------------- */

/* The layer whose tokens are pooled: seq_layer of the module's signature, or the last one kept where use_layers
 * cuts. */
static int sequence_layer(const bert_layer *l)
{
    return l->spec.use_layers ? (int)l->spec.use_layers - 1 : (int)l->module->seq_layer;
}

static int top_layer(const bert_layer *l)
{
    return (int)(l->spec.use_layers ? l->spec.use_layers : l->module->config.num_hidden_layers) - 1;
}

bert_status request_of_pooling(output_request *r, bert_pooling pooling, const bert_layer *l, bert_err *err)
{
    static const pool_kind KINDS[] = { [BERT_POOLING_CLS] = POOL_FIRST,
                                       [BERT_POOLING_CLS_RAW] = POOL_FIRST,
                                       [BERT_POOLING_MEAN] = POOL_MEAN,
                                       [BERT_POOLING_MAX] = POOL_MAX,
                                       [BERT_POOLING_SQRT_MEAN] = POOL_SQRT_MEAN };
    if (pooling <= BERT_POOLING_AUTO || pooling > BERT_POOLING_MAX)
        return fail(err, BERT_ERR_ARGUMENT, "pooling %d is none of bert_pooling", (int)pooling);
    *r = (output_request){ .name = "output", .layer = sequence_layer(l) };
    r->tokens = pooling == BERT_POOLING_NONE;
    r->pooler = pooling == BERT_POOLING_CLS;
    r->pool = KINDS[pooling];
    if (r->pooler)
        r->layer = top_layer(l);
    return BERT_OK;
}

bert_status request_weights(const output_request *r, const bert_layer *l, const head_shape *head, weight_list *list,
                            arena *a, bert_err *err)
{
    bert_status s = weights_create(list, a, &l->config, (size_t)(r->layer + 1), r->pooler, head, err);
    if (s)
        return s;
    weights_take(list, &l->weights);
    weights_take(list, &l->module->weights);
    return BERT_OK;
}

/* The number of "layer_11"; false where the word is no such name. */
static bool layer_by_name(const char *word, int *layer)
{
    size_t digits = strncmp(word, "layer_", 6) ? 0 : strspn(word + 6, "0123456789");
    if (digits == 0 || digits > 9 || word[6 + digits])
        return false;
    *layer = atoi(word + 6);
    return true;
}

bert_status request_parse(output_request *r, const char *name, size_t size, const bert_layer *l, bert_err *err)
{
    int layers = top_layer(l) + 1;
    char word[64];
    if (size >= sizeof word)
        return fail(err, BERT_ERR_ARGUMENT, "outputs: \"%.*s\" is no output", (int)size, name);
    memcpy(word, name, size);
    word[size] = 0;
    *r = (output_request){ .tokens = true };
    if (!strcmp(word, "output"))
        return request_of_pooling(r, (bert_pooling)l->spec.pooling, l, err);
    if (!strcmp(word, "pooled_output"))
        return request_of_pooling(r, BERT_POOLING_CLS, l, err);
    if (!strcmp(word, "sequence_output"))
        r->layer = sequence_layer(l);
    else if (!strcmp(word, "token_output"))
        r->layer = (int)l->module->tok_layer;
    else if (!strcmp(word, "embedding_output"))
        r->layer = -1;
    else if (!layer_by_name(word, &r->layer))
        return fail(err, BERT_ERR_ARGUMENT,
                    "outputs: \"%s\" is none of output, pooled_output, sequence_output, token_output, "
                    "embedding_output, layer_0 to layer_%d",
                    word, layers - 1);
    if (r->layer >= layers)
        return fail(err, BERT_ERR_ARGUMENT, "outputs: %s is of layer %d, the layers that are used are 0 to %d", word,
                    r->layer, layers - 1);
    return BERT_OK;
}

static bert_status parse_outputs(bert_layer *l, bert_err *err)
{
    const char *p = l->spec.outputs;
    size_t most = 1;
    for (const char *c = p; *c; c++)
        most += *c == ',';
    l->requests = arena_array(&l->memory, most, sizeof *l->requests);
    if (!l->requests)
        return fail_memory(err, "a layer's outputs");
    bert_status s = BERT_OK;
    while (!s && *p) {
        size_t n = strcspn(p, ",");
        output_request *r = &l->requests[l->n_requests++];
        s = request_parse(r, p, n, l, err);
        r->name = arena_copy(&l->memory, p, n);
        if (!s && !r->name)
            s = fail_memory(err, "a layer's outputs");
        p += n + (p[n] == ',');
    }
    if (!s && !l->n_requests)
        s = fail(err, BERT_ERR_ARGUMENT, "outputs: none is named");
    return s;
}

/* ---- weights ----------------------------------------------------------------------------------------------------- */

static bool is_tuned(const bert_layer *l, size_t i)
{
    size_t layer = l->weights.places[i].layer, used = l->weights.layers;
    if (l->module->frozen)
        return false;
    switch (weight_group_of(&l->weights, i)) {
    case GROUP_EMBEDDINGS:
        return l->spec.tune_embeddings;
    case GROUP_LAYER:
        return layer + (size_t)l->spec.n_tune_layers >= used;
    default: /* pooler and head */
        return true;
    }
}

/* Weights that no module holds: BERT's own start for a pooler, Keras' Glorot uniform for a head; biases are zero. */
static void start_new(const bert_layer *l, float *value, size_t i, uint64_t seed)
{
    const bert_param *p = &l->weights.items[i];
    bool head = weight_group_of(&l->weights, i) == GROUP_HEAD;
    bool hidden = p == weight_at(&l->weights, HEAD_HIDDEN_WEIGHT, 0); /* far from the numbers of the last layer */
    random_stream r = { seed, head ? RANDOM_HEAD : RANDOM_POOLER, hidden ? (uint64_t)1 << 40 : 0 };
    if (weight_kind_of(&l->weights, i) == WEIGHT_BIAS)
        return;
    float limit = sqrtf(6.0f / (float)(p->rows + p->cols));
    for (size_t k = 0; k < weight_size(p); k++)
        value[k] = head ? random_uniform(&r, -limit, limit) : random_normal(&r) * (float)l->config.initializer_range;
}

/* The numbers have been copied. */
static void release_weight(const bert_module *m, const float *value, size_t n)
{
    for (size_t i = 0; i < m->tensors.n_files; i++)
        file_release(&m->tensors.files[i], value, n * sizeof *value);
}

/* Gives every tuned tensor its own value and gradient, each in one block in the order of the list. */
static bert_status own_tuned(bert_layer *l, uint64_t seed, bool *new_pooler, bert_err *err)
{
    for (size_t i = 0; i < l->weights.n; i++)
        if (is_tuned(l, i))
            l->n_tuned += weight_size(&l->weights.items[i]);
    l->values = arena_array(&l->memory, l->n_tuned, sizeof *l->values);
    l->grads = arena_array(&l->memory, l->n_tuned, sizeof *l->grads);
    if (!l->values || !l->grads)
        return fail_memory(err, "a layer's weights");
    const bert_param *pooler = weight_at(&l->weights, POOLER_WEIGHT, 0);
    if (new_pooler)
        *new_pooler = pooler && !weight_is_there(&l->weights, pooler);
    size_t at = 0;
    for (size_t i = 0; i < l->weights.n; i++) {
        bert_param *p = &l->weights.items[i];
        if (!is_tuned(l, i))
            continue;
        p->tuned = l->values + at;
        p->grad = l->grads + at;
        if (p->value) {
            memcpy(p->tuned, p->value, weight_size(p) * sizeof *p->tuned);
            release_weight(l->module, p->value, weight_size(p));
        } else
            start_new(l, p->tuned, i, seed);
        at += weight_size(p);
    }
    for (size_t i = 0; i < l->weights.n; i++)
        if (l->weights.items[i].tuned)
            l->weights.items[i].value = l->weights.items[i].tuned;
    return BERT_OK;
}

/* The lowest layer that a gradient must reach. */
static size_t lowest_tuned(const bert_layer *l)
{
    size_t used = l->weights.layers, n = (size_t)l->spec.n_tune_layers;
    return l->spec.tune_embeddings ? 0 : n >= used ? 0 : used - n;
}

/* ---- the layer --------------------------------------------------------------------------------------------------- */

static bert_status check_spec(bert_layer *l, bert_err *err)
{
    const config *c = &l->module->config;
    bert_layer_spec *s = &l->spec;
    bert_status status = options_check(s, bert_layer_option_table(), err);
    if (status)
        return status;
    if (!s->seq_len)
        s->seq_len = config_positions(c) < LAYER_SEQ_LEN ? config_positions(c) : LAYER_SEQ_LEN;
    int64_t least = (int64_t)special_count(module_specials(l->module), true);
    if (s->seq_len < least || s->seq_len > config_positions(c))
        return fail(err, BERT_ERR_ARGUMENT, "seq_len %lld: from %lld to the module's %lld positions",
                    (long long)s->seq_len, (long long)least, (long long)config_positions(c));
    status = s->do_preprocessing ? module_check_texts(l->module, err) : BERT_OK;
    if (status)
        return status;
    if (s->use_layers > c->num_hidden_layers)
        return fail(err, BERT_ERR_ARGUMENT, "use_layers %lld: the module has %lld layers", (long long)s->use_layers,
                    (long long)c->num_hidden_layers);
    int64_t used = s->use_layers ? s->use_layers : c->num_hidden_layers;
    if (s->n_tune_layers > used)
        return fail(err, BERT_ERR_ARGUMENT, "n_tune_layers %lld: %lld layers are used", (long long)s->n_tune_layers,
                    (long long)used);
    if (s->pooling == BERT_POOLING_AUTO)
        s->pooling = l->module->weights.pooler ? BERT_POOLING_CLS : BERT_POOLING_MEAN;
    s->outputs = arena_string(&l->memory, s->outputs ? s->outputs : "output");
    s->module = s->module || l->module->path ? arena_string(&l->memory, s->module ? s->module : l->module->path) : NULL;
    return s->outputs ? BERT_OK : fail_memory(err, "a layer");
}

/* How many layers the outputs and a head need, and whether one needs the pooler. */
static size_t layers_needed(const bert_layer *l, bool head, bool *pooler)
{
    output_request pooled = { .layer = -1 };
    if (head) /* it reads the model's pooling, whether the outputs name it or not */
        request_of_pooling(&pooled, (bert_pooling)l->spec.pooling, l, NULL);
    int last = pooled.layer;
    *pooler = pooled.pooler;
    for (size_t i = 0; i < l->n_requests; i++) {
        last = l->requests[i].layer > last ? l->requests[i].layer : last;
        *pooler |= l->requests[i].pooler;
    }
    return (size_t)(last + 1);
}

static bert_status layer_build(bert_layer *l, const head_shape *head, uint64_t seed, bool *new_pooler, bert_err *err)
{
    const ops *o;
    bool pooler;
    bert_status s = ops_select_precision(l->module->precision, &o, err);
    if (!s)
        s = check_spec(l, err);
    if (!s)
        s = parse_outputs(l, err);
    if (s)
        return s;
    size_t used = layers_needed(l, head, &pooler);
    if (l->spec.n_tune_layers < 0)
        l->spec.n_tune_layers = used < LAYERS_TUNED ? (int64_t)used : LAYERS_TUNED;
    if ((size_t)l->spec.n_tune_layers > used)
        return fail(err, BERT_ERR_ARGUMENT, "n_tune_layers %lld: the outputs need %zu layers",
                    (long long)l->spec.n_tune_layers, used);
    l->config = l->module->config;
    if (l->config.family->one_set && l->spec.n_tune_layers)
        l->spec.n_tune_layers = (int64_t)used; /* whoever tunes one tunes all */
    s = weights_create(&l->weights, &l->memory, &l->config, used, pooler, head, err);
    if (s)
        return s;
    weights_take(&l->weights, &l->module->weights);
    s = own_tuned(l, seed, new_pooler, err);
    /* a frozen file starts none */
    if (!s && pooler && !weight_is_there(&l->weights, weight_at(&l->weights, POOLER_WEIGHT, 0)))
        s = fail(err, BERT_ERR_ARGUMENT, "pooling cls: %s has no pooler", l->module->path);
    if (!s)
        s = encoder_create(&l->encoder, &l->memory, o, l->module->precision, &l->config, &l->weights, used, err);
    l->first_kept = lowest_tuned(l);
    return s;
}

bert_status layer_create(const bert_module *module, const bert_layer_spec *spec, const head_shape *head, uint64_t seed,
                         bert_layer **layer, bool *new_pooler, bert_err *err)
{
    *layer = NULL;
    bert_layer *l = calloc(1, sizeof *l);
    if (!l)
        return fail_memory(err, "a layer");
    l->module = module;
    l->spec = *spec;
    pthread_mutex_init(&l->lock, NULL);
    bert_status s = layer_build(l, head, seed, new_pooler, err);
    if (s) {
        bert_layer_free(l);
        return s;
    }
    *layer = l;
    return BERT_OK;
}

bert_status bert_layer_create(const bert_module *module, const bert_layer_spec *spec, uint64_t seed, bert_layer **layer,
                              bool *new_pooler, bert_err *err)
{
    return layer_create(module, spec, NULL, seed, layer, new_pooler, err);
}

/* ---- packed forms ------------------------------------------------------------------------------------------------ */

void bert_layer_free(bert_layer *layer)
{
    if (!layer)
        return;
    encoder_unpack(&layer->encoder);
    pthread_mutex_destroy(&layer->lock);
    passes_free_spare(layer);
    arena_free(&layer->memory);
    free(layer);
}

ops_precision layer_frozen_precision(const bert_layer *l)
{
    return l->first_kept ? encoder_layer(&l->encoder, 0)->precision : l->encoder.precision;
}

bert_status layer_set_precision(bert_layer *l, ops_precision precision, ops_precision frozen, bert_err *err)
{
    const ops *unused;
    if (l->module->frozen)
        return fail(err, BERT_ERR_ARGUMENT, "%s: a frozen file multiplies as it was frozen", l->module->path);
    bert_status s = ops_select_precision(precision, &unused, err);
    if (!s)
        s = ops_select_precision(frozen, &unused, err);
    if (s || (precision == l->encoder.precision && frozen == layer_frozen_precision(l)))
        return s;
    pthread_mutex_lock(&l->lock);
    encoder_unpack(&l->encoder);
    s = encoder_set_precision(&l->encoder, precision, l->first_kept, frozen, err);
    l->packed = false;
    pthread_mutex_unlock(&l->lock);
    return s;
}

/* Forward reads the packed forms of a frozen layer alone. */
static void release_packed(const bert_layer *l, size_t layer)
{
    for (size_t i = 0; i < l->weights.n; i++) {
        const bert_param *p = &l->weights.items[i];
        bool packed = weight_group_of(&l->weights, i) == GROUP_LAYER && weight_kind_of(&l->weights, i) == WEIGHT_MATRIX;
        if (packed && l->weights.places[i].layer == layer && p->value)
            release_weight(l->module, p->value, weight_size(p));
    }
}

bert_status layer_ready(bert_layer *l, bert_err *err)
{
    pthread_mutex_lock(&l->lock);
    bert_status s = BERT_OK;
    for (size_t i = 0; !s && !l->packed && i < l->encoder.n_layers; i++)
        if (!encoder_layer(&l->encoder, i)->tuned) {
            s = encoder_pack_layer(&l->encoder, i, err);
            release_packed(l, i); /* before the next: no two copies of all stand in memory */
        }
    l->packed |= !s;
    pthread_mutex_unlock(&l->lock);
    return s;
}

void layer_rest_frozen(bert_layer *l)
{
    pthread_mutex_lock(&l->lock);
    if (!l->snapshots) {
        encoder_unpack(&l->encoder);
        l->packed = false;
    }
    pthread_mutex_unlock(&l->lock);
    module_release(l->module);
}

void layer_rest_embeddings(const bert_layer *l)
{
    /* numbers: reading a batch's rows again costs up to two milliseconds, which a small model's batch would feel */
    enum { LARGE = 1 << 24 };
    const bert_param *p = weight_at(&l->weights, WORD_EMBEDDINGS, 0);
    if (p->value && !p->tuned && weight_size(p) >= LARGE)
        release_weight(l->module, p->value, weight_size(p));
}

/* ---- what it is -------------------------------------------------------------------------------------------------- */

const bert_param *bert_layer_params(const bert_layer *layer, size_t *n)
{
    *n = layer->weights.n;
    return layer->weights.items;
}

size_t bert_layer_hidden(const bert_layer *layer)
{
    return (size_t)layer->config.hidden_size;
}

void bert_layer_zero_grad(bert_layer *layer)
{
    memset(layer->grads, 0, layer->n_tuned * sizeof *layer->grads);
}

char *bert_layer_describe(const bert_layer *layer)
{
    buffer b = { 0 };
    const weight_list *w = &layer->weights;
    size_t tuned = 0, all = 0;
    for (size_t i = 0; i < w->n;) {
        const char *group = w->items[i].group;
        size_t n = 0;
        bool on = w->items[i].tuned != NULL;
        for (; i < w->n && !strcmp(w->items[i].group, group); i++)
            n += weight_size(&w->items[i]);
        buffer_printf(&b, "%-12s %12zu parameters  %s\n", group, n, on ? "tuned" : "frozen");
        tuned += on ? n : 0;
        all += n;
    }
    buffer_printf(&b, "%-12s %12zu parameters, of which %zu are tuned\n", "all", all, tuned);
    return buffer_take(&b);
}

bert_status bert_layer_save(const bert_layer *layer, const char *folder, bert_err *err)
{
    const bert_module *m = layer->module;
    config c = layer->config;
    c.num_hidden_layers = (int64_t)layer->weights.layers;
    if (m->frozen)
        return fail(err, BERT_ERR_ARGUMENT,
                    "%s: the weights of a frozen file are packed for prediction, and no module is made of them",
                    m->path);
    if (!c.num_hidden_layers)
        return fail(err, BERT_ERR_ARGUMENT, "%s: a layer that uses no transformer layer is no module", folder);
    arena a = { 0 };
    weight_list weights; /* without a head; with the module's pooler where the layer uses none */
    bert_status s = bert_output_check(folder, BERT_OUTPUT_MODULE, false, err);
    if (!s)
        s = weights_create(&weights, &a, &c, layer->weights.layers, layer->weights.pooler || m->weights.pooler, NULL,
                           err);
    if (s) {
        arena_free(&a);
        return s;
    }
    weights_take(&weights, &layer->weights);
    weights_take(&weights, &m->weights);
    int64_t last = c.num_hidden_layers - 1, seq = sequence_layer(layer);
    module_parts parts = { .config = &c,
                           .weights = &weights,
                           .vocabulary = m->vocabulary,
                           .vocabulary_size = m->vocabulary_size,
                           .tokenizer = m->tokenizer,
                           .seq_layer = seq < last ? seq : last,
                           .tok_layer = m->tok_layer <= last ? m->tok_layer : 0,
                           .vectors = m->vectors };
    parts.source = json_pack("{s:s}", "kind", "libbert layer");
    if (layer->spec.module)
        json_put(&parts.source, "path", json_of_bytes(layer->spec.module));
    s = parts.source ? module_write(&parts, folder, err) : fail_memory(err, folder);
    json_decref(parts.source);
    arena_free(&a);
    return s;
}

/* A run's state as JSON, and what keeps another run from going on with it. */
#include "train/checkpoint_state.h"

#include "base/options.h"
#include "formats/json_build.h"
#include "train/record_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- what a run is made of: it may not change -------------------------------------------------------------------- */

enum { HASH_TEXT = 65 };

static const char *hash_to_hex(const unsigned char hash[32], char text[HASH_TEXT])
{
    for (int i = 0; i < 32; i++)
        snprintf(text + 2 * i, 3, "%02x", hash[i]);
    return text;
}

/* Labels and head, as far as they shape the weights. */
static json_t *head_to_compare(const bert_model *m)
{
    return json_pack("{s:s, s:I, s:f, s:f, s:o}", "task", TASK_WORDS[m->task], "head_hidden",
                     (json_int_t)m->head_hidden, "label_min", m->label_min, "label_max", m->label_max, "labels",
                     json_of_words(m->labels, m->n_labels));
}

/* Each part of the model and the data with the text that tells it from others. */
static json_t *origin_of_run(const train_run *r)
{
    char train[HASH_TEXT], valid[HASH_TEXT];
    const bert_module *m = r->model->module;
    return json_pack("{s:s, s:s?, s:s, s:s, s:o}", "training data", hash_to_hex(r->train_hash, train),
                     "validation data", r->valid ? hash_to_hex(r->valid_hash, valid) : NULL, "module", m->sha256,
                     "module's weights", m->weights_sha256, "head", head_to_compare(r->model));
}

/* ---- to JSON ----------------------------------------------------------------------------------------------------- */

static json_t *metrics_to_json(const bert_metrics *m)
{
    size_t n;
    const bert_metric *table = bert_metric_table(&n);
    json_t *json = json_pack("{s:I, s:I, s:I}", "n", (json_int_t)m->n, "labels", (json_int_t)m->labels, "labels_seen",
                             (json_int_t)m->labels_seen);
    for (size_t i = 0; i < n; i++)
        json_put(&json, table[i].name, json_of_number(bert_metric_value(m, &table[i])));
    return json;
}

static json_t *steps_of_tensors(const bert_optimizer *o)
{
    json_t *json = json_object();
    for (size_t i = 0; i < o->n_slots; i++)
        json_put(&json, o->slots[i].name, json_integer(o->slots[i].steps));
    return json;
}

static json_t *progress_to_json(const progress *p)
{
    return json_pack("{s:I, s:I, s:I, s:b, s:I, s:I, s:I, s:f, s:f, s:I, s:f, s:o}", "epoch", (json_int_t)p->epoch,
                     "batch", (json_int_t)p->batch, "step", (json_int_t)p->step, "measured", p->measured, "rows",
                     (json_int_t)p->rows, "targets", (json_int_t)p->targets, "correct", (json_int_t)p->correct, "loss",
                     p->loss, "seconds", p->seconds, "best_epoch", (json_int_t)p->best_epoch, "threshold",
                     p->best.threshold, "best", metrics_to_json(&p->best.metrics));
}

json_t *state_of_run(const train_run *r, const progress *p, const run_record *record, uint32_t crc)
{
    arena a = { 0 };
    const char *why;
    bool finished = progress_over(p, r, &why, &a);
    arena_free(&a);
    return json_pack("{s:s, s:i, s:b, s:I, s:o, s:o, s:o, s:o, s:I, s:f, s:o, s:o, s:o, s:o}", "format", STATE_FORMAT,
                     "version", STATE_VERSION, "finished", finished, "crc", (json_int_t)crc, "origin", origin_of_run(r),
                     "options", options_to_texts(&r->options, bert_train_option_table()), "layer",
                     options_to_texts(&r->model->layer->spec, bert_layer_option_table()), "progress",
                     progress_to_json(p), "steps_in_all", (json_int_t)r->schedule.steps, "model_threshold",
                     r->model->threshold, "tensor_steps", steps_of_tensors(r->optimizer), "seconds",
                     seconds_to_json(r->seconds), "epochs", epochs_to_json(record), "steps", steps_to_json(record));
}

/* ---- differences ------------------------------------------------------------------------------------------------- */

/* Hashes say nothing to people: that they differ does. */
static void origin_differences(buffer *out, const json_t *was, json_t *now)
{
    const char *part;
    json_t *value;
    bool module = false;
    json_object_foreach(now, part, value)
    {
        if (json_equal(value, json_object_get(was, part)) || !strcmp(part, "head"))
            continue;
        if (!strncmp(part, "module", 6)) {
            if (module)
                continue;
            module = true;
        }
        buffer_printf(out, "%s%s: not the checkpoint's", out->size ? "; " : "",
                      module && !strncmp(part, "module", 6) ? "module" : part);
    }
}

static void head_differences(buffer *out, const json_t *was, json_t *now)
{
    const char *name;
    json_t *value;
    json_object_foreach(now, name, value)
    {
        if (json_equal(value, json_object_get(was, name)))
            continue;
        buffer a = { 0 }, b = { 0 };
        const json_t *before = json_object_get(was, name);
        if (before)
            json_print(&a, before);
        json_print(&b, value);
        text_difference(out, name, before && a.size ? a.data : "none", b.size ? b.data : "none");
        out->failed |= a.failed || b.failed;
        buffer_free(&a);
        buffer_free(&b);
    }
}

void state_differences(buffer *out, const json_t *state, const train_run *r)
{
    static const char *const LAYER_FREE[] = { "module", "outputs",
                                              NULL }; /* the module is told by its hash; outputs are not trained on */
    const json_t *was = json_object_get(state, "origin");
    json_t *now = origin_of_run(r);
    if (!now) {
        out->failed = true;
        return;
    }
    origin_differences(out, was, now);
    head_differences(out, json_object_get(was, "head"), json_object_get(now, "head"));
    options_differences(out, &r->model->layer->spec, bert_layer_option_table(), json_object_get(state, "layer"),
                        LAYER_FREE);
    options_differences(out, &r->options, bert_train_option_table(), json_object_get(state, "options"), RESUME_FREE);
    int64_t steps = json_integer_value(json_object_get(state, "steps_in_all"));
    if (rate_depends_on_steps(&r->options) && steps != r->schedule.steps)
        buffer_printf(out, "%ssteps in all, on which the learning rate depends: %lld in the checkpoint, %lld now",
                      out->size ? "; " : "", (long long)steps, (long long)r->schedule.steps);
    json_decref(now);
}

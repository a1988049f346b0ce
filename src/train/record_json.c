/* The record of a run as JSON, and back: the file may come from anywhere. */
#include "train/record_json.h"

#include "formats/json_build.h"

#include <math.h>

json_t *epochs_to_json(const run_record *record)
{
    json_t *epochs = json_array();
    epoch_number number;
    for (size_t i = 0; i < record->n_epochs; i++) {
        const epoch_record *e = &record->epochs[i];
        json_t *json = json_pack("{s:I, s:I}", "epoch", (json_int_t)e->epoch, "step", (json_int_t)e->step);
        for (size_t k = 0; epoch_number_at(k, &number); k++)
            if (!isnan(epoch_value(e, number.offset)))
                json_put(&json, number.name, json_real(epoch_value(e, number.offset)));
        json_add(&epochs, json);
    }
    return epochs;
}

json_t *steps_to_json(const run_record *record)
{
    json_t *steps = json_array();
    for (size_t i = 0; i < record->n_steps; i++) {
        const step_record *s = &record->steps[i];
        json_add(&steps, json_pack("[I, f, f]", (json_int_t)s->step, s->loss, s->learning_rate));
    }
    return steps;
}

json_t *seconds_to_json(const double seconds[N_PARTS])
{
    json_t *json = json_object();
    for (int i = 0; i < N_PARTS; i++)
        json_put(&json, PART_NAMES[i], json_real(seconds[i]));
    return json;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* A step that follows the one before it and is not beyond the run's. */
static bool next_step(const json_t *value, int64_t *last, int64_t most)
{
    int64_t step = json_is_integer(value) ? json_integer_value(value) : 0;
    bool fine = step > *last && step <= most;
    *last = step;
    return fine;
}

/* Numbers that are not there, or that this version does not know, are left out. */
static bool epoch_from_json(json_t *json, const progress *p, int64_t *last, epoch_record *e)
{
    const char *key;
    json_t *value;
    epoch_number number;
    bool fine = next_step(json_object_get(json, "step"), last, p->step);
    *e = (epoch_record){ .epoch = json_integer_value(json_object_get(json, "epoch")), .step = *last };
    json_object_foreach(json, key, value) fine &= json_is_number(value);
    for (size_t i = 0; epoch_number_at(i, &number); i++) {
        const json_t *known = json_object_get(json, number.name);
        *(double *)(void *)((char *)e + number.offset) = known ? json_number_value(known) : NAN;
    }
    return fine && e->epoch >= 1 && e->epoch <= p->epoch;
}

static bert_status epochs_from_json(const json_t *epochs, const progress *p, run_record *record, const char *where,
                                    bert_err *err)
{
    int64_t last = 0;
    for (size_t i = 0; i < json_array_size(epochs); i++) {
        if (!run_record_room(record))
            return fail_memory(err, where);
        if (!epoch_from_json(json_array_get(epochs, i), p, &last, &record->epochs[record->n_epochs++]))
            return fail(err, BERT_ERR_FORMAT, "%s: epochs: entry %zu is none of an epoch of this run", where, i);
    }
    return BERT_OK;
}

static bert_status steps_from_json(const json_t *steps, const progress *p, run_record *record, const char *where,
                                   bert_err *err)
{
    int64_t last = 0;
    for (size_t i = 0; i < json_array_size(steps); i++) {
        const json_t *step = json_array_get(steps, i), *loss = json_array_get(step, 1), *rate = json_array_get(step, 2);
        if (!next_step(json_array_get(step, 0), &last, p->step) || json_array_size(step) != 3 ||
            !json_is_number(loss) || !json_is_number(rate))
            return fail(err, BERT_ERR_FORMAT, "%s: steps: entry %zu is none of a step of this run", where, i);
        if (!run_record_room(record))
            return fail_memory(err, where);
        record->steps[record->n_steps++] = (step_record){ last, json_number_value(loss), json_number_value(rate) };
    }
    return BERT_OK;
}

bert_status record_from_json(const json_t *object, const progress *p, run_record *record, const char *where,
                             bert_err *err)
{
    const json_t *epochs = json_object_get(object, "epochs"), *steps = json_object_get(object, "steps");
    if (!json_is_array(epochs) || !json_is_array(steps))
        return fail(err, BERT_ERR_FORMAT, "%s: %s is no array", where, json_is_array(epochs) ? "steps" : "epochs");
    bert_status s = epochs_from_json(epochs, p, record, where, err);
    if (!s)
        s = steps_from_json(steps, p, record, where, err);
    if (s)
        run_record_free(record);
    return s;
}

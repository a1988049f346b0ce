/* history.json: how a model was trained. */
#include "formats/option_json.h"
#include "train/listeners.h"
#include "train/record_json.h"

static bert_status history_hear(void *self, train_loop *l, const train_event *e, bert_err *err)
{
    const train_run *r = &l->run;
    if (!e->epoch)
        return BERT_OK;
    json_t *json = json_pack("{s:s, s:o, s:I, s:s, s:f, s:o, s:o}", "format", "libbert.history", "epochs",
                             epochs_to_json(&l->record), "best_epoch", (json_int_t)l->at.best_epoch, "watch",
                             r->watch->name, "threshold", l->at.best.threshold, "seconds", seconds_to_json(r->seconds),
                             "options", options_to_json(&r->options, bert_train_option_table()));
    bert_status s = json ? json_write_file(json, self, err) : fail_memory(err, "history.json");
    json_decref(json);
    return s;
}

bert_status history_listen(train_loop *l, const char *folder, bert_err *err)
{
    char *path = path_join(&l->memory, folder, "history.json");
    loop_add(l, (listener){ .self = path, .saves = true, .hear = history_hear });
    return path ? BERT_OK : fail_memory(err, folder);
}

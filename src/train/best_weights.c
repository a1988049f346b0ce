/* The weights of the best epoch so far. */
#include "train/best_weights.h"

#include <string.h>

static bert_status best_weights_hear(void *self, train_loop *l, const train_event *e, bert_err *err)
{
    best_weights *b = self;
    if (!e->told.best)
        return BERT_OK;
    b->kept = true;
    b->step = e->told.step;
    b->threshold = b->model->threshold;
    if (b->folder)
        return bert_model_save(b->model, b->folder, b->copy_module, err);
    memcpy(b->copy, b->model->layer->values, b->model->layer->n_tuned * sizeof *b->copy);
    return (void)l, BERT_OK;
}

void best_weights_listen(best_weights *b, train_loop *l)
{
    loop_add(l, (listener){ .self = b, .saves = true, .hear = best_weights_hear });
}

static bert_status load_saved(const best_weights *b, bert_err *err)
{
    tensor_set set = { 0 };
    bert_status s = model_open_weights(b->folder, &set, err);
    if (!s)
        s = model_take_weights(b->model, &set, b->folder, err);
    tensors_close(&set);
    return s;
}

bert_status best_weights_load(const best_weights *b, int64_t step, bert_err *err)
{
    const bert_layer *l = b->model->layer;
    if (!b->kept || b->step == step)
        return BERT_OK;
    bert_status s = b->folder ? load_saved(b, err) : BERT_OK;
    if (!s && !b->folder)
        memcpy(l->values, b->copy, l->n_tuned * sizeof *b->copy);
    if (!s)
        b->model->threshold = b->threshold;
    return s;
}

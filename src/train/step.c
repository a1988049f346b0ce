/* One batch forward and backward. */
#include "train/step.h"

#include "base/clock.h"

const char *const PART_NAMES[N_PARTS] = {
    [PART_TOKENISE] = "tokenise", [PART_FROZEN] = "frozen layers", [PART_FORWARD] = "forward",
    [PART_BACKWARD] = "backward", [PART_OPTIMISER] = "optimiser",  [PART_VALIDATION] = "validation",
    [PART_SAVING] = "saving",
};

bert_status step_plan_create(step_plan *p, bert_model *model, const task *t, bert_err *err)
{
    bert_layer *l = model->layer;
    *p = (step_plan){
        .model = model, .task = t, .first_kept = l->first_kept, .embeddings_tuned = l->spec.tune_embeddings
    };
    return request_of_pooling(&p->request, (bert_pooling)l->spec.pooling, l, err);
}

/* Adds the time since *then to a part, and sets *then to now. */
static void lap(double *seconds, work_part part, double *then)
{
    double now = clock_seconds();
    if (seconds)
        seconds[part] += now - *then;
    *then = now;
}

/* Lets the pass begin at what was kept. */
static bert_status start_above(const step_plan *p, const step_batch *batch, forward *f, arena *a, bert_err *err)
{
    float *x = arena_alloc_raw(a, batch->packed.n_tok * (size_t)p->model->layer->config.hidden_size * sizeof *x);
    if (!x)
        return fail_memory(err, "a training step");
    f->from = kept_layer(p->kept);
    f->x = x;
    return kept_read(p->kept, batch->rows, batch->n, x, err);
}

bert_status step_run(const step_plan *p, const step_batch *batch, step_dropout drop, float *logits, head_result *result,
                     double *seconds, arena *a, bert_err *err)
{
    bert_layer *l = p->model->layer;
    forward f = { .e = &l->encoder,
                  .batch = &batch->packed,
                  .requests = &p->request,
                  .n_requests = 1,
                  .drop = { drop.seed, drop.step, drop.on, drop.on && drop.frozen, batch->tokens_before,
                            batch->sequences_before },
                  .embeddings_tuned = p->embeddings_tuned,
                  .first_kept = p->first_kept };
    double then = clock_seconds();
    bert_status s = p->kept ? start_above(p, batch, &f, a, err) : layer_ready(l, err);
    lap(seconds, PART_FROZEN, &then);
    if (!s)
        s = forward_run(&f, a, err);
    if (s)
        return s;
    size_t rows = p->request.tokens ? batch->packed.n_tok : batch->packed.n_seq;
    float *dx = arena_alloc_raw(a, rows * (size_t)l->config.hidden_size * sizeof *dx);
    if (!dx)
        return fail_memory(err, "a training step");
    s = head_train(p->model, p->task, f.outputs[0].value, dx, rows, &batch->targets, &p->loss, drop, logits, result, a,
                   err);
    lap(seconds, PART_FORWARD, &then);
    const float *grads[] = { dx };
    if (!s)
        s = forward_backward(&f, a, grads, err);
    lap(seconds, PART_BACKWARD, &then);
    return s;
}

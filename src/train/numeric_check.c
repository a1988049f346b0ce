/* A loss and weights that are no numbers to go on with. */
#include "base/buffer.h"
#include "base/finite.h"
#include "train/loop.h"

#include <math.h>

static const char ADVICE[] = "try a lower learning rate, a warm-up or clip_norm";

/* "train.tsv:17, train.tsv:3 and 30 more" */
static const char *name_rows(train_loop *l, const uint32_t *rows, size_t n)
{
    enum { MOST = 3 };
    buffer text = { 0 };
    char place[DATASET_PLACE];
    for (size_t i = 0; i < n && i < MOST; i++)
        buffer_printf(&text, "%s%s", i ? ", " : "", dataset_place(l->run.train, rows[i], place));
    if (n > MOST)
        buffer_printf(&text, " and %zu more", n - MOST);
    const char *copy = text.failed ? NULL : arena_string(&l->memory, text.data);
    buffer_free(&text);
    return copy ? copy : "(no memory to name them)";
}

bert_status check_batch_loss(train_loop *l, double loss, const uint32_t *rows, size_t n, bert_err *err)
{
    if (isfinite(loss))
        return BERT_OK;
    return fail(err, BERT_ERR_NUMERIC, "the loss is %f at step %lld, in epoch %lld; its batch: %s; %s", plain_nan(loss),
                (long long)l->at.step + 1, (long long)l->at.epoch, name_rows(l, rows, n), ADVICE);
}

/* NULL, or what is wrong with the weights. */
static const char *wrong_weights(const bert_layer *l)
{
    size_t first = first_not_finite(l->values, l->n_tuned);
    float sum = 0;
    if (first < l->n_tuned)
        return "a weight is not finite";
    for (size_t i = 0; i < l->n_tuned; i++)
        sum += l->values[i] * l->values[i] * 0; /* not zero where a square is not finite: no norm of it is */
    return sum == 0 ? NULL : "a weight is too large to compute with";
}

/* The loss that a batch shows is that before its step: what the last step left is looked at before it is measured or
 * saved. */
bert_status check_tuned_weights(train_loop *l, bert_err *err)
{
    const char *wrong = wrong_weights(l->run.model->layer);
    if (!wrong)
        return BERT_OK;
    size_t last = l->at.batch ? l->at.batch - 1 : 0, first = l->order.start[last];
    return fail(err, BERT_ERR_NUMERIC, "%s after step %lld, in epoch %lld; the last batch: %s; %s", wrong,
                (long long)l->at.step, (long long)l->at.epoch,
                name_rows(l, l->order.rows + first, l->order.start[last + 1] - first), ADVICE);
}

/* Embeddings, forward and backward. */
#include "net/embeddings.h"

static dropout embedding_dropout(const encoder *e, const block_pass *p)
{
    return (dropout){ .seed = p->seed,
                      .step = p->step,
                      .site = DROPOUT_SITE_EMBEDDINGS,
                      .rate = p->dropout ? (float)e->config->hidden_dropout_prob : 0,
                      .before = p->rows_before };
}

/* The row of the position table that each token reads: behind the padding's, as many ids as count; padding reads its
 * own. NULL: memory is out. */
static const int32_t *position_rows(const encoder *e, const packed_batch *b, arena *a)
{
    if (!e->config->family->counts_positions)
        return b->positions;
    int32_t padding = (int32_t)e->config->first_position - 1, *rows = arena_array(a, b->n_tok, sizeof *rows);
    for (size_t i = 0; rows && i < b->n_tok; i++) {
        int32_t count = b->counted ? b->counted[i] : b->positions[i] + 1;
        rows[i] = padding + (count < 0 ? 0 : count);
    }
    return rows;
}

/* The row of the table of segments; NULL: memory is out. */
static const int32_t *segment_rows(const encoder *e, const packed_batch *b, arena *a)
{
    return e->config->family->one_segment ? arena_array(a, b->n_tok, sizeof(int32_t)) : b->segments;
}

static bool keep_sums(embedding_sums *kept, size_t n, size_t E, bool projects, arena *a)
{
    *kept = (embedding_sums){ .sum = arena_alloc_raw(a, n * E * sizeof(float)),
                              .mean = arena_alloc_raw(a, n * sizeof(float)),
                              .rstd = arena_alloc_raw(a, n * sizeof(float)),
                              .narrow = projects ? arena_alloc_raw(a, n * E * sizeof(float)) : NULL };
    return kept->sum && kept->mean && kept->rstd && (kept->narrow || !projects);
}

bool embeddings_forward(const encoder *e, const packed_batch *b, const block_pass *p, embedding_sums *kept, float *y,
                        arena *a)
{
    size_t n = b->n_tok, E = e->tables.hidden;
    const bert_param *norm = weight_at(e->weights, EMBEDDINGS_NORM_WEIGHT, 0);
    const int32_t *positions = position_rows(e, b, a), *segments = segment_rows(e, b, a);
    bool projects = e->projection.base.in;
    float *narrow = projects ? p->scratch : y, *sum = narrow, *mean = NULL, *rstd = NULL;
    if (kept && !keep_sums(kept, n, E, projects, a))
        return false;
    if (kept) {
        sum = kept->sum, mean = kept->mean, rstd = kept->rstd;
        narrow = projects ? kept->narrow : y;
    }
    if (!positions || !segments)
        return false;
    p->ops->embed_forward(sum, &e->tables, b->ids, positions, segments, n);
    p->ops->layer_norm_forward(narrow, kept ? sum : NULL, mean, rstd, sum, NULL, norm[0].value, norm[1].value,
                               (float)e->config->layer_norm_eps, (dropout){ 0 }, n, E);
    dropout drop = embedding_dropout(e, p);
    if (drop.rate > 0)
        p->ops->dropout_apply(narrow, narrow, drop, drop.before * E, n * E);
    profile_mark(p->clock, PROFILE_EMBEDDINGS);
    if (projects)
        linear_forward(&e->projection, encoder_bottom_ops(e), p->room, y, e->hidden, NULL, narrow, E, ACTIVATION_NONE,
                       n);
    profile_mark(p->clock, PROFILE_PRODUCTS);
    return true;
}

static float *gradient_of(const encoder *e, weight_id id)
{
    const bert_param *w = weight_at(e->weights, id, 0);
    return w ? w->grad : NULL;
}

bool embeddings_backward(const encoder *e, const packed_batch *b, const block_pass *p, const embedding_sums *kept,
                         float *d, arena *a)
{
    size_t n = b->n_tok, E = e->tables.hidden, H = e->hidden;
    const bert_param *norm = weight_at(e->weights, EMBEDDINGS_NORM_WEIGHT, 0);
    const int32_t *positions = position_rows(e, b, a), *segments = segment_rows(e, b, a);
    dropout drop = embedding_dropout(e, p);
    if (!positions || !segments)
        return false;
    if (e->projection.base.in) {
        const ops *o = encoder_bottom_ops(e);
        linear_backward_weight(&e->projection, o, p->room, d, H, kept->narrow, E, n);
        linear_backward_input(&e->projection, o, p->room, p->scratch, E, d, H, false, n);
        d = p->scratch;
    }
    if (drop.rate > 0)
        p->ops->dropout_apply(d, d, drop, drop.before * E, n * E);
    p->ops->layer_norm_backward(d, NULL, norm[0].grad, norm[1].grad, d, kept->sum, kept->mean, kept->rstd,
                                norm[0].value, (dropout){ 0 }, n, E);
    p->ops->embed_backward(gradient_of(e, WORD_EMBEDDINGS), gradient_of(e, POSITION_EMBEDDINGS),
                           gradient_of(e, TOKEN_TYPE_EMBEDDINGS), d, b->ids, positions, segments, E, n);
    return true;
}

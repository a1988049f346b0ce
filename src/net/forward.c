/* A forward pass over a packed batch, and its backward. */
#include "net/forward.h"

#include "net/relative_bias.h"

#include <string.h>

/* ---- rows on their way ------------------------------------------------------------------------------------------- */

static size_t row_floats(const forward *f)
{
    return f->batch->n_tok * f->e->hidden;
}

/* A free buffer; NULL: memory is out. */
static float *rows_take(forward *f, arena *a)
{
    row_buffers *r = &f->rows;
    size_t i = 0;
    while (i < r->n && r->readers[i])
        i++;
    if (i == MOST_ROW_BUFFERS)
        return NULL;
    if (i == r->n) {
        r->at[i] = arena_alloc_raw(a, row_floats(f) * sizeof(float));
        r->n += r->at[i] != NULL;
    }
    r->readers[i] = r->at[i] != NULL;
    return r->at[i];
}

/* One reader more, or less (-1), of rows that may be nobody's buffer. */
static void rows_count(forward *f, const float *rows, int readers)
{
    for (size_t i = 0; i < f->rows.n; i++)
        if (f->rows.at[i] == rows)
            f->rows.readers[i] += readers;
}

static void rows_release(forward *f, const float *rows)
{
    rows_count(f, rows, -1);
}

/* ---- a layer in this pass ---------------------------------------------------------------------------------------- */

/* Values of one layer; what backward needs is in memory of its own, a layer that keeps nothing has it in buffers. */
typedef struct layer_run {
    const float *x;             /* (n_tok, H) */
    const float *asked_x;       /* the asked rows of x; x itself where all are */
    float *values[MOST_BLOCKS]; /* what each block gave; (m, H) */
    float *kept[MOST_BLOCKS];   /* NULL: nothing */
    bool reduced;               /* the first row of each sequence alone is asked for */
} layer_run;

static size_t asked_rows(const forward *f, bool reduced)
{
    return reduced ? f->batch->n_seq : f->batch->n_tok;
}

static block_io io_of(const forward *f, const layer_run *run, const block_row *row, size_t k)
{
    float *read = row->reads ? run->values[row->reads - 1] : NULL;
    return (block_io){ .read = f->all,
                       .asked = run->reduced ? f->first : f->all,
                       .n = f->batch->n_tok,
                       .m = asked_rows(f, run->reduced),
                       .x = read ? read : run->x,
                       .asked_x = run->asked_x,
                       .sum = read,
                       .added = row->adds ? run->values[row->adds - 1] : run->asked_x,
                       .y = run->values[k],
                       .kept = run->kept[k] };
}

static block_pass pass_of(const forward *f, bool tuned, bool reduced)
{
    return (block_pass){ .ops = f->e->ops,
                         .room = f->room,
                         .seed = f->drop.seed,
                         .step = f->drop.step,
                         .dropout = tuned ? f->drop.tuned : f->drop.frozen,
                         .rows_before = reduced ? f->drop.sequences_before : f->drop.tokens_before,
                         .rule = f->rule,
                         .dbias = f->dbias,
                         .scratch = f->scratch,
                         .clock = profile_begin(f->e->profile) };
}

static block_pass pass_of_layer(const forward *f, const block *blocks, bool reduced)
{
    block_pass p = pass_of(f, blocks->tuned, reduced);
    p.ops = blocks->ops;
    return p;
}

/* The last block that reads a value. */
static size_t last_reader(const encoder *e, int value)
{
    size_t last = 0;
    for (size_t k = 0; k < e->n_blocks; k++) {
        const block_row *row = e->blocks[k].row;
        if (row->reads == value || (row->kind->norm && row->adds == value))
            last = k;
    }
    return last;
}

/* ---- forward ----------------------------------------------------------------------------------------------------- */

/* The last layer may leave out all rows but the first of each sequence when nothing else of it is asked for. */
static bool only_first_rows(const forward *f)
{
    for (size_t i = 0; i < f->n_requests; i++)
        if (f->requests[i].layer + 1 == (int)f->e->n_layers && !request_is_first(&f->requests[i]))
            return false;
    for (size_t i = 0; i < f->n_attention; i++)
        if (f->attention[i].layer + 1 == (int)f->e->n_layers)
            return false;
    return f->e->n_layers > 0;
}

/* The bias of attention's scores where the family has one. */
static bool plan_rule(forward *f, arena *a)
{
    const bert_param *table = weight_at(f->e->weights, RELATIVE_BIAS, 0);
    if (!table)
        return true;
    float *spread = f->e->bias ? NULL : arena_array(a, table->cols, (2 * RELATIVE_SPAN + 1) * sizeof *spread);
    if (spread)
        relative_bias_spread(spread, table->value, table->cols);
    f->rule = (attention_rule){ .bias = spread ? spread : f->e->bias,
                                .span = RELATIVE_SPAN,
                                .places = f->batch->positions };
    return f->rule.bias != NULL;
}

static bool forward_plan_rows(forward *f, arena *a)
{
    const packed_batch *b = f->batch;
    int32_t *first = arena_array(a, b->n_seq + 1, sizeof *first);
    if (!first)
        return false;
    for (size_t s = 0; s <= b->n_seq; s++)
        first[s] = (int32_t)s;
    f->all = (ragged){ b->n_seq, b->start };
    f->first = (ragged){ b->n_seq, first };
    f->first_only = only_first_rows(f);
    return true;
}

/* The first row of every sequence. */
static float *gather_first(const forward *f, arena *a, const float *x)
{
    size_t H = f->e->hidden, n = f->batch->n_seq;
    float *y = arena_alloc_raw(a, n * H * sizeof *y);
    for (size_t s = 0; y && s < n; s++)
        memcpy(y + s * H, x + (size_t)f->batch->start[s] * H, H * sizeof *y);
    return y;
}

/* Gives block k its memory: its own where the layer keeps it, else a buffer; a norm may write over what it reads.
 * false: memory is out. */
static bool plan_block(forward *f, arena *a, layer_run *run, const block *b, size_t k, bool keep)
{
    size_t n = f->batch->n_tok, m = asked_rows(f, run->reduced), kept = b->kind->kept(b, n, m);
    const block_row *row = b->row;
    if (!keep && b->kind->norm && row->reads && last_reader(f->e, row->reads) == k)
        run->values[k] = run->values[row->reads - 1];
    else
        run->values[k] = keep ? arena_alloc_raw(a, m * b->hidden * sizeof(float)) : rows_take(f, a);
    run->kept[k] = keep && kept ? arena_alloc_raw(a, kept * sizeof(float)) : NULL;
    return run->values[k] && (run->kept[k] || !keep || !kept);
}

/* Buffers that nothing behind block k reads are free again. */
static void free_read(forward *f, const layer_run *run, const block_row *row, size_t k)
{
    const int read[] = { row->reads, row->kind->norm ? row->adds : row->reads };
    for (int i = 0; i < 1 + (read[1] != read[0]); i++) {
        const float *rows = read[i] ? run->values[read[i] - 1] : run->x;
        if (last_reader(f->e, read[i]) == k && rows != run->values[k])
            rows_release(f, rows);
    }
}

/* What was asked of the attention of a layer, whose block has just run. */
static void answer_attention(const forward *f, size_t layer, const block *b, const block_pass *p, const block_io *io)
{
    attention_input in = block_attention_input(b, p, io);
    for (size_t i = 0; i < f->n_attention; i++) {
        float *maps = f->attention[i].maps;
        for (size_t s = 0; f->attention[i].layer == (int)layer && s < f->all.n_seq; s++) {
            size_t T = (size_t)(f->all.start[s + 1] - f->all.start[s]);
            for (size_t head = 0; head < b->heads; head++, maps += T * T)
                p->ops->attention_weights(maps, &in, s, head);
        }
    }
}

/* Returns what the layer gives, (m, H); NULL: memory is out. */
static const float *run_layer(forward *f, arena *a, size_t layer, const float *x)
{
    layer_run *run = &f->layers[layer];
    const block *blocks = encoder_layer(f->e, layer);
    bool keep = layer >= f->first_kept, reduced = f->first_only && layer_may_reduce(layer, f->e->n_layers);
    block_pass p = pass_of_layer(f, blocks, reduced);
    *run = (layer_run){ .x = x, .asked_x = x, .reduced = reduced };
    if (run->reduced && !(run->asked_x = gather_first(f, a, x)))
        return NULL;
    for (size_t k = 0; k < f->e->n_blocks; k++) {
        const block *b = &blocks[k];
        if (!plan_block(f, a, run, b, k, keep))
            return NULL;
        block_io io = io_of(f, run, b->row, k);
        b->kind->forward(b, &p, &io);
        if (f->n_attention && b->kind == &BLOCK_ATTENTION)
            answer_attention(f, layer, b, &p, &io);
        if (!keep)
            free_read(f, run, b->row, k);
    }
    return run->values[f->e->n_blocks - 1];
}

/* What is asked for after a layer. */
static bool answer_layer(forward *f, arena *a, int layer, const float *rows, bool reduced)
{
    bool fine = true;
    block_pass p = pass_of(f, false, reduced);
    for (size_t r = 0; r < f->n_requests; r++)
        if (f->requests[r].layer == layer)
            fine &= pooling_forward(f->e, &f->requests[r], &p, rows, f->all, reduced, &f->outputs[r], a);
    profile_mark(p.clock, PROFILE_POOLING);
    return fine;
}

/* Sets what layer `from` reads, and answers the requests for it. */
static bool run_bottom(forward *f, arena *a)
{
    block_pass p = pass_of(f, f->embeddings_tuned, false);
    float *rows = f->x ? NULL : rows_take(f, a);
    f->bottom = f->x ? f->x : rows;
    if (!f->x && !(rows && embeddings_forward(f->e, f->batch, &p, f->embeddings_tuned ? &f->embedded : NULL, rows, a)))
        return false;
    return answer_layer(f, a, (int)f->from - 1, f->bottom, false);
}

bert_status forward_run(forward *f, arena *a, bert_err *err)
{
    const encoder *e = f->e;
    f->to = f->to ? f->to : e->n_layers;
    f->layers = arena_array(a, e->n_layers, sizeof *f->layers);
    f->outputs = arena_array(a, f->n_requests, sizeof *f->outputs);
    f->scratch = arena_alloc_raw(a, f->batch->n_tok * e->scratch * sizeof(float));
    f->room = ops_room_create(a);
    if (!f->room.bytes || !f->layers || !f->outputs || !f->scratch || !forward_plan_rows(f, a) || !plan_rule(f, a) ||
        !run_bottom(f, a))
        return fail_memory(err, "a forward pass");
    const float *x = f->bottom;
    for (size_t i = f->from; i < f->to; i++) {
        x = run_layer(f, a, i, x);
        if (!x || !answer_layer(f, a, (int)i, x, f->layers[i].reduced))
            return fail_memory(err, "a forward pass");
    }
    return BERT_OK;
}

/* ---- backward ---------------------------------------------------------------------------------------------------- */

/* Adds the gradients of the requests after `layer` to *d, a buffer or NULL (nothing yet), if it is wanted (`more`); a
 * pooler's own are added in any case. */
static bool collect(forward *f, arena *a, const float *const *grads, int layer, bool reduced, bool more, float **d)
{
    const encoder *e = f->e;
    block_pass p = pass_of(f, true, reduced);
    size_t n = asked_rows(f, reduced) * e->hidden;
    for (size_t r = 0; r < f->n_requests; r++) {
        const output_request *q = &f->requests[r];
        const float *grad = grads[r];
        if (q->layer != layer || !grad)
            continue;
        if (q->pooler && !pooler_backward(e, &p, &f->outputs[r], f->batch->n_seq, &grad, a))
            return false;
        float *own = more ? rows_take(f, a) : NULL;
        if (!more)
            continue;
        if (!own)
            return false;
        if (q->tokens || reduced)
            memcpy(own, grad, n * sizeof *own);
        else
            pooling_backward(e, q, &p, own, grad, f->outputs[r].value,
                             layer < (int)f->from ? f->bottom : f->layers[layer].values[e->n_blocks - 1], f->all);
        if (*d) {
            p.ops->add(*d, own, n);
            rows_release(f, own);
        } else
            *d = own;
    }
    return true;
}

/* Backward of a norm: the gradient by its sum is that by what was added, and with dropout another by what it read. */
static bool norm_backward(forward *f, arena *a, const block *b, const block_pass *p, const block_io *io,
                          float **by_value, float *dy)
{
    float *dx = block_dropout(b, p).rate > 0 ? rows_take(f, a) : NULL, *added = by_value[b->row->adds];
    if (block_dropout(b, p).rate > 0 && !dx)
        return false;
    b->kind->backward(b, p, io, &(block_grads){ .dy = dy, .dx = dx });
    by_value[b->row->reads] = dx ? dx : dy;
    rows_count(f, dy, !dx);
    by_value[b->row->adds] = added ? added : dy;
    if (added) {
        p->ops->add(added, dy, io->m * b->hidden);
        rows_release(f, dy);
    }
    return true;
}

/* Backward of any other block. Where it was asked for fewer rows than it read, what the gradient by x has already is of
 * those. */
static bool block_backward(forward *f, arena *a, const block *b, const block_pass *p, const block_io *io,
                           float **by_value, float *dy, bool wanted)
{
    float **dx = &by_value[b->row->reads], *before = *dx;
    bool apart = b->fewer && b->kind == &BLOCK_ATTENTION;
    block_grads g = { .dy = dy, .add = before != NULL };
    if (wanted && apart) {
        g.dasked = before ? before : rows_take(f, a);
        *dx = rows_take(f, a);
    } else if (wanted && !before)
        *dx = rows_take(f, a);
    g.dx = wanted ? *dx : NULL;
    if (wanted && (!g.dx || (apart && !g.dasked)))
        return false;
    b->kind->backward(b, p, io, &g);
    rows_release(f, g.dasked);
    rows_release(f, dy);
    return true;
}

/* From the gradient by what a layer gave, in *d, to that by what it read, where that is wanted. */
static bool layer_backward(forward *f, arena *a, size_t layer, bool wanted, float **d)
{
    const layer_run *run = &f->layers[layer];
    const block *blocks = encoder_layer(f->e, layer);
    block_pass p = pass_of_layer(f, blocks, run->reduced);
    float *by_value[MOST_BLOCKS + 1] = { NULL };
    by_value[f->e->n_blocks] = *d;
    for (size_t k = f->e->n_blocks; k-- > 0;) {
        const block *b = &blocks[k];
        block_io io = io_of(f, run, b->row, k);
        bool fine = b->kind->norm
                        ? norm_backward(f, a, b, &p, &io, by_value, by_value[k + 1])
                        : block_backward(f, a, b, &p, &io, by_value, by_value[k + 1], wanted || b->row->reads);
        if (!fine)
            return false;
    }
    *d = by_value[0];
    return true;
}

/* What stands below the layers, and what is added in all of them. */
static bool bottom_backward(const forward *f, const block_pass *p, float *d, arena *a)
{
    const bert_param *table = weight_at(f->e->weights, RELATIVE_BIAS, 0);
    if (f->dbias)
        relative_bias_backward(table->grad, f->dbias, table->cols);
    return embeddings_backward(f->e, f->batch, p, &f->embedded, d, a);
}

bert_status forward_backward(forward *f, arena *a, const float *const *grads, bert_err *err)
{
    float *d = NULL;
    const bert_param *table = weight_at(f->e->weights, RELATIVE_BIAS, 0);
    f->dbias = table && table->grad && f->embeddings_tuned
                   ? arena_array(a, table->cols, (2 * RELATIVE_SPAN + 1) * sizeof *f->dbias)
                   : NULL;
    if (table && table->grad && f->embeddings_tuned && !f->dbias)
        return fail_memory(err, "a backward pass");
    /* Below the lowest layer that keeps its activations only poolers over frozen rows have gradients. */
    for (int i = (int)f->to - 1; i >= (int)f->from - 1; i--) {
        bool more = i >= (int)f->first_kept || f->embeddings_tuned; /* something here or below is tuned */
        bool wanted = i > (int)f->first_kept || f->embeddings_tuned,
             fine = collect(f, a, grads, i, i >= (int)f->from && f->layers[i].reduced, more, &d);
        block_pass p = pass_of(f, f->embeddings_tuned, false);
        if (fine && more && d)
            fine = i < 0 ? bottom_backward(f, &p, d, a) : layer_backward(f, a, (size_t)i, wanted, &d);
        if (!fine)
            return fail_memory(err, "a backward pass");
    }
    return BERT_OK;
}

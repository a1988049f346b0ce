/* Embeddings: three table rows added; backward adds into the rows. */
#include "ops/cpu/kernels.h"
#include "ops/cpu/share.h"
#include "ops/cpu/vec.h"

enum { COLUMNS = 64 }; /* of a table that one thread adds to, over all tokens in their order */

/* Elements c .. c + lanes of a row, as floats. */
INLINE vec load_row(const embedding_table *t, size_t H, size_t row, size_t c, size_t lanes)
{
    size_t at = row * H + c;
    if (t->stored == STORED_FP32)
        return load_lanes((const float *)t->rows + at, lanes);
    if (t->stored == STORED_INT8) {
        int8_t part[LANES] = { 0 };
        const int8_t *q = (const int8_t *)t->rows + at;
        return load_int8(lanes == LANES ? q : memcpy(part, q, lanes)) * splat(t->scale[row]);
    }
    uint16_t part[LANES] = { 0 };
    const uint16_t *pairs = (const uint16_t *)t->rows + at;
    return load_bf16(lanes == LANES ? pairs : memcpy(part, pairs, lanes * sizeof *part));
}

/* The arguments of embed_forward. */
typedef struct embed_job {
    float *y;
    const embedding_tables *tables;
    const int32_t *ids, *positions, *segments;
} embed_job;

static void embed_tokens(const void *job, size_t begin, size_t end)
{
    const embed_job j = *(const embed_job *)job;
    const embedding_tables t = *j.tables;
    for (size_t i = begin, H = t.hidden; i < end; i++)
        for (size_t c = 0; c < H; c += LANES) {
            size_t lanes = lanes_at(c, H);
            vec word = load_row(&t.word, H, (size_t)j.ids[i], c, lanes),
                type = load_row(&t.token_type, H, (size_t)j.segments[i], c, lanes);
            store_lanes(j.y + i * H + c, word + type + load_row(&t.position, H, (size_t)j.positions[i], c, lanes),
                        lanes);
        }
}

void OP(embed_forward)(float *y, const embedding_tables *t, const int32_t *ids, const int32_t *positions,
                       const int32_t *segments, size_t n)
{
    share(threads_for(n * t->hidden, n), n, 1, embed_tokens, &(embed_job){ y, t, ids, positions, segments });
}

/* table[index[i]] += dy[i] for each i in turn, columns col .. col + cols */
static void add_rows(float *table, const int32_t *index, const float *dy, size_t col, size_t cols, size_t H, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float *row = table + (size_t)index[i] * H;
        for (size_t c = col; c < col + cols; c += LANES) {
            size_t lanes = lanes_at(c, col + cols);
            store_lanes(row + c, load_lanes(row + c, lanes) + load_lanes(dy + i * H + c, lanes), lanes);
        }
    }
}

/* The arguments of embed_backward. */
typedef struct embed_back_job {
    float *dword, *dposition, *dtoken_type;
    const float *dy;
    const int32_t *ids, *positions, *segments;
    size_t hidden, n;
} embed_back_job;

static void add_columns(const void *job, size_t begin, size_t end)
{
    const embed_back_job *j = job;
    for (size_t c = begin; c < end; c += COLUMNS) {
        size_t cols = end - c < COLUMNS ? end - c : COLUMNS;
        if (j->dword)
            add_rows(j->dword, j->ids, j->dy, c, cols, j->hidden, j->n);
        if (j->dposition)
            add_rows(j->dposition, j->positions, j->dy, c, cols, j->hidden, j->n);
        if (j->dtoken_type)
            add_rows(j->dtoken_type, j->segments, j->dy, c, cols, j->hidden, j->n);
    }
}

void OP(embed_backward)(float *dword, float *dposition, float *dtoken_type, const float *dy, const int32_t *ids,
                        const int32_t *positions, const int32_t *segments, size_t hidden, size_t n)
{
    share(threads_for(n * hidden, (hidden + COLUMNS - 1) / COLUMNS), hidden, COLUMNS, add_columns,
          &(embed_back_job){ dword, dposition, dtoken_type, dy, ids, positions, segments, hidden, n });
}

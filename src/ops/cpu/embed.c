/* Embeddings: three table rows added; backward adds into the rows. */
#include "ops/cpu/kernels.h"
#include "ops/cpu/threads.h"
#include "ops/cpu/vec.h"

enum { COLUMNS = 64 }; /* of a table that one thread adds to, over all tokens in their order */

/* Elements c .. c + lanes of a row, as floats. */
INLINE vec load_row(const embedding_table *t, size_t H, size_t row, size_t c, size_t lanes)
{
    size_t at = row * H + c;
    if (t->precision == OPS_FP32)
        return load_lanes((const float *)t->rows + at, lanes);
    if (t->precision == OPS_INT8) {
        int8_t part[LANES] = { 0 };
        const int8_t *q = (const int8_t *)t->rows + at;
        return load_int8(lanes == LANES ? q : memcpy(part, q, lanes)) * splat(t->scale[row]);
    }
    uint16_t part[LANES] = { 0 };
    const uint16_t *pairs = (const uint16_t *)t->rows + at;
    return load_bf16(lanes == LANES ? pairs : memcpy(part, pairs, lanes * sizeof *part));
}

void OP(embed_forward)(float *y, const embedding_tables *t, const int32_t *ids, const int32_t *positions, const int32_t *segments, size_t n)
{
    size_t H = t->hidden;
    int threads = threads_for(n * H, n);
    PARALLEL_FOR(threads, schedule(static),
        for (size_t i = 0; i < n; i++)
            for (size_t c = 0; c < H; c += LANES) {
                size_t lanes = lanes_at(c, H);
                vec word = load_row(&t->word, H, (size_t)ids[i], c, lanes), type = load_row(&t->token_type, H, (size_t)segments[i], c, lanes);
                store_lanes(y + i * H + c, word + type + load_row(&t->position, H, (size_t)positions[i], c, lanes), lanes);
            });
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

void OP(embed_backward)(float *dword, float *dposition, float *dtoken_type, const float *dy, const int32_t *ids, const int32_t *positions,
                        const int32_t *segments, size_t hidden, size_t n)
{
    int threads = threads_for(n * hidden, (hidden + COLUMNS - 1) / COLUMNS);
#pragma omp parallel for num_threads(threads) if (threads > 1)
    for (size_t c = 0; c < hidden; c += COLUMNS) {
        size_t cols = hidden - c < COLUMNS ? hidden - c : COLUMNS;
        if (dword)
            add_rows(dword, ids, dy, c, cols, hidden, n);
        if (dposition)
            add_rows(dposition, positions, dy, c, cols, hidden, n);
        if (dtoken_type)
            add_rows(dtoken_type, segments, dy, c, cols, hidden, n);
    }
}

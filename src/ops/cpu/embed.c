/* Embeddings: three table rows added; backward adds into the rows. */
#include "ops/cpu/kernels.h"
#include "ops/cpu/threads.h"
#include "ops/cpu/vec.h"

enum { COLUMNS = 64 }; /* of a table that one thread adds to, over all tokens in their order */

void OP(embed_forward)(float *y, const embedding_tables *t, const int32_t *ids, const int32_t *positions, const int32_t *segments, size_t n)
{
    size_t H = t->hidden;
    int threads = threads_for(n * H, n);
#pragma omp parallel for num_threads(threads) if (threads > 1)
    for (size_t i = 0; i < n; i++) {
        const float *word = t->word + (size_t)ids[i] * H, *position = t->position + (size_t)positions[i] * H;
        const float *type = t->token_type + (size_t)segments[i] * H;
        for (size_t c = 0; c < H; c += LANES) {
            size_t lanes = lanes_at(c, H);
            store_lanes(y + i * H + c, load_lanes(word + c, lanes) + load_lanes(type + c, lanes) + load_lanes(position + c, lanes), lanes);
        }
    }
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

/* Sequences of draws over Philox. */
#include "base/random.h"

#include <math.h>

uint32_t random_u32(random_stream *r)
{
    uint64_t i = r->index++;
    uint32_t counter[4] = { (uint32_t)(i >> 2), (uint32_t)(i >> 34), (uint32_t)r->stream, (uint32_t)(r->stream >> 32) };
    uint32_t key[2] = { (uint32_t)r->seed, (uint32_t)(r->seed >> 32) }, out[4];
    philox4x32(out, counter, key);
    return out[i & 3];
}

uint32_t random_below(random_stream *r, uint32_t n)
{
    /* Lemire, "Fast Random Integer Generation in an Interval", 2019: reject the few products that would favour some
     * results. */
    uint64_t product = (uint64_t)random_u32(r) * n;
    uint32_t reject = -n % n;
    while ((uint32_t)product < reject)
        product = (uint64_t)random_u32(r) * n;
    return (uint32_t)(product >> 32);
}

float random_uniform(random_stream *r, float low, float high)
{
    return low + (high - low) * ((float)(random_u32(r) >> 8) * 0x1p-24f);
}

float random_normal(random_stream *r)
{
    double u = (random_u32(r) + 1.0) * 0x1p-32, v = random_u32(r) * 0x1p-32;
    return (float)(sqrt(-2 * log(u)) * cos(2 * 3.14159265358979323846 * v));
}

void random_shuffle(random_stream *r, uint32_t *items, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = random_below(r, (uint32_t)i);
        uint32_t t = items[i - 1];
        items[i - 1] = items[j];
        items[j] = t;
    }
}

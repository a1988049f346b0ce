/* Distances to buckets, and back. */
#include "net/relative_bias.h"

enum { WIDTH = 2 * RELATIVE_SPAN + 1, SIDE = RELATIVE_BUCKETS / 2, NEAR = SIDE / 2 };

size_t relative_bucket(ptrdiff_t distance)
{
    size_t n = (size_t)(distance < 0 ? -distance : distance), side = distance > 0 ? SIDE : 0, far = 0;
    if (n < NEAR)
        return side + n;
    if (n >= RELATIVE_SPAN)
        return side + SIDE - 1;
    /* the floor of 8 log(n / 8) / log(128 / 8), which is 2 log2(n / 8), without an error at powers of two */
    while (n * n >= (size_t)NEAR * NEAR << (far + 1))
        far++;
    return side + NEAR + far;
}

void relative_bias_spread(float *bias, const float *table, size_t heads)
{
    for (size_t i = 0; i < WIDTH; i++)
        for (size_t h = 0, bucket = relative_bucket((ptrdiff_t)i - RELATIVE_SPAN); h < heads; h++)
            bias[h * WIDTH + i] = table[bucket * heads + h];
}

void relative_bias_backward(float *dtable, const float *dbias, size_t heads)
{
    for (size_t i = 0; i < WIDTH; i++)
        for (size_t h = 0, bucket = relative_bucket((ptrdiff_t)i - RELATIVE_SPAN); h < heads; h++)
            dtable[bucket * heads + h] += dbias[h * WIDTH + i];
}

/* Cosines, forward and backward. */
#include "net/cosine.h"

#include <math.h>
#include <stdbool.h>

typedef struct cosine_parts {
    double value, aa, bb; /* squares of the lengths */
} cosine_parts;

/* A vector of zeros has no direction: its cosine with any other is 0. */
static cosine_parts cosine_of(const float *a, const float *b, size_t H)
{
    cosine_parts c = { 0 };
    double ab = 0;
    for (size_t i = 0; i < H; i++) {
        ab += (double)a[i] * b[i];
        c.aa += (double)a[i] * a[i];
        c.bb += (double)b[i] * b[i];
    }
    c.value = c.aa == 0 || c.bb == 0 ? 0 : ab / (sqrt(c.aa) * sqrt(c.bb)); /* NaN stays NaN */
    return c;
}

void cosine_forward(float *cosines, const float *x, size_t n, size_t H)
{
    for (size_t i = 0; i < n; i++)
        cosines[i] = (float)cosine_of(x + 2 * i * H, x + (2 * i + 1) * H, H).value;
}

/* d cos / da = b / (|a| |b|) - cos a / |a|^2 */
void cosine_backward(float *dx, const float *dcosines, const float *x, size_t n, size_t H)
{
    for (size_t i = 0; i < n; i++) {
        const float *a = x + 2 * i * H, *b = a + H;
        float *da = dx + 2 * i * H, *db = da + H;
        cosine_parts c = cosine_of(a, b, H);
        bool directed = c.aa > 0 && c.bb > 0;
        double g = dcosines[i], across = directed ? g / (sqrt(c.aa) * sqrt(c.bb)) : 0;
        double along_a = directed ? g * c.value / c.aa : 0, along_b = directed ? g * c.value / c.bb : 0;
        for (size_t k = 0; k < H; k++) {
            da[k] = (float)(across * b[k] - along_a * a[k]);
            db[k] = (float)(across * a[k] - along_b * b[k]);
        }
    }
}

/* exp, the normal distribution, GELU, tanh and the logistic function of a vector. The polynomials are minimax fits of
 * the functions named beside them, each below half a unit in the last place of a float before rounding. */
#pragma once

#include "ops/cpu/vec.h"

/* exp to 1 ulp: 0 below -87.3, where floats end; above 88.3 it stays at 2e38, so that no infinity comes of it. */
INLINE vec exp_vec(vec x)
{
    veci below = x < splat(-87.3f); /* not where x is NaN, which must come out again */
    x = choose(x > splat(88.3f), splat(88.3f), x);
    /* x = n ln 2 + r. Adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits. */
    vec shifted = fma_vec(x, splat(0x1.715476p+0f), splat(0x1.8p+23f));
    vec n = shifted - splat(0x1.8p+23f);
    vec r = fma_vec(n, splat(-0x1.62e4p-1f), x); /* ln 2 in two parts */
    r = fma_vec(n, splat(-0x1.7f7d1cp-20f), r);
    vec p = splat(0.0013814461f); /* (exp(r) - 1 - r) / r^2 */
    p = fma_vec(p, r, splat(0.008368781f));
    p = fma_vec(p, r, splat(0.041668394f));
    p = fma_vec(p, r, splat(0.1666652f));
    p = fma_vec(p, r, splat(0.49999993f));
    p = fma_vec(p * r, r, r) + splat(1.0f);
    vecu y = (vecu)p + ((vecu)shifted << 23);
    return (vec)(y & ~(vecu)below);
}

/* t below 127 as a sum of r, -1/2 .. 1/2, and an integer that scale_exp2_vec reads. */
INLINE vec split_exp2_vec(vec t, vec *integer)
{
#if defined(__AVX512F__)
    *integer = _mm512_roundscale_ps(t, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    return t - *integer;
#else
    t = max_vec(splat(-126.0f), t); /* the second where that is NaN */
    *integer = t + splat(0x1.8p+23f); /* which stands in the low bits */
    return t - (*integer - splat(0x1.8p+23f));
#endif
}

/* p 2^integer; below 2^-126 some number below it. */
INLINE vec scale_exp2_vec(vec p, vec integer)
{
#if defined(__AVX512F__)
    return _mm512_scalef_ps(p, integer);
#else
    return (vec)((vecu)p + ((vecu)integer << 23));
#endif
}

/* 2^t for t <= 0, to 1 ulp. */
INLINE vec exp2_below_vec(vec t)
{
    vec n, r = split_exp2_vec(t, &n);
    vec p = splat(0.0013276466f); /* 2^r */
    p = fma_vec(p, r, splat(0.009675541f));
    p = fma_vec(p, r, splat(0.055507135f));
    p = fma_vec(p, r, splat(0.2402212f));
    p = fma_vec(p, r, splat(0.69314694f));
    p = fma_vec(p, r, splat(1.0000001f));
    return scale_exp2_vec(p, n);
}

INLINE vec sigmoid_vec(vec x)
{
    return splat(1.0f) / (splat(1.0f) + exp_vec(-x));
}

/* The slope s (1 - s) of the logistic function s, without the digits that 1 - s loses near 1. */
INLINE vec sigmoid_slope_vec(vec x, vec *s)
{
    vec e = exp_vec(-x);
    *s = splat(1.0f) / (splat(1.0f) + e);
    return e * *s * *s;
}

INLINE vec tanh_vec(vec x)
{
    vec a = abs_vec(x), u = x * x;
    vec p = splat(-0.0057170215f); /* (tanh(x) / x - 1) / x^2, |x| < 0.625 */
    p = fma_vec(p, u, splat(0.020650564f));
    p = fma_vec(p, u, splat(-0.05374349f));
    p = fma_vec(p, u, splat(0.13331491f));
    p = fma_vec(p, u, splat(-0.33333284f));
    vec small = fma_vec(x * u, p, x);
    vec large = splat(1.0f) - splat(2.0f) / (exp_vec(a + a) + splat(1.0f));
    large = (vec)((veci)large | ((veci)x & splat_int(INT32_MIN)));
    return choose(a < splat(0.625f), small, large);
}

/* ---- the normal distribution ------------------------------------------------------------------------------------- */

INLINE vec min_vec(vec a, vec b)
{
#if defined(__AVX512F__)
    return _mm512_min_ps(a, b);
#elif defined(__AVX2__)
    return _mm256_min_ps(a, b);
#else
    return choose(a < b, a, b);
#endif
}

/* Lane by lane table[i], of whose bits the lowest four count. */
INLINE vec look_up(const float table[16], vecu i)
{
#if defined(__AVX512F__)
    return _mm512_permutexvar_ps((__m512i)i, load(table));
#elif defined(__AVX2__)
    vec low = _mm256_permutevar8x32_ps(load(table), (__m256i)i),
        high = _mm256_permutevar8x32_ps(load(table + 8), (__m256i)i);
    return _mm256_blendv_ps(low, high, (vec)(i << 28)); /* bit 3 where its sign is looked for */
#else
    vec r;
    for (int l = 0; l < LANES; l++)
        r[l] = table[i[l] & 15];
    return r;
#endif
}

/* Phi(-u / 2) / 2 for 0 <= u <= NORMAL_END, Phi being the normal distribution: between each two integers a polynomial
 * of degree 7 in the distance from the middle, whose relative error is below 2e-8 up to u = 8 (x = -4) and grows to
 * 3e-5 at the end, where Phi is 6e-16. */
#define NORMAL_END 15.99f
INLINE vec normal_tail_vec(vec u)
{
    /* By rising power; the lower half of the last one's bits is the next one, in bf16: one shuffle less. */
    static const float COEFFICIENTS[7][16] __attribute__((aligned(64))) = {
        { 0.200646833f, 0.113313675f, 0.0528248884f, 0.0200295784f, 0.00611223653f, 0.00148988166f,
          0.000288512529f, 4.42086421e-05f, 5.34426317e-06f, 5.08541575e-07f, 3.8024794e-08f,
          2.23108532e-09f, 1.02613133e-10f, 3.69612587e-12f, 1.04193082e-13f, 2.29732615e-15f },
        { -0.096667029f, -0.0752843544f, -0.0456622727f, -0.0215693302f, -0.00793491304f, -0.00227339054f,
          -0.000507262012f, -8.81489177e-05f, -1.19296619e-05f, -1.25737836e-06f, -1.03211931e-07f,
          -6.59816735e-09f, -3.2850625e-10f, -1.27377085e-11f, -3.84659074e-13f, -9.04666424e-15f },
        { 0.00604168745f, 0.0141158141f, 0.01426946f, 0.00943658315f, 0.00446338905f, 0.00156295579f,
          0.000412150344f, 8.26395772e-05f, 1.26752766e-05f, 1.4931444e-06f, 1.35466848e-07f,
          9.4850483e-09f, 5.13304677e-10f, 2.14955571e-11f, 6.9721285e-13f, 1.75279187e-14f },
        { 0.00377605343f, 0.00137236866f, -0.00107020827f, -0.00185361179f, -0.00134314853f, -0.000621631218f,
          -0.000202112496f, -4.79769551e-05f, -8.48112995e-06f, -1.12962448e-06f, -1.1422258e-07f,
          -8.81264661e-09f, -5.207767e-10f, -2.36357531e-11f, -8.25458896e-13f, -2.22252179e-14f },
        { -0.000369703484f, -0.000716769428f, -0.000427345687f, 1.22595338e-05f, 0.000191776839f, 0.000148568986f,
          6.49376598e-05f, 1.90463288e-05f, 3.97707026e-06f, 6.0829899e-07f, 6.92771849e-08f,
          5.93286931e-09f, 3.84928589e-10f, 1.90129527e-11f, 7.17327456e-13f, 2.07448957e-14f },
        { -0.000132335757f, 2.3132875e-06f, 9.35361386e-05f, 6.73415198e-05f, 7.21363767e-06f, -1.75353362e-05f,
          -1.35215714e-05f, -5.34310539e-06f, -1.37335689e-06f, -2.47078333e-07f, -3.21946203e-08f,
          -3.10057313e-09f, -2.23096708e-10f, -1.20995332e-11f, -4.98110613e-13f, -1.56070039e-14f },
        { 1.48542322e-05f, 2.34496365e-05f, 4.55117788e-06f, -1.00557745e-05f, -7.7014638e-06f, -9.77574928e-07f,
          1.47670835e-06f, 1.03341813e-06f, 3.57071542e-07f, 7.90216461e-08f, 1.20893171e-08f,
          1.33649891e-09f, 1.0808443e-10f, 6.4992625e-12f, 2.94278518e-13f, 1.00283458e-14f },
    };
    /* rounds to an integer, which then stands in the low bits */
    vec v = u - splat(0.5f), shifted = v + splat(0x1.8p+23f);
    vec r = v - (shifted - splat(0x1.8p+23f));
    vecu n = (vecu)shifted;
    vec last = look_up(COEFFICIENTS[6], n), r2 = r * r;
    /* In pairs: the chain of multiplications, not their number, is what takes time. */
    vec p67 = fma_vec((vec)((vecu)last << 16), r, last);
    vec p45 = fma_vec(look_up(COEFFICIENTS[5], n), r, look_up(COEFFICIENTS[4], n));
    vec p23 = fma_vec(look_up(COEFFICIENTS[3], n), r, look_up(COEFFICIENTS[2], n));
    vec p01 = fma_vec(look_up(COEFFICIENTS[1], n), r, look_up(COEFFICIENTS[0], n));
    return fma_vec(fma_vec(p67, r2, p45), r2 * r2, fma_vec(p23, r2, p01));
}

/* |x| in the unit of normal_tail_vec, not beyond its end. */
INLINE vec normal_place_vec(vec x)
{
    vec a = abs_vec(x);
    return min_vec(a + a, splat(NORMAL_END));
}

/* Phi(x); *bell receives exp(-x^2 / 2). */
INLINE vec normal_vec(vec x, vec *bell)
{
    vec below = splat(2.0f) * normal_tail_vec(normal_place_vec(x));
    *bell = exp_vec(splat(-0.5f) * x * x);
    vec p = choose(x > splat(0.0f), splat(1.0f) - below, below);
    return choose(x == x, p, x);
}

/* x Phi(x) = max(x, 0) - |x| Phi(-|x|): to 1.3 units in the last place above 0, to 4 down to -4. */
INLINE vec gelu_vec(vec x)
{
    vec u = normal_place_vec(x);
    return fma_vec(-u, normal_tail_vec(u), max_vec(splat(0.0f), x)); /* max returns the second where that is NaN */
}

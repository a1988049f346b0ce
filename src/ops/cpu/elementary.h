/* exp, the normal distribution, tanh and the logistic function of a vector. The polynomials are minimax fits of the functions named beside
 * them, each below half a unit in the last place of a float before rounding. */
#ifndef OPS_CPU_ELEMENTARY_H
#define OPS_CPU_ELEMENTARY_H

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

/* Phi(x), the normal distribution, with small relative error on both sides; *bell receives exp(-x^2 / 2).
 * Phi(-a) exp(a^2 / 2) is a polynomial in t = 1 / (1 + 0.21 a), the form of Abramowitz & Stegun 7.1.26, fitted anew for a up to 14. */
INLINE vec normal_vec(vec x, vec *bell)
{
    vec a = abs_vec(x);
    vec t = splat(1.0f) / fma_vec(splat(0.21f), a, splat(1.0f));
    *bell = exp_vec(splat(-0.5f) * x * x);
    vec p = splat(-0.07165689536f);
    p = fma_vec(p, t, splat(0.28359155112f));
    p = fma_vec(p, t, splat(-0.33025976473f));
    p = fma_vec(p, t, splat(0.34940850153f));
    p = fma_vec(p, t, splat(-0.09393049652f));
    p = fma_vec(p, t, splat(0.12487502797f));
    p = fma_vec(p, t, splat(0.06919156797f));
    p = fma_vec(p, t, splat(0.08506894469f));
    p = fma_vec(p, t, splat(0.08371157039f));
    vec below = p * t * *bell; /* Phi(-a) */
    return choose(x > splat(0.0f), splat(1.0f) - below, below);
}

#endif

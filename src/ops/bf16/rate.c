/* The rate of vdpbf16ps beside that of fused multiply-adds. */
#include "ops/bf16_rate.h"

#include "ops/cpu/tile.h"

enum { TRIES = 8, TURNS = 200, UNDER_WAY = 12 /* sums, so that none is waited for */ };

/* Clock ticks of TURNS times UNDER_WAY instructions. */
INLINE uint64_t instruction_ticks(const bool pairs)
{
    vec sum[UNDER_WAY], a = splat(1.0f), b = splat(1.0f);
    UNROLL for (int i = 0; i < UNDER_WAY; i++)
        sum[i] = splat(0.0f);
    uint64_t begin = __builtin_ia32_rdtsc();
    for (int turn = 0; turn < TURNS; turn++)
        UNROLL for (int i = 0; i < UNDER_WAY; i++) {
            sum[i] = pairs ? multiply_add(a, b, sum[i]) : fma_vec(a, b, sum[i]);
            __asm__ volatile("" : "+v"(sum[i])); /* the compiler may drop none */
        }
    return __builtin_ia32_rdtsc() - begin;
}

bool bf16_instruction_pays(void)
{
    uint64_t least[2] = { UINT64_MAX, UINT64_MAX };
    for (int i = 0; i < TRIES; i++) { /* the least, since others may take the processor away */
        uint64_t floats = instruction_ticks(false), pairs = instruction_ticks(true);
        least[0] = floats < least[0] ? floats : least[0];
        least[1] = pairs < least[1] ? pairs : least[1];
    }
    return least[1] < 2 * least[0];
}

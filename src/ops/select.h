/* The lists of operations that were built. Each machine runs some of them; ops_select takes the first. */
#pragma once

#include "ops/ops.h"

/* Two of a name give the same bits: avx512_bf16_fma multiplies as floats what avx512_bf16 does as bf16. */
#if !defined(OPS_GENERIC)
extern const ops ops_avx512, ops_avx2, ops_avx512_bf16, ops_avx512_bf16_fma, ops_avx512_int8, ops_avx512_vnni,
    ops_avx2_int8, ops_avx2_vnni;
#else
extern const ops ops_generic;
#endif

/* The fp32 operations of that name, or NULL where there are none or this machine lacks the instructions. */
const ops *ops_named(const char *name);

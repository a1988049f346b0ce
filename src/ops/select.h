/* The back ends that were built. Each machine runs some of them; ops_select takes the first. */
#ifndef OPS_SELECT_H
#define OPS_SELECT_H

#include "ops/ops.h"

#if defined(__x86_64__)
extern const ops ops_avx512, ops_avx2;
#else
extern const ops ops_generic;
#endif

/* The back end of that name, or NULL where there is none or this machine lacks the instructions. */
const ops *ops_named(const char *name);

#endif

/* Whether vdpbf16ps is worth using. */
#pragma once

#include <stdbool.h>

/* True where its two products a lane take less time than two fused multiply-adds. AMD starts it as often as one of
 * these, Intel's server processors every other cycle, a quarter as often. Measured: 30 microseconds. */
bool bf16_instruction_pays(void);

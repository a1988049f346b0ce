/* What Linux tells in /proc. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The value of the first line "KEY : VALUE" of a file of /proc, cut to size; false: there is none. */
bool proc_value(const char *path, const char *key, char *out, size_t size);

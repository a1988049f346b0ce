/* What Linux tells in /proc. */
#ifndef BASE_PROC_H
#define BASE_PROC_H

#include <stdbool.h>
#include <stddef.h>

/* The value of the first line "KEY : VALUE" of a file of /proc, cut to size; false: there is none. */
bool proc_value(const char *path, const char *key, char *out, size_t size);

#endif

/* Temporaries: a file or folder is called NAME.tmp-RANDOM, beside NAME, until it is whole. Its process holds a lock on
 * it (flock), which dies with the process however that ends: one that nobody holds was left by a run that was killed,
 * and who writes NAME next removes it. */
#pragma once

#include <stdbool.h>

/* Makes a new one of its own for PATH ("model/" is "model"), never through a link, after the leftovers of PATH are
 * gone. Returns its descriptor, which holds the lock, and in *name its path (free); -1 with errno. */
int temporary_create(const char *path, bool folder, char **name);

/* Removes what killed runs left of any NAME in the folder. */
void temporaries_sweep(const char *folder);

/* Removes what stands at NAME in the folder (a descriptor, or AT_FDCWD) with all it holds; links are not followed.
 * Calls nothing that a signal handler may not call. -1 with errno. */
int tree_remove(int folder, const char *name);

/* Opens a file that is written in place (a lock, a part), made where it is missing; never a link, a file with a second
 * name, a device or a pipe. -1 with errno: ELOOP, EMLINK, or ENXIO for what is no regular file. */
int open_in_place(const char *path);

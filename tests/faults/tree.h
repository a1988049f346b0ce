/* What stands in a folder. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A file's bytes with a NUL behind them, to be freed; an empty text where there is none. */
char *tree_text(const char *path);
/* Whether two files or folders are the same but for the entries that `differs` names (words with blanks between); if
 * not, what says where. */
bool tree_same(const char *right, const char *found, const char *differs, char *what, size_t size);
/* Whether each file of the folder `found` is the same in `right`, but for those with `aside` in their names. */
bool tree_part(const char *right, const char *found, const char *aside, char *what, size_t size);
/* An entry of the folder that is none of these words; NULL: none. */
const char *tree_other(const char *folder, const char *words);
/* Removes all that is in a folder, and with `itself` the folder, or a file. */
int tree_remove(const char *path, bool itself);

/* Paths: joined, taken apart, seen from elsewhere. */
#include "base/file.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

char *path_join(arena *a, const char *folder, const char *name)
{
    if (name[0] == '/')
        return arena_string(a, name);
    size_t n = strlen(folder);
    return arena_printf(a, "%s%s%s", folder, n && folder[n - 1] == '/' ? "" : "/", name);
}

char *path_folder(arena *a, const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    while (n && path[n - 1] != '/')
        n--;
    while (n > 1 && path[n - 1] == '/')
        n--;
    return n ? arena_copy(a, path, n) : arena_string(a, ".");
}

const char *path_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool path_ends(const char *path, const char *suffix)
{
    size_t n = strlen(path), m = strlen(suffix);
    return n >= m && !memcmp(path + n - m, suffix, m);
}

char *path_relative(arena *a, const char *target, const char *folder)
{
    char to[PATH_MAX], from[PATH_MAX];
    if (!realpath(target, to) || !realpath(folder, from))
        return NULL;
    if (!to[1])
        to[0] = 0; /* the root is "": every folder starts with its slash */
    if (!from[1])
        from[0] = 0;
    size_t shared = 0; /* length of the folders that both are in */
    for (size_t i = 0;; i++) {
        if ((!to[i] || to[i] == '/') && (!from[i] || from[i] == '/'))
            shared = i;
        if (to[i] != from[i] || !to[i])
            break;
    }
    char *path = arena_string(a, to[shared] ? to + shared + 1 : "");
    for (const char *p = from + shared; path && *p; p++)
        if (*p == '/')
            path = arena_printf(a, "..%s%s", *path ? "/" : "", path);
    return path && !*path ? arena_string(a, ".") : path;
}

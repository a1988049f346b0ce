/* What stands in a folder. */
#include "faults/tree.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *read_whole(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    size_t capacity = 1 << 16;
    char *bytes = malloc(capacity);
    *n = 0;
    for (size_t got; f && bytes && (got = fread(bytes + *n, 1, capacity - *n - 1, f)) > 0;)
        if ((*n += got) + 1 == capacity)
            bytes = realloc(bytes, capacity *= 2);
    if (f)
        fclose(f);
    if (!bytes)
        abort();
    bytes[*n] = 0;
    return bytes;
}

char *tree_text(const char *path)
{
    size_t n;
    return read_whole(path, &n);
}

static bool is_named(const char *words, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = words; (at = strstr(at, name)); at += n)
        if ((at == words || at[-1] == ' ') && (!at[n] || at[n] == ' '))
            return true;
    return false;
}

static bool same_files(const char *a, const char *b)
{
    size_t n, m;
    char *one = read_whole(a, &n), *two = read_whole(b, &m);
    bool same = n == m && !memcmp(one, two, n);
    free(one);
    free(two);
    return same;
}

/* Every entry of `right` is in `found`, with `deep` the same. */
static bool holds_all(const char *right, const char *found, const char *differs, bool deep, char *what, size_t size)
{
    DIR *d = opendir(right);
    bool fine = d != NULL;
    for (struct dirent *e; fine && (e = readdir(d));) {
        char a[1024], b[1024];
        struct stat st;
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || is_named(differs, e->d_name))
            continue;
        snprintf(a, sizeof a, "%s/%s", right, e->d_name);
        snprintf(b, sizeof b, "%s/%s", found, e->d_name);
        if (deep)
            fine = tree_same(a, b, differs, what, size);
        else if (!(fine = !lstat(b, &st)))
            snprintf(what, size, "%s is left", a);
    }
    if (d)
        closedir(d);
    return fine;
}

bool tree_same(const char *right, const char *found, const char *differs, char *what, size_t size)
{
    struct stat a, b;
    if (lstat(right, &a) || lstat(found, &b) || S_ISDIR(a.st_mode) != S_ISDIR(b.st_mode))
        return snprintf(what, size, "%s is absent", found), false;
    if (S_ISDIR(a.st_mode))
        return holds_all(right, found, differs, true, what, size) &&
               holds_all(found, right, differs, false, what, size);
    if (!same_files(right, found))
        return snprintf(what, size, "%s is another", found), false;
    return true;
}

bool tree_part(const char *right, const char *found, const char *aside, char *what, size_t size)
{
    DIR *d = opendir(found);
    bool fine = d != NULL;
    for (struct dirent *e; fine && (e = readdir(d));) {
        char a[1024], b[1024];
        snprintf(a, sizeof a, "%s/%s", right, e->d_name);
        snprintf(b, sizeof b, "%s/%s", found, e->d_name);
        fine = !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || strstr(e->d_name, aside) ||
               tree_same(a, b, "", what, size);
    }
    if (d)
        closedir(d);
    return fine;
}

const char *tree_other(const char *folder, const char *words)
{
    static char name[256];
    DIR *d = opendir(folder);
    *name = 0;
    for (struct dirent *e; d && !*name && (e = readdir(d));)
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") && !is_named(words, e->d_name))
            snprintf(name, sizeof name, "%s", e->d_name);
    if (d)
        closedir(d);
    return *name ? name : NULL;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st, (void)kind;
    return where->level ? remove(path) : 0;
}

int tree_remove(const char *path, bool itself)
{
    struct stat st;
    if (lstat(path, &st))
        return -1;
    int failed = S_ISDIR(st.st_mode) ? nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) : 0;
    return failed ? failed : itself ? remove(path) : 0;
}

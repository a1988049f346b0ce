/* Modules by address: archives unpacked into a cache. */
#include "web/fetch.h"

#include "base/buffer.h"
#include "base/file.h"
#include "base/temporary.h"
#include "base/sha.h"
#include "web/download.h"
#include "web/http.h"
#include "formats/tar_gz.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder of the cache, made where it is missing. */
static bert_status cache_folder(arena *a, const char *name, char **folder, bert_err *err)
{
    const char *cache = getenv("BERT_CACHE"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache && *cache)
        *folder = path_join(a, cache, name);
    else if (xdg && *xdg)
        *folder = arena_printf(a, "%s/libbert/%s", xdg, name);
    else if (home && *home)
        *folder = arena_printf(a, "%s/.cache/libbert/%s", home, name);
    else
        return fail(err, BERT_ERR_IO, "no folder for the cache: BERT_CACHE, XDG_CACHE_HOME and HOME are not set");
    return *folder ? folder_create(*folder, err) : fail_memory(err, "the cache's name");
}

/* *inner: the only folder in `folder` where it holds nothing else, else `folder`. */
static bert_status only_folder(arena *a, char *folder, char **inner, bert_err *err)
{
    folder_names list;
    bert_status s = folder_list(&list, a, folder, err);
    char *found = list.n == 1 ? path_join(a, folder, list.names[0]) : folder;
    if (!found)
        return fail_memory(err, folder);
    *inner = file_is_folder(found) ? found : folder;
    return s;
}

/* Unpacks under a name of its own, then renames: who comes second finds the first one's folder and uses it. */
static bert_status unpack_archive(const char *archive, const char *folder, bert_err *err)
{
    char *temporary;
    int held = temporary_create(folder, true, &temporary);
    if (held < 0)
        return fail_errno(err, "%s: cannot make the folder", folder);
    bert_status s = tar_gz_unpack(archive, temporary, err);
    if (!s && rename(temporary, folder) && !file_is_folder(folder))
        s = fail_errno(err, "%s: cannot write", folder);
    if (file_is_folder(temporary))
        folder_remove(temporary, NULL);
    close(held);
    free(temporary);
    return s;
}

/* The unpacked form of the archive whose SHA-256 is hex. */
static bert_status archive_folder(arena *a, const char *archive, const char *hex, char **folder, bert_err *err)
{
    char *archives;
    bert_status s = cache_folder(a, "archives", &archives, err);
    if (s)
        return s;
    char *unpacked = path_join(a, archives, hex);
    if (!unpacked)
        return fail_memory(err, archive);
    if (!file_is_folder(unpacked))
        s = unpack_archive(archive, unpacked, err);
    return s ? s : only_folder(a, unpacked, folder, err);
}

/* Which archive an address gave before; false: it is not known. */
static bool read_record(const char *record, char hex[SHA256_HEX])
{
    FILE *f = fopen(record, "re");
    if (!f)
        return false;
    size_t n = fread(hex, 1, SHA256_HEX - 1, f);
    hex[n] = 0;
    fclose(f);
    return n == SHA256_HEX - 1 && strspn(hex, "0123456789abcdef") == n;
}

/* The folder that an address gave before; NULL where there is none. */
static char *remembered(arena *a, const char *record)
{
    char hex[SHA256_HEX] = "", *archives = NULL, *unpacked = NULL;
    if (read_record(record, hex) && !cache_folder(a, "archives", &archives, NULL))
        unpacked = path_join(a, archives, hex);
    return unpacked && file_is_folder(unpacked) && !only_folder(a, unpacked, &unpacked, NULL) ? unpacked : NULL;
}

/* Downloads an archive, unpacks it and remembers which one it was. */
static bert_status download_archive(arena *a, const char *address, const char *record, char **folder, bert_err *err)
{
    char hex[SHA256_HEX], *archive = arena_printf(a, "%s.tar.gz", record);
    if (!archive)
        return fail_memory(err, address);
    download d = { .url = address, .path = archive };
    bert_status s = download_file(&d, err);
    if (s)
        return s;
    if (!(s = sha256_file(archive, hex, err)) && (s = archive_folder(a, archive, hex, folder, err)) == BERT_ERR_FORMAT)
        fail_in(err, s, "%s", address);
    unlink(archive);
    buffer text = { 0 };
    buffer_printf(&text, "%s\n%s\n", hex, address);
    if (!s)
        s = text.failed ? fail_memory(err, address) : file_write_whole(record, text.data, text.size, err);
    buffer_free(&text);
    return s;
}

/* One process at a time fetches an address; the others wait and find it there. */
static bert_status fetch_address(arena *a, const char *address, char **folder, bert_err *err)
{
    char hex[SHA256_HEX], *addresses, *record, *lock;
    bert_status s = cache_folder(a, "addresses", &addresses, err);
    if (s)
        return s;
    sha256_hex(address, strlen(address), hex);
    record = path_join(a, addresses, hex);
    lock = arena_printf(a, "%s/%s.lock", addresses, hex);
    if (!record || !lock)
        return fail_memory(err, address);
    if ((*folder = remembered(a, record)))
        return BERT_OK;
    int fd = open_in_place(lock), locked = -1;
    while (fd >= 0 && (locked = flock(fd, LOCK_EX)) && errno == EINTR)
        ;
    if (locked)
        s = fail_errno(err, "%s: cannot lock", lock);
    else if (!(*folder = remembered(a, record)))
        s = download_archive(a, address, record, folder, err);
    if (fd >= 0)
        close(fd);
    return s;
}

void fetch_forget(const char *path)
{
    arena a = { 0 };
    char hex[SHA256_HEX], *addresses = NULL, *archives = NULL, *record = NULL, *unpacked = NULL;
    bool cached = !file_is_folder(path) && !cache_folder(&a, "archives", &archives, NULL);
    if (cached && http_is_address(path)) {
        sha256_hex(path, strlen(path), hex);
        record = cache_folder(&a, "addresses", &addresses, NULL) ? NULL : path_join(&a, addresses, hex);
        cached = record && read_record(record, hex);
    } else if (cached)
        cached = !sha256_file(path, hex, NULL);
    if (cached)
        unpacked = path_join(&a, archives, hex);
    if (record)
        unlink(record);
    if (unpacked && file_is_folder(unpacked))
        folder_remove(unpacked, NULL);
    arena_free(&a);
}

bert_status fetch_module(arena *a, const char *path, char **folder, bert_err *err)
{
    char hex[SHA256_HEX];
    if (http_is_address(path))
        return fetch_address(a, path, folder, err);
    if (file_is_folder(path)) {
        *folder = arena_string(a, path);
        return *folder ? BERT_OK : fail_memory(err, path);
    }
    if (!file_exists(path))
        return fail(err, BERT_ERR_IO, "%s: no such file or folder", path);
    if (!path_ends(path, ".tar.gz") && !path_ends(path, ".tgz"))
        return fail(err, BERT_ERR_FORMAT, "%s: not a module: expected a folder, a .tar.gz file or an http(s) address",
                    path);
    bert_status s = sha256_file(path, hex, err);
    return s ? s : archive_folder(a, path, hex, folder, err);
}

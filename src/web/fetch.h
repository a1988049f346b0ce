/* Modules by address: archives unpacked into a cache.
 *
 *     CACHE/archives/SHA256/            an unpacked archive, by the SHA-256 of the .tar.gz
 *     CACHE/addresses/SHA256            which archive an address gave, by the SHA-256 of the address: two lines,
 *                                       archive and address
 *
 * CACHE is $BERT_CACHE, else $XDG_CACHE_HOME/libbert, else ~/.cache/libbert. Any number of processes may use it at
 * once. */
#pragma once

#include "base/arena.h"
#include "base/error.h"

/* Sets *folder (arena memory) to the folder on disk: path itself for a folder, else the unpacked archive in the cache:
 * path is a .tar.gz or .tgz file or the http(s) address of one. An archive may hold the module at its top or in its
 * only folder. Fails with BERT_ERR_IO, BERT_ERR_FORMAT, BERT_ERR_NETWORK. */
bert_status fetch_module(arena *a, const char *path, char **folder, bert_err *err);

/* Takes out of the cache what fetch_module has put there for this path: it has turned out to be no module. */
void fetch_forget(const char *path);

/* One run writes a folder at a time: FOLDER/train.lock, locked by the system as long as its process lives, with its id
 * inside. */
#pragma once

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>

/* All zero is not locked. */
typedef struct folder_lock {
    arena memory;
    char *path;
    int file;   /* its descriptor + 1 */
    bool stale; /* a process that died without its end had left the file */
} folder_lock;

/* Fails with BERT_ERR_ARGUMENT where another run holds it, naming folder and process; BERT_ERR_IO. */
bert_status lock_take(folder_lock *l, const char *folder, bert_err *err);
void lock_release(folder_lock *l);
/* The process that holds it; 0: none does. */
long lock_holder(const char *folder);

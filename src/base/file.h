/* Files: mapped for reading, written to a temporary name and renamed when whole, paths, folders. */
#pragma once

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A whole file, mapped read-only. All zero is closed. An empty file has size 0 and a valid data. */
typedef struct file_mapping {
    const unsigned char *data;
    size_t size;
    void *pages; /* the same bytes, for the system's calls; NULL where there are none */
} file_mapping;

bert_status file_map(file_mapping *m, const char *path, bert_err *err);
void file_unmap(file_mapping *m);

/* The pages that hold nothing but these n bytes go back to the system, where they are the mapped file's: they come
 * again when they are read. */
void file_release(const file_mapping *m, const void *bytes, size_t n);

/* For who reads a file once: the size of the piece from a byte on, 0 at the end. The piece before it goes back to the
 * system. */
size_t file_piece(const file_mapping *m, size_t at);

/* The first bytes of a regular file, at most n; 0 where there is none that can be read. */
size_t file_begins(const char *path, void *bytes, size_t n);

/* A file under way: bytes go to a temporary (temporary.h) beside PATH; commit syncs it, renames it to PATH and syncs
 * the folder, abort removes it. A link that stands at PATH is replaced, not what it leads to. A write error is
 * remembered and reported by commit, which then removes the temporary and leaves PATH as it was. */
typedef struct file_writer {
    FILE *stream; /* write through this or file_write; NULL when closed */
    char *path, *temporary;
    int file;  /* of the temporary, which it locks */
    int error; /* errno of the first failure */
} file_writer;

bert_status file_create(file_writer *w, const char *path, bert_err *err);
void file_write(file_writer *w, const void *bytes, size_t n);
/* the error so far, for who would stop early; abort is still due */
bert_status file_failed(const file_writer *w, bert_err *err);
bert_status file_commit(file_writer *w, bert_err *err);
/* Opens what was written by its own reader first; where that fails the file at PATH stays as it was. */
typedef bert_status file_opens(const char *path, bert_err *err);
bert_status file_commit_opened(file_writer *w, file_opens *opens, bert_err *err);
void file_abort(file_writer *w); /* does nothing after commit */

/* Writes n bytes as one file, atomically. */
bert_status file_write_whole(const char *path, const void *bytes, size_t n, bert_err *err);

/* Copies one file to another name, atomically. */
bert_status file_copy(const char *from, const char *to, bert_err *err);

bool file_exists(const char *path); /* anything of that name, or what cannot be told: opening it says why */
bool file_is_folder(const char *path);
bool folder_holds(const char *folder, const char *name);    /* file_exists of an entry; takes no memory */
bert_status folder_create(const char *path, bert_err *err); /* with its parents; an existing folder is fine */
bert_status folder_remove(const char *path, bert_err *err); /* with all it holds; links are not followed */

/* The names of all that a folder holds, but "." and "..", in the order of their bytes. */
typedef struct folder_names {
    size_t n;
    char **names; /* (n) in arena memory */
} folder_names;

/* Fails with BERT_ERR_IO, also where the list breaks off, and BERT_ERR_MEMORY; list->n is 0 then. */
bert_status folder_list(folder_names *list, arena *a, const char *folder, bert_err *err);

/* What was renamed in the folder of path is there after a power cut, too. -1 with errno. */
int folder_sync_above(const char *path);

/* A folder under way: fill `temporary` (beside PATH, whose parents are made), then commit renames it to PATH or
 * exchanges it with the folder that stands there, which is removed: whether it may be is for target.h. A link is
 * replaced, not what it leads to. */
typedef struct folder_writer {
    char *path, *temporary;
    int folder; /* of the temporary, which it locks */
} folder_writer;

bert_status folder_begin(folder_writer *w, const char *path, bert_err *err);
bert_status folder_commit(folder_writer *w, bert_err *err);
void folder_abort(folder_writer *w); /* does nothing after commit */
/* Commits where filling it came out as BERT_OK, else aborts and returns that status. */
bert_status folder_end(folder_writer *w, bert_status filled, bert_err *err);

/* Paths. All return arena memory, NULL when it is out. */
char *path_join(arena *a, const char *folder, const char *name); /* name alone where it is absolute */
char *path_folder(arena *a, const char *path);                   /* "a/b" of "a/b/c", "." of "c" */
const char *path_name(const char *path);                         /* "c" of "a/b/c" */
bool path_ends(const char *path, const char *suffix);
char *path_relative(arena *a, const char *target, const char *folder); /* target as seen from folder; both must exist */

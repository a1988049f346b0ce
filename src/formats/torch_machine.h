/* The machine that reads a pickle: a stack, a memo, and values that are small structs and are copied. Nothing recurses,
 * and memory grows by a few values at most for each byte read. torch_pickle.c holds the opcodes, torch_globals.c what
 * they may call. */
#pragma once

#include "formats/torch_pickle.h"

typedef enum kind {
    ABSENT, /* no value: the stack is empty, or nothing was put there */
    MARK,
    NONE,
    INT, /* also false and true */
    STRING,
    TUPLE,
    LIST,
    DICT,
    GLOBAL,
    STORAGE,
    TENSOR,
    OTHER /* anything that is no part of a tensor: what is done to it does nothing */
} kind;

typedef struct value {
    kind kind;
    uint32_t n; /* TUPLE: items; STRING: bytes */
    union {
        int64_t integer;    /* INT */
        const char *string; /* STRING: within the pickle */
        size_t index;       /* TUPLE: its first of machine.items; DICT, LIST, GLOBAL, STORAGE, TENSOR: which one */
    };
} value;

/* What a dict or a list was given; a list's have no key. */
typedef struct pair {
    size_t container;
    value key, value;
} pair;

/* A storage, or a view of one. */
typedef struct storage {
    value key;
    dtype type;
    size_t element;      /* bytes of one */
    int64_t n;           /* elements of the whole storage */
    int64_t first, seen; /* those of the view: all, where it is none */
} storage;

/* A growing array of one type of item. */
typedef struct list {
    void *items;
    size_t n, size; /* size of an item */
} list;

typedef struct machine {
    const char *path, *name; /* of file and pickle, for messages */
    arena *memory;
    const unsigned char *start, *at, *end;
    size_t op_at;      /* where the opcode stands, for messages */
    int64_t number;    /* its argument, or the constant of its row */
    const char *bytes; /* its argument, n_bytes long */
    size_t n_bytes;
    list stack, items; /* value */
    list memo;         /* value */
    list pairs;        /* pair: what was set in any dict or list */
    list storages;     /* storage */
    list tensors;      /* torch_tensor */
    size_t n_containers;
    bool stopped;
} machine;

bert_status bad(const machine *m, const char *what, bert_err *err); /* a message with the opcode's place */

bert_status push_item(const machine *m, list *l, const void *item, bert_err *err);
bert_status push(machine *m, value v, bert_err *err);
value pop(machine *m);        /* the topmost value; ABSENT where there is none or a mark */
value *top(const machine *m); /* NULL where there is none */
/* takes all above the topmost mark, and the mark; false: no mark */
bool pop_mark(machine *m, size_t *first, size_t *n);
value item(const machine *m, value tuple, size_t i); /* ABSENT where there is none */
bool is_string(value v, const char *text);

/* Pushes the global of that name, or refuses it. */
bert_status push_global(machine *m, value module, value name, bert_err *err);
/* Calls a global with the items of a tuple; nothing but what makes a dict or a tensor can be called. */
bert_status call_global(machine *m, value function, value args, value *result, bert_err *err);
/* The type of the elements of a storage's class, and the bytes of one; false where the value is no such class. */
bool storage_type(value global, dtype *type, size_t *element);

/* Runs a pickle from pickle->at to its end: m->at is behind it then, and what it made is on top of the stack. What the
 * machine holds is freed by machine_free, also when it failed. Fails as torch_pickle_read. */
bert_status machine_run(machine *m, arena *a, const torch_pickle *pickle, bert_err *err);
void machine_free(machine *m);
/* What a dict has under a text; ABSENT where it has none, or is none. */
value machine_get(const machine *m, value dict, const char *key);

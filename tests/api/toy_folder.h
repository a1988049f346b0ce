/* What tests of bert.h share, made with bert.h alone: a folder of the test's own, and the toys of tests/files. */
#pragma once

#include "bert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Made by toy_folder_make, removed with all it holds by toy_folder_remove: a test's setup and teardown. */
static char folder[32], module_path[64], model_path[64], frozen_path[64];

/* A path in the folder; good until the eighth call after it. */
static inline char *path_of(const char *name)
{
    static char paths[8][96];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static inline int toy_folder_make(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/libbert-test-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    strcpy(module_path, path_of("module"));
    strcpy(model_path, path_of("model"));
    strcpy(frozen_path, path_of("model.bert"));
    return 0;
}

static inline int toy_folder_remove(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

/* call uses `err`, a bert_err of the macro's own. */
#define check(call)                                                               \
    do {                                                                          \
        bert_err err = { 0 };                                                     \
        bert_status status = call;                                                \
        if (status)                                                               \
            fail_msg("%s: %s: %s", #call, bert_status_name(status), err.message); \
    } while (0)

/* Pairs of questions with labels 0 and 1, of tests/files/toy-*.tsv. NULL: it failed. */
static inline bert_dataset *toy_pairs(const char *path, bert_err *err)
{
    bert_dataset *d;
    bert_table_options columns;
    bert_table_defaults(&columns);
    columns.text_columns = "question1,question2";
    columns.label_column = "is_duplicate";
    return bert_dataset_load(path, &columns, &d, err) ? NULL : d;
}

/* A new binary model on the module at module_path. NULL: it failed. */
static inline bert_model *toy_binary(int64_t seq_len, bert_err *err)
{
    static const char *const LABELS[] = { "0", "1" };
    bert_layer_spec spec;
    bert_head_spec head;
    bert_model *model;
    bert_layer_defaults(&spec);
    spec.module = module_path;
    spec.seq_len = seq_len;
    spec.n_tune_layers = 1;
    bert_head_defaults(&head);
    head.task = BERT_TASK_BINARY;
    head.labels = LABELS;
    head.n_labels = 2;
    return bert_model_create(&spec, &head, 1, &model, err) ? NULL : model;
}

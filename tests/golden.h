/* Golden files and the models that they are of: where they are, imported modules, comparison. */
#pragma once

#include "base/arena.h"
#include "base/file.h"
#include "formats/json.h"
#include "formats/safetensors.h"
#include "modules/module.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Strings of the tests live to their end. */
static arena golden_memory;

/* A path in the folder of shared data: $BERT_SHARED, else ../shared. */
static inline char *shared_path(const char *name)
{
    const char *folder = getenv("BERT_SHARED");
    return path_join(&golden_memory, folder ? folder : "../shared", name);
}

/* The real model, as tools/fetch-model.sh brings it. */
static inline char *real_model(void)
{
    const char *folder = getenv("BERT_TEST_MODEL");
    return arena_string(&golden_memory, folder ? folder : ".cache/all-MiniLM-L6-v2");
}

/* Skips the test, saying why, where the file is not there. */
static inline void need(const char *path)
{
    if (!file_exists(path)) {
        print_message("skipped: %s is not there\n", path);
        skip();
    }
}

static inline void check(bert_status s, const bert_err *err)
{
    if (s)
        fail_msg("%s: %s", bert_status_name(s), err->message);
}

/* Replaces (value NULL: removes) a member of one of a module's files. */
static inline void change_member(const char *path, const char *key, json_t *value)
{
    bert_err err;
    json_t *json = NULL;
    check(json_read_file(&json, path, &err), &err);
    if (value)
        json_object_set_new(json, key, value);
    else
        json_object_del(json, key);
    check(json_write_file(json, path, &err), &err);
    json_decref(json);
}

/* The same, and module.json forgets the hashes, which are not those of what was changed. */
static inline void change_module(const char *module, const char *name, const char *key, json_t *value)
{
    change_member(path_join(&golden_memory, module, name), key, value);
    change_member(path_join(&golden_memory, module, "module.json"), "files", NULL);
}

/* A module made from a checkpoint, in a new folder; hidden_act, where not NULL, replaces the configuration's. */
static inline char *import_golden(const char *checkpoint, const char *hidden_act, bool do_lower_case)
{
    bert_err err;
    char pattern[] = "/tmp/bert-golden-XXXXXX", *folder = arena_string(&golden_memory, mkdtemp(pattern));
    char *module = path_join(&golden_memory, folder, "module");
    bert_import_options options;
    bert_import_defaults(&options);
    options.do_lower_case = do_lower_case ? 1 : 2;
    check(module_import(checkpoint, module, &options, NULL, &err), &err);
    if (hidden_act)
        change_module(module, "config.json", "hidden_act", json_string(hidden_act));
    return module;
}

static inline void remove_golden(const char *module)
{
    folder_remove(path_folder(&golden_memory, module), NULL);
}

/* A tensor of a golden file; the test fails where it is absent. */
static inline const tensor *golden(const tensor_set *set, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static inline const tensor *golden(const tensor_set *set, const char *format, ...)
{
    char name[256];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    const tensor *t = tensors_find(set, name);
    if (!t)
        fail_msg("the golden file has no %s", name);
    return t;
}

static inline bool has_golden(const tensor_set *set, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline bool has_golden(const tensor_set *set, const char *format, ...)
{
    char name[256];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    return tensors_find(set, name) != NULL;
}

static inline float *golden_floats(const tensor *t)
{
    bert_err err;
    float *x = arena_alloc(&golden_memory, t->n * sizeof *x);
    check(tensor_to_f32(t, x, &err), &err);
    return x;
}

static inline int32_t *golden_ints(const tensor *t)
{
    int32_t *x = arena_alloc(&golden_memory, t->n * sizeof *x);
    assert_int_equal(t->type, DTYPE_I32);
    memcpy(x, t->data, t->n * sizeof *x);
    return x;
}

/* Largest absolute difference; NaN counts as infinite. */
static inline double largest_difference(const float *a, const float *b, size_t n)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)a[i] - b[i]);
        if (!(d <= worst))
            worst = isnan(d) ? INFINITY : d;
    }
    return worst;
}

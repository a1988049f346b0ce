/* Sessions and toy models frozen in every precision. */
#pragma once

#include "toy_model.h"

enum { PRECISIONS = 3 };
static const char *const PRECISION_NAMES[PRECISIONS] = { "fp32", "bf16", "int8" };

/* The model as a frozen file of that precision gives it; the model is freed. */
static inline bert_model *frozen_copy(bert_model *model, int precision)
{
    bert_err err;
    bert_freeze_options options;
    char *path = path_join(&golden_memory, scratch_folder, PRECISION_NAMES[precision]);
    bert_freeze_defaults(&options);
    options.precision = precision;
    check(bert_model_freeze(model, path, &options, NULL, NULL, &err), &err);
    bert_model_free(model);
    return load_model(path);
}

static inline bert_session_options session_options(int64_t threads)
{
    bert_session_options options;
    bert_session_defaults(&options);
    options.threads = threads;
    return options;
}

static inline bert_session *session_of(const bert_model *model, const bert_session_options *options)
{
    bert_err err;
    bert_session *session;
    check(bert_session_create(model, options, &session, &err), &err);
    return session;
}

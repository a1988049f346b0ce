/* A TF1 Hub module folder: saved_model.pb, variables/variables.*, assets/. What the graph tells about the module. */
#pragma once

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct tf_hub_info {
    bool graph;                   /* a graph was read: what stands below comes from it */
    int64_t num_attention_heads;  /* 0: not told */
    int do_lower_case;            /* -1: not told */
    int64_t seq_layer, tok_layer; /* which encoder layer signature `tokens` gives out; -1 where not told */
    const char *vocab_file;       /* inside assets/, e.g. "vocab.txt"; NULL: not told */
    const char *hidden_act;       /* "gelu" (erf) or "gelu_new" (tanh) as the graph computes it; NULL: not told */
} tf_hub_info;

/* Reads PATH/saved_model.pb. Strings are arena memory. */
bert_status tf_hub_read(tf_hub_info *info, arena *a, const char *folder, bert_err *err);

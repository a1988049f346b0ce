/* Exports: a model in another program's format. Each format is a row of the table in export.c and a file that writes
 * it. */
#pragma once

#include "base/buffer.h"
#include "task/tasks.h"

typedef enum export_type { EXPORT_F32, EXPORT_F16, EXPORT_Q8_0 } export_type; /* of bert_export_options.type */

/* Writes a model to path, whole or not at all; something that stands there is replaced. notes receives what the user
 * should know, each line with its \n. */
typedef bert_status export_write(const bert_model *model, const char *path, const bert_export_options *options,
                                 buffer *notes, bert_err *err);

typedef struct export_format {
    const char *name; /* a word of --format */
    bert_output output;
    bool types; /* --type may be given */
    export_write *write;
} export_format;

export_write export_onnx, export_gguf, export_hf;

/* A model as an export reads it: the layers that lead to its vectors, and the weights that they and the head read. */
typedef struct export_model {
    const bert_model *model;
    const task *task;     /* NULL: no head */
    config config;        /* num_hidden_layers: those that are used */
    bert_pooling pooling; /* never auto */
    weight_list weights;  /* pooler where pooling is cls */
} export_model;

/* Memory is the arena's; the weights stay where they are. Fails with BERT_ERR_ARGUMENT where there is no pooler for
 * pooling cls, and as task_of_model. */
bert_status export_model_open(export_model *e, const bert_model *model, arena *a, bert_err *err);

/* The numbers of a weight, (rows, cols), from where they lie or in the arena. The model has it. Fails with
 * BERT_ERR_MEMORY. */
bert_status export_floats(const export_model *e, const bert_param *weight, arena *a, const float **floats,
                          bert_err *err);

/* Adds a line for each thing that the tokeniser of the format's program (hf, gguf) does otherwise than the model's, and
 * no file can say. */
void export_tell_tokenizer(const export_model *e, int format, buffer *notes);

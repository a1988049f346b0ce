/* A model in memory: a module, a layer on it, and what the head's outputs mean. */
#pragma once

#include "layers/layer.h"

enum { MODEL_VERSION = 1 };

/* The words of bert_task, ending with NULL: "auto", then the tasks'. */
extern const char *const TASK_WORDS[];
/* The bert_task of a model.json of another version. */
enum { TASK_UNKNOWN = -1 };

struct bert_model {
    arena memory;
    bert_module *module;
    bert_layer *layer;
    bert_task task;           /* AUTO: no head */
    const char *unknown_task; /* its word, where it is TASK_UNKNOWN; else NULL */
    const char **labels;
    size_t n_labels, outputs;    /* outputs: rows of the head, 0 where it has no weights */
    size_t head_hidden;          /* 0: the head is one dense layer */
    double label_min, label_max; /* regression, similarity: the labels that outputs 0 and 1 stand for */
    double threshold;            /* binary, multilabel: a score from here on is a yes; 0: the task has none */
    /* binary: transformers has its head as one output with a sigmoid, as CrossEncoders are, not as two */
    bool single;
    int texts;      /* of each row that it was trained on: 1, 2; 0: not known, or not the same for all */
    bool normalize; /* its vectors have length 1 unless a session asks for a pooling of its own */
    const char *note;
};

/* What a model's head is: a task, so many outputs (0: no weights), the labels' words; the rest as in bert_model. */
typedef struct head_spec {
    bert_task task;
    const char *unknown_task;
    size_t outputs, hidden;
    const char *const *labels;
    size_t n_labels;
    double label_min, label_max, threshold;
    bool single;
    int64_t texts;
} head_spec;

/* Makes a model on an open module, which it takes over, also when it fails. head NULL: none. Whether head and pooling
 * suit the task is for task_of_model. */
bert_status model_create(bert_module *module, const bert_layer_spec *spec, const head_spec *head, uint64_t seed,
                         bert_model **model, bert_err *err);

/* The layer spec as JSON, and back; strings of the struct belong to the JSON value. module_path replaces spec->module;
 * NULL: left out. */
json_t *layer_spec_to_json(const bert_layer_spec *spec, const char *module_path);
bert_status layer_spec_from_json(json_t *json, bert_layer_spec *spec, const char *where, bert_err *err);

/* Task, labels and head as members of a JSON object, and back; the words belong to the JSON value, the array to the
 * arena. */
void head_to_json(const bert_model *model, json_t **json);
bert_status head_from_json(const json_t *json, head_spec *head, arena *a, const char *where, bert_err *err);

/* A number as model.json holds it, with nine significant digits: a model that is saved and loaded is the same. */
double model_number(double x);

/* What an output of a model of numbers is in the labels' unit. */
static inline double model_in_unit(const bert_model *m, double output)
{
    return m->label_min + output * (m->label_max - m->label_min);
}

/* Fails with BERT_ERR_ARGUMENT where the folder is a module: with a model in it, it would be both, and neither to who
 * opens it. */
bert_status model_check_folder(const char *folder, bert_err *err);

/* Fails with BERT_ERR_ARGUMENT for what has no head or is frozen. */
bert_status model_check_saved(const bert_model *model, const char *where, bert_err *err);

/* What model.json in `folder` holds (NULL: anywhere), but for the checksum of the weights; and the way back, with new
 * weights. */
bert_status model_json(const bert_model *model, const char *folder, bool module_inside, json_t **out, bert_err *err);
bert_status model_from_json(const json_t *json, const char *folder, const char *where, bert_model **model,
                            bert_err *err);

/* Copies the tuned tensors of a set that is open; path is for messages. Nothing is changed where it fails. */
bert_status model_take_weights(bert_model *model, const tensor_set *set, const char *path, bert_err *err);

/* Opens a folder that holds model.json, with the weights that it names. Fails with BERT_ERR_FORMAT where they are not
 * there. */
bert_status model_open_folder(const char *folder, bert_model **model, bert_err *err);
/* Opens the weights that its model.json names. */
bert_status model_open_weights(const char *folder, tensor_set *set, bert_err *err);

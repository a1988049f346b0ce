/* The list of an encoder's weights, one entry a tensor, as its family lists them. Reading, writing, counting, freezing,
 * tuning and the optimiser all loop over it; only the families spell a tensor's name. */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "formats/tensors.h"
#include "net/family.h"
#include "ops/dense_pack.h"

/* A head: rows of its last dense layer (0: it has no weights), and of a hidden one before that (0: none). */
typedef struct head_shape {
    size_t outputs, hidden;
} head_shape;

/* What a frozen file has in place of a value (weight_forms.h): a dense layer's packed matrix, or an embedding table. */
typedef struct weight_form {
    /* entries that it holds, this one and those behind it: 1; query, key and value: 3; key and value: 2. 0: there is no
     * form */
    size_t joined;
    struct dense_packed matrix;
    embedding_table table; /* rows NULL: it is a matrix */
} weight_form;

/* What an entry is. */
typedef struct weight_place {
    weight_id id;
    size_t layer;  /* 0 where the id is not a layer's */
    size_t joined; /* entries of the linear that begins here, one matrix; 0: none does */
} weight_place;

/* A model's tensors: `layers` layers, then pooler, then head. What is absent has value NULL and is in no form. */
typedef struct weight_list {
    const family *family;
    bert_param *items;
    weight_form *forms;   /* (n) */
    weight_place *places; /* (n) */
    size_t n;
    size_t layers;
    size_t sets; /* of a layer's weights: as many as layers, or one that all of them have */
    head_shape head;
    bool pooler;
    int first[N_WEIGHT_IDS]; /* the entry of each id, of a layer's that of layer 0; -1: there is none */
    size_t a_layer;          /* entries of a set */
} weight_list;

/* Makes the list with names and shapes, values NULL, no forms. head NULL: none. */
bert_status weights_create(weight_list *list, arena *a, const config *c, size_t layers, bool pooler,
                           const head_shape *head, bert_err *err);

/* The entry of an id; layer is ignored where the id is not a layer's. NULL where the list has none. */
bert_param *weight_at(const weight_list *list, weight_id id, size_t layer);
static inline size_t weight_size(const bert_param *p)
{
    return p->rows * p->cols;
}

/* The entry whose form holds that of the index; list->n: none does. */
size_t weight_holder(const weight_list *list, size_t index);
static inline bool weight_in_form(const weight_list *list, const bert_param *p)
{
    return weight_holder(list, (size_t)(p - list->items)) < list->n;
}

/* True where the entry has a value or a form holds it. */
static inline bool weight_is_there(const weight_list *list, const bert_param *p)
{
    return p->value || weight_in_form(list, p);
}

/* What a form of so many entries from this one on is called in a file; NULL: out of memory. */
char *weight_form_name(const weight_list *list, size_t index, size_t joined, arena *a);

weight_group weight_id_group(weight_id id);
weight_kind weight_id_kind(weight_id id);
static inline weight_group weight_group_of(const weight_list *list, size_t index)
{
    return weight_id_group(list->places[index].id);
}

static inline weight_kind weight_kind_of(const weight_list *list, size_t index)
{
    return weight_id_kind(list->places[index].id);
}

/* "embeddings", "layer 3" ("layers" where all have one set), "pooler" or "head", in the arena; NULL: out of memory. */
const char *weight_group_name(const family *f, weight_group group, size_t layer, arena *a);

/* How a file names its tensors. */
typedef struct weight_naming {
    const family *family;
    weight_names names;
    const char *prefix; /* before every name: "bert."; NULL: none */
} weight_naming;

/* What files of libbert call them. */
static inline weight_naming weights_own_naming(const family *f)
{
    return (weight_naming){ .family = f };
}

/* Finds out by which of the family's names the set calls its tensors. false: by none of them. */
bool weights_naming(const tensor_set *set, const family *f, weight_naming *naming);
/* True where the set holds a pooler under that naming. */
bool weights_have_pooler(const tensor_set *set, weight_naming naming);
/* How many sets of a layer's weights the set holds under that naming, from 0 on without a gap. */
size_t weights_count_layers(const tensor_set *set, weight_naming naming);
/* A tensor's name under a naming; false: it has none. */
enum { WEIGHT_NAME_SIZE = 160 };
bool weight_name(char out[WEIGHT_NAME_SIZE], weight_naming naming, weight_id id, size_t layer);
/* The tensor of an id, by its name or by an older one; layer is ignored where the id is not a layer's. NULL where the
 * set has none. */
const tensor *weights_find(const tensor_set *set, weight_naming naming, weight_id id, size_t layer);

/* Fails with BERT_ERR_FORMAT where a tensor has another shape than its entry (transposed: than its entry's transpose)
 * or holds no numbers with a fraction. */
bert_status weight_check(const tensor *t, const bert_param *p, bool transposed, bert_err *err);

/* Gives every entry its value: in place where the tensor is float32, aligned, and not transposed, else as a copy in the
 * arena. q, k and v come out side by side. A missing tensor or a wrong shape fails with BERT_ERR_FORMAT, naming file,
 * tensor, what was found and expected. */
bert_status weights_read(weight_list *list, arena *a, const tensor_set *set, weight_naming naming, const char *path,
                         bert_err *err);

/* The two steps of it: one entry's value; then q, k and v that are not side by side become so. */
bert_status weight_read(weight_list *list, size_t index, arena *a, const tensor_set *set, weight_naming naming,
                        const char *path, bert_err *err);
bert_status weights_put_side_by_side(weight_list *list, arena *a, bert_err *err);

/* The entry's numbers as floats, (rows, cols): its value, or from the packed form that a frozen file has of it (what
 * bf16 and int8 stand for), in arena memory. NULL where it has neither, or memory is out. */
const float *weight_floats(const weight_list *list, size_t index, arena *a);

/* Gives entries that are not there yet the value or the form of the entry of the same name. */
void weights_take(weight_list *to, const weight_list *from);

/* Fails with BERT_ERR_NUMERIC where a value is NaN or infinite, naming the tensor and the place. */
bert_status weights_check_finite(const weight_list *list, const char *where, bert_err *err);
/* Adds a line on matrices that are all zero, a group's name where all of it is: the traces of a converter that left out
 * what it did not find. */
void weights_tell_zeros(const weight_list *list, const char *where, buffer *notes);

/* A value as it is written. */
tensor weight_tensor(const bert_param *p);
/* The tensors of the list that have a value and pass the filter, to be written; items: room for list->n. Returns their
 * number. */
size_t weights_to_tensors(const weight_list *list, bool tuned_only, tensor *items);

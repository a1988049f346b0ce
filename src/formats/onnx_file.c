/* Building the messages of an ONNX file, and writing them. A message may be cut into parts that are written one behind
 * another: its fields add up. So the model is packed without its graph, the graph without its weights, a weight without
 * its numbers, and the numbers are streamed. */
#include "formats/onnx_file.h"

#include "base/file.h"
#include "base/size.h"
#include "onnx.pb-c.h"

#include <string.h>

typedef struct weight {
    char *name;
    size_t rows, cols; /* cols 0: a vector */
    bool transposed;
} weight;

/* ---- lists ------------------------------------------------------------------------------------------------------- */

static void *allocate(onnx_graph *g, size_t size)
{
    void *p = arena_alloc(g->memory, size);
    g->failed |= !p;
    return p;
}

/* The messages of protobuf-c have no const: a copy of its own. */
static char *text(onnx_graph *g, const char *string)
{
    char *copy = arena_string(g->memory, string);
    g->failed |= !copy;
    return copy;
}

static void onnx_list_add(onnx_graph *g, onnx_list *list, void *item)
{
    if (list->n == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 16;
        void **items = allocate(g, capacity * sizeof *items);
        if (!items)
            return;
        if (list->n)
            memcpy(items, list->items, list->n * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    if (item)
        list->items[list->n++] = item;
}

/* ---- inputs, outputs, metadata ----------------------------------------------------------------------------------- */

static Onnx__TensorShapeProto *shape_of(onnx_graph *g, size_t rank, const onnx_side *sides)
{
    Onnx__TensorShapeProto *shape = allocate(g, sizeof *shape);
    onnx_list dims = { 0 };
    for (size_t i = 0; shape && i < rank; i++) {
        Onnx__TensorShapeProto__Dimension *dim = allocate(g, sizeof *dim);
        if (!dim)
            return NULL;
        onnx__tensor_shape_proto__dimension__init(dim);
        dim->value_case = sides[i].name ? ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM
                                        : ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        if (sides[i].name)
            dim->dim_param = text(g, sides[i].name);
        else
            dim->dim_value = sides[i].size;
        onnx_list_add(g, &dims, dim);
    }
    if (!shape)
        return NULL;
    onnx__tensor_shape_proto__init(shape);
    shape->n_dim = dims.n;
    shape->dim = (Onnx__TensorShapeProto__Dimension **)dims.items;
    return shape;
}

static void add_value(onnx_graph *g, onnx_list *list, onnx_name name, onnx_type type, size_t rank,
                      const onnx_side *sides)
{
    Onnx__ValueInfoProto *value = allocate(g, sizeof *value);
    Onnx__TypeProto *kind = allocate(g, sizeof *kind);
    Onnx__TypeProto__Tensor *tensor = allocate(g, sizeof *tensor);
    Onnx__TensorShapeProto *shape = shape_of(g, rank, sides);
    if (!value || !kind || !tensor || !shape)
        return;
    onnx__type_proto__tensor__init(tensor);
    tensor->elem_type = type;
    tensor->shape = shape;
    onnx__type_proto__init(kind);
    kind->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    kind->tensor_type = tensor;
    onnx__value_info_proto__init(value);
    value->name = text(g, name);
    value->type = kind;
    onnx_list_add(g, list, value);
}

void onnx_input(onnx_graph *g, onnx_name name, onnx_type type, size_t rank, const onnx_side *sides)
{
    add_value(g, &g->inputs, name, type, rank, sides);
}

void onnx_output(onnx_graph *g, onnx_name name, onnx_type type, size_t rank, const onnx_side *sides)
{
    add_value(g, &g->outputs, name, type, rank, sides);
}

void onnx_metadata(onnx_graph *g, const char *key, const char *value)
{
    Onnx__StringStringEntryProto *entry = allocate(g, sizeof *entry);
    if (!entry)
        return;
    onnx__string_string_entry_proto__init(entry);
    entry->key = text(g, key);
    entry->value = text(g, value);
    onnx_list_add(g, &g->metadata, entry);
}

/* ---- nodes ------------------------------------------------------------------------------------------------------- */

/* "MatMul_12"; never NULL, so that what is built on it after memory ran out does no harm. */
static onnx_name onnx_name_of(onnx_graph *g, const char *operator, size_t number)
{
    const char *name = arena_printf(g->memory, "%s_%zu", operator, number);
    g->failed |= !name;
    return name ? name : "";
}

onnx_name onnx_node(onnx_graph *g, const char *operator, const onnx_name * inputs)
{
    onnx_name name = onnx_name_of(g, operator, g->nodes.n);
    Onnx__NodeProto *node = allocate(g, sizeof *node);
    if (!node)
        return name;
    onnx_list in = { 0 }, out = { 0 };
    for (; *inputs; inputs++)
        onnx_list_add(g, &in, text(g, *inputs));
    onnx_list_add(g, &out, text(g, name));
    onnx__node_proto__init(node);
    node->name = text(g, name);
    node->op_type = text(g, operator);
    node->n_input = in.n;
    node->input = (char **)in.items;
    node->n_output = out.n;
    node->output = (char **)out.items;
    onnx_list_add(g, &g->nodes, node);
    return name;
}

static Onnx__NodeProto *last_node(const onnx_graph *g)
{
    return g->nodes.n ? g->nodes.items[g->nodes.n - 1] : NULL;
}

void onnx_rename(onnx_graph *g, onnx_name name)
{
    Onnx__NodeProto *node = last_node(g);
    if (node && node->n_output)
        node->output[0] = text(g, name);
}

static Onnx__AttributeProto *add_attribute(onnx_graph *g, const char *name, Onnx__AttributeProto__AttributeType type)
{
    Onnx__NodeProto *node = last_node(g);
    Onnx__AttributeProto *attribute = allocate(g, sizeof *attribute);
    if (!node || !attribute)
        return NULL;
    onnx__attribute_proto__init(attribute);
    attribute->name = text(g, name);
    attribute->type = type;
    onnx_list list = { (void **)node->attribute, node->n_attribute, node->n_attribute };
    onnx_list_add(g, &list, attribute);
    node->attribute = (Onnx__AttributeProto **)list.items;
    node->n_attribute = list.n;
    return attribute;
}

void onnx_attribute_int(onnx_graph *g, const char *name, int64_t value)
{
    Onnx__AttributeProto *a = add_attribute(g, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    if (a)
        a->i = value;
}

void onnx_attribute_float(onnx_graph *g, const char *name, float value)
{
    Onnx__AttributeProto *a = add_attribute(g, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    if (a)
        a->f = value;
}

void onnx_attribute_ints(onnx_graph *g, const char *name, const int64_t *values, size_t n)
{
    Onnx__AttributeProto *a = add_attribute(g, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    int64_t *copy = a ? allocate(g, n * sizeof *copy) : NULL;
    if (!copy)
        return;
    memcpy(copy, values, n * sizeof *copy);
    a->ints = copy;
    a->n_ints = n;
}

/* ---- constants and weights --------------------------------------------------------------------------------------- */

/* dims (n_dims): kept as they are given. */
static onnx_name add_constant(onnx_graph *g, onnx_type type, size_t n_dims, int64_t n, const void *data, size_t size)
{
    for (size_t i = 0; i < g->constants.n; i++) {
        const Onnx__TensorProto *c = g->constants.items[i];
        if (c->data_type == (int32_t)type && c->n_dims == n_dims && c->raw_data.len == size &&
            !memcmp(c->raw_data.data, data, size))
            return c->name;
    }
    onnx_name name = onnx_name_of(g, "constant", g->constants.n);
    Onnx__TensorProto *tensor = allocate(g, sizeof *tensor);
    uint8_t *copy = allocate(g, size);
    int64_t *dims = allocate(g, sizeof *dims);
    if (!tensor || !copy || !dims)
        return name;
    memcpy(copy, data, size);
    dims[0] = n;
    onnx__tensor_proto__init(tensor);
    tensor->name = text(g, name);
    tensor->data_type = (int32_t)type;
    tensor->n_dims = n_dims;
    tensor->dims = dims;
    tensor->raw_data = (ProtobufCBinaryData){ size, copy };
    onnx_list_add(g, &g->constants, tensor);
    return name;
}

onnx_name onnx_number(onnx_graph *g, float value)
{
    return add_constant(g, ONNX_FLOAT, 0, 1, &value, sizeof value);
}

onnx_name onnx_integers(onnx_graph *g, const int64_t *values, size_t n)
{
    return add_constant(g, ONNX_INT64, 1, (int64_t)n, values, n * sizeof *values);
}

onnx_name onnx_weight(onnx_graph *g, onnx_name name, size_t rows, size_t cols, bool transposed)
{
    weight *w = allocate(g, sizeof *w);
    if (w)
        *w = (weight){ text(g, name), rows, cols, transposed };
    onnx_list_add(g, &g->weights, w);
    return name;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

enum { HEAD_MOST = 20, LENGTH_DELIMITED = 2 }; /* a tag and a length, ten bytes each at most; wire type 2 */

static size_t put_varint(uint8_t *out, uint64_t value)
{
    size_t n = 0;
    for (; value > 127; value >>= 7)
        out[n++] = (uint8_t)(value | 128);
    out[n++] = (uint8_t)value;
    return n;
}

/* What stands before a field of `size` bytes: its number and length. */
typedef struct field_head {
    uint8_t bytes[HEAD_MOST];
    size_t n;
} field_head;

static field_head field_head_of(const ProtobufCMessageDescriptor *message, const char *field, uint64_t size)
{
    field_head head;
    const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field_by_name(message, field);
    head.n = put_varint(head.bytes, (uint64_t)f->id << 3 | LENGTH_DELIMITED);
    head.n += put_varint(head.bytes + head.n, size);
    return head;
}

/* A weight's message without its numbers, and the heads that come before and behind. */
typedef struct weight_parts {
    Onnx__TensorProto tensor;
    int64_t dims[2];
    field_head whole, numbers;
    size_t about, bytes; /* sizes: of the packed tensor, of its numbers */
} weight_parts;

static bool weight_parts_make(weight_parts *p, const weight *w)
{
    size_t n;
    if (!mul_size(w->rows, w->cols ? w->cols : 1, &n) || !mul_size(n, sizeof(float), &p->bytes))
        return false;
    p->dims[0] = (int64_t)w->rows;
    p->dims[1] = (int64_t)w->cols;
    onnx__tensor_proto__init(&p->tensor);
    p->tensor.name = w->name;
    p->tensor.data_type = ONNX_FLOAT;
    p->tensor.n_dims = w->cols ? 2 : 1;
    p->tensor.dims = p->dims;
    p->about = onnx__tensor_proto__get_packed_size(&p->tensor);
    p->numbers = field_head_of(&onnx__tensor_proto__descriptor, "raw_data", p->bytes);
    size_t size;
    if (!add_size(p->about + p->numbers.n, p->bytes, &size))
        return false;
    p->whole = field_head_of(&onnx__graph_proto__descriptor, "initializer", size);
    return true;
}

static void write_message(file_writer *w, const ProtobufCMessage *message, arena *a, bool *failed)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = arena_alloc_raw(a, size);
    *failed |= !bytes;
    if (bytes)
        file_write(w, bytes, protobuf_c_message_pack(message, bytes));
}

/* y (rows, cols) from x (cols, rows), a few rows of y at a time. */
static void write_transposed(file_writer *out, const float *x, size_t rows, size_t cols)
{
    enum { BLOCK = 2048 };
    float block[BLOCK]; /* (at most, cols) where that fits, else parts of one row */
    size_t at_once = cols < BLOCK ? BLOCK / cols : 1;
    for (size_t first = 0; first < rows; first += at_once) {
        size_t n = rows - first < at_once ? rows - first : at_once;
        for (size_t start = 0; start < cols; start += BLOCK) {
            size_t width = cols - start < BLOCK ? cols - start : BLOCK;
            for (size_t c = 0; c < width; c++)
                for (size_t r = 0; r < n; r++)
                    block[r * width + c] = x[(start + c) * rows + first + r];
            file_write(out, block, n * width * sizeof *block);
        }
    }
}

static void write_weight(file_writer *out, const weight *w, const float *values, arena *a, bool *failed)
{
    weight_parts p;
    *failed |= !weight_parts_make(&p, w);
    file_write(out, p.whole.bytes, p.whole.n);
    write_message(out, &p.tensor.base, a, failed);
    file_write(out, p.numbers.bytes, p.numbers.n);
    if (w->transposed)
        write_transposed(out, values, w->rows, w->cols);
    else
        file_write(out, values, p.bytes);
}

static void fill_model(onnx_graph *g, Onnx__ModelProto *model, Onnx__OperatorSetIdProto **set)
{
    onnx__operator_set_id_proto__init(*set);
    (*set)->version = ONNX_OPERATOR_SET;
    onnx__model_proto__init(model);
    model->ir_version = ONNX_IR_VERSION;
    model->producer_name = text(g, "libbert");
    model->producer_version = text(g, BERT_VERSION);
    model->n_opset_import = 1;
    model->opset_import = set;
    model->n_metadata_props = g->metadata.n;
    model->metadata_props = (Onnx__StringStringEntryProto **)g->metadata.items;
}

static void fill_graph(onnx_graph *g, Onnx__GraphProto *graph)
{
    onnx__graph_proto__init(graph);
    graph->name = text(g, "bert");
    graph->n_node = g->nodes.n;
    graph->node = (Onnx__NodeProto **)g->nodes.items;
    graph->n_initializer = g->constants.n;
    graph->initializer = (Onnx__TensorProto **)g->constants.items;
    graph->n_input = g->inputs.n;
    graph->input = (Onnx__ValueInfoProto **)g->inputs.items;
    graph->n_output = g->outputs.n;
    graph->output = (Onnx__ValueInfoProto **)g->outputs.items;
}

/* Bytes of the graph with its weights. */
static bool graph_size(const onnx_graph *g, const Onnx__GraphProto *graph, size_t *size)
{
    *size = onnx__graph_proto__get_packed_size(graph);
    for (size_t i = 0; i < g->weights.n; i++) {
        weight_parts p;
        if (!weight_parts_make(&p, g->weights.items[i]) || !add_size(*size, p.bytes, size) ||
            !add_size(*size, p.whole.n + p.about + p.numbers.n, size))
            return false;
    }
    return true;
}

bert_status onnx_write(onnx_graph *g, const char *path, onnx_values *values, void *context, bert_err *err)
{
    Onnx__OperatorSetIdProto operators, *set = &operators;
    Onnx__ModelProto model;
    Onnx__GraphProto graph;
    size_t size;
    fill_model(g, &model, &set);
    fill_graph(g, &graph);
    if (g->failed)
        return fail_memory(err, path);
    if (!graph_size(g, &graph, &size) || size >= INT32_MAX - onnx__model_proto__get_packed_size(&model) - HEAD_MOST)
        return fail(err, BERT_ERR_UNSUPPORTED, "%s: an ONNX file of 2 GiB or more, which its readers do not take",
                    path);

    file_writer out;
    bert_status s = file_create(&out, path, err);
    if (s)
        return s;
    field_head head = field_head_of(&onnx__model_proto__descriptor, "graph", size);
    write_message(&out, &model.base, g->memory, &g->failed);
    file_write(&out, head.bytes, head.n);
    write_message(&out, &graph.base, g->memory, &g->failed);
    for (size_t i = 0; !s && i < g->weights.n; i++) {
        const float *x;
        s = values(context, i, &x, err);
        if (!s)
            write_weight(&out, g->weights.items[i], x, g->memory, &g->failed);
        if (!s)
            s = g->failed ? fail_memory(err, path) : file_failed(&out, err);
    }
    if (!s)
        return file_commit_opened(&out, onnx_check, err);
    file_abort(&out);
    return s;
}

/* What the graph of a TF1 Hub module tells. The graph is read as a list of nodes, found by name; names are those that
 * google-research/bert's modeling.py gives, with any scope in front ("module/bert/encoder/layer_0/..."). What is not
 * found stays "not told". */
#include "formats/tf_hub.h"

#include "base/file.h"
#include "base/size.h"
#include "formats/foreign.h"
#include "tf_graph.pb-c.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TYPE_INT32 = 3, TYPE_BOOL = 10 };

/* The graph under way: its nodes in the order of their names. */
typedef struct graph {
    const Tf__MetaGraphDef *meta;
    const Tf__NodeDef **nodes; /* (n) */
    size_t n;
} graph;

static int node_by_name(const void *a, const void *b)
{
    return strcmp((*(const Tf__NodeDef *const *)a)->name, (*(const Tf__NodeDef *const *)b)->name);
}

static bool graph_open(graph *g, const Tf__MetaGraphDef *meta)
{
    g->meta = meta;
    g->n = meta->graph_def ? meta->graph_def->n_node : 0;
    g->nodes = calloc(g->n + 1, sizeof *g->nodes);
    if (!g->nodes)
        return false;
    for (size_t i = 0; i < g->n; i++)
        g->nodes[i] = meta->graph_def->node[i];
    qsort(g->nodes, g->n, sizeof *g->nodes, node_by_name);
    return true;
}

/* The node that makes a tensor: "scope/node", "scope/node:0", "^scope/node". NULL: none. */
static const Tf__NodeDef *node_of(const graph *g, const char *tensor_name)
{
    char name[512];
    tensor_name += *tensor_name == '^';
    size_t n = strcspn(tensor_name, ":");
    if (n >= sizeof name)
        return NULL;
    memcpy(name, tensor_name, n);
    name[n] = 0;
    Tf__NodeDef key = TF__NODE_DEF__INIT;
    key.name = name;
    const Tf__NodeDef *wanted = &key, **found = bsearch(&wanted, g->nodes, g->n, sizeof *g->nodes, node_by_name);
    return found ? *found : NULL;
}

static const Tf__NodeDef *input_of(const graph *g, const Tf__NodeDef *node, size_t i)
{
    return node && i < node->n_input ? node_of(g, node->input[i]) : NULL;
}

/* The elements of a constant; NULL where the node is none of that type. */
static const Tf__TensorProto *node_constant(const Tf__NodeDef *node, int32_t type)
{
    if (!node || strcmp(node->op, "Const"))
        return NULL;
    for (size_t i = 0; i < node->n_attr; i++) {
        const Tf__NodeDef__Attr *attr = node->attr[i];
        if (!strcmp(attr->key, "value") && attr->value && attr->value->tensor && attr->value->tensor->dtype == type)
            return attr->value->tensor;
    }
    return NULL;
}

/* Element i of an int32 constant; 0 where there is none. */
static int32_t constant_int(const Tf__NodeDef *node, size_t i)
{
    const Tf__TensorProto *t = node_constant(node, TYPE_INT32);
    if (t && i < t->tensor_content.len / sizeof(int32_t))
        return (int32_t)load_le32(t->tensor_content.data + i * sizeof(int32_t));
    return t && i < t->n_int_val ? t->int_val[i] : 0;
}

/* 0, 1, or -1 where the node is no boolean constant. */
static int constant_bool(const Tf__NodeDef *node)
{
    const Tf__TensorProto *t = node_constant(node, TYPE_BOOL);
    if (t && t->n_bool_val)
        return t->bool_val[0];
    return t && t->tensor_content.len ? t->tensor_content.data[0] != 0 : -1;
}

static bool name_ends(const Tf__NodeDef *node, const char *suffix)
{
    return path_ends(node->name, suffix);
}

/* The name of the tensor that a signature gives out; NULL: none. */
static const char *output_tensor(const graph *g, const char *signature, const char *output)
{
    for (size_t i = 0; i < g->meta->n_signature_def; i++) {
        const Tf__MetaGraphDef__Signature *s = g->meta->signature_def[i];
        for (size_t k = 0; s->value && !strcmp(s->key, signature) && k < s->value->n_outputs; k++)
            if (!strcmp(s->value->outputs[k]->key, output) && s->value->outputs[k]->value)
                return s->value->outputs[k]->value->name;
    }
    return NULL;
}

/* ---- one function a fact ---- */

/* Queries are reshaped to (batch, seq, heads, size per head): the shape is packed from four scalars, or one
 * constant. */
static int64_t find_heads(const graph *g)
{
    for (size_t i = 0; i < g->n; i++) {
        const Tf__NodeDef *shape = name_ends(g->nodes[i], "/attention/self/Reshape") ? input_of(g, g->nodes[i], 1)
                                                                                     : NULL;
        int32_t heads = 0;
        if (shape && !strcmp(shape->op, "Pack") && shape->n_input == 4)
            heads = constant_int(input_of(g, shape, 2), 0);
        else if (constant_int(shape, 3))
            heads = constant_int(shape, 2);
        if (heads > 0)
            return heads;
    }
    return 0;
}

/* Within intermediate/dense: gelu by erf has Erf; gelu by tanh has Tanh, of more than the dense output itself. */
static const char *find_activation(const graph *g)
{
    for (size_t i = 0; i < g->n; i++) {
        const Tf__NodeDef *node = g->nodes[i];
        if (!strstr(node->name, "/intermediate/dense/"))
            continue;
        const Tf__NodeDef *input = input_of(g, node, 0);
        if (!strcmp(node->op, "Erf"))
            return "gelu";
        if (!strcmp(node->op, "Tanh") && input && strcmp(input->op, "BiasAdd"))
            return "gelu_new";
    }
    return NULL;
}

/* The K of the last "/layer_K/" in a name; -1 where there is none. */
static int64_t layer_in(const char *name)
{
    long layer = -1;
    for (const char *p = name; (p = strstr(p, "/layer_")); p++) {
        char *end;
        long k = strtol(p + 7, &end, 10);
        if (end > p + 7 && *end == '/' && k >= 0 && k < INT_MAX)
            layer = k;
    }
    return layer;
}

/* The encoder layer that an output belongs to: the output is the layer's own node or a few reshapes behind it. */
static int64_t find_layer(const graph *g, const char *output)
{
    const char *tensor_name = output_tensor(g, "tokens", output);
    const Tf__NodeDef *node = tensor_name ? node_of(g, tensor_name) : NULL;
    for (int hops = 0; node && hops < 8; hops++) {
        int64_t layer = layer_in(node->name);
        if (layer >= 0)
            return layer;
        node = input_of(g, node, 0);
    }
    return -1;
}

/* The asset's file that is loaded into a tensor: a collection of packed AssetFileDef, as tensorflow_hub writes it. */
static char *asset_in_collection(const graph *g, arena *a, const char *tensor_name)
{
    char *found = NULL;
    for (size_t i = 0; !found && i < g->meta->n_collection_def; i++) {
        const Tf__MetaGraphDef__Collection *c = g->meta->collection_def[i];
        if (strcmp(c->key, "saved_model_assets") || !c->value || !c->value->any_list)
            continue;
        for (size_t k = 0; !found && k < c->value->any_list->n_value; k++) {
            const ProtobufCBinaryData *packed = &c->value->any_list->value[k]->value;
            Tf__AssetFileDef *asset = tf__asset_file_def__unpack(NULL, packed->len, packed->data);
            if (asset && asset->tensor_info && !strcmp(asset->tensor_info->name, tensor_name))
                found = arena_string(a, asset->filename);
            if (asset)
                tf__asset_file_def__free_unpacked(asset, NULL);
        }
    }
    return found;
}

/* The same in the list that tf.saved_model writes. */
static char *asset_in_list(const graph *g, arena *a, const char *tensor_name)
{
    for (size_t i = 0; i < g->meta->n_asset_file_def; i++) {
        const Tf__AssetFileDef *asset = g->meta->asset_file_def[i];
        if (asset->tensor_info && !strcmp(asset->tensor_info->name, tensor_name))
            return arena_string(a, asset->filename);
    }
    return NULL;
}

static bert_status find_vocab(tf_hub_info *info, const graph *g, arena *a, const char *path, bert_err *err)
{
    const char *tensor_name = output_tensor(g, "tokenization_info", "vocab_file");
    char *file = tensor_name ? asset_in_collection(g, a, tensor_name) : NULL;
    if (tensor_name && !file)
        file = asset_in_list(g, a, tensor_name);
    if (file && (!*file || strchr(file, '/') || !strcmp(file, "..")))
        return fail(err, BERT_ERR_FORMAT, "%s: the vocabulary is \"%s\", expected the name of a file in assets/", path,
                    file);
    info->vocab_file = file;
    return BERT_OK;
}

/* The graph for inference: the one without tags, else the first. */
static const Tf__MetaGraphDef *choose_graph(const Tf__SavedModel *model)
{
    for (size_t i = 0; i < model->n_meta_graphs; i++)
        if (!model->meta_graphs[i]->meta_info_def || !model->meta_graphs[i]->meta_info_def->n_tags)
            return model->meta_graphs[i];
    return model->n_meta_graphs ? model->meta_graphs[0] : NULL;
}

static bert_status read_graph(tf_hub_info *info, arena *a, const Tf__SavedModel *model, const char *path, bert_err *err)
{
    const Tf__MetaGraphDef *meta = choose_graph(model);
    graph g = { 0 };
    if (!meta)
        return fail(err, BERT_ERR_FORMAT, "%s: holds no graph", path);
    if (!graph_open(&g, meta))
        return fail_memory(err, path);
    const char *lower = output_tensor(&g, "tokenization_info", "do_lower_case");
    info->do_lower_case = lower ? constant_bool(node_of(&g, lower)) : -1;
    info->num_attention_heads = find_heads(&g);
    info->hidden_act = find_activation(&g);
    info->seq_layer = find_layer(&g, "sequence_output");
    info->tok_layer = find_layer(&g, "token_output");
    bert_status s = find_vocab(info, &g, a, path, err);
    info->graph = !s;
    free(g.nodes);
    return s;
}

bert_status tf_hub_read(tf_hub_info *info, arena *a, const char *folder, bert_err *err)
{
    *info = (tf_hub_info){ .do_lower_case = -1, .seq_layer = -1, .tok_layer = -1 };
    file_mapping file;
    char *path = path_join(a, folder, "saved_model.pb");
    bert_status s = path ? file_map(&file, path, err) : fail_memory(err, folder);
    if (s)
        return s;
    errno = 0;
    Tf__SavedModel *model = tf__saved_model__unpack(NULL, file.size, file.data);
    if (model)
        s = read_graph(info, a, model, path, err);
    else if (errno || !(s = foreign_check_bytes(file.data, file.size, path, err)))
        s = fail_elsewhere(err, BERT_ERR_FORMAT, "%s: is no SavedModel, or damaged", path);
    if (!s && errno == ENOMEM) /* an asset was not found for want of memory */
        s = fail_memory(err, path);
    if (model)
        tf__saved_model__free_unpacked(model, NULL);
    file_unmap(&file);
    return s;
}

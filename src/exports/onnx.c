/* A model as an ONNX graph: encoder, pooling and head in standard operators. The mask, attention, norms and GELU have
 * the form that ONNX Runtime's optimisers know, which make one operator of each. Shapes: B texts, S tokens of the
 * longest, H hidden, NH heads, D = H / NH. */
#include "exports/export.h"

#include "formats/json.h"
#include "formats/json_build.h"
#include "formats/onnx_file.h"
#include "modules/tokenizer_info.h"
#include "net/relative_bias.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

static const char BATCH[] = "batch", SEQUENCE[] = "sequence";
static const char IDS[] = "input_ids", MASK[] = "attention_mask", SEGMENTS[] = "token_type_ids";

typedef struct graph_weight {
    const bert_param *param;
    onnx_name name;
} graph_weight;

typedef struct graph_build {
    onnx_graph graph;
    const export_model *model;
    graph_weight *weights; /* those of the graph, in its order */
    size_t n_weights;
    /* (B, 1 or NH, 1 or S, S): 0 where the mask is 1, else -10000, which leaves exp nothing; and what is added by
     * distance */
    onnx_name bias;
    arena floats; /* of the weight that is being written */
} graph_build;

/* ---- parts ------------------------------------------------------------------------------------------------------- */

/* The name of a weight, which is added where it is used first: layers may have one set. A vector has one side.
 * transposed: a dense layer's weight, (out, in) as it is held, becomes (in, out), as MatMul reads it. */
static onnx_name weight_in(graph_build *b, weight_id id, size_t layer, bool transposed)
{
    const bert_param *p = weight_at(&b->model->weights, id, layer);
    for (size_t i = 0; i < b->n_weights; i++)
        if (b->weights[i].param == p)
            return b->weights[i].name;
    const char *name = transposed ? arena_printf(b->graph.memory, "%s.transposed", p->name) : p->name;
    b->graph.failed |= !name;
    size_t rows = transposed ? p->cols : p->rows, cols = transposed                                           ? p->rows
                                                         : p->cols > 1 || weight_id_kind(id) <= WEIGHT_MATRIX ? p->cols
                                                                                                              : 0;
    onnx_name in_graph = onnx_weight(&b->graph, name ? name : "", rows, cols, transposed);
    b->weights[b->n_weights++] = (graph_weight){ p, in_graph };
    return in_graph;
}

/* (rows, cols) as it is held */
static onnx_name graph_table(graph_build *b, weight_id id)
{
    return weight_in(b, id, 0, false);
}

static onnx_name vector(graph_build *b, weight_id id, size_t layer)
{
    return weight_in(b, id, layer, false);
}

static onnx_name matrix(graph_build *b, weight_id id, size_t layer)
{
    return weight_in(b, id, layer, true);
}

/* x (..., in) to (..., out) */
static onnx_name dense_layer(graph_build *b, onnx_name x, weight_id weight, weight_id bias, size_t layer)
{
    onnx_graph *g = &b->graph;
    onnx_name product = ONNX_NODE(g, "MatMul", x, matrix(b, weight, layer));
    return ONNX_NODE(g, "Add", product, vector(b, bias, layer));
}

static onnx_name layer_norm(graph_build *b, onnx_name x, weight_id weight, weight_id bias, size_t layer)
{
    onnx_graph *g = &b->graph;
    onnx_name scale = vector(b, weight, layer), shift = vector(b, bias, layer);
    onnx_name y = ONNX_NODE(g, "LayerNormalization", x, scale, shift);
    onnx_attribute_int(g, "axis", -1);
    onnx_attribute_float(g, "epsilon", (float)b->model->config.layer_norm_eps);
    return y;
}

static onnx_name graph_transpose(onnx_graph *g, onnx_name x, int64_t a, int64_t b, int64_t c, int64_t d)
{
    onnx_name y = ONNX_NODE(g, "Transpose", x);
    onnx_attribute_ints(g, "perm", (const int64_t[]){ a, b, c, d }, 4);
    return y;
}

static onnx_name graph_softmax(onnx_graph *g, onnx_name x)
{
    onnx_name y = ONNX_NODE(g, "Softmax", x);
    onnx_attribute_int(g, "axis", -1);
    return y;
}

static onnx_name cast(onnx_graph *g, onnx_name x, onnx_type type)
{
    onnx_name y = ONNX_NODE(g, "Cast", x);
    onnx_attribute_int(g, "to", type);
    return y;
}

/* x / 2 (1 + erf(x / sqrt 2)) */
static onnx_name gelu(onnx_graph *g, onnx_name x)
{
    onnx_name erf_of = ONNX_NODE(g, "Erf", ONNX_NODE(g, "Div", x, onnx_number(g, (float)M_SQRT2)));
    onnx_name twice = ONNX_NODE(g, "Mul", x, ONNX_NODE(g, "Add", erf_of, onnx_number(g, 1)));
    return ONNX_NODE(g, "Mul", twice, onnx_number(g, 0.5f));
}

/* x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) */
static onnx_name gelu_tanh(onnx_graph *g, onnx_name x)
{
    onnx_name cube = ONNX_NODE(g, "Pow", x, onnx_number(g, 3));
    onnx_name inner = ONNX_NODE(g, "Add", x, ONNX_NODE(g, "Mul", cube, onnx_number(g, 0.044715f)));
    onnx_name tanh_of = ONNX_NODE(g, "Tanh", ONNX_NODE(g, "Mul", inner, onnx_number(g, (float)sqrt(M_2_PI))));
    onnx_name half = ONNX_NODE(g, "Mul", x, onnx_number(g, 0.5f));
    return ONNX_NODE(g, "Mul", half, ONNX_NODE(g, "Add", tanh_of, onnx_number(g, 1)));
}

static onnx_name graph_activate(onnx_graph *g, onnx_name x, activation act)
{
    switch (act) {
    case ACTIVATION_GELU:
        return gelu(g, x);
    case ACTIVATION_GELU_TANH:
        return gelu_tanh(g, x);
    case ACTIVATION_SILU:
        return ONNX_NODE(g, "Mul", x, ONNX_NODE(g, "Sigmoid", x));
    case ACTIVATION_TANH:
        return ONNX_NODE(g, "Tanh", x);
    case ACTIVATION_RELU:
        return ONNX_NODE(g, "Relu", x);
    default:
        return x;
    }
}

/* ---- the encoder ------------------------------------------------------------------------------------------------- */

/* (B, S, H): the position table is cut to the length at hand. */
static onnx_name embeddings(graph_build *b)
{
    onnx_graph *g = &b->graph;
    int64_t first = b->model->config.first_position;
    onnx_name sum = ONNX_NODE(g, "Gather", graph_table(b, WORD_EMBEDDINGS), IDS);
    if (family_has(b->model->config.family, TOKEN_TYPE_EMBEDDINGS)) {
        onnx_name types = ONNX_NODE(g, "Gather", graph_table(b, TOKEN_TYPE_EMBEDDINGS), SEGMENTS);
        sum = ONNX_NODE(g, "Add", sum, types);
    }
    onnx_name end = ONNX_NODE(g, "Slice", ONNX_NODE(g, "Shape", IDS), ONNX_INTEGERS(g, 1), ONNX_INTEGERS(g, 2));
    if (first)
        end = ONNX_NODE(g, "Add", end, ONNX_INTEGERS(g, first));
    onnx_name positions = ONNX_NODE(g, "Slice", graph_table(b, POSITION_EMBEDDINGS), ONNX_INTEGERS(g, first), end,
                                    ONNX_INTEGERS(g, 0));
    sum = ONNX_NODE(g, "Add", sum, positions);
    sum = layer_norm(b, sum, EMBEDDINGS_NORM_WEIGHT, EMBEDDINGS_NORM_BIAS, 0);
    return config_projects(&b->model->config) ? dense_layer(b, sum, PROJECTION_WEIGHT, PROJECTION_BIAS, 0) : sum;
}

static onnx_name mask_bias(onnx_graph *g)
{
    onnx_name wide = ONNX_NODE(g, "Unsqueeze", ONNX_NODE(g, "Unsqueeze", MASK, ONNX_INTEGERS(g, 1)),
                               ONNX_INTEGERS(g, 2));
    onnx_name absent = ONNX_NODE(g, "Sub", onnx_number(g, 1), cast(g, wide, ONNX_FLOAT));
    return ONNX_NODE(g, "Mul", absent, onnx_number(g, -10000));
}

/* (1, NH, S, S): the bias of each distance, from the table of its bucket. */
static onnx_name distance_bias(graph_build *b)
{
    onnx_graph *g = &b->graph;
    int64_t buckets[2 * RELATIVE_SPAN + 1];
    for (int d = -RELATIVE_SPAN; d <= RELATIVE_SPAN; d++)
        buckets[RELATIVE_SPAN + d] = (int64_t)relative_bucket(d);
    onnx_name n = ONNX_NODE(g, "Slice", ONNX_NODE(g, "Shape", IDS), ONNX_INTEGERS(g, 1), ONNX_INTEGERS(g, 2));
    onnx_name zero = ONNX_NODE(g, "Squeeze", ONNX_INTEGERS(g, 0), ONNX_INTEGERS(g, 0)),
              one = ONNX_NODE(g, "Squeeze", ONNX_INTEGERS(g, 1), ONNX_INTEGERS(g, 0));
    onnx_name places = ONNX_NODE(g, "Range", zero, ONNX_NODE(g, "Squeeze", n, ONNX_INTEGERS(g, 0)), one);
    onnx_name distances = ONNX_NODE(g, "Sub", ONNX_NODE(g, "Unsqueeze", places, ONNX_INTEGERS(g, 0)),
                                    ONNX_NODE(g, "Unsqueeze", places, ONNX_INTEGERS(g, 1)));
    distances = ONNX_NODE(g, "Max", distances, ONNX_INTEGERS(g, -RELATIVE_SPAN));
    distances = ONNX_NODE(g, "Min", distances, ONNX_INTEGERS(g, RELATIVE_SPAN));
    onnx_name of_bucket = onnx_integers(g, buckets, 2 * RELATIVE_SPAN + 1);
    onnx_name of_distance = ONNX_NODE(g, "Gather", graph_table(b, RELATIVE_BIAS), of_bucket);
    onnx_name bias = ONNX_NODE(g, "Gather", of_distance,
                               ONNX_NODE(g, "Add", distances, ONNX_INTEGERS(g, RELATIVE_SPAN)));
    return graph_transpose(g, ONNX_NODE(g, "Unsqueeze", bias, ONNX_INTEGERS(g, 0)), 0, 3, 1, 2);
}

/* (B, S, H) to (B, S, NH, D), with its axes in the order a, b, c, d */
static onnx_name heads(graph_build *b, onnx_name x, weight_id weight, weight_id bias, size_t layer,
                       const int64_t order[4])
{
    onnx_graph *g = &b->graph;
    const config *c = &b->model->config;
    onnx_name shape = ONNX_INTEGERS(g, 0, 0, c->num_attention_heads, c->hidden_size / c->num_attention_heads);
    onnx_name y = ONNX_NODE(g, "Reshape", dense_layer(b, x, weight, bias, layer), shape);
    return graph_transpose(g, y, order[0], order[1], order[2], order[3]);
}

/* One for each kind of block: what it gives, from its layer's values; all (B, S, H). */

/* softmax(q k^T / sqrt(D) + bias) v, its heads side by side */
static onnx_name attention(graph_build *b, const block_row *row, const onnx_name *values, size_t layer)
{
    onnx_name x = values[row->reads];
    weight_id weight = row->weight, bias = row->bias;
    onnx_graph *g = &b->graph;
    const config *c = &b->model->config;
    onnx_name q = heads(b, x, weight, bias, layer, (const int64_t[]){ 0, 2, 1, 3 });
    onnx_name k = heads(b, x, (weight_id)(weight + 1), (weight_id)(bias + 1), layer, (const int64_t[]){ 0, 2, 3, 1 });
    onnx_name v = heads(b, x, (weight_id)(weight + 2), (weight_id)(bias + 2), layer, (const int64_t[]){ 0, 2, 1, 3 });
    float root = sqrtf((float)(c->hidden_size / c->num_attention_heads));
    onnx_name scores = ONNX_NODE(g, "Div", ONNX_NODE(g, "MatMul", q, k), onnx_number(g, root));
    onnx_name shares = graph_softmax(g, ONNX_NODE(g, "Add", scores, b->bias));
    onnx_name mixed = graph_transpose(g, ONNX_NODE(g, "MatMul", shares, v), 0, 2, 1, 3);
    return ONNX_NODE(g, "Reshape", mixed, ONNX_INTEGERS(g, 0, 0, c->hidden_size));
}

static onnx_name dense_block(graph_build *b, const block_row *row, const onnx_name *values, size_t layer)
{
    return dense_layer(b, values[row->reads], row->weight, row->bias, layer);
}

static onnx_name norm_block(graph_build *b, const block_row *row, const onnx_name *values, size_t layer)
{
    onnx_name sum = ONNX_NODE(&b->graph, "Add", values[row->reads], values[row->adds]);
    return layer_norm(b, sum, row->weight, (weight_id)(row->weight + 1), layer);
}

static onnx_name feed_forward(graph_build *b, const block_row *row, const onnx_name *values, size_t layer)
{
    onnx_name y = dense_layer(b, values[row->reads], row->weight, row->bias, layer);
    return dense_layer(b, graph_activate(&b->graph, y, b->model->config.hidden_act), row->second, row->second_bias,
                       layer);
}

static const struct {
    const block_kind *kind;
    onnx_name (*add)(graph_build *b, const block_row *row, const onnx_name *values, size_t layer);
} BLOCKS[] = { { &BLOCK_ATTENTION, attention },
               { &BLOCK_DENSE, dense_block },
               { &BLOCK_FEED_FORWARD, feed_forward },
               { &BLOCK_NORM, norm_block } };

static onnx_name layer_of(graph_build *b, onnx_name x, size_t layer)
{
    const family *f = b->model->config.family;
    onnx_name values[MOST_BLOCKS + 1] = { x };
    for (size_t k = 0; k < f->n_blocks; k++)
        for (size_t i = 0; i < sizeof BLOCKS / sizeof *BLOCKS; i++)
            if (BLOCKS[i].kind == f->blocks[k].kind)
                values[k + 1] = BLOCKS[i].add(b, &f->blocks[k], values, layer);
    return values[f->n_blocks];
}

static onnx_name encoder_of(graph_build *b)
{
    b->bias = mask_bias(&b->graph);
    if (family_has(b->model->config.family, RELATIVE_BIAS))
        b->bias = ONNX_NODE(&b->graph, "Add", b->bias, distance_bias(b));
    onnx_name x = embeddings(b);
    for (size_t i = 0; i < b->model->weights.layers; i++)
        x = layer_of(b, x, i);
    return x;
}

/* ---- pooling: (B, S, H) to (B, H) -------------------------------------------------------------------------------- */

static onnx_name first_token(graph_build *b, onnx_name x)
{
    onnx_graph *g = &b->graph;
    onnx_name first = ONNX_NODE(g, "Slice", x, ONNX_INTEGERS(g, 0), ONNX_INTEGERS(g, 1), ONNX_INTEGERS(g, 1));
    return ONNX_NODE(g, "Squeeze", first, ONNX_INTEGERS(g, 1));
}

static onnx_name sum_of_tokens(onnx_graph *g, onnx_name x)
{
    onnx_name sum = ONNX_NODE(g, "ReduceSum", x, ONNX_INTEGERS(g, 1));
    onnx_attribute_int(g, "keepdims", 0);
    return sum;
}

/* The sum of the tokens over their number, or over its root. */
static onnx_name mean(graph_build *b, onnx_name x, bool root)
{
    onnx_graph *g = &b->graph;
    onnx_name kept = cast(g, ONNX_NODE(g, "Unsqueeze", MASK, ONNX_INTEGERS(g, 2)), ONNX_FLOAT); /* (B, S, 1) */
    onnx_name sum = sum_of_tokens(g, ONNX_NODE(g, "Mul", x, kept)), n = sum_of_tokens(g, kept);
    return ONNX_NODE(g, "Div", sum, root ? ONNX_NODE(g, "Sqrt", n) : n);
}

static onnx_name largest(graph_build *b, onnx_name x)
{
    onnx_graph *g = &b->graph;
    onnx_name kept = cast(g, ONNX_NODE(g, "Unsqueeze", MASK, ONNX_INTEGERS(g, 2)), ONNX_BOOL);
    onnx_name y = ONNX_NODE(g, "ReduceMax", ONNX_NODE(g, "Where", kept, x, onnx_number(g, -INFINITY)));
    onnx_attribute_ints(g, "axes", (const int64_t[]){ 1 }, 1);
    onnx_attribute_int(g, "keepdims", 0);
    return y;
}

static onnx_name pool(graph_build *b, onnx_name x)
{
    switch (b->model->pooling) {
    case BERT_POOLING_CLS:
        return ONNX_NODE(&b->graph, "Tanh", dense_layer(b, first_token(b, x), POOLER_WEIGHT, POOLER_BIAS, 0));
    case BERT_POOLING_CLS_RAW:
        return first_token(b, x);
    case BERT_POOLING_MAX:
        return largest(b, x);
    case BERT_POOLING_SQRT_MEAN:
        return mean(b, x, true);
    case BERT_POOLING_MEAN:
        return mean(b, x, false);
    default: /* none: the head reads every token */
        return x;
    }
}

/* (B, H) to length 1; what is zero stays it. */
static onnx_name length_1(onnx_graph *g, onnx_name x)
{
    onnx_name length = ONNX_NODE(g, "ReduceL2", x);
    onnx_attribute_ints(g, "axes", (const int64_t[]){ 1 }, 1);
    onnx_attribute_int(g, "keepdims", 1);
    return ONNX_NODE(g, "Div", x, ONNX_NODE(g, "Max", length, onnx_number(g, 1e-12f)));
}

/* ---- head and outputs -------------------------------------------------------------------------------------------- */

/* x (..., H) to logits (..., K) */
static onnx_name graph_head(graph_build *b, onnx_name x)
{
    if (b->model->weights.head.hidden)
        x = graph_activate(&b->graph, dense_layer(b, x, HEAD_HIDDEN_WEIGHT, HEAD_HIDDEN_BIAS, 0),
                           b->model->config.family->head_activation);
    return dense_layer(b, x, HEAD_WEIGHT, HEAD_BIAS, 0);
}

/* An output is the last node's. */
static void graph_output(graph_build *b, const char *name, bool tokens, size_t width)
{
    onnx_rename(&b->graph, name);
    const onnx_side sides[] = { { BATCH, 0 }, { tokens ? SEQUENCE : NULL, (int64_t)width }, { NULL, (int64_t)width } };
    onnx_output(&b->graph, name, ONNX_FLOAT, tokens ? 3 : 2, sides);
}

static void pair_scores(graph_build *b, onnx_name logits)
{
    onnx_graph *g = &b->graph;
    onnx_name p = ONNX_NODE(g, "Sigmoid", logits);
    ONNX_NODE(g, "Concat", ONNX_NODE(g, "Sub", onnx_number(g, 1), p), p);
    onnx_attribute_int(g, "axis", 1);
}

static void softmax_scores(graph_build *b, onnx_name logits)
{
    graph_softmax(&b->graph, logits);
}

static void sigmoid_scores(graph_build *b, onnx_name logits)
{
    ONNX_NODE(&b->graph, "Sigmoid", logits);
}

static void number_scores(graph_build *b, onnx_name logits)
{
    onnx_graph *g = &b->graph;
    const bert_model *m = b->model->model;
    onnx_name p = ONNX_NODE(g, "Mul", logits, onnx_number(g, (float)(m->label_max - m->label_min)));
    ONNX_NODE(g, "Add", p, onnx_number(g, (float)m->label_min));
}

/* What the outputs of a head become, and how the graph calls it. */
static const struct {
    const head_output *output;
    void (*scores)(graph_build *b, onnx_name logits);
    const char *name;
} SCORES[] = {
    { &OUTPUT_PAIR, pair_scores, "probabilities" },
    { &OUTPUT_SOFTMAX, softmax_scores, "probabilities" },
    { &OUTPUT_SIGMOIDS, sigmoid_scores, "probabilities" },
    { &OUTPUT_NUMBER, number_scores, "value" },
};

/* The scores of bert_session_predict. */
static void scores(graph_build *b, onnx_name x)
{
    const task *t = b->model->task;
    onnx_name logits = graph_head(b, x);
    size_t i = 0;
    while (SCORES[i].output != t->output)
        i++;
    SCORES[i].scores(b, logits);
    graph_output(b, SCORES[i].name, t->form == ROW_WORDS, task_columns(t, b->model->model));
}

/* Without a head both the tokens' vectors and the pooled one; a model of similarity encodes one text. */
static void outputs(graph_build *b)
{
    size_t H = (size_t)b->model->config.hidden_size;
    const task *t = b->model->task;
    onnx_name x = encoder_of(b);
    if (!t) {
        onnx_rename(&b->graph, x = "last_hidden_state");
        graph_output(b, x, true, H);
        if (b->model->pooling == BERT_POOLING_NONE)
            return;
    }
    x = pool(b, x);
    if (b->model->weights.head.outputs) {
        scores(b, x);
        return;
    }
    if (b->model->model->normalize)
        length_1(&b->graph, x);
    graph_output(b, "embedding", false, H);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

/* A value on one line; it is taken. */
static const char *line_of(const graph_build *b, json_t *json)
{
    char *text = json_compact(json);
    json_decref(json);
    const char *kept = text ? arena_string(b->graph.memory, text) : NULL;
    free(text);
    return kept;
}

static void metadata(graph_build *b)
{
    onnx_graph *g = &b->graph;
    const bert_model *m = b->model->model;
    const char *seq_len = arena_printf(g->memory, "%lld", (long long)m->layer->spec.seq_len),
               *labels = line_of(b, json_of_words(m->labels, m->n_labels));
    const bert_tokenizer_options *rules = m->module->tokenizer ? bert_tokenizer_settings(m->module->tokenizer) : NULL;
    const char *tokenizer = rules ? line_of(b, tokenizer_to_json(m->module->tokenizer)) : "";
    g->failed |= !seq_len || !labels || !tokenizer;
    if (g->failed)
        return;
    onnx_metadata(g, "libbert", BERT_VERSION);
    onnx_metadata(g, "task", bert_task_name(m->task));
    onnx_metadata(g, "labels", labels);
    onnx_metadata(g, "seq_len", seq_len);
    onnx_metadata(g, "pooling", POOLING_WORDS[b->model->pooling]);
    if (!rules)
        return;
    onnx_metadata(g, "do_lower_case", rules->do_lower_case ? "true" : "false");
    onnx_metadata(g, "tokenizer", tokenizer);
}

static bert_status graph_values(void *context, size_t i, const float **out, bert_err *err)
{
    graph_build *b = context;
    arena_reset(&b->floats);
    return export_floats(b->model, b->weights[i].param, &b->floats, out, err);
}

static bert_status write_graph(graph_build *b, const char *path, bert_err *err)
{
    b->weights = arena_array(b->graph.memory, b->model->weights.n, sizeof *b->weights);
    if (!b->weights)
        return fail_memory(err, path);
    const onnx_side sides[] = { { BATCH, 0 }, { SEQUENCE, 0 } };
    onnx_input(&b->graph, IDS, ONNX_INT64, 2, sides);
    onnx_input(&b->graph, MASK, ONNX_INT64, 2, sides);
    onnx_input(&b->graph, SEGMENTS, ONNX_INT64, 2, sides);
    outputs(b);
    metadata(b);
    return onnx_write(&b->graph, path, graph_values, b, err);
}

bert_status export_onnx(const bert_model *model, const char *path, const bert_export_options *options, buffer *notes,
                        bert_err *err)
{
    (void)options, (void)notes;
    arena a = { 0 };
    export_model e;
    graph_build b = { .graph = { .memory = &a }, .model = &e };
    bert_status s = export_model_open(&e, model, &a, err);
    if (!s)
        s = write_graph(&b, path, err);
    arena_free(&b.floats);
    arena_free(&a);
    return s;
}

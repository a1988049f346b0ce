/* TF1 Hub modules: the shared one, and graphs made here that tell other things, nothing, or lies. */
#include "formats/tf_hub.h"

#include "base/scratch.h"
#include "formats/bundle_writer.h"

/* Fields of SavedModel, MetaGraphDef and so on are spelt by their numbers; the reader's tf_graph.proto has their
 * names. */

static void put_text(buffer *b, int field, const char *text)
{
    put_bytes(b, field, text, strlen(text));
}

/* Puts `inner` as a message into b and empties it. */
static void put_message(buffer *b, int field, buffer *inner)
{
    put_bytes(b, field, inner->data, inner->size);
    buffer_free(inner);
}

/* A node; tensor: its constant, emptied, or NULL; inputs end with NULL. */
static void put_node(buffer *graph, const char *name, const char *op, buffer *tensor, const char *const *inputs)
{
    buffer node = { 0 };
    put_text(&node, 1, name);
    put_text(&node, 2, op);
    for (; inputs && *inputs; inputs++)
        put_text(&node, 3, *inputs);
    if (tensor) {
        buffer attr = { 0 }, value = { 0 };
        put_text(&attr, 1, "value");
        put_message(&value, 8, tensor);
        put_message(&attr, 2, &value);
        put_message(&node, 5, &attr);
    }
    put_message(graph, 1, &node);
}

static void put_int(buffer *graph, const char *name, int64_t v)
{
    buffer tensor = { 0 };
    put_number(&tensor, 1, 3);
    put_number(&tensor, 7, v);
    put_node(graph, name, "Const", &tensor, NULL);
}

static void put_signature(buffer *meta, const char *name, const char *output, const char *tensor_name)
{
    buffer signature = { 0 }, definition = { 0 }, pair = { 0 }, info = { 0 };
    put_text(&info, 1, tensor_name);
    put_text(&pair, 1, output);
    put_message(&pair, 2, &info);
    put_message(&definition, 2, &pair);
    put_text(&signature, 1, name);
    put_message(&signature, 2, &definition);
    put_message(meta, 5, &signature);
}

/* Asset `file` is loaded into `tensor_name`, in the list of newer writers. */
static void put_asset(buffer *meta, const char *tensor_name, const char *file)
{
    buffer asset = { 0 }, info = { 0 };
    put_text(&info, 1, tensor_name);
    put_message(&asset, 1, &info);
    put_text(&asset, 2, file);
    put_message(meta, 6, &asset);
}

/* Writes a module of one graph, emptied, and reads it. */
static bert_status read_module(buffer *meta, buffer *graph, tf_hub_info *info, arena *a, bert_err *err)
{
    buffer model = { 0 };
    put_message(meta, 2, graph);
    put_message(&model, 2, meta);
    scratch_file("saved_model.pb", model.data, model.size);
    buffer_free(&model);
    return tf_hub_read(info, a, scratch_folder, err);
}

static void the_exported_module_tells_all(void **state)
{
    (void)state;
    arena a = { 0 };
    tf_hub_info info;
    assert_works(tf_hub_read(&info, &a, shared("data/checkpoints/tf-hub-toy"), err));
    assert_true(info.graph);
    assert_int_equal(info.num_attention_heads, 3);
    assert_int_equal(info.do_lower_case, 1);
    assert_int_equal(info.seq_layer, 2);
    assert_int_equal(info.tok_layer, 2);
    assert_string_equal(info.vocab_file, "vocab.txt");
    assert_string_equal(info.hidden_act, "gelu_new");
    arena_free(&a);
}

/* A scope in front, a static shape, erf, layers given out as they are, a cased vocabulary in the other list of
 * assets. */
static void another_exporters_graph_is_understood(void **state)
{
    (void)state;
    static const char *const reshape[] = { "module/bert/encoder/layer_0/attention/self/query/BiasAdd",
                                           "module/bert/encoder/layer_0/attention/self/Reshape/shape", NULL };
    static const char *const behind[] = { "module/bert/encoder/layer_11/output/LayerNorm/batchnorm/add_1", NULL };
    const int32_t shape[4] = { 8, 128, 16, 64 };
    arena a = { 0 };
    tf_hub_info info;
    buffer meta = { 0 }, graph = { 0 }, tensor = { 0 }, cased = { 0 };
    put_number(&tensor, 1, 3);
    put_bytes(&tensor, 4, shape, sizeof shape);
    put_node(&graph, "module/bert/encoder/layer_0/attention/self/Reshape/shape", "Const", &tensor, NULL);
    put_node(&graph, "module/bert/encoder/layer_0/attention/self/Reshape", "Reshape", NULL, reshape);
    put_node(&graph, "module/bert/encoder/layer_0/intermediate/dense/Erf", "Erf", NULL, NULL);
    put_node(&graph, "module/bert/encoder/layer_5/output/LayerNorm/batchnorm/add_1", "AddV2", NULL, NULL);
    put_node(&graph, "module/bert/encoder/layer_11/output/LayerNorm/batchnorm/add_1", "AddV2", NULL, NULL);
    put_node(&graph, "module/Identity", "Identity", NULL, behind);
    put_number(&cased, 1, 10);
    put_number(&cased, 11, 0);
    put_node(&graph, "module/Const", "Const", &cased, NULL);
    put_signature(&meta, "tokens", "token_output", "module/bert/encoder/layer_5/output/LayerNorm/batchnorm/add_1:0");
    put_signature(&meta, "tokens", "sequence_output", "module/Identity:0");
    put_signature(&meta, "tokenization_info", "do_lower_case", "module/Const:0");
    put_signature(&meta, "tokenization_info", "vocab_file", "vocab:0");
    put_asset(&meta, "other:0", "other.txt");
    put_asset(&meta, "vocab:0", "cased.txt");
    assert_works(read_module(&meta, &graph, &info, &a, err));
    assert_int_equal(info.num_attention_heads, 16);
    assert_string_equal(info.hidden_act, "gelu");
    assert_int_equal(info.tok_layer, 5);
    assert_int_equal(info.seq_layer, 11);
    assert_int_equal(info.do_lower_case, 0);
    assert_string_equal(info.vocab_file, "cased.txt");
    arena_free(&a);
}

static void assert_nothing_told(const tf_hub_info *info)
{
    assert_int_equal(info->num_attention_heads, 0);
    assert_int_equal(info->do_lower_case, -1);
    assert_int_equal(info->seq_layer, -1);
    assert_int_equal(info->tok_layer, -1);
    assert_null(info->vocab_file);
    assert_null(info->hidden_act);
}

static void what_the_graph_does_not_tell_stays_open(void **state)
{
    (void)state;
    arena a = { 0 };
    tf_hub_info info;
    buffer meta = { 0 }, graph = { 0 };
    assert_works(read_module(&meta, &graph, &info, &a, err));
    assert_true(info.graph);
    assert_nothing_told(&info);
    arena_free(&a);
}

/* Outputs and shapes that lead nowhere, in circles, or to other things than they should. */
static void what_the_graph_tells_wrongly_stays_open(void **state)
{
    (void)state;
    static const char *const circle[] = { "^round", NULL }, *const dense[] = { "l/intermediate/dense/BiasAdd", NULL };
    static const char *const reshape[] = { "x", "e/attention/self/Reshape/shape", NULL }, *const one[] = { "x", NULL };
    static const char *const pack[] = { "n", "n", "negative", "n", NULL }, *const packed[] = { "x", "p", NULL };
    arena a = { 0 };
    tf_hub_info info;
    buffer meta = { 0 }, graph = { 0 }, tensor = { 0 };
    put_node(&graph, "round", "Identity", NULL, circle);
    put_node(&graph, "l/intermediate/dense/BiasAdd", "BiasAdd", NULL, NULL);
    put_node(&graph, "l/intermediate/dense/Tanh", "Tanh", NULL, dense); /* tanh itself, no gelu */
    put_node(&graph, "a/attention/self/Reshape", "Reshape", NULL, one);
    put_int(&graph, "e/attention/self/Reshape/shape", 16); /* a shape of one number */
    put_node(&graph, "e/attention/self/Reshape", "Reshape", NULL, reshape);
    put_int(&graph, "negative", -3);
    put_node(&graph, "p", "Pack", NULL, pack);
    put_node(&graph, "f/attention/self/Reshape", "Reshape", NULL, packed);
    put_number(&tensor, 1, 10); /* a boolean without a value */
    put_node(&graph, "empty", "Const", &tensor, NULL);
    put_signature(&meta, "tokens", "token_output", "round:0");
    put_signature(&meta, "tokens", "sequence_output", "gone:0");
    put_signature(&meta, "tokenization_info", "do_lower_case", "empty:0");
    put_signature(&meta, "tokenization_info", "vocab_file", "empty:0");
    assert_works(read_module(&meta, &graph, &info, &a, err));
    assert_nothing_told(&info);
    arena_free(&a);
}

static void a_vocabulary_outside_the_assets_is_refused(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        { "../../etc/passwd",
          "saved_model.pb: the vocabulary is \"../../etc/passwd\", expected the name of a file in assets/" },
        { "..", "saved_model.pb: the vocabulary is \"..\", expected the name of a file in assets/" },
        { "", "saved_model.pb: the vocabulary is \"\", expected the name of a file in assets/" },
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        arena a = { 0 };
        tf_hub_info info;
        buffer meta = { 0 }, graph = { 0 };
        put_signature(&meta, "tokenization_info", "vocab_file", "v:0");
        put_asset(&meta, "v:0", files[i][0]);
        assert_fails(read_module(&meta, &graph, &info, &a, err), BERT_ERR_FORMAT, files[i][1]);
        assert_false(info.graph);
        arena_free(&a);
    }
}

static void what_is_no_module_is_refused(void **state)
{
    (void)state;
    arena a = { 0 };
    tf_hub_info info;
    assert_fails(tf_hub_read(&info, &a, scratch_folder, err), BERT_ERR_IO,
                 "saved_model.pb: cannot open: No such file or directory");
    scratch_text("saved_model.pb", "");
    assert_fails(tf_hub_read(&info, &a, scratch_folder, err), BERT_ERR_FORMAT, "saved_model.pb: holds no graph");
    scratch_text("saved_model.pb", "\xff\xff\xff");
    assert_fails(tf_hub_read(&info, &a, scratch_folder, err), BERT_ERR_FORMAT,
                 "saved_model.pb: is no SavedModel, or damaged");
    arena_free(&a);
}

#define IN_SCRATCH(test) in_a_folder(test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_exported_module_tells_all),        IN_SCRATCH(another_exporters_graph_is_understood),
        IN_SCRATCH(what_the_graph_does_not_tell_stays_open),    IN_SCRATCH(what_the_graph_tells_wrongly_stays_open),
        IN_SCRATCH(a_vocabulary_outside_the_assets_is_refused), IN_SCRATCH(what_is_no_module_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

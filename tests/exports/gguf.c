/* GGUF exports: keys, vocabulary and tensors as a reader by the specification finds them, and what is refused. What
 * llama.cpp makes of a file is for tests/cli/export_gguf.sh. */
#include "exports/exported.h"
#include "exports/gguf_read.h"
#include "exports/gguf_vocabulary.h"
#include "formats/gguf_file.h"
#include "with_case.h"

static bert_status to_gguf(const bert_model *m, const char *name, int type, char **note, bert_err *err)
{
    bert_export_options options;
    bert_export_defaults(&options);
    options.format = BERT_EXPORT_GGUF;
    options.type = type;
    return bert_model_export(m, scratch(name), &options, note, err);
}

static bert_model *plain_module(void)
{
    const bert_tokenizer_options theirs = transformers_rules();
    bert_model *m = load_model(toy_module("module", (toy){ 0 }));
    set_rules(m, &theirs);
    return m;
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */

static void assert_word(const gguf_read *g, const char *key, const char *expected)
{
    const read_key *k = read_find(g, key);
    assert_true(k && k->type == READ_STRING);
    assert_true(read_is((bert_text){ (const char *)k->value, k->n }, expected));
}

static void assert_truth(const gguf_read *g, const char *key, bool expected)
{
    const read_key *k = read_find(g, key);
    assert_true(k && k->type == READ_BOOL);
    assert_int_equal(*k->value, expected);
}

static void the_keys_tell_the_model(void **state)
{
    (void)state;
    gguf_read g;
    bert_model *m = plain_module();
    assert_works(to_gguf(m, "m.gguf", 0, NULL, err));
    read_open(&g, scratch("m.gguf"));
    assert_word(&g, "general.architecture", "bert");
    assert_word(&g, "general.name", "module");
    assert_int_equal(read_number(&g, "general.alignment"), 32);
    assert_int_equal(read_number(&g, "general.file_type"), 0);
    assert_int_equal(read_number(&g, "bert.context_length"), TOY_POSITIONS);
    assert_int_equal(read_number(&g, "bert.embedding_length"), TOY_HIDDEN);
    assert_int_equal(read_number(&g, "bert.feed_forward_length"), 72);
    assert_int_equal(read_number(&g, "bert.block_count"), TOY_LAYERS);
    assert_int_equal(read_number(&g, "bert.attention.head_count"), 5);
    assert_int_equal(read_number(&g, "bert.pooling_type"), 1);
    assert_int_equal(read_number(&g, "tokenizer.ggml.token_type_count"), 2);
    assert_truth(&g, "bert.attention.causal", false);
    float eps;
    const read_key *k = read_find(&g, "bert.attention.layer_norm_epsilon");
    assert_true(k && k->type == READ_FLOAT32);
    memcpy(&eps, k->value, sizeof eps);
    assert_true(eps == 1e-12f);
    read_close(&g);
    bert_model_free(m);
}

static void check_pooling(int pooling, uint32_t expected, const char *expected_note)
{
    gguf_read g;
    char *note;
    bert_model *m = plain_module();
    m->layer->spec.pooling = pooling;
    assert_works(to_gguf(m, "m.gguf", 0, &note, err));
    if (expected_note)
        assert_string_equal(note, expected_note);
    else
        assert_null(note);
    bert_free(note);
    read_open(&g, scratch("m.gguf"));
    assert_int_equal(read_number(&g, "bert.pooling_type"), expected);
    read_close(&g);
    bert_model_free(m);
    assert_int_equal(unlink(scratch("m.gguf")), 0);
}

static void a_pooling_is_llama_cpps_nearest_with_a_note_where_it_is_another(void **state)
{
    (void)state;
    check_pooling(BERT_POOLING_NONE, 0, NULL);
    check_pooling(BERT_POOLING_MEAN, 1, NULL);
    check_pooling(BERT_POOLING_CLS_RAW, 2, NULL);
    check_pooling(BERT_POOLING_SQRT_MEAN, 1,
                  "pooling sqrt_mean: the file gives the mean, which has the same direction and another length");
    check_pooling(
        BERT_POOLING_CLS, 2,
        "pooling cls: llama.cpp has no pooler; the file gives the vector of [CLS] itself, as pooling cls_raw does");
}

static void what_the_format_has_no_place_for_is_told(void **state)
{
    (void)state;
    char *note;
    bert_model *m = model_of(BERT_TASK_MULTICLASS, BERT_POOLING_MEAN, 0);
    assert_works(to_gguf(m, "m.gguf", 0, &note, err));
    assert_non_null(strstr(note, "task multiclass: the file gives vectors; the head is not part of it\n"));
    bert_free(note);
    bert_model_free(m);
    m = plain_module();
    m->normalize = true;
    assert_works(to_gguf(m, "n.gguf", 2, &note, err));
    assert_string_equal(note, "the model's vectors have length 1; the file cannot say so, llama.cpp's --embd-normalize "
                              "2 (its default) makes them so\n"
                              "type q8_0 takes rows of a multiple of 32 numbers; matrices with others are f16");
    bert_free(note);
    bert_model_free(m);
}

/* ---- vocabulary -------------------------------------------------------------------------------------------------- */

static void check_token(const gguf_read *g, uint64_t id, const char *expected, int32_t type)
{
    const read_key *types = read_find(g, "tokenizer.ggml.token_type");
    int32_t found;
    assert_true(types && types->item == READ_INT32 && id < types->n);
    memcpy(&found, types->value + 4 * id, sizeof found);
    bert_text token = read_item(g, "tokenizer.ggml.tokens", id);
    if (!read_is(token, expected))
        fail_msg("token %d is %.*s, expected %s", (int)id, (int)token.size, token.data, expected);
    assert_int_equal(found, type);
}

static void a_words_first_piece_has_a_mark_and_what_continues_it_none(void **state)
{
    (void)state;
    gguf_read g;
    bert_model *m = plain_module();
    assert_works(to_gguf(m, "m.gguf", 0, NULL, err));
    read_open(&g, scratch("m.gguf"));
    assert_word(&g, "tokenizer.ggml.model", "bert");
    assert_int_equal(read_find(&g, "tokenizer.ggml.tokens")->n, 57);
    check_token(&g, 0, "[PAD]", 3);
    check_token(&g, 2, "[CLS]", 3);
    check_token(&g, 5,
                "\xe2\x96\x81"
                "a",
                1);
    check_token(&g, 6, "a", 1);
    check_token(&g, 56, "z", 1);
    assert_int_equal(read_number(&g, "tokenizer.ggml.unknown_token_id"), 1);
    assert_int_equal(read_number(&g, "tokenizer.ggml.bos_token_id"), 2);
    assert_int_equal(read_number(&g, "tokenizer.ggml.cls_token_id"), 2);
    assert_int_equal(read_number(&g, "tokenizer.ggml.seperator_token_id"), 3);
    assert_int_equal(read_number(&g, "tokenizer.ggml.padding_token_id"), 0);
    assert_int_equal(read_number(&g, "tokenizer.ggml.mask_token_id"), 4);
    assert_truth(&g, "tokenizer.ggml.normalizer.lowercase", true);
    assert_truth(&g, "tokenizer.ggml.normalizer.strip_accents", true);
    read_close(&g);
    bert_model_free(m);
}

/* llama.cpp stops at two equal tokens. */
static void tokens_that_would_be_equal_are_told_apart(void **state)
{
    (void)state;
    static const char LINES[] = "[UNK]\n[CLS]\n[SEP]\na\nb\na\n##\xe2\x96\x81"
                                "b\n##[SEP]\n##\n";
    gguf_read g;
    gguf_file file = { 0 };
    arena a = { 0 };
    bert_tokenizer *tokenizer;
    const bert_tokenizer_options cased = with_case(false);
    assert_works(bert_tokenizer_create(LINES, sizeof LINES - 1, "lines", &cased, &tokenizer, err));
    assert_works(gguf_add_vocabulary(&file, tokenizer, bert_tokenizer_size(tokenizer), 2, &a, err));
    assert_works(gguf_write(&file, scratch("v.gguf"), NULL, NULL, err));
    read_open(&g, scratch("v.gguf"));
    check_token(&g, 2, "[SEP]", 3);
    check_token(&g, 3, "[hidden 3]", 5); /* the last of equal lines counts */
    check_token(&g, 4, "[hidden 4]", 5);
    check_token(&g, 5,
                "\xe2\x96\x81"
                "a",
                1);
    check_token(&g, 6,
                "\xe2\x96\x81"
                "b",
                1);
    check_token(&g, 7, "[hidden 7]", 5);
    check_token(&g, 8, "\xe2\x96\x81##", 1);
    assert_null(read_find(&g, "tokenizer.ggml.mask_token_id"));
    assert_truth(&g, "tokenizer.ggml.normalizer.lowercase", false);
    read_close(&g);
    gguf_free(&file);
    arena_free(&a);
    bert_tokenizer_free(tokenizer);
}

/* ---- tensors ----------------------------------------------------------------------------------------------------- */

/* The tensor of an entry; its numbers are within `step`, relative to them, below the normal ones of float16 within half
 * of 2^-24. */
static void check_tensor(const gguf_read *g, const weight_list *weights, weight_id id, size_t layer, const char *name,
                         uint32_t type, double step)
{
    const bert_param *p = weight_at(weights, id, layer);
    const read_tensor *t = read_find_tensor(g, name);
    assert_int_equal(t->type, type);
    assert_int_equal(t->dims[0], p->cols > 1 ? p->cols : p->rows);
    assert_int_equal(t->n_dims, p->cols > 1 ? 2 : 1);
    if (p->cols > 1)
        assert_int_equal(t->dims[1], p->rows);
    for (size_t i = 0; i < weight_size(p); i++)
        if (!(fabs(read_element(t, i) - (double)p->value[i]) <=
              (step > 0 ? fmax(step * fabs((double)p->value[i]), 0x1p-25) : 0)))
            fail_msg("%s, number %zu: %g, expected %g", name, i, read_element(t, i), (double)p->value[i]);
}

static void check_tensors(const gguf_read *g, const weight_list *w, uint32_t matrix, double step)
{
    static const struct {
        weight_id id;
        const char *name;
        bool matrix;
    } OF_LAYER[] = {
        { QUERY_WEIGHT, "attn_q.weight", true },
        { QUERY_BIAS, "attn_q.bias", false },
        { KEY_WEIGHT, "attn_k.weight", true },
        { KEY_BIAS, "attn_k.bias", false },
        { VALUE_WEIGHT, "attn_v.weight", true },
        { VALUE_BIAS, "attn_v.bias", false },
        { ATTENTION_WEIGHT, "attn_output.weight", true },
        { ATTENTION_BIAS, "attn_output.bias", false },
        { ATTENTION_NORM_WEIGHT, "attn_output_norm.weight", false },
        { ATTENTION_NORM_BIAS, "attn_output_norm.bias", false },
        { INTERMEDIATE_WEIGHT, "ffn_up.weight", true },
        { INTERMEDIATE_BIAS, "ffn_up.bias", false },
        { OUTPUT_WEIGHT, "ffn_down.weight", true },
        { OUTPUT_BIAS, "ffn_down.bias", false },
        { OUTPUT_NORM_WEIGHT, "layer_output_norm.weight", false },
        { OUTPUT_NORM_BIAS, "layer_output_norm.bias", false },
    };
    check_tensor(g, w, WORD_EMBEDDINGS, 0, "token_embd.weight", matrix, step);
    check_tensor(g, w, TOKEN_TYPE_EMBEDDINGS, 0, "token_types.weight", 0, 0);
    check_tensor(g, w, POSITION_EMBEDDINGS, 0, "position_embd.weight", 0, 0);
    check_tensor(g, w, EMBEDDINGS_NORM_WEIGHT, 0, "token_embd_norm.weight", 0, 0);
    check_tensor(g, w, EMBEDDINGS_NORM_BIAS, 0, "token_embd_norm.bias", 0, 0);
    for (size_t layer = 0; layer < w->layers; layer++)
        for (size_t i = 0; i < sizeof OF_LAYER / sizeof *OF_LAYER; i++) {
            char name[64];
            snprintf(name, sizeof name, "blk.%zu.%s", layer, OF_LAYER[i].name);
            check_tensor(g, w, OF_LAYER[i].id, layer, name, OF_LAYER[i].matrix ? matrix : 0,
                         OF_LAYER[i].matrix ? step : 0);
        }
    assert_int_equal(g->n_tensors, 5 + 16 * w->layers);
}

static void every_tensor_is_there_under_its_name(void **state)
{
    (void)state;
    static const struct {
        int type;
        uint32_t file_type, matrix;
        double step;
    } TYPES[] = { { 0, 0, 0, 0 }, { 1, 1, 1, 0x1p-11 }, { 2, 7, 1, 0x1p-11 } /* rows of 40: f16 */ };
    bert_model *m = plain_module();
    for (int i = 0; i < 3; i++) {
        gguf_read g;
        assert_works(to_gguf(m, "m.gguf", TYPES[i].type, NULL, err));
        read_open(&g, scratch("m.gguf"));
        assert_int_equal(read_number(&g, "general.file_type"), TYPES[i].file_type);
        check_tensors(&g, &m->module->weights, TYPES[i].matrix, TYPES[i].step);
        read_close(&g);
        assert_int_equal(unlink(scratch("m.gguf")), 0);
    }
    bert_model_free(m);
}

static void the_tuned_weights_of_a_model_go_in_and_layers_above_stay_out(void **state)
{
    (void)state;
    gguf_read g;
    bert_model *m = model_of(BERT_TASK_BINARY, BERT_POOLING_MEAN, 0);
    bert_param *tuned = weight_at(&m->layer->weights, OUTPUT_WEIGHT, TOY_LAYERS - 1);
    assert_non_null(tuned->tuned);
    tuned->tuned[3] = 77;
    assert_works(to_gguf(m, "m.gguf", 0, NULL, err));
    read_open(&g, scratch("m.gguf"));
    assert_true(read_element(read_find_tensor(&g, "blk.2.ffn_down.weight"), 3) == 77);
    read_close(&g);
    bert_model_free(m);

    m = load_model(toy_module("lower", (toy){ .seq_layer = 2 }));
    assert_works(to_gguf(m, "lower.gguf", 0, NULL, err));
    read_open(&g, scratch("lower.gguf"));
    assert_int_equal(read_number(&g, "bert.block_count"), 2);
    assert_int_equal(g.n_tensors, 5 + 16 * 2);
    read_close(&g);
    bert_model_free(m);
}

/* ---- types ------------------------------------------------------------------------------------------------------- */

static bert_status given(void *context, size_t i, const float **values, bert_err *err)
{
    (void)i, (void)err;
    *values = context;
    return BERT_OK;
}

static bert_status write_one(gguf_type type, size_t rows, size_t cols, float *numbers, bert_err *err)
{
    gguf_file g = { 0 };
    gguf_add_tensor(&g, (gguf_tensor){ "t", type, rows, cols });
    bert_status s = gguf_write(&g, scratch("one.gguf"), given, numbers, err);
    gguf_free(&g);
    return s;
}

static void float16_is_rounded_to_nearest_with_ties_to_even(void **state)
{
    (void)state;
    static const double PAIRS[][2] = {
        { 0, 0 },
        { 1, 1 },
        { -2.5, -2.5 },
        { 65504, 65504 },
        { 1 + 0x1p-11, 1 },               /* a tie: down to even */
        { 1 + 0x1.8p-10, 1 + 0x1p-9 },    /* a tie: up to even */
        { 1 + 0x1.002p-11, 1 + 0x1p-10 }, /* a little more than a tie */
        { 0x1p-14, 0x1p-14 },             /* the least normal number */
        { 0x1.ff8p-15, 0x1.ff8p-15 },     /* subnormal: steps of 2^-24 */
        { 0x1.ffap-15, 0x1.ff8p-15 },
        { 0x1p-24, 0x1p-24 },
        { 0x1p-25, 0 },           /* a tie: down to even */
        { 0x1.8p-24, 0x1p-23 },   /* a tie: up to even */
        { 0x1.fffp-15, 0x1p-14 }, /* rounds up into the normal numbers */
        { 2047.5, 2048 },
        { -1e-30, 0 },
    };
    enum { N = sizeof PAIRS / sizeof *PAIRS };
    float x[N];
    gguf_read g;
    for (int i = 0; i < N; i++)
        x[i] = (float)PAIRS[i][0];
    assert_works(write_one(GGUF_F16, N, 0, x, err));
    read_open(&g, scratch("one.gguf"));
    for (int i = 0; i < N; i++)
        if (read_element(&g.tensors[0], (size_t)i) != PAIRS[i][1])
            fail_msg("%a became %a, expected %a", PAIRS[i][0], read_element(&g.tensors[0], (size_t)i), PAIRS[i][1]);
    read_close(&g);
}

/* Every float16 comes back as itself. */
static void float16_holds_all_its_numbers(void **state)
{
    (void)state;
    enum { N = 1 << 16 };
    static float x[N];
    static unsigned char halves[N][2];
    gguf_read g;
    for (int i = 0; i < N; i++) {
        halves[i][0] = (unsigned char)i;
        halves[i][1] = (unsigned char)(i >> 8);
        bool finite = (i >> 10 & 31) != 31;
        x[i] = finite ? (float)read_half(halves[i]) : 0;
    }
    assert_works(write_one(GGUF_F16, N, 0, x, err));
    read_open(&g, scratch("one.gguf"));
    for (int i = 0; i < N; i++)
        if ((i >> 10 & 31) != 31)
            assert_memory_equal(g.tensors[0].data + 2 * i, halves[i], 2);
    read_close(&g);
}

/* A row longer than what is converted in one go, too. */
static void q8_0_is_within_half_a_step_of_each_block(void **state)
{
    (void)state;
    enum { ROWS = 3, COLS = 32 * 150 };
    static float x[ROWS * COLS];
    random_stream r = { 4, 4, 0 };
    gguf_read g;
    for (size_t i = 0; i < ROWS * COLS; i++)
        x[i] = i / 32 == 5 ? 0 : random_normal(&r) * ldexpf(1, (int)(i / 32 % 20) - 12);
    assert_works(write_one(GGUF_Q8_0, ROWS, COLS, x, err));
    read_open(&g, scratch("one.gguf"));
    for (size_t group = 0; group < ROWS * COLS / 32; group++) {
        double most = 0;
        for (size_t i = group * 32; i < group * 32 + 32; i++)
            most = fmax(most, fabs((double)x[i]));
        for (size_t i = group * 32; i < group * 32 + 32;
             i++) /* half a step, and what float16 takes from the scale: at most half of 2^-24 below 2^-14 */
            assert_true(fabs(read_element(&g.tensors[0], i) - (double)x[i]) <=
                        most / 254 * 1.001 + fmax(most * 0x1p-11, 127 * 0x1p-25));
    }
    read_close(&g);
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

static void a_number_beyond_a_type_is_refused_and_nothing_is_left(void **state)
{
    (void)state;
    float x[64] = { [40] = 65505 }, y[64] = { [40] = -INFINITY }, z[64] = { [40] = NAN };
    size_t entries = scratch_entries();
    assert_fails(write_one(GGUF_F16, 2, 32, x, err), BERT_ERR_UNSUPPORTED,
                 "t: a number of 65505 is beyond what type f16 holds");
    assert_fails(write_one(GGUF_Q8_0, 2, 32, y, err), BERT_ERR_UNSUPPORTED,
                 "t: a number of inf is beyond what type q8_0 holds");
    assert_fails(write_one(GGUF_F16, 2, 32, z, err), BERT_ERR_UNSUPPORTED,
                 "t: a number of nan is beyond what type f16 holds");
    assert_int_equal(scratch_entries(), entries);
    assert_works(write_one(GGUF_Q8_0, 2, 32, x, err));
}

static void what_llama_cpp_does_not_compute_is_refused(void **state)
{
    (void)state;
    bert_model *m = plain_module();
    m->layer->spec.pooling = BERT_POOLING_MAX;
    assert_fails(to_gguf(m, "m.gguf", 0, NULL, err), BERT_ERR_UNSUPPORTED,
                 "pooling max: llama.cpp has none, mean, cls_raw");
    m->layer->spec.pooling = BERT_POOLING_MEAN;
    m->layer->config.hidden_act = ACTIVATION_RELU;
    assert_fails(to_gguf(m, "m.gguf", 0, NULL, err), BERT_ERR_UNSUPPORTED,
                 "hidden_act relu: llama.cpp computes BERT with gelu alone");
    bert_model_free(m);
    m = load_model(toy_module("poor", (toy){ .no_pooler = true }));
    m->layer->spec.pooling = BERT_POOLING_CLS;
    assert_fails(to_gguf(m, "m.gguf", 0, NULL, err), BERT_ERR_ARGUMENT,
                 "pooling cls: the module has no pooler; choose another pooling before exporting");
    bert_model_free(m);
    assert_false(file_exists(scratch("m.gguf")));
}

/* What the export itself looks at before it renames. */
static void a_file_that_is_not_whole_is_known(void **state)
{
    (void)state;
    bert_model *m = plain_module();
    for (int type = 0; type < 3; type++) {
        assert_works(to_gguf(m, "m.gguf", type, NULL, err));
        assert_checked(gguf_check, scratch("m.gguf"));
    }
    bert_model_free(m);
    scratch_file("m.gguf", "GGUF\3\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0x\11\0\0\0", 37);
    assert_fails(gguf_check(scratch("m.gguf"), err), BERT_ERR_FORMAT, "m.gguf: key x does not end within the file");
    scratch_file("m.gguf", "GGUF\2\0\0\0", 8);
    assert_fails(gguf_check(scratch("m.gguf"), err), BERT_ERR_FORMAT, "m.gguf: is no GGUF file of version 3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(the_keys_tell_the_model),
        in_a_folder(a_pooling_is_llama_cpps_nearest_with_a_note_where_it_is_another),
        in_a_folder(what_the_format_has_no_place_for_is_told),
        in_a_folder(a_words_first_piece_has_a_mark_and_what_continues_it_none),
        in_a_folder(tokens_that_would_be_equal_are_told_apart),
        in_a_folder(every_tensor_is_there_under_its_name),
        in_a_folder(the_tuned_weights_of_a_model_go_in_and_layers_above_stay_out),
        in_a_folder(float16_is_rounded_to_nearest_with_ties_to_even),
        in_a_folder(float16_holds_all_its_numbers),
        in_a_folder(q8_0_is_within_half_a_step_of_each_block),
        in_a_folder(a_number_beyond_a_type_is_refused_and_nothing_is_left),
        in_a_folder(what_llama_cpp_does_not_compute_is_refused),
        in_a_folder(a_file_that_is_not_whole_is_known),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}

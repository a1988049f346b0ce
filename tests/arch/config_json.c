/* What a classifier drops out is where transformers reads it, and a configuration that is written says it again. */
#include "base/scratch.h"

#include "arch/config_json.h"

static const struct {
    const char *family, *said; /* members of config.json beside the sizes */
    double head;
    const char *written; /* its key where it is written; else absent */
} CASES[] = {
    { "bert", "", 0.1, NULL },
    { "bert", "\"hidden_dropout_prob\": 0.3,", 0.3, NULL },
    { "bert", "\"hidden_dropout_prob\": 0.3, \"classifier_dropout\": null,", 0.3, NULL },
    { "bert", "\"hidden_dropout_prob\": 0.3, \"classifier_dropout\": 0.3,", 0.3, NULL },
    { "bert", "\"hidden_dropout_prob\": 0.3, \"classifier_dropout\": 0.05,", 0.05, "classifier_dropout" },
    { "roberta", "\"classifier_dropout\": 0,", 0, "classifier_dropout" },
    { "roberta", "\"hidden_dropout_prob\": 0.2,", 0.2, NULL },
    { "xlm-roberta", "\"classifier_dropout\": 0.05,", 0.05, "classifier_dropout" },
    { "electra", "\"embedding_size\": 4, \"hidden_dropout_prob\": 0.2,", 0.2, NULL },
    { "albert", "\"embedding_size\": 4, \"classifier_dropout_prob\": 0.3,", 0.3, "classifier_dropout_prob" },
    { "distilbert", "\"dropout\": 0.3,", 0.2, "seq_classif_dropout" },
    { "distilbert", "\"seq_classif_dropout\": 0.4, \"classifier_dropout\": 0.05,", 0.4, "seq_classif_dropout" },
};

static json_t *config_saying(const char *type, const char *said)
{
    char text[1000];
    snprintf(text, sizeof text,
             "{%s \"model_type\": \"%s\", \"vocab_size\": 9, \"max_position_embeddings\": 9, \"type_vocab_size\": 1,"
             " \"hidden_size\": 8, \"num_hidden_layers\": 1, \"num_attention_heads\": 2, \"intermediate_size\": 9,"
             " \"hidden_act\": \"gelu\", \"activation\": \"gelu\", \"layer_norm_eps\": 1e-5, \"pad_token_id\": 0,"
             " \"dim\": 8, \"n_layers\": 1, \"n_heads\": 2, \"hidden_dim\": 9}",
             said, type);
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    return json;
}

static void a_heads_dropout_is_read_where_transformers_reads_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        config c, again;
        json_t *json = config_saying(CASES[i].family, CASES[i].said);
        assert_works(config_parse(json, &c, "config.json", err));
        assert_true(c.head_dropout_prob == CASES[i].head);
        json_t *written = config_to_json(&c);
        const char *const KEYS[] = { "classifier_dropout", "seq_classif_dropout", "classifier_dropout_prob" };
        for (int k = 0; k < 3; k++)
            assert_int_equal(json_object_get(written, KEYS[k]) != NULL,
                             CASES[i].written && !strcmp(CASES[i].written, KEYS[k]));
        assert_works(config_parse(written, &again, "config.json", err));
        assert_true(again.head_dropout_prob == CASES[i].head);
        json_decref(written);
        json_decref(json);
    }
}

static void a_heads_dropout_out_of_range_is_refused(void **state)
{
    (void)state;
    config c;
    json_t *json = config_saying("bert", "\"classifier_dropout\": 1,");
    assert_fails(config_parse(json, &c, "config.json", err), BERT_ERR_FORMAT,
                 "config.json: classifier_dropout is 1, expected 0 to 0.99");
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_heads_dropout_is_read_where_transformers_reads_it),
        cmocka_unit_test(a_heads_dropout_out_of_range_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

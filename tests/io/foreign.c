/* What is no checkpoint for libbert is known by the names of its tensors; files by name and bytes are in tests/cli/foreign.sh. */
#include "io/foreign.h"

#include "base/scratch.h"

static void tensors_of_others_are_known_by_their_names(void **state)
{
    (void)state;
    static const struct {
        const char *name, *message; /* NULL: not known */
    } CASES[] = {
        { "base_model.model.encoder.layer.0.query.lora_A.weight", "f: is adapters (PEFT)" },
        { "_CHECKPOINTABLE_OBJECT_GRAPH", "f: is an object checkpoint of TensorFlow 2" },
        { "model/layer-0/kernel/.ATTRIBUTES/VARIABLE_VALUE", "f: is an object checkpoint of TensorFlow 2" },
        { "tf_bert_model/bert/encoder/layer_._0/attention/self/query/kernel:0", "f: is weights under TensorFlow's names" },
        { "encoder.layers.0.mixer.Wqkv.weight", "f: is a model whose query, key and value are one tensor" },
        { "distilbert.embeddings.word_embeddings.weight", "f: is a DistilBERT" },
        { "roberta.embeddings.word_embeddings.weight", "f: is a RoBERTa" },
        { "albert.embeddings.word_embeddings.weight", "f: is an ALBERT" },
        { "electra.embeddings.word_embeddings.weight", "f: is an ELECTRA" },
        { "deberta.embeddings.word_embeddings.weight", "f: is a DeBERTa" },
        { "bert.embeddings.word_embeddings.weight", NULL },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        tensor t = { .name = CASES[i].name, .file = "f" };
        bert_err found = { 0 };
        bert_status s = foreign_check_tensors(&(tensor_set){ .items = &t, .n = 1 }, "f", &found);
        assert_int_equal(s, CASES[i].message ? BERT_ERR_UNSUPPORTED : BERT_OK);
        if (CASES[i].message && strncmp(found.message, CASES[i].message, strlen(CASES[i].message)))
            fail_msg("%s: %s", CASES[i].name, found.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_of_others_are_known_by_their_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

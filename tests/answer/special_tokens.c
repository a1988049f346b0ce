/* The template of a family's special tokens, from ids to lines of tokens. BERT's own is what all other tests of texts
 * see. */
#include "golden.h"

#include "arch/families.h"
#include "text/features.h"
#include "text/tokenizer.h"

/* <s> a </s></s> b </s>, all of segment 0: what RobertaTokenizer makes of its tokens. Its ids of special tokens, and
 * letters, stand for a tokeniser of its own. */
static void robertas_texts_stand_among_its_special_tokens(void **state)
{
    (void)state;
    enum { LEAST = 4, MOST = 8, S = 0, E = 2, A = 4, B = 5 };
    static const char VOCABULARY[] = "<s>\n<pad>\n</s>\n<unk>\na\nb\n", LONG[] = "a a a a a a a a";
    static const struct {
        const char *a, *b;
        int32_t ids[MOST];
        size_t n, second;
    } CASES[] = {
        { "", "", { S, E }, 2, 2 },
        { "a a", "", { S, A, A, E }, 4, 4 },
        { "a", "b b", { S, A, E, E, B, B, E }, 7, 4 },
        { LONG, "", { S, A, A, A, A, A, A, E }, 8, 8 },
        { LONG, "b b b", { S, A, A, E, E, B, B, E }, 8, 5 },
    };
    bert_err err;
    bert_tokenizer *t;
    bert_tokenizer_options o;
    bert_features f = { 0 };
    bert_buffer line = { 0 };
    bert_tokens a = { 0 }, b = { 0 };
    encode_scratch scratch = { 0 };
    bert_tokenizer_defaults(&o);
    o.cls_token = "<s>", o.sep_token = "</s>", o.pad_token = "<pad>", o.unk_token = "<unk>";
    check(bert_tokenizer_create(VOCABULARY, strlen(VOCABULARY), "vocabulary", &o, &t, &err), &err);
    t->specials = FAMILY_ROBERTA.specials;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const bert_text first = { CASES[i].a, strlen(CASES[i].a) }, second = { CASES[i].b, strlen(CASES[i].b) };
        encoded e;
        int32_t ids[MOST];
        static const int32_t NO_SEGMENT[MOST];
        check(encode_pair(t, first, second, MOST, &scratch, ids, &e, &err), &err);
        assert_int_equal(e.n, CASES[i].n);
        assert_int_equal(e.second, CASES[i].second);
        assert_memory_equal(ids, CASES[i].ids, e.n * sizeof *ids);
        check(bert_encode(t, &first, &second, 1, MOST, &f, &err), &err);
        assert_memory_equal(f.input_ids, CASES[i].ids, sizeof ids);
        assert_memory_equal(f.segment_ids, NO_SEGMENT, sizeof NO_SEGMENT);
        for (size_t k = 0; k < MOST; k++)
            assert_int_equal(f.input_mask[k], k < e.n);
    }
    assert_int_equal(bert_encode(t, NULL, NULL, 0, LEAST - 1, &f, &err), BERT_ERR_ARGUMENT);
    assert_string_equal(err.message, "seq_len is 3, the least is 4");
    check(bert_tokenize(t, (bert_text){ "a", 1 }, &a, &err), &err);
    check(bert_tokenize(t, (bert_text){ "b a", 3 }, &b, &err), &err);
    bert_tokens_write(&line, t, &a, &b, true);
    assert_string_equal(line.data, "{\"tokens\": [\"<s>\", \"a\", \"</s>\", \"</s>\", \"b\", \"a\", \"</s>\"], "
                                   "\"ids\": [0, 4, 2, 2, 5, 4, 2], \"offsets\": [[0, 0], [0, 1], [0, 0], [0, 0], "
                                   "[0, 1], [2, 3], [0, 0]], \"segments\": [0, 0, 0, 0, 0, 0, 0]}\n");
    bert_buffer_free(&line);
    bert_tokens_free(&a);
    bert_tokens_free(&b);
    bert_features_free(&f);
    encode_scratch_free(&scratch);
    bert_tokenizer_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(robertas_texts_stand_among_its_special_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Vocabularies, and small texts whose tokens can be told by eye. */
#include "bert.h"

#include "base/scratch.h"
#include "with_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SPECIALS "[PAD]\n[UNK]\n[CLS]\n[SEP]\n" /* ids 0 to 3 */

static bert_tokenizer *tokenizer_of(const char *vocabulary, bool do_lower_case)
{
    bert_tokenizer *t;
    bert_err err;
    const bert_tokenizer_options options = with_case(do_lower_case);
    if (bert_tokenizer_create(vocabulary, strlen(vocabulary), "vocabulary", &options, &t, &err))
        fail_msg("%s", err.message);
    return t;
}

/* The text's tokens and places must be those of `expected`: "token[byte_start,byte_end;char_start,char_end] ...". */
static void assert_split_bytes(const bert_tokenizer *t, const char *text, size_t size, const char *expected)
{
    char found[4096] = "";
    size_t used = 0;
    bert_tokens tokens = { 0 };
    assert_int_equal(bert_tokenize(t, (bert_text){ text, size }, &tokens, NULL), BERT_OK);
    for (size_t i = 0; i < tokens.n; i++)
        used += (size_t)snprintf(found + used, sizeof found - used, "%s%s[%u,%u;%u,%u]", i ? " " : "",
                                 bert_tokenizer_token(t, tokens.ids[i], NULL), tokens.byte_start[i], tokens.byte_end[i],
                                 tokens.char_start[i], tokens.char_end[i]);
    assert_string_equal(found, expected);
    bert_tokens_free(&tokens);
}

static void assert_split(const bert_tokenizer *t, const char *text, const char *expected)
{
    assert_split_bytes(t, text, strlen(text), expected);
}

static void assert_refused(const char *vocabulary, const char *message)
{
    bert_tokenizer *t;
    bert_err err;
    assert_int_equal(bert_tokenizer_create(vocabulary, strlen(vocabulary), "vocab.txt", NULL, &t, &err),
                     BERT_ERR_FORMAT);
    assert_int_equal(err.code, BERT_ERR_FORMAT);
    assert_string_equal(err.message, message);
    assert_null(t);
}

static void a_vocabulary_without_a_special_token_is_refused_by_name(void **state)
{
    (void)state;
    assert_refused("", "vocab.txt: empty; a vocabulary has one token a line");
    assert_refused("[PAD]\n[CLS]\n[SEP]\nthe\n", "vocab.txt: no [UNK] among its 4 tokens");
    assert_refused("[UNK]\n[SEP]\n", "vocab.txt: no [CLS] among its 2 tokens");
    assert_refused("[UNK]\n[CLS]\n[SEP", "vocab.txt: no [SEP] among its 3 tokens");
}

static void a_missing_file_is_an_error_of_input(void **state)
{
    (void)state;
    bert_tokenizer *t;
    bert_err err;
    assert_int_equal(bert_tokenizer_load(scratch("vocab.txt"), NULL, &t, &err), BERT_ERR_IO);
    assert_non_null(strstr(err.message, scratch("vocab.txt")));
    assert_non_null(strstr(err.message, "No such file or directory"));
    assert_null(t);
}

static void a_vocabulary_is_read_from_its_file_and_leaves_it_alone(void **state)
{
    (void)state;
    bert_tokenizer *t;
    const char vocabulary[] = SPECIALS "the\n";
    assert_int_equal(file_write_whole(scratch("vocab.txt"), vocabulary, sizeof vocabulary - 1, NULL), BERT_OK);
    assert_int_equal(bert_tokenizer_load(scratch("vocab.txt"), NULL, &t, NULL), BERT_OK);
    assert_int_equal(bert_tokenizer_size(t), 5);
    assert_int_equal(bert_tokenizer_id(t, "the", 3), 4);
    assert_true(file_holds(scratch("vocab.txt"), vocabulary, sizeof vocabulary - 1));
    bert_tokenizer_free(t);
}

/* As load_vocab: strip() of each line, ids by line number, a later equal line overrides, an empty line takes an id. */
static void lines_are_read_as_the_original_reads_them(void **state)
{
    (void)state;
    bert_tokenizer *t = tokenizer_of(
        "[UNK]\r\n[CLS]  \n\t[SEP]\v\n\nthe\nan\nthe\n\xE3\x80\x80mid dle\xC2\xA0\xE2\x80\xA8\nlast", true);
    assert_int_equal(bert_tokenizer_size(t), 9);
    assert_int_equal(bert_tokenizer_id(t, "[UNK]", 5), 0);
    assert_int_equal(bert_tokenizer_id(t, "[CLS]", 5), 1);
    assert_int_equal(bert_tokenizer_id(t, "[SEP]", 5), 2);
    assert_int_equal(bert_tokenizer_id(t, "", 0), -1);
    assert_int_equal(bert_tokenizer_id(t, "the", 3), 6);
    assert_int_equal(bert_tokenizer_id(t, "mid dle", 7), 7);
    assert_int_equal(bert_tokenizer_id(t, "last", 4), 8);
    assert_int_equal(bert_tokenizer_id(t, "las", 3), -1);
    assert_int_equal(bert_tokenizer_id(t, "lastly", 6), -1);
    bert_tokenizer_free(t);
}

static void an_id_leads_to_its_token_and_no_further(void **state)
{
    (void)state;
    bert_tokenizer *t = tokenizer_of(SPECIALS "the\n", true);
    size_t size = 99;
    assert_string_equal(bert_tokenizer_token(t, 4, &size), "the");
    assert_int_equal(size, 3);
    assert_null(bert_tokenizer_token(t, 5, &size));
    assert_int_equal(size, 0);
    assert_null(bert_tokenizer_token(t, -1, NULL));
    bert_tokenizer_free(t);
}

static void the_longest_piece_comes_first(void **state)
{
    (void)state;
    bert_tokenizer *t = tokenizer_of(SPECIALS "un\nu\n##a\n##aff\n##able\nable\n,\n", true);
    assert_split(t, "Unaffable, un", "un[0,2;0,2] ##aff[2,5;2,5] ##able[5,9;5,9] ,[9,10;9,10] un[11,13;11,13]");
    /* the pieces found before the end do not stay */
    assert_split(t, "unaffablex u", "[UNK][0,10;0,10] u[11,12;11,12]");
    assert_split(t, "a;", "[UNK][0,1;0,1] [UNK][1,2;1,2]");
    assert_split(t, "", "");
    assert_split(t, " \t\r\n", "");
    bert_tokenizer_free(t);
}

static void without_continuing_pieces_a_word_is_whole_or_unknown(void **state)
{
    (void)state;
    bert_tokenizer *t = tokenizer_of(SPECIALS "a\n", true);
    assert_split(t, "a aa \xC3\xA4", "a[0,1;0,1] [UNK][2,4;2,4] a[5,7;5,6]");
    bert_tokenizer_free(t);
}

static void a_word_of_200_characters_is_split_and_one_of_201_is_unknown(void **state)
{
    (void)state;
    bert_tokenizer *t = tokenizer_of(SPECIALS "a\n##a\n", true);
    char text[512];
    /* accents are stripped before characters are counted; they need the general path */
    for (int accents = 0; accents < 2; accents++)
        for (size_t n = 200; n <= 201; n++) {
            bert_tokens tokens = { 0 };
            memset(text, 'a', n);
            memcpy(text + n, "\xCC\x81", 2);
            assert_int_equal(bert_tokenize(t, (bert_text){ text, n + (accents ? 2 : 0) }, &tokens, NULL), BERT_OK);
            assert_int_equal(tokens.n, n == 200 ? 200 : 1);
            assert_int_equal(tokens.ids[0], n == 200 ? 4 : 1);
            assert_int_equal(tokens.byte_end[tokens.n - 1], n);
            bert_tokens_free(&tokens);
        }
    bert_tokenizer_free(t);
}

static void case_and_accents_stay_in_a_cased_tokenizer_alone(void **state)
{
    (void)state;
    const char *vocabulary = SPECIALS "cafe\ncaf\xC3\xA9\nCaf\xC3\xA9\n";
    bert_tokenizer *uncased = tokenizer_of(vocabulary, true), *cased = tokenizer_of(vocabulary, false);
    assert_split(uncased, "Caf\xC3\xA9 CAFE\xCC\x81", "cafe[0,5;0,4] cafe[6,10;5,9]");
    assert_split(cased, "Caf\xC3\xA9 caf\xC3\xA9 CAFE",
                 "Caf\xC3\xA9[0,5;0,4] caf\xC3\xA9[6,11;5,9] [UNK][12,16;10,14]");
    bert_tokenizer_free(uncased);
    bert_tokenizer_free(cased);
}

/* Python's str.lower looks past case-ignorable characters on both sides, and at the word before accents and punctuation
 * go. */
static void a_capital_sigma_is_final_where_python_says_so(void **state)
{
    (void)state;
    bert_tokenizer *t = tokenizer_of(SPECIALS "a\n.\n\xCF\x83\n\xCF\x82\n##\xCF\x83\n##\xCF\x82\n##a\n", true);
    assert_split(t, "A\xCE\xA3", "a[0,1;0,1] ##\xCF\x82[1,3;1,2]");
    assert_split(t, "\xCE\xA3", "\xCF\x83[0,2;0,1]");
    assert_split(t, "A\xCE\xA3\x41", "a[0,1;0,1] ##\xCF\x83[1,3;1,2] ##a[3,4;2,3]");
    assert_split(t, "A.\xCE\xA3.", "a[0,1;0,1] .[1,2;1,2] \xCF\x82[2,4;2,3] .[4,5;3,4]");
    assert_split(t, "A\xCE\xA3.A", "a[0,1;0,1] ##\xCF\x83[1,3;1,2] .[3,4;2,3] a[4,5;3,4]");
    assert_split(t, "A\xCC\x81\xCE\xA3\xCC\x81", "a[0,1;0,1] ##\xCF\x82[3,5;2,3]");
    bert_tokenizer_free(t);
}

static void chinese_characters_are_words(void **state)
{
    (void)state;
    bert_tokenizer *t = tokenizer_of(SPECIALS "a\nb\n\xE4\xB8\x80\n", true);
    assert_split(t, "a\xE4\xB8\x80\xE4\xB8\x80\x62 \xE4\xB8\x81",
                 "a[0,1;0,1] \xE4\xB8\x80[1,4;1,2] \xE4\xB8\x80[4,7;2,3] b[7,8;3,4] [UNK][9,12;5,6]");
    bert_tokenizer_free(t);
}

/* Hangul is decomposed: three tokens may stand on one character. */
static void pieces_of_one_character_share_its_place(void **state)
{
    (void)state;
    bert_tokenizer *t = tokenizer_of(SPECIALS "\xE1\x84\x80\n##\xE1\x85\xA1\n##\xE1\x86\xA8\n", true);
    assert_split(t, " \xEA\xB0\x81", "\xE1\x84\x80[1,4;1,2] ##\xE1\x85\xA1[1,4;1,2] ##\xE1\x86\xA8[1,4;1,2]");
    bert_tokenizer_free(t);
}

/* U+302E and U+1B44 are spacing marks of classes 224 and 9, which stay and change places; U+034F, stripped later,
 * stands in their way. */
static void marks_are_put_in_canonical_order(void **state)
{
    (void)state;
    bert_tokenizer *t = tokenizer_of(SPECIALS "a\n##\xE3\x80\xAE\n##\xE1\xAD\x84\n", true);
    assert_split(t, "a\xE3\x80\xAE\xE1\xAD\x84", "a[0,1;0,1] ##\xE1\xAD\x84[1,7;1,3] ##\xE3\x80\xAE[1,7;1,3]");
    assert_split(t, "a\xE1\xAD\x84\xE3\x80\xAE", "a[0,1;0,1] ##\xE1\xAD\x84[1,4;1,2] ##\xE3\x80\xAE[4,7;2,3]");
    assert_split(t, "a\xE3\x80\xAE\xCD\x8F\xE1\xAD\x84", "a[0,1;0,1] ##\xE3\x80\xAE[1,4;1,2] ##\xE1\xAD\x84[6,9;3,4]");
    bert_tokenizer_free(t);
}

static void control_characters_join_and_separators_split(void **state)
{
    (void)state;
    bert_tokenizer *t = tokenizer_of(SPECIALS "ab\na\nb\n", true);
    assert_split_bytes(t, "a\0b", 3, "ab[0,3;0,3]");
    assert_split(t, "a\vb", "ab[0,3;0,3]");
    assert_split(t,
                 "a\xE2\x80\x8B"
                 "b\x7F",
                 "ab[0,5;0,3]"); /* U+200B is a format character */
    assert_split(t,
                 "a\xEF\xBF\xBD"
                 "b",
                 "ab[0,5;0,3]");
    assert_split(t,
                 "a\xC2\xA0"
                 "b",
                 "a[0,1;0,1] b[3,4;2,3]");
    assert_split(t,
                 "a\xE2\x80\xA8"
                 "b",
                 "a[0,1;0,1] b[4,5;2,3]"); /* U+2028 */
    bert_tokenizer_free(t);
}

/* Code points of later versions are letters that nothing is known about, whatever utf8proc is linked. */
static void characters_newer_than_unicode_14_are_letters(void **state)
{
    (void)state;
    bert_tokenizer *t = tokenizer_of(SPECIALS "a\n##a\n##\xF0\x91\xBC\x80\n##\xF0\x91\xBD\x83\n##\xF0\x93\x90\xB9\n",
                                     true);
    /* U+11F00 (Mn since 15), U+11F43 (Po since 15), U+13439 (Cf since 15) */
    assert_split(t, "a\xF0\x91\xBC\x80\xF0\x91\xBD\x83\xF0\x93\x90\xB9",
                 "a[0,1;0,1] ##\xF0\x91\xBC\x80[1,5;1,2] ##\xF0\x91\xBD\x83[5,9;2,3] ##\xF0\x93\x90\xB9[9,13;3,4]");
    assert_split(t,
                 "a\xF0\x91\x9C\x9E"
                 "a",
                 "a[0,1;0,1] ##a[5,6;2,3]"); /* U+1171E: Mn in 14, Mc later */
    bert_tokenizer_free(t);
}

static size_t dropped_of(const bert_tokenizer *t, const char *text, const char *expected)
{
    bert_tokens tokens = { 0 };
    assert_split(t, text, expected);
    assert_int_equal(bert_tokenize(t, (bert_text){ text, strlen(text) }, &tokens, NULL), BERT_OK);
    size_t dropped = tokens.dropped;
    bert_tokens_free(&tokens);
    return dropped;
}

/* The number of bytes is len(bytes) - len(bytes.decode("utf-8", "ignore").encode()) in Python. */
static void bytes_that_are_not_utf_8_are_dropped_and_counted(void **state)
{
    (void)state;
    bert_tokenizer *t = tokenizer_of(SPECIALS "ab\na\nb\n##a\n\xC3\x9F\n", true);
    assert_int_equal(dropped_of(t,
                                "a\xFF"
                                "b a",
                                "ab[0,3;0,2] a[4,5;3,4]"),
                     1);
    assert_int_equal(dropped_of(t,
                                "\x80"
                                "ab",
                                "ab[1,3;0,2]"),
                     1);
    assert_int_equal(dropped_of(t, "a\xE2\x82", "a[0,1;0,1]"), 2); /* cut short at the end */
    assert_int_equal(dropped_of(t,
                                "a\xE2\x82"
                                "b",
                                "ab[0,4;0,2]"),
                     2); /* cut short by a letter, which stays */
    assert_int_equal(dropped_of(t,
                                "a\xC0\xAF"
                                "b",
                                "ab[0,4;0,2]"),
                     2); /* overlong */
    assert_int_equal(dropped_of(t,
                                "a\xE0\x80\x80"
                                "b",
                                "ab[0,5;0,2]"),
                     3); /* overlong */
    assert_int_equal(dropped_of(t,
                                "a\xED\xA0\x80"
                                "b",
                                "ab[0,5;0,2]"),
                     3); /* a surrogate */
    assert_int_equal(dropped_of(t,
                                "a\xF4\x90\x80\x80"
                                "b",
                                "ab[0,6;0,2]"),
                     4); /* beyond U+10FFFF */
    assert_int_equal(dropped_of(t, "\xFF", ""), 1);
    assert_int_equal(dropped_of(t, "\xC3\x9F", "\xC3\x9F[0,2;0,1]"), 0);
    bert_tokenizer_free(t);
}

static void tokens_are_reused_without_leftovers(void **state)
{
    (void)state;
    bert_tokenizer *t = tokenizer_of(SPECIALS "a\n", true);
    bert_tokens tokens = { 0 };
    assert_int_equal(bert_tokenize(t, (bert_text){ "a \xFF a \xC3\xA4", 8 }, &tokens, NULL), BERT_OK);
    assert_int_equal(tokens.n, 3);
    assert_int_equal(tokens.dropped, 1);
    const int32_t *ids = tokens.ids;
    assert_int_equal(bert_tokenize(t, (bert_text){ "a", 1 }, &tokens, NULL), BERT_OK);
    assert_int_equal(tokens.n, 1);
    assert_int_equal(tokens.dropped, 0);
    assert_ptr_equal(tokens.ids, ids);
    assert_int_equal(bert_tokenize(t, (bert_text){ NULL, 0 }, &tokens, NULL), BERT_OK);
    assert_int_equal(tokens.n, 0);
    bert_tokens_free(&tokens);
    assert_null(tokens.ids);
    bert_tokens_free(NULL);
    bert_tokenizer_free(t);
    bert_tokenizer_free(NULL);
}

static void a_text_of_4_gib_is_refused(void **state)
{
    (void)state;
    bert_tokenizer *t = tokenizer_of(SPECIALS, true);
    bert_tokens tokens = { 0 };
    bert_err err;
    bert_text text = { "", (size_t)1 << 32 }; /* not read */
    assert_int_equal(bert_tokenize(t, text, &tokens, &err), BERT_ERR_ARGUMENT);
    assert_string_equal(err.message, "a text of 4294967296 bytes: the tokeniser takes less than 4 GiB");
    bert_tokens_free(&tokens);
    bert_tokenizer_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vocabulary_without_a_special_token_is_refused_by_name),
        in_a_folder(a_missing_file_is_an_error_of_input),
        in_a_folder(a_vocabulary_is_read_from_its_file_and_leaves_it_alone),
        cmocka_unit_test(lines_are_read_as_the_original_reads_them),
        cmocka_unit_test(an_id_leads_to_its_token_and_no_further),
        cmocka_unit_test(the_longest_piece_comes_first),
        cmocka_unit_test(without_continuing_pieces_a_word_is_whole_or_unknown),
        cmocka_unit_test(a_word_of_200_characters_is_split_and_one_of_201_is_unknown),
        cmocka_unit_test(case_and_accents_stay_in_a_cased_tokenizer_alone),
        cmocka_unit_test(a_capital_sigma_is_final_where_python_says_so),
        cmocka_unit_test(chinese_characters_are_words),
        cmocka_unit_test(pieces_of_one_character_share_its_place),
        cmocka_unit_test(marks_are_put_in_canonical_order),
        cmocka_unit_test(control_characters_join_and_separators_split),
        cmocka_unit_test(characters_newer_than_unicode_14_are_letters),
        cmocka_unit_test(bytes_that_are_not_utf_8_are_dropped_and_counted),
        cmocka_unit_test(tokens_are_reused_without_leftovers),
        cmocka_unit_test(a_text_of_4_gib_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

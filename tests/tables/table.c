/* Tables: every format, which columns are read, and what the user is told when something is wrong. */
#define ZLIB_CONST
#include "tables/table_lines.h"
#include "tables/table_reading.h"

#include <fcntl.h>
#include <zlib.h>

/* ---- rows ---- */

static void tsv_is_split_at_tabs_and_quotes_mean_nothing(void **state)
{
    (void)state;
    const reading cases[] = {
        { .file = "a.tsv", .content = "text\nhello\n", .expected = "2<hello><-><->\n" },
        { .file = "a.tsv", .content = "text\thello", .expected = "" },
        { .file = "a.tsv",
          .content = "id\ttext\ttext_pair\tlabel\n1\ta \"b\tc\"\t0\n2\t\t\t1",
          .expected = "2<a \"b><c\"><0>\n3<><><1>\n" },
        { .file = "a.tsv",
          .content = "label\ttext\r\n1\tx\r\n0\ty\r\n",
          .labels = true,
          .expected = "2<x><-><1>\n3<y><-><0>\n" },
        { .file = "a.tsv", .content = "\xEF\xBB\xBFtext\n\xEF\xBB\xBFx\n", .expected = "2<\xEF\xBB\xBFx><-><->\n" },
        { .file = "a.tsv",
          .content = "text\na\n\nb\n\n",
          .expected = "2<a><-><->\n3<><-><->\n4<b><-><->\n5<><-><->\n" },
        { .file = "a.tsv", .content = "text\tlabel\na\t1\n\n\r\n\n", .expected = "2<a><-><1>\n" },
        { .file = "a.tsv",
          .content = "\n\ntext\tlabel\na\t1\n\nb\t0\n",
          .expected = "4<a><-><1>\n6<b><-><0>\nnote a.tsv: 1 empty line is no row\n" },
    };
    CHECK_ALL(cases);
}

static void columns_are_chosen_by_name_or_number(void **state)
{
    (void)state;
    static const char table[] = "q1\tq2\tdup\na\tb\t1\n";
    const reading cases[] = {
        { .file = "a.tsv",
          .content = table,
          .text_columns = "q1,q2",
          .label_column = "dup",
          .labels = true,
          .expected = "2<a><b><1>\n" },
        { .file = "a.tsv",
          .content = table,
          .text_columns = "2,1",
          .label_column = "3",
          .labels = true,
          .expected = "2<b><a><1>\n" },
        { .file = "a.tsv", .content = table, .text_columns = "q2", .expected = "2<b><-><->\n" },
        { .file = "a.tsv", .content = table, .text_columns = "q2", .label_column = "none", .expected = "2<b><-><->\n" },
        { .file = "a.tsv",
          .content = "2\t1\na\tb\n",
          .text_columns = "1",
          .expected = "error BERT_ERR_DATA a.tsv: \"1\" may be column 1, \"2\", or column 2, which is called so; "
                      "--no-header where the first row is "
                      "data, else write other names" },
        { .file = "a.tsv",
          .content = "the cat sat on the film\t1\n",
          .text_columns = "1",
          .expected = "error BERT_ERR_DATA a.tsv: \"1\" may be column 1, \"the cat sat on the film\", or column 2, "
                      "which is called so; "
                      "--no-header where the first row is data, else write other names" },
        { .file = "a.tsv",
          .content = "1\t0\na\tb\n",
          .text_columns = "1",
          .label_column = "0",
          .expected = "2<a><-><b>\n" },
        { .file = "a.tsv",
          .content = "a\tb\nc\td\textra\n",
          .text_columns = "2",
          .no_header = true,
          .expected = "1<b><-><->\n2<d><-><->\nnote a.tsv:2: 1 row has not as many columns as the first one; columns "
                      "go by their numbers\n" },
        { .file = "a.tsv",
          .content = "a\tb\tx\nc\td\ne\tf\n",
          .text_columns = "2",
          .no_header = true,
          .expected = "1<b><-><->\n2<d><-><->\n3<f><-><->\nnote a.tsv:2: 2 rows have not as many columns as the first "
                      "one; columns go by their "
                      "numbers\n" },
        { .file = "a.csv",
          .content = "a,1\nb, c,0\n",
          .text_columns = "1",
          .no_header = true,
          .expected = "1<a><-><->\nerror BERT_ERR_DATA a.csv:2: columns: 3, the first row has 2" },
        { .file = "a.csv",
          .content = "a,1\n\"b,c\",0",
          .text_columns = "1",
          .label_column = "2",
          .labels = true,
          .no_header = true,
          .expected = "1<a><-><1>\n2<b,c><-><0>\n" },
        { .file = "a.txt",
          .content = "text ||| label\n",
          .text_columns = "1",
          .label_column = "2",
          .labels = true,
          .expected = "1<text><-><label>\n" },
        { .file = "odd.dat", .content = "text\tlabel\nx\t0\n", .format = "tsv", .expected = "2<x><-><0>\n" },
        /* format beats the name */
        { .file = "a.csv", .content = "text\nx,y\n", .format = "txt", .expected = "1<text><><->\n2<x,y><><->\n" },
    };
    CHECK_ALL(cases);
}

static void csv_follows_rfc_4180(void **state)
{
    (void)state;
    const reading cases[] = {
        { .file = "a.csv",
          .content = "text,label\n\"a, b\",1\nplain,0\n",
          .expected = "2<a, b><-><1>\n3<plain><-><0>\n" },
        { .file = "a.csv", .content = "text,label\n\"say \"\"hi\"\"\",1\n", .expected = "2<say \"hi\"><-><1>\n" },
        { .file = "a.csv",
          .content = "text,label\n\"two\nlines\r\n\",1\nnext,0\n",
          .expected = "2<two\nlines\r\n><-><1>\n5<next><-><0>\n" },
        { .file = "a.csv", .content = "\"text\",\"label\"\r\n\"\",\"\"\r\n", .expected = "2<><-><>\n" },
        /* a quote inside plain text is text */
        { .file = "a.csv", .content = "text,label\na \"b\" c,1\n", .expected = "2<a \"b\" c><-><1>\n" },
        { .file = "a.csv", .content = "text,label\n,\n", .expected = "2<><-><>\n" },
        { .file = "a.csv", .content = "text\n\"\"\n\nx", .expected = "2<><-><->\n3<><-><->\n4<x><-><->\n" },
        { .file = "a.csv", .content = "text,label\n\"end\",1", .expected = "2<end><-><1>\n" },
    };
    CHECK_ALL(cases);
}

static void a_txt_line_is_a_text_or_a_pair(void **state)
{
    (void)state;
    const reading cases[] = {
        { .file = "a.txt", .content = "one\n\na ||| b\n", .expected = "1<one><><->\n2<><><->\n3<a><b><->\n" },
        { .file = "a.txt",
          .content = "a|||b|||c\n |||\nx \t|||\t y\r\n",
          .expected = "1<a><b|||c><->\n2<><><->\n3<x><y><->\n" },
        { .file = "a.txt", .content = "a || b\n  kept  \n", .expected = "1<a || b><><->\n2<  kept  ><><->\n" },
        { .file = "a.txt", .content = "\xEF\xBB\xBFx", .expected = "1<x><><->\n" },
    };
    CHECK_ALL(cases);
}

static void jsonl_takes_the_members_it_needs(void **state)
{
    (void)state;
    const reading cases[] = {
        { .file = "a.jsonl",
          .content = "{\"text\": \"a\", \"more\": [1, {}]}\n{\"text_pair\": \"c\", \"text\": \"b\\n\\u00e9\"}\n",
          .expected = "1<a><><>\n2<b\n\xc3\xa9><c><>\n" },
        { .file = "a.jsonl",
          .content = "{\"t\": \"a\", \"y\": 1}\n{\"t\": \"b\", \"y\": 0.5}\n{\"t\": \"c\", \"y\": true}\n{\"t\": "
                     "\"d\", \"y\": \"w\"}\n{\"t\": "
                     "\"e\", \"y\": 2.0}",
          .text_columns = "t",
          .label_column = "y",
          .labels = true,
          .expected = "1<a><-><1>\n2<b><-><0.5>\n3<c><-><true>\n4<d><-><w>\n5<e><-><2>\n" },
        { .file = "a.jsonl",
          .content = "{\"text\": \"a\", \"text_pair\": null, \"label\": {}}\n\n  \n",
          .expected = "1<a><><>\n" },
        { .file = "a.jsonl", .content = "\xEF\xBB\xBF {\"text\": \"x\"}\r\n", .expected = "1<x><><>\n" },
    };
    CHECK_ALL(cases);
}

static void a_list_in_jsonl_is_words_tags_or_labels(void **state)
{
    (void)state;
    const reading cases[] = {
        { .file = "a.jsonl",
          .content =
              "{\"text\": [\"EU\", \"rejects\"], \"label\": [\"B-ORG\", \"O\"]}\n{\"text\": [], \"label\": []}\n",
          .labels = true,
          .expected = "1<EU rejects><><B-ORG O>\n2<><><>\n" },
        { .file = "a.jsonl",
          .content = "{\"text\": [\"a\"], \"text_pair\": [\"b\", \"c\"], \"label\": [3]}\n",
          .expected = "1<a><b c><3>\n" },
        { .file = "a.jsonl",
          .content = "{\"text\": \"a b\", \"label\": [\"two words\", \"joy\"]}\n{\"text\": \"a\", \"label\": "
                     "[]}\n{\"text\": \"a\", "
                     "\"label\": [1, true, 0.5]}\n",
          .labels = true,
          .expected = "1<a b><><two words,joy>\n2<a><><>\n3<a><><1,true,0.5>\n" },
        { .file = "a.jsonl",
          .content = "{\"text\": [\"a\", \"\"]}\n",
          .expected = "error BERT_ERR_DATA a.jsonl:1: \"text\": item 2 of the list is empty" },
        { .file = "a.jsonl",
          .content = "{\"text\": [\"a\", \"b\\tc\"]}\n",
          .expected = "1<a b\xC2\xA0"
                      "c><><>\n" },
        { .file = "a.jsonl",
          .content = "{\"text\": [5]}\n",
          .expected = "error BERT_ERR_DATA a.jsonl:1: \"text\": item 1 of the list is a number" },
        { .file = "a.jsonl",
          .content = "{\"text\": [\"a\"], \"label\": [[]]}\n",
          .labels = true,
          .expected = "error BERT_ERR_DATA a.jsonl:1: \"label\": item 1 of the list is a list" },
        { .file = "a.jsonl",
          .content = "{\"text\": [\"a\", \"b\"], \"label\": [\"O\"]}\n",
          .labels = true,
          .expected = "error BERT_ERR_DATA a.jsonl:1: 2 words in \"text\", 1 tags in \"label\"" },
        { .file = "a.jsonl",
          .content = "{\"text\": [\"a\", \"b\"], \"label\": [\"O\"]}\n",
          .expected = "1<a b><><>\n" }, /* nobody asked for it */
        { .file = "a.jsonl",
          .content = "{\"text\": \"a\", \"label\": [\"x\", \"y,z\"]}\n",
          .labels = true,
          .expected = "error BERT_ERR_DATA a.jsonl:1: \"label\": item 2 of the list is a label with a comma in it" },
    };
    CHECK_ALL(cases);
}

static void a_sentence_of_conll_is_a_row(void **state)
{
    (void)state;
    static const char table[] =
        "-DOCSTART- -X- O O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\n\n \t\n-DOCSTART-\nPeter NNP B-NP B-PER";
    const reading cases[] = {
        { .file = "a.conll",
          .content = table,
          .labels = true,
          .expected = "3<EU rejects><-><B-ORG O>\n9<Peter><-><B-PER>\n" },
        { .file = "a.conll",
          .content = table,
          .text_columns = "2",
          .label_column = "3",
          .labels = true,
          .expected = "3<NNP VBZ><-><B-NP B-VP>\n9<NNP><-><B-NP>\n" },
        { .file = "a.txt",
          .format = "conll",
          .content = "a\tB-X\r\n b  O \r\n\r\nc B-Y\r\n",
          .labels = true,
          .expected = "1<a b><-><B-X O>\n4<c><-><B-Y>\n" },
        /* words alone, or some tags: none */
        { .file = "a.conll", .content = "a\nb\n\nc X\nd\n", .expected = "1<a b><-><>\n4<c d><-><>\n" },
        { .file = "a.conll", .content = "a X\n", .expected = "1<a><-><X>\n" },
        { .file = "a.conll", .content = "a X\n", .label_column = "3", .expected = "1<a><-><>\n" },
        { .file = "a.conll",
          .content = "a-DOCSTART- B-X\n-DOCSTART-x I-X\n",
          .labels = true,
          .expected = "1<a-DOCSTART- -DOCSTART-x><-><B-X I-X>\n" },
        { .file = "a.conll", .content = "", .labels = true, .expected = "" },
        { .file = "a.conll", .content = "\n\n-DOCSTART-\n\n", .labels = true, .expected = "" },
    };
    CHECK_ALL(cases);
}

static void a_wrong_line_or_column_of_conll_is_found(void **state)
{
    (void)state;
    const reading cases[] = {
        { .file = "a.conll",
          .content = "a B-X\n\nb B-Y\nc\n",
          .labels = true,
          .expected = "1<a><-><B-X>\nerror BERT_ERR_DATA a.conll:4: columns: 1, column 2 is wanted" },
        { .file = "a.conll",
          .content = "a X O\nb Y\n",
          .label_column = "3",
          .labels = true,
          .expected = "error BERT_ERR_DATA a.conll:2: columns: 2, column 3 is wanted" },
        { .file = "a.conll",
          .content = "a\n",
          .text_columns = "2",
          .expected = "error BERT_ERR_DATA a.conll:1: columns: 1, column 2 is wanted" },
        { .file = "a.conll",
          .content = "a X\n",
          .label_column = "ner",
          .expected = "error BERT_ERR_DATA a.conll: no column \"ner\"; a .conll has numbers, 1 for the first (choose "
                      "with --label-column)" },
        { .file = "a.conll",
          .content = "a X\n",
          .text_columns = "0",
          .expected = "error BERT_ERR_DATA a.conll: no column \"0\"; a .conll has numbers, 1 for the first (choose "
                      "with --text-columns)" },
        { .file = "a.conll",
          .content = "a X\n",
          .text_columns = "1,2",
          .expected = "error BERT_ERR_ARGUMENT --text-columns: \"1,2\" are two, and a .conll has one text" },
    };
    CHECK_ALL(cases);
}

static void bad_rows_are_left_out_and_counted(void **state)
{
    (void)state;
    const reading cases[] = {
        { .file = "a.tsv",
          .content = "text\tlabel\na\t1\nb\nc\t0\t1\n\n\nd\t0\n\n",
          .expected = "2<a><-><1>\n7<d><-><0>\n2 left out\nnote a.tsv: 2 empty lines are no rows\n" },
        { .file = "a.tsv", .content = "text\tlabel\na\n", .expected = "1 left out\n" },
        { .file = "a.tsv",
          .content = "a\tb\nc\n",
          .no_header = true,
          .text_columns = "2",
          .expected = "1<b><-><->\n1 left out\n" },
        { .file = "a.csv",
          .content = "text,label\n\"a\" b,1\n\"two\nlines\"x,1\nc,0\n",
          .expected = "5<c><-><0>\n2 left out\n" },
        { .file = "a.jsonl",
          .content = "{\"text\": \n{\"txt\": \"a\"}\n7\n{\"text\": [\"\"]}\n{\"text\": \"b\"}\n",
          .expected = "5<b><><>\n4 left out\n" },
        { .file = "a.conll",
          .content = "a B-X\nb\nc B-Y\n\nd B-Z\n-DOCSTART-\ne\n",
          .labels = true,
          .expected = "5<d><-><B-Z>\n2 left out\n" }, /* the whole sentence */
        { .file = "a.txt", .content = "a\nb ||| c\n", .text_columns = "1,2", .expected = "2<b><c><->\n1 left out\n" },
        { .file = "a.csv",
          .content = "text,label\na\nb,1\nc,\"open\n",
          .expected =
              "3<b><-><1>\n1 left out\nerror BERT_ERR_DATA a.csv:4:3: the quote that opens here is never closed" },
        { .file = "a.tsv",
          .content = "text\tlabel\n",
          .text_columns = "x",
          .expected = "error BERT_ERR_DATA a.tsv: no column \"x\"; it has text, label (choose with --text-columns)" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t most = 1; most < 4; most++) {
            reading one = cases[i];
            one.skip = true;
            one.most = most;
            check(&one);
        }
}

static void an_empty_file_has_no_rows(void **state)
{
    (void)state;
    static const char *const names[] = { "empty.tsv", "empty.csv", "empty.jsonl", "empty.conll", "empty.txt" };
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(file_write_whole(names[i], "", 0, NULL), BERT_OK);
        check(&(reading){ .file = names[i], .labels = i < 4, .expected = "" });
        check(&(reading){ .file = names[i], .content = "\xEF\xBB\xBF", .expected = "" });
    }
    check(&(reading){ .file = "a.tsv", .content = "text\tlabel\n", .labels = true, .expected = "" });
}

/* NUL bytes are characters in every format. */
static void nul_is_a_character(void **state)
{
    (void)state;
    static const struct {
        const char *file, *content;
        size_t size;
    } cases[] = {
        { "n.tsv", "text\na\0b\n", 9 },
        { "n.csv", "text\n\"a\0b\"\n", 11 },
        { "n.txt", "a\0b\n", 4 },
        { "n.conll", "a\0b X\n", 6 },
        { "n.jsonl", "{\"text\": \"a\\u0000b\"}\n", 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bert_table *table;
        bert_rows rows;
        write_content(cases[i].file, cases[i].content, cases[i].size);
        assert_int_equal(bert_table_open(cases[i].file, NULL, false, &table, NULL), BERT_OK);
        assert_int_equal(bert_table_next(table, 5, &rows, NULL), BERT_OK);
        assert_int_equal(rows.n, 1);
        assert_int_equal(rows.texts[0].size, 3);
        assert_memory_equal(rows.texts[0].data, "a\0b", 3);
        bert_table_close(table);
    }
}

/* ---- errors ---- */

static void a_missing_column_is_named_with_those_there_are(void **state)
{
    (void)state;
    const reading cases[] = {
        { .file = "train.tsv",
          .content = "question1\tquestion2\tis_duplicate\n",
          .expected = "error BERT_ERR_DATA train.tsv: no column \"text\"; it has question1, question2, is_duplicate "
                      "(choose with --text-columns)" },
        { .file = "train.tsv",
          .content = "text\tis_duplicate\n",
          .labels = true,
          .expected = "error BERT_ERR_DATA train.tsv: no column \"label\"; it has text, is_duplicate (choose with "
                      "--label-column)" },
        { .file = "train.tsv",
          .content = "text\ta\x1b[2Jb\n",
          .text_columns = "text,x",
          .expected =
              "error BERT_ERR_DATA train.tsv: no column \"x\"; it has text, a?[2Jb (choose with --text-columns)" },
        { .file = "a.csv",
          .content = "text,a,text\n",
          .expected = "error BERT_ERR_DATA a.csv: columns 1 and 3 are both called \"text\"; choose one by its number" },
        { .file = "a.csv", .content = "text,a,text\nx,y,z\n", .text_columns = "3", .expected = "2<z><-><->\n" },
        { .file = "a.csv",
          .content = "a,b,c\n",
          .text_columns = "4",
          .expected = "error BERT_ERR_DATA a.csv: no column \"4\"; it has a, b, c (choose with --text-columns)" },
        { .file = "a.csv",
          .content = "a,b,c\n",
          .no_header = true,
          .expected = "error BERT_ERR_DATA a.csv: no column \"text\"; it has 1, 2, 3 (choose with --text-columns)" },
        { .file = "a.txt",
          .content = "x\n",
          .labels = true,
          .expected = "error BERT_ERR_DATA a.txt: no column \"label\"; it has 1, 2 (choose with --label-column)" },
        { .file = "a.jsonl",
          .content = "{\"text\": \"a\"}\n{\"txt\": \"b\", \"n\": 1}\n",
          .expected = "1<a><><>\nerror BERT_ERR_DATA a.jsonl:2: no column \"text\"; it has txt, n (choose with "
                      "--text-columns)" },
        { .file = "a.jsonl",
          .content = "{}\n",
          .expected = "error BERT_ERR_DATA a.jsonl:1: no column \"text\"; it has none (choose with --text-columns)" },
        { .file = "a.jsonl",
          .content = "{\"text\": \"a\"}\n",
          .labels = true,
          .expected = "error BERT_ERR_DATA a.jsonl:1: no column \"label\"; it has text (choose with --label-column)" },
        { .file = "a.jsonl",
          .content = "{\"text\": \"a\"}\n",
          .text_columns = "text,text_pair",
          .expected =
              "error BERT_ERR_DATA a.jsonl:1: no column \"text_pair\"; it has text (choose with --text-columns)" },
    };
    CHECK_ALL(cases);
}

static void a_row_of_the_wrong_width_is_found(void **state)
{
    (void)state;
    const reading cases[] = {
        { .file = "a.tsv",
          .content = "text\tlabel\na\t1\nb\n",
          .expected = "2<a><-><1>\nerror BERT_ERR_DATA a.tsv:3: columns: 1, the header has 2" },
        { .file = "a.tsv",
          .content = "text\tlabel\na\t1\t2\n",
          .expected = "error BERT_ERR_DATA a.tsv:2: columns: 3, the header has 2" },
        { .file = "a.csv",
          .content = "text,label\n\"x\n\",1\na\n",
          .expected = "2<x\n><-><1>\nerror BERT_ERR_DATA a.csv:4: columns: 1, the header has 2" },
        { .file = "a.tsv",
          .content = "a\tb\nc\n",
          .no_header = true,
          .text_columns = "2",
          .expected = "1<b><-><->\nerror BERT_ERR_DATA a.tsv:2: columns: 1, column 2 is wanted" },
        { .file = "a.txt",
          .content = "a ||| b\nc\n",
          .text_columns = "1,2",
          .expected = "1<a><b><->\nerror BERT_ERR_DATA a.txt:2: columns: 1, column 2 is wanted" },
        { .file = "a.tsv",
          .content = "text\tlabel\na\t1\n\n\nb\t0\n",
          .expected = "2<a><-><1>\n5<b><-><0>\nnote a.tsv: 2 empty lines are no rows\n" },
        { .file = "a.jsonl",
          .content = "{\"text\": \"a\"}\n\n{\"text\": \"b\"}\n",
          .expected = "1<a><><>\n3<b><><>\nnote a.jsonl: 1 empty line is no row\n" },
    };
    CHECK_ALL(cases);
}

static void a_damaged_quote_is_found(void **state)
{
    (void)state;
    const reading cases[] = {
        { .file = "a.csv",
          .content = "text,label\nok,1\nx,\"open\nfor\never\n",
          .expected = "2<ok><-><1>\nerror BERT_ERR_DATA a.csv:3:3: the quote that opens here is never closed" },
        { .file = "a.csv",
          .content = "text\n\"",
          .expected = "error BERT_ERR_DATA a.csv:2:1: the quote that opens here is never closed" },
        { .file = "a.csv",
          .content = "\"text",
          .expected = "error BERT_ERR_DATA a.csv:1:1: the quote that opens here is never closed" },
        { .file = "a.csv",
          .content = "text\n\"a\" b\n",
          .expected =
              "error BERT_ERR_DATA a.csv:2:4: text behind a closing quote (a quote inside quotes is written twice)" },
    };
    CHECK_ALL(cases);
}

static void wrong_json_is_found_with_line_and_column(void **state)
{
    (void)state;
    const reading cases[] = {
        { .file = "a.jsonl",
          .content = "{\"text\": \"a\"}\n{\"text\": }\n",
          .expected = "1<a><><>\nerror BERT_ERR_DATA a.jsonl:2:10: unexpected token near '}'" },
        { .file = "a.jsonl",
          .content = "[\"a\"]\n",
          .expected = "error BERT_ERR_DATA a.jsonl:1: a string, expected an object" },
        { .file = "a.jsonl",
          .content = "17\n",
          .expected = "error BERT_ERR_DATA a.jsonl:1: a number, expected an object" },
        { .file = "a.jsonl",
          .content = "{\"text\": 5}\n",
          .expected = "error BERT_ERR_DATA a.jsonl:1: \"text\" is a number, expected a string" },
        { .file = "a.jsonl",
          .content = "{\"text\": null}\n",
          .expected = "error BERT_ERR_DATA a.jsonl:1: \"text\" is null, expected a string" },
        { .file = "a.jsonl",
          .content = "{\"text\": \"a\", \"text_pair\": {}}\n",
          .expected = "error BERT_ERR_DATA a.jsonl:1: \"text_pair\" is an object, expected a string" },
        { .file = "a.jsonl",
          .content = "{\"text\": \"a\", \"label\": {}}\n",
          .labels = true,
          .expected = "error BERT_ERR_DATA a.jsonl:1: \"label\" is an object, expected a string or a number" },
        { .file = "a.jsonl",
          .content = "{\"text\": \"a\", \"text\": \"b\"}\n",
          .expected = "error BERT_ERR_DATA a.jsonl:1:20: duplicate object key near '\"text\"'" },
        { .file = "a.jsonl",
          .content = "{\"text\": \"a\"} x\n",
          .expected = "error BERT_ERR_DATA a.jsonl:1:15: end of file expected near 'x'" },
    };
    CHECK_ALL(cases);
}

static void what_cannot_be_opened_is_said(void **state)
{
    (void)state;
    const reading cases[] = {
        { .file = "absent.tsv", .expected = "error BERT_ERR_IO absent.tsv: cannot open: No such file or directory" },
        { .file = ".", .format = "tsv", .expected = "error BERT_ERR_IO .: cannot read: Is a directory" },
        { .file = "a.dat",
          .content = "x",
          .expected = "error BERT_ERR_ARGUMENT a.dat: is this a table? The name ends in none of .tsv, .csv, .jsonl, "
                      ".json, .conll, .txt (.gz); "
                      "choose with "
                      "--input-format" },
        { .file = "tsv",
          .content = "text\nx\n",
          .format = "xls",
          .expected =
              "error BERT_ERR_ARGUMENT --input-format: \"xls\" is not one of tsv, csv, jsonl, json, conll, txt" },
        { .file = "a.tsv",
          .content = "x",
          .text_columns = "a,b,c",
          .expected = "error BERT_ERR_ARGUMENT --text-columns: \"a,b,c\" is neither one column nor two with a comma "
                      "between them" },
        { .file = "a.tsv",
          .content = "x",
          .text_columns = "a,",
          .expected = "error BERT_ERR_ARGUMENT --text-columns: \"a,\" is neither one column nor two with a comma "
                      "between them" },
        { .file = "a.tsv",
          .content = "x",
          .text_columns = "",
          .expected =
              "error BERT_ERR_ARGUMENT --text-columns: \"\" is neither one column nor two with a comma between them" },
    };
    CHECK_ALL(cases);
}

/* ---- gzip ---- */

/* Appends content as one gzip member. */
static void add_member(buffer *out, const char *content, size_t size)
{
    z_stream z = { 0 };
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_true(buffer_reserve(out, deflateBound(&z, size)));
    z.next_in = (const Bytef *)content;
    z.avail_in = (uInt)size;
    z.next_out = (Bytef *)out->data + out->size;
    z.avail_out = (uInt)(out->capacity - out->size - 1);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out->size += z.total_out;
    deflateEnd(&z);
}

static void gzip_is_unpacked_with_all_its_members(void **state)
{
    (void)state;
    buffer gz = { 0 };
    add_member(&gz, "text\tla", 7);
    add_member(&gz, "bel\na\t1\n", 8);
    add_member(&gz, "", 0);
    check(&(reading){
        .file = "a.tsv.gz", .content = gz.data, .size = gz.size, .labels = true, .expected = "2<a><-><1>\n" });
    check(&(reading){ .file = "plain-name.tsv", .content = gz.data, .size = gz.size, .expected = "2<a><-><1>\n" });
    buffer_add(&gz, "\0\0\0\0\0", 5); /* padding, as on tapes */
    check(&(reading){ .file = "a.tsv.gz", .content = gz.data, .size = gz.size, .expected = "2<a><-><1>\n" });
    buffer_free(&gz);
}

static void damaged_gzip_is_found_with_its_byte(void **state)
{
    (void)state;
    buffer gz = { 0 };
    char expected[200];
    add_member(&gz, "a\nb\n", 4);
    for (size_t cut = 2; cut < gz.size; cut++) {
        bert_err err = { 0 };
        buffer rows = { 0 };
        write_content("cut.txt.gz", gz.data, cut);
        assert_int_equal(read_rows(&(reading){ .file = "cut.txt.gz" }, &rows, NULL, &err), BERT_ERR_FORMAT);
        snprintf(expected, sizeof expected, "cut.txt.gz: byte %zu: the gzip data is cut off here", cut);
        assert_string_equal(err.message, expected);
        buffer_free(&rows);
    }
    gz.data[gz.size - 8] ^= 1; /* the CRC */
    snprintf(expected, sizeof expected,
             "1<a><><->\n2<b><><->\nerror BERT_ERR_FORMAT crc.txt.gz: byte %zu: incorrect data check", gz.size - 4);
    check(&(reading){ .file = "crc.txt.gz", .content = gz.data, .size = gz.size, .expected = expected });
    gz.data[gz.size - 8] ^= 1;
    snprintf(expected, sizeof expected,
             "1<a><><->\n2<b><><->\nerror BERT_ERR_FORMAT tail.txt.gz: byte %zu: incorrect header check", gz.size + 2);
    buffer_add(&gz, "tail", 4);
    check(&(reading){ .file = "tail.txt.gz", .content = gz.data, .size = gz.size, .expected = expected });
    check(&(reading){ .file = "not.txt.gz",
                      .content = "plain text\n",
                      .expected = "error BERT_ERR_FORMAT not.txt.gz: byte 0: not gzip data, though the name says so" });
    buffer_free(&gz);
}

/* ---- long lines, many rows, standard input ---- */

static void a_line_of_ten_megabytes_is_a_row(void **state)
{
    (void)state;
    enum { SIZE = 10 << 20 };
    buffer content = { 0 };
    assert_true(buffer_reserve(&content, SIZE + 2));
    memset(content.data, 'x', SIZE);
    memcpy(content.data + SIZE, "\nb", 2);
    write_content("long.txt", content.data, SIZE + 2);
    bert_table *table;
    bert_rows rows;
    assert_int_equal(bert_table_open("long.txt", NULL, false, &table, NULL), BERT_OK);
    assert_int_equal(bert_table_next(table, 5, &rows, NULL), BERT_OK);
    assert_int_equal(rows.n, 2);
    assert_int_equal(rows.texts[0].size, SIZE);
    assert_memory_equal(rows.texts[0].data, content.data, SIZE);
    assert_memory_equal(rows.texts[1].data, "b", 1);
    bert_table_close(table);
    buffer_free(&content);
}

static void write_huge_row(const char *file, const char *line_end)
{
    char *block = malloc(1 << 20);
    gzFile gz = gzopen(file, "wb1");
    assert_true(block && gz);
    memset(block, 'x', 1 << 20);
    memcpy(block + (1 << 20) - strlen(line_end), line_end, strlen(line_end));
    gzprintf(gz, "text\n\"");
    for (int i = 0; i <= LINE_MOST >> 20; i++)
        gzwrite(gz, block, 1 << 20);
    gzclose(gz);
    free(block);
}

static void a_row_above_the_limit_is_refused(void **state)
{
    (void)state;
    write_huge_row("huge.tsv.gz", "");
    check(&(reading){ .file = "huge.tsv.gz",
                      .expected = "error BERT_ERR_DATA huge.tsv.gz:2: more than 67108864 bytes in one row" });
    write_huge_row("huge.csv.gz", "\n"); /* many lines inside one pair of quotes */
    check(&(reading){ .file = "huge.csv.gz",
                      .expected = "error BERT_ERR_DATA huge.csv.gz:2: more than 67108864 bytes in one row" });
    write_huge_row("huge.conll.gz", " x\n"); /* many words in one sentence */
    check(&(reading){ .file = "huge.conll.gz",
                      .skip = true,
                      .expected = "error BERT_ERR_DATA huge.conll.gz:1: more than 67108864 bytes in one row" });
    char *tabs = malloc(70000);
    assert_non_null(tabs);
    memset(tabs, '\t', 70000);
    check(&(reading){ .file = "wide.tsv",
                      .content = tabs,
                      .size = 70000,
                      .expected = "error BERT_ERR_DATA wide.tsv:1: more than 65536 columns" });
    free(tabs);
}

/* Memory stays the same however many rows there are: the texts of a batch are reused. */
static void rows_come_in_batches_of_at_most_what_was_asked(void **state)
{
    (void)state;
    buffer content = { 0 };
    for (int i = 0; i < 100000; i++)
        buffer_printf(&content, "row %d ||| pair %d\n", i, i);
    write_content("many.txt", content.data, content.size);
    bert_table *table;
    bert_rows rows;
    size_t n = 0, most = 0;
    assert_int_equal(bert_table_open("many.txt", NULL, false, &table, NULL), BERT_OK);
    while (!bert_table_next(table, 1000, &rows, NULL) && rows.n)
        for (size_t i = 0; i < rows.n; i++, n++) {
            char expected[32];
            most = rows.n > most ? rows.n : most;
            int size = snprintf(expected, sizeof expected, "pair %zu", n);
            assert_int_equal(rows.pairs[i].size, size);
            assert_memory_equal(rows.pairs[i].data, expected, size);
            assert_int_equal(rows.lines[i], n + 1);
        }
    assert_int_equal(n, 100000);
    assert_int_equal(most, 1000);
    bert_table_close(table);
    buffer_free(&content);
}

static void standard_input_is_read_and_rows_come_as_they_are_written(void **state)
{
    (void)state;
    int ends[2], before = dup(STDIN_FILENO);
    bert_table *table;
    bert_rows rows;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(write(ends[1], "a ||| b\nc\npar", 13), 13);
    assert_int_equal(bert_table_open("-", NULL, false, &table, NULL), BERT_OK);
    assert_int_equal(bert_table_next(table, 100, &rows, NULL), BERT_OK); /* does not wait for the third line */
    assert_int_equal(rows.n, 2);
    assert_memory_equal(rows.pairs[0].data, "b", 1);
    assert_int_equal(write(ends[1], "t ||| \xc3\xbf\n", 9), 9);
    close(ends[1]);
    assert_int_equal(bert_table_next(table, 100, &rows, NULL), BERT_OK);
    assert_int_equal(rows.n, 1);
    assert_memory_equal(rows.texts[0].data, "part", 4);
    assert_int_equal(bert_table_next(table, 100, &rows, NULL), BERT_OK);
    assert_int_equal(rows.n, 0);
    bert_table_close(table);
    dup2(before, STDIN_FILENO);
    close(before);
    close(ends[0]);
}

/* Rows of 10 bytes, packed or not: progress only grows, stands at the bytes of the rows so far, and ends at the size of
 * the file. */
static void progress_is_that_of_the_file(void **state)
{
    (void)state;
    enum { ROWS = 100000, MOST = 1000 };
    buffer content = { 0 };
    for (int i = 0; i < ROWS; i++)
        buffer_printf(&content, "row %05d\n", i);
    write_content("plain.txt", content.data, content.size);
    buffer_clear(&content);
    gzFile gz = gzopen("packed.txt.gz", "wb");
    for (int i = 0; i < ROWS; i++)
        gzprintf(gz, "row %05d\n", i);
    assert_int_equal(gzclose(gz), Z_OK);
    buffer_free(&content);
    for (int packed = 0; packed < 2; packed++) {
        const char *path = packed ? "packed.txt.gz" : "plain.txt";
        bert_table *table;
        bert_rows rows = { .n = 1 };
        uint64_t read = 0, total = 0, before = 0;
        assert_int_equal(bert_table_open(path, NULL, false, &table, NULL), BERT_OK);
        for (size_t n = 0; rows.n; before = read) {
            assert_int_equal(bert_table_next(table, MOST, &rows, NULL), BERT_OK);
            n += rows.n;
            bert_table_progress(table, &read, &total);
            assert_true(read >= before && read <= total);
            assert_true(packed || read == 10 * n);
        }
        assert_true(total > 0 && read == total);
        assert_true(packed || total == 10 * ROWS);
        bert_table_close(table);
    }
}

static void standard_input_is_named_in_errors(void **state)
{
    (void)state;
    int before = dup(STDIN_FILENO), file;
    write_content("in", "text\tlabel\na\n", 0);
    assert_true((file = open("in", O_RDONLY)) >= 0);
    dup2(file, STDIN_FILENO);
    check(&(reading){ .file = "-",
                      .format = "tsv",
                      .expected = "error BERT_ERR_DATA standard input:2: columns: 1, the header has 2" });
    dup2(before, STDIN_FILENO);
    close(before);
    close(file);
}

/* ---- real files ---- */

static char shared_folder[4096];

/* Files as their makers publish them. Their counts are those of the data's own descriptions. */
static void real_files_are_read_whole(void **state)
{
    (void)state;
    static const reading qqp = { .text_columns = "question1,question2",
                                 .label_column = "is_duplicate",
                                 .labels = true };
    static const reading banking77 = { .label_column = "category", .labels = true };
    static const reading sst2 = { .text_columns = "sentence", .labels = true };
    static const reading cola = { .text_columns = "4", .label_column = "2", .labels = true, .no_header = true };
    static const reading mrpc = {
        .format = "tsv", .text_columns = "#1 String,#2 String", .label_column = "Quality", .labels = true
    };
    static const reading stsb = { .text_columns = "6,7", .label_column = "5", .labels = true, .no_header = true };
    static const reading conll = { .format = "conll", .label_column = "2", .labels = true };
    static const struct {
        const char *path;
        const reading *how;
        size_t rows;
        const char *first; /* row, as read_rows writes it */
    } files[] = {
        { "qqp/train.tsv", &qqp, 34000, NULL },
        { "qqp/valid.tsv", &qqp, 4000, NULL },
        { "banking77/train.csv", &banking77, 10003, "2<I am still waiting on my card?><-><card_arrival>\n" },
        { "banking77/test.csv", &banking77, 3080, NULL },
        { "sst-2/train.tsv", &sst2, 60614, NULL },
        { "sst-2/dev.tsv", &sst2, 6735, "2<the expressive power of the camera ><-><1>\n" },
        { "cola/in_domain_train.tsv", &cola, 8551,
          "1<Our friends won't buy this analysis, let alone the next one we propose.><-><1>\n" },
        { "cola/in_domain_dev.tsv", &cola, 527, NULL },
        { "cola/out_of_domain_dev.tsv", &cola, 516, NULL },
        { "mrpc/msr_paraphrase_train.txt", &mrpc, 4076, NULL },
        { "mrpc/msr_paraphrase_test.txt", &mrpc, 1725, NULL },
        { "sts-b/sts-train.tsv", &stsb, 5749, "1<A plane is taking off.><An air plane is taking off.><5.000>\n" },
        { "sts-b/sts-dev.tsv", &stsb, 1500, NULL },
        { "sts-b/sts-test.tsv", &stsb, 1379, NULL },
        { "conll2003/train.txt", &conll, 14041,
          "1<EU rejects German call to boycott British lamb .><-><B-ORG O B-MISC O O O B-MISC O O>\n" },
        { "conll2003/valid.txt", &conll, 3250, NULL },
        { "conll2003/test.txt", &conll, 3453, NULL },
    };
    char path[5000];
    size_t read = 0;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/data/%s", shared_folder, files[i].path);
        if (access(path, R_OK))
            continue;
        reading r = *files[i].how;
        bert_err err = { 0 };
        buffer out = { 0 };
        size_t n;
        r.file = path;
        r.most = 256;
        assert_int_equal(read_rows(&r, &out, &n, &err), BERT_OK);
        assert_int_equal(n, files[i].rows);
        if (files[i].first)
            assert_memory_equal(out.data, files[i].first, strlen(files[i].first));
        buffer_free(&out);
        read++;
    }
    if (!read) {
        print_message("skipped: no data in %s\n", shared_folder);
        skip();
    }
}

/* ---- */

static int enter_folder(void **state)
{
    (void)state;
    const char *set = getenv("BERT_SHARED");
    if (!realpath(set ? set : "../shared", shared_folder))
        snprintf(shared_folder, sizeof shared_folder, "%s", set ? set : "../shared");
    return scratch_enter(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tsv_is_split_at_tabs_and_quotes_mean_nothing),
        cmocka_unit_test(columns_are_chosen_by_name_or_number),
        cmocka_unit_test(csv_follows_rfc_4180),
        cmocka_unit_test(a_txt_line_is_a_text_or_a_pair),
        cmocka_unit_test(jsonl_takes_the_members_it_needs),
        cmocka_unit_test(a_list_in_jsonl_is_words_tags_or_labels),
        cmocka_unit_test(a_sentence_of_conll_is_a_row),
        cmocka_unit_test(a_wrong_line_or_column_of_conll_is_found),
        cmocka_unit_test(bad_rows_are_left_out_and_counted),
        cmocka_unit_test(an_empty_file_has_no_rows),
        cmocka_unit_test(nul_is_a_character),
        cmocka_unit_test(a_missing_column_is_named_with_those_there_are),
        cmocka_unit_test(a_row_of_the_wrong_width_is_found),
        cmocka_unit_test(a_damaged_quote_is_found),
        cmocka_unit_test(wrong_json_is_found_with_line_and_column),
        cmocka_unit_test(what_cannot_be_opened_is_said),
        cmocka_unit_test(gzip_is_unpacked_with_all_its_members),
        cmocka_unit_test(damaged_gzip_is_found_with_its_byte),
        cmocka_unit_test(a_line_of_ten_megabytes_is_a_row),
        cmocka_unit_test(a_row_above_the_limit_is_refused),
        cmocka_unit_test(rows_come_in_batches_of_at_most_what_was_asked),
        cmocka_unit_test(standard_input_is_read_and_rows_come_as_they_are_written),
        cmocka_unit_test(progress_is_that_of_the_file),
        cmocka_unit_test(standard_input_is_named_in_errors),
        cmocka_unit_test(real_files_are_read_whole),
    };
    return cmocka_run_group_tests(tests, enter_folder, scratch_leave);
}

/* Tables as people have them: encodings, ends of lines, quotes, tags of every kind, flags and spans. */
#include "tables/table_encoding.h"
#include "tables/table_reading.h"

#include <iconv.h>
#include <zlib.h>

/* ---- bytes ------------------------------------------------------------------------------------------------------- */

#define WESTERN "the bytes fit cp1252: --encoding cp1252 reads them so, utf-8-drop leaves them out"
#define LATIN "the bytes fit cp1252, cp1250: --encoding NAME reads them as one of these, utf-8-drop leaves them out"
#define UNKNOWN "name the file's encoding (--encoding cp1251, gb18030, shift_jis, ...; iconv -l lists them)"
#define DAMAGED "the bytes around it are UTF-8: --encoding utf-8-drop reads the file without such bytes"

static void bytes_that_are_not_utf8_are_found_and_guessed(void **state)
{
    (void)state;
    const reading cases[] = {
        { .file = "a.txt",
          .content = "ok\ntr\xe8s bon\n",
          .expected = "1<ok><><->\nerror BERT_ERR_DATA a.txt:2:3: byte 0xE8 is not UTF-8; " LATIN },
        { .file = "a.txt",
          .content = "it\x92s \xe9t\xe9\n",
          .expected = "error BERT_ERR_DATA a.txt:1:3: byte 0x92 is not UTF-8; " WESTERN },
        { .file = "a.txt",
          .content = "\xcf\xf0\xe8\xe2\xe5\xf2\n",
          .expected = "error BERT_ERR_DATA a.txt:1:1: byte 0xCF is not UTF-8; " UNKNOWN },
        { .file = "a.txt",
          .content = "\xc3\xa9\xc3\xa9 \xc3 \xc3\xa9",
          .expected = "error BERT_ERR_DATA a.txt:1:4: byte 0xC3 is not UTF-8; " DAMAGED },
        { .file = "a.txt",
          .content = "x\xe2\x82",
          .expected = "error BERT_ERR_DATA a.txt:1:2: byte 0xE2 is not UTF-8; " UNKNOWN },
        { .file = "a.csv",
          .content = "text,label\n\"two\nl\xednes\",1\n",
          .expected = "error BERT_ERR_DATA a.csv:3:2: byte 0xED is not UTF-8; " WESTERN },
        { .file = "a.tsv",
          .content = "t\xe9xt\tlabel\n",
          .expected = "error BERT_ERR_DATA a.tsv:1:2: byte 0xE9 is not UTF-8; " WESTERN },
        { .file = "a.jsonl",
          .content = "{\"text\": \"\xff\"}\n",
          .expected = "error BERT_ERR_DATA a.jsonl:1:11: byte 0xFF is not UTF-8; " WESTERN },
        { .file = "a.conll",
          .content = "a O\ncaf\xe9 O\n",
          .expected = "error BERT_ERR_DATA a.conll:2:4: byte 0xE9 is not UTF-8; " WESTERN },
        { .file = "a.txt",
          .encoding = "UTF-8",
          .content = "\xff\n",
          .expected = "error BERT_ERR_DATA a.txt:1:1: byte 0xFF is not UTF-8; " WESTERN },
    };
    CHECK_ALL(cases);
}

/* What a file in an encoding is told to fit holds that encoding, and no other script of many letters. */
static void encodings_that_bytes_fit_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *encoding, *text, *fits;
    } CASES[] = {
        { "GB18030", "这部电影非常好看，演员的表演也很出色。", "gb18030" },
        { "BIG5", "這部電影非常好看，演員的表演也很出色。", "big5" },
        { "SHIFT_JIS", "この映画はとても面白かったです。", "shift_jis" },
        { "EUC-JP", "この映画はとても面白かったです。", "euc-jp, cp874" },
        { "EUC-KR", "이 영화는 정말 재미있었습니다.", "euc-kr, cp874" },
        { "CP1251", "Этот фильм мне очень понравился", "cp1251, iso-8859-5" },
        { "KOI8-R", "Этот фильм мне очень понравился", "koi8-r, cp1256" },
        { "CP866", "Этот фильм мне очень понравился", "cp866" },
        { "CP1253", "Αυτή η ταινία μου άρεσε πολύ", "cp1251, iso-8859-5, cp1253" },
        { "CP1256", "كان هذا الفيلم رائعا وكان الممثلون ممتازين", "cp1256" },
        { "CP1250", "Ten film był bardzo dobry, świetna gra", "cp1252, cp1250" },
        { "CP1252", "it’s a “good” film", "cp1252" },
        { "CP1252", "ein schöner Film für große Kinder", "cp1252" },
        { "CP1252", "très bon film, déjà vu", "cp1252, cp1250" },
        { "ISO-2022-JP", "この映画は", "looks like iso-2022-jp: --encoding iso-2022-jp reads it" },
        { "ISO-2022-KR", "이 영화는", "looks like iso-2022-kr: --encoding iso-2022-kr reads it" },
        { "UTF-16LE", "a film, 映画", "looks like utf-16le: --encoding utf-16le reads it" },
        { "UTF-32LE", "a film, 映画", "looks like utf-32le: --encoding utf-32le reads it" },
        { "UTF-32BE", "a film, 映画", "looks like utf-32be: --encoding utf-32be reads it" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char text[512], bytes[512], words[256], *in = text, *out = bytes;
        size_t n = (size_t)snprintf(text, sizeof text, "%s", CASES[i].text), room = sizeof bytes;
        iconv_t converter = iconv_open(CASES[i].encoding, "UTF-8");
        assert_true(converter != (iconv_t)-1 && iconv(converter, &in, &n, &out, &room) != (size_t)-1);
        iconv(converter, NULL, NULL, &out, &room);
        iconv_close(converter);
        write_content("a.txt", bytes, sizeof bytes - room);
        buffer rows = { 0 }, expected = { 0 };
        bert_err err = { 0 };
        assert_int_equal(read_rows(&(reading){ .file = "a.txt" }, &rows, NULL, &err), BERT_ERR_DATA);
        snprintf(words, sizeof words, "%s%s%s", strchr(CASES[i].fits, ':') ? "" : "the bytes fit ", CASES[i].fits,
                 strchr(CASES[i].fits, ':') ? "" : ": --encoding");
        if (!strstr(err.message, words))
            print_error("%s: %s\n", CASES[i].encoding, err.message);
        assert_non_null(strstr(err.message, words));
        assert_int_equal(read_rows(&(reading){ .file = "a.txt", .encoding = CASES[i].encoding }, &rows, NULL, &err),
                         BERT_OK);
        buffer_printf(&expected, "1<%s><><->\n", CASES[i].text);
        buffer_add(&expected, "", 0);
        buffer_add(&rows, "", 0);
        assert_string_equal(rows.data, expected.data);
        buffer_free(&rows);
        buffer_free(&expected);
    }
}

static void a_row_that_is_not_utf8_can_be_left_out(void **state)
{
    (void)state;
    const reading cases[] = {
        { .file = "a.txt",
          .skip = true,
          .content = "a\n\xff\nb\xff\nc\n",
          .expected = "1<a><><->\n4<c><><->\n2 left out\n" },
        { .file = "a.csv",
          .skip = true,
          .content = "text,label\n\"\xff\nx\",1\n\"y\n\xff\",1\nz,0\n",
          .expected = "6<z><-><0>\n2 left out\n" },
        { .file = "a.conll",
          .skip = true,
          .labels = true,
          .content = "a O\n\xff O\nb O\n\nc O\n",
          .expected = "5<c><-><O>\n1 left out\n" },
        { .file = "a.jsonl",
          .skip = true,
          .content = "{\"text\": \"\xff\"}\n{\"text\": \"b\"}\n",
          .expected = "2<b><><>\n1 left out\n" },
    };
    CHECK_ALL(cases);
}

static void bytes_are_dropped_where_that_is_asked_for(void **state)
{
    (void)state;
    const reading cases[] = {
        { .file = "a.txt",
          .encoding = "utf-8-drop",
          .content = "a\xff\xfe b\n\xe2\x82\n\xc3\xa9\xc3",
          .expected = "1<a b><><->\n2<><><->\n3<\xc3\xa9><><->\nnote a.txt: 5 bytes that are not UTF-8 were dropped "
                      "(--encoding utf-8-drop)\n" },
        { .file = "a.jsonl",
          .encoding = "UTF-8-DROP",
          .content = "{\"text\": \"a\xe9\"}\n",
          .expected = "1<a><><>\nnote a.jsonl: 1 byte that is not UTF-8 was dropped (--encoding utf-8-drop)\n" },
        { .file = "a.txt",
          .encoding = "utf-8-drop",
          .content = "\xEF\xBB\xBFgood \xc3\xa9\n",
          .expected = "1<good \xc3\xa9><><->\n" },
    };
    CHECK_ALL(cases);
}

static void other_encodings_are_decoded(void **state)
{
    (void)state;
    const reading cases[] = {
        { .file = "a.csv",
          .encoding = "cp1252",
          .content = "text,label\ntr\xe8s \x80,caf\xe9\n",
          .labels = true,
          .expected = "2<tr\xc3\xa8s \xe2\x82\xac><-><caf\xc3\xa9>\n" },
        { .file = "a.txt", .encoding = "latin-1", .content = "\xe9\n", .expected = "1<\xc3\xa9><><->\n" },
        { .file = "a.txt",
          .encoding = "shift_jis",
          .content = "\x93\x8c\x8b\x9e\n",
          .expected = "1<\xe6\x9d\xb1\xe4\xba\xac><><->\n" },
        { .file = "a.txt",
          .encoding = "iso-2022-jp",
          .content = "\x1b$BEl5~\x1b(B\n",
          .expected = "1<\xe6\x9d\xb1\xe4\xba\xac><><->\n" },
        { .file = "a.txt", .encoding = "utf_16_be", .content = "\0a\0\n", .size = 4, .expected = "1<a><><->\n" },
        { .file = "a.txt",
          .content = "\xFF\xFE"
                     "a\0\xe9\0\n\0b\0",
          .size = 10,
          .expected = "1<a\xc3\xa9><><->\n2<b><><->\nnote a.txt: read as utf-16le, as its byte order mark says\n" },
        { .file = "a.txt",
          .content = "\xFE\xFF\0a\0\n",
          .size = 6,
          .expected = "1<a><><->\nnote a.txt: read as utf-16be, as its byte order mark says\n" },
        { .file = "a.txt", .encoding = "UTF-16", .content = "\xFE\xFF\0a\0\n", .size = 6, .expected = "1<a><><->\n" },
        { .file = "a.txt",
          .content = "\xFF\xFE\0\0a\0\0\0",
          .size = 8,
          .expected = "1<a><><->\nnote a.txt: read as utf-32le, as its byte order mark says\n" },
    };
    CHECK_ALL(cases);
}

static void what_is_not_of_the_encoding_is_found(void **state)
{
    (void)state;
    const reading cases[] = {
        { .file = "a.txt",
          .encoding = "cp1252",
          .content = "ok\n\xe9 \x81\n",
          .expected = "1<ok><><->\nerror BERT_ERR_DATA a.txt:2:3: byte 0x81 begins no character of cp1252; is that the "
                      "file's encoding?" },
        { .file = "a.txt",
          .content = "\xFF\xFE"
                     "a\0b",
          .size = 5,
          .expected = "error BERT_ERR_DATA a.txt:1:2: the file ends within a character of utf-16le" },
        { .file = "a.txt",
          .encoding = "cp1252",
          .content = "\xEF\xBB\xBFx\n",
          .expected = "error BERT_ERR_DATA a.txt: begins with the byte order mark of UTF-8, and --encoding says "
                      "cp1252; leave it out" },
        { .file = "a.txt",
          .encoding = "utf-8",
          .content = "\xFF\xFEx\0",
          .size = 4,
          .expected = "error BERT_ERR_DATA a.txt: begins with the byte order mark of utf-16le, and --encoding says "
                      "utf-8; leave it out" },
        { .file = "a.tsv",
          .content = "t\0e\0x\0t\0\n\0a\0\n\0",
          .size = 14,
          .expected = "error BERT_ERR_DATA a.tsv: looks like utf-16le: --encoding utf-16le reads it" },
        { .file = "a.txt",
          .encoding = "klingon",
          .content = "x",
          .expected = "error BERT_ERR_ARGUMENT a.txt: --encoding: \"klingon\" is neither utf-8, utf-8-drop nor a name "
                      "that iconv knows (iconv "
                      "-l lists them)" },
        { .file = "a.txt",
          .encoding = "cp1252//IGNORE",
          .content = "x",
          .expected = "error BERT_ERR_ARGUMENT a.txt: --encoding: \"cp1252//IGNORE\" is neither utf-8, utf-8-drop nor "
                      "a name that iconv knows (iconv "
                      "-l lists them)" },
        { .file = "a.txt",
          .encoding = "",
          .content = "x",
          .expected = "error BERT_ERR_ARGUMENT a.txt: --encoding: \"\" is neither utf-8, utf-8-drop nor a name that "
                      "iconv knows (iconv -l lists them)" },
    };
    CHECK_ALL(cases);
}

/* Characters of one, two and three bytes, lines of all lengths: what is decoded does not depend on where reads end,
 * packed or not. */
static void long_files_are_decoded_whole(void **state)
{
    (void)state;
    enum { ROWS = 30000 };
    static const char *const FILES[] = { "long.txt", "packed.txt.gz" };
    buffer wide = { 0 };
    buffer_add(&wide, "\xFF\xFE", 2);
    for (int i = 0; i < ROWS; i++) {
        for (int k = 0; k < i % 23; k++)
            buffer_add(&wide, k % 3 == 0 ? "\xE9\0" : k % 3 == 1 ? "\xAC\x20" : "a\0", 2);
        buffer_add(&wide, "\n\0", 2);
    }
    write_content(FILES[0], wide.data, wide.size);
    gzFile gz = gzopen(FILES[1], "wb");
    assert_int_equal(gzwrite(gz, wide.data, (unsigned)wide.size), wide.size);
    assert_int_equal(gzclose(gz), Z_OK);
    buffer_free(&wide);
    for (int f = 0; f < 2; f++) {
        bert_table *table;
        bert_rows rows = { .n = 1 };
        size_t n = 0;
        assert_int_equal(bert_table_open(FILES[f], NULL, false, &table, NULL), BERT_OK);
        while (!bert_table_next(table, 777, &rows, NULL) && rows.n)
            for (size_t i = 0; i < rows.n; i++, n++) {
                const char *at = rows.texts[i].data;
                for (size_t k = 0; k < n % 23; k++) {
                    const char *expected = k % 3 == 0 ? "\xC3\xA9" : k % 3 == 1 ? "\xE2\x82\xAC" : "a";
                    assert_memory_equal(at, expected, strlen(expected));
                    at += strlen(expected);
                }
                assert_int_equal(at - rows.texts[i].data, rows.texts[i].size);
            }
        assert_int_equal(n, ROWS);
        uint64_t read, total;
        bert_table_progress(table, &read, &total);
        assert_int_equal(read, total);
        bert_table_close(table);
    }
}

/* ---- lines and fields -------------------------------------------------------------------------------------------- */

static void cr_alone_ends_lines_where_there_is_no_lf(void **state)
{
    (void)state;
    const reading cases[] = {
        { .file = "a.tsv",
          .content = "text\tlabel\ra\t1\rb\t0\r",
          .expected = "2<a><-><1>\n3<b><-><0>\nnote a.tsv: its lines end with CR alone, as on old Macs\n" },
        { .file = "a.csv",
          .content = "text,label\r\"a\rb\",1\rc,0",
          .expected = "2<a\rb><-><1>\n4<c><-><0>\nnote a.csv: its lines end with CR alone, as on old Macs\n" },
        { .file = "a.txt", .content = "a\rb\nc\r\n", .expected = "1<a\rb><><->\n2<c><><->\n" },
        { .file = "a.csv", .content = "text,label\r\n\"a\rb\",1\r\n", .expected = "2<a\rb><-><1>\n" },
    };
    CHECK_ALL(cases);
}

static void quotes_and_backslashes_are_read_where_asked_for(void **state)
{
    (void)state;
    static const char pandas[] = "text\tlabel\n\"he said \"\"good\"\" film\"\tpos\n\"bad\"\tneg\n";
    const reading cases[] = {
        { .file = "a.tsv",
          .content = pandas,
          .expected = "2<\"he said \"\"good\"\" film\"><-><pos>\n3<\"bad\"><-><neg>\nnote a.tsv:2: a whole field is in "
                      "quotes, which are read "
                      "as text, as in "
                      "the files of GLUE; --quoting csv reads them as pandas writes them\n" },
        { .file = "a.tsv",
          .quoting = 2,
          .content = pandas,
          .expected = "2<he said \"good\" film><-><pos>\n3<bad><-><neg>\n" },
        { .file = "a.tsv", .quoting = 2, .content = "text\tlabel\n\"a\tb\nc\"\t1\n", .expected = "2<a\tb\nc><-><1>\n" },
        { .file = "a.tsv", .quoting = 1, .content = "text\n\"\"\"a\"\n", .expected = "2<\"\"\"a\"><-><->\n" },
        { .file = "a.csv", .quoting = 1, .content = "text,label\n\"a,b\"\n", .expected = "2<\"a><-><b\">\n" },
        { .file = "a.tsv",
          .quoting = 3,
          .content = "text\tlabel\na\\tb\\nc\\rd\\\\n\\x\\\t1\\\n",
          .expected = "2<a\tb\nc\rd\\n\\x\\><-><1\\>\n" },
        { .file = "a.tsv",
          .content = "text\tlabel\n\"a\nb\"\t1\n",
          .expected = "error BERT_ERR_DATA a.tsv:2: columns: 1, the header has 2; a field opens a quote: --quoting csv "
                      "reads fields in quotes" },
        { .file = "a.tsv",
          .content = "\"text\"\t\"label\"\na\t1\n",
          .expected = "error BERT_ERR_DATA a.tsv: no column \"text\"; it has \"text\", \"label\" (--quoting csv takes "
                      "the quotes off; choose with "
                      "--text-columns)" },
        { .file = "a.csv",
          .content = "text;label\na;1\n",
          .expected = "error BERT_ERR_DATA a.csv: no column \"text\"; it has text;label (semicolons divide its "
                      "columns: write tabs or "
                      "commas; choose with --text-columns)" },
        { .file = "a.csv",
          .content = "text\tlabel\na\t1\n",
          .expected = "error BERT_ERR_DATA a.csv: no column \"text\"; it has text?label (tabs divide its columns: "
                      "--input-format tsv; choose with "
                      "--text-columns)" },
        { .file = "a.tsv",
          .content = "text,label\na,1\n",
          .expected = "error BERT_ERR_DATA a.tsv: no column \"text\"; it has text,label (commas divide its columns: "
                      "--input-format csv; choose "
                      "with --text-columns)" },
        { .file = "a.tsv",
          .content = "a long film\t1\n",
          .expected = "error BERT_ERR_DATA a.tsv: no column \"text\"; it has a long film, 1 (--no-header where the "
                      "first row is data, and columns "
                      "are numbers; choose with --text-columns)" },
        { .file = "a.txt",
          .quoting = 2,
          .content = "x",
          .expected = "error BERT_ERR_ARGUMENT --quoting: a .txt has no fields that may be in quotes" },
    };
    CHECK_ALL(cases);
}

/* ---- labels ------------------------------------------------------------------------------------------------------ */

static void columns_of_0_and_1_are_a_list_of_labels(void **state)
{
    (void)state;
    static const char table[] = "text,a,b,c\nx,1,0,1.0\ny,0,0,0\nz,True,false,0\n";
    const reading cases[] = {
        { .file = "a.csv",
          .content = table,
          .label_column = "a,b,c",
          .labels = true,
          .expected = "2<x><-><a,c>\n3<y><-><>\n4<z><-><a>\nnote a.csv: no row has the label b\n" },
        { .file = "a.csv",
          .content = table,
          .label_column = "c,a",
          .labels = true,
          .expected = "2<x><-><c,a>\n3<y><-><>\n4<z><-><a>\n" },
        { .file = "a.csv",
          .content = "x,1,0\ny,0,1\n",
          .no_header = true,
          .text_columns = "1",
          .label_column = "2,3",
          .label_names = "joy, anger",
          .labels = true,
          .expected = "1<x><-><joy>\n2<y><-><anger>\n" },
        { .file = "a.jsonl",
          .content = "{\"text\": \"x\", \"a\": 1, \"b\": false}\n{\"text\": \"y\", \"a\": 0}\n",
          .label_column = "a,b",
          .labels = true,
          .expected = "1<x><><a>\nerror BERT_ERR_DATA a.jsonl:2: no column \"b\"; it has text, a (choose with "
                      "--label-column)" },
        { .file = "a.csv",
          .content = "text,a,b\nx,1,2\n",
          .label_column = "a,b",
          .labels = true,
          .expected = "error BERT_ERR_DATA a.csv:2: column \"b\": \"2\" is neither 0 nor 1" },
        { .file = "a.csv",
          .content = "text,a\nx,1\n",
          .label_column = "a,d",
          .labels = true,
          .expected = "error BERT_ERR_DATA a.csv: no column \"d\"; it has text, a (choose with --label-column)" },
        { .file = "a.csv",
          .content = table,
          .label_column = "a,,b",
          .expected = "error BERT_ERR_ARGUMENT --label-column: \"a,,b\" has an empty name" },
        { .file = "a.csv",
          .content = table,
          .label_column = "a,b",
          .label_names = "x,y,z",
          .expected = "error BERT_ERR_ARGUMENT --label-names: 3 names for 2 columns of labels" },
        { .file = "a.conll",
          .content = "x O\n",
          .label_column = "2,3",
          .expected =
              "error BERT_ERR_ARGUMENT --label-column: \"2,3\" are several, and a word of a .conll has one tag" },
    };
    CHECK_ALL(cases);
}

/* As a number of JSON. Nobody asked for the labels of the last one. */
static void a_label_with_an_exponent_is_the_number_that_it_is(void **state)
{
    (void)state;
    const reading cases[] = {
        { .file = "a.csv",
          .labels = true,
          .content = "text,label\na,1e0\nb, 12E+2 \nc,15e-1\nd,e1\ne,1e\nf,1e99\n",
          .expected = "2<a><-><1>\n3<b><-><1200>\n4<c><-><1.5>\n5<d><-><e1>\n6<e><-><1e>\n7<f><-><1e99>\n" },
        { .file = "a.jsonl",
          .labels = true,
          .content = "{\"text\": \"a\", \"label\": 1e0}\n{\"text\": \"b\", \"label\": 12E+2}\n{\"text\": \"c\", "
                     "\"label\": \"15e-1\"}\n",
          .expected = "1<a><><1>\n2<b><><1200>\n3<c><><1.5>\n" },
        { .file = "a.csv", .content = "text,label\na,1e0\n", .expected = "2<a><-><1e0>\n" },
    };
    CHECK_ALL(cases);
}

/* Columns that go by their numbers tell nothing of the names. */
static void a_first_row_that_looks_like_data_is_told(void **state)
{
    (void)state;
#define NOTE                                                                                                         \
    "note a.csv: its first row is read as the names of the columns, and looks like data; --no-header reads it as a " \
    "row\n"
    const reading cases[] = {
        { .file = "a.csv",
          .text_columns = "1",
          .content = "a very good film,x\nb,y\n",
          .expected = "2<b><-><->\n" NOTE },
        { .file = "a.csv", .text_columns = "1", .content = "good,0.5\nb,1\n", .expected = "2<b><-><->\n" NOTE },
        { .file = "a.csv",
          .text_columns = "1",
          .content = "good,pos\nb,neg\nc,pos\n",
          .expected = "2<b><-><->\n3<c><-><->\n" NOTE },
        { .file = "a.csv",
          .text_columns = "2",
          .content = "id,text\n1,b\n2,c\n",
          .expected = "2<b><-><->\n3<c><-><->\n" },
        { .file = "a.csv",
          .text_columns = "1",
          .no_header = true,
          .content = "good,1\n",
          .expected = "1<good><-><->\n" },
    };
#undef NOTE
    CHECK_ALL(cases);
}

static void numbers_have_the_names_that_are_given(void **state)
{
    (void)state;
    const reading cases[] = {
        { .file = "a.jsonl",
          .content = "{\"text\": \"x\", \"label\": [1, 0, 0]}\n{\"text\": \"y\", \"label\": [false, true, "
                     "true]}\n{\"text\": \"v\", \"label\": "
                     "[]}\n",
          .labels = true,
          .label_names = "a,b,c",
          .expected = "1<x><><a>\n2<y><><b,c>\n3<v><><>\n" },
        { .file = "a.jsonl",
          .content = "{\"text\": \"z\", \"label\": [2, 0]}\n{\"text\": \"w\", \"label\": 1}\n{\"text\": \"v\", "
                     "\"label\": \"c\"}\n",
          .labels = true,
          .label_names = "a,b,c",
          .expected = "1<z><><c,a>\n2<w><><b>\n3<v><><c>\n" },
        { .file = "a.jsonl",
          .content = "{\"text\": \"x\", \"label\": [1, 0, 0]}\n{\"text\": \"y\", \"label\": [1, 0]}\n",
          .labels = true,
          .label_names = "a,b,c",
          .expected = "1<x><><a>\nerror BERT_ERR_DATA a.jsonl:2: names or numbers of labels, and line 1 has a 0 or 1 "
                      "for each of --label-names; a "
                      "table has one or the other" },
        { .file = "a.jsonl",
          .content = "{\"text\": \"x\", \"label\": [2, 1]}\n{\"text\": \"y\", \"label\": [1, 0, 0]}\n",
          .labels = true,
          .label_names = "a,b,c",
          .expected = "1<x><><c,b>\nerror BERT_ERR_DATA a.jsonl:2: a 0 or 1 for each of --label-names, and line 1 has "
                      "names or numbers of labels; a "
                      "table has one or the other" },
        { .file = "a.csv",
          .content = "text,label\nx,0\ny, 1.0\nz,neg\n",
          .labels = true,
          .label_names = "neg,pos",
          .expected = "2<x><-><neg>\n3<y><-><pos>\n4<z><-><neg>\n" },
        { .file = "a.jsonl",
          .content = "{\"text\": [\"a\", \"b\"], \"label\": [1, 0]}\n",
          .labels = true,
          .label_names = "O,B-PER,I-PER",
          .expected = "1<a b><><B-PER O>\nnote a.jsonl: no row has the label I-PER\n" },
        { .file = "a.conll",
          .content = "a 1\nb 2\nc 0\n",
          .labels = true,
          .label_names = "O,B-PER,I-PER",
          .expected = "1<a b c><-><B-PER I-PER O>\n" },
        { .file = "a.csv",
          .content = "text,label\nx,2\n",
          .labels = true,
          .label_names = "neg,pos",
          .expected =
              "error BERT_ERR_DATA a.csv:2: label \"2\" is neither one of --label-names nor a number from 0 to 1" },
        { .file = "a.conll",
          .content = "a 0\nb 3\n",
          .labels = true,
          .label_names = "O,B-PER,I-PER",
          .expected =
              "error BERT_ERR_DATA a.conll:2: \"3\" is neither one of --label-names nor a number among theirs" },
        { .file = "a.csv",
          .content = "x",
          .label_names = "a,",
          .expected = "error BERT_ERR_ARGUMENT --label-names: \"a,\" has an empty name" },
        { .file = "a.csv",
          .content = "x",
          .label_names = "a,b,a",
          .expected = "error BERT_ERR_ARGUMENT --label-names: \"a\" is there twice" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (cases[i].content[0] != 'x')
            check_all(&cases[i], 1);
        else
            check(&cases[i]);
}

static void a_number_beyond_64_bits_is_no_label(void **state)
{
    (void)state;
    const reading cases[] = {
        { .file = "a.jsonl",
          .content = "{\"text\": \"x\", \"id\": 18446744073709551616, \"label\": 9007199254740993}\n",
          .labels = true,
          .expected = "1<x><><9007199254740993>\n" },
        { .file = "a.jsonl",
          .content = "{\"text\": \"x\", \"label\": 18446744073709551616}\n",
          .labels = true,
          .expected = "error BERT_ERR_DATA a.jsonl:1: \"label\" is a number beyond 64 bits, which a label must be "
                      "written as a string for" },
    };
    CHECK_ALL(cases);
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static void one_list_of_objects_is_rows(void **state)
{
    (void)state;
    const reading cases[] = {
        { .file = "a.json",
          .labels = true,
          .content = "[{\"text\": \"a, ]} \\\" b\", \"label\": [1, 2]},{\"text\":\"c\",\"label\":3} ]",
          .expected = "1<a, ]} \" b><><1,2>\n1<c><><3>\n" },
        { .file = "a.jsonl",
          .content = "\n [\n  {\n    \"text\":\n \"a\"\n  }\n,\r\n  {\"text\": \"b\"},{\n\"text\": \"c\"}\n]\n\n",
          .expected = "3<a><><>\n8<b><><>\n8<c><><>\nnote a.jsonl: 1 empty line is no row\n" },
        { .file = "a.json", .content = "{\"text\": \"a\"}\n{\"text\": \"b\"}\n", .expected = "1<a><><>\n2<b><><>\n" },
        { .file = "a.json", .content = " [ ] ", .expected = "" },
        { .file = "a.json", .content = "[\n]\n", .expected = "" },
        { .file = "a.json",
          .content = "[{\"text\": \"a\"}",
          .expected = "error BERT_ERR_DATA a.json:1: the file ends, and its list is not closed" },
        { .file = "a.json",
          .content = "[{\"text\": \"a\"},\n",
          .expected = "1<a><><>\nerror BERT_ERR_DATA a.json:1: the file ends, and its list is not closed" },
        { .file = "a.json",
          .content = "[",
          .expected = "error BERT_ERR_DATA a.json:1: the file ends, and its list is not closed" },
        { .file = "a.json",
          .content = "[{\"text\": \"a\"}]\n\n{}",
          .expected = "1<a><><>\nerror BERT_ERR_DATA a.json:3: text behind the end of the list" },
        { .file = "a.json",
          .content = "[{\"text\": \"a\"},\n]",
          .expected = "1<a><><>\nerror BERT_ERR_DATA a.json:2:1: unexpected token near end of file" },
        { .file = "a.jsonl",
          .content = "[\"a\", 0]\n[\"b\", 1]\n",
          .expected = "error BERT_ERR_DATA a.jsonl:1: a string, expected an object" },
        { .file = "a.json",
          .skip = true,
          .content = "[{\"text\": \"a\"}, {\"text\": 1}, 7,\n{\"text\" \"x\"}, {\"text\": \"b\"}]",
          .expected = "1<a><><>\n2<b><><>\n3 left out\n" },
        { .file = "a.json",
          .content = "[{\"text\": \"a\"},\n {\"text\":\n \"\xc3\xa9\" 7}]",
          .expected = "1<a><><>\nerror BERT_ERR_DATA a.json:3:6: '}' expected near '7'" },
        { .file = "a.json",
          .content = "[{\"text\": \"\xc3\xa9\"}, {\"text\" \"a\"}]",
          .expected = "1<\xc3\xa9><><>\nerror BERT_ERR_DATA a.json:1:27: ':' expected near '\"a\"'" },
        { .file = "a.json",
          .skip = true,
          .content = "[{\"text\": \"a\"}, {\"text\": \"\xff\"}, {\"text\": \"b\"}]",
          .expected = "error BERT_ERR_DATA a.json:1:27: byte 0xFF is not UTF-8; " WESTERN },
        { .file = "a.jsonl",
          .content = "{\n  \"text\": \"a\"\n}\n",
          .expected = "error BERT_ERR_DATA a.jsonl:1:1: string or '}' expected near end of file; a row is an object in "
                      "one line, or an item of one "
                      "list" },
    };
    CHECK_ALL(cases);
}

/* Lines that end anywhere or nowhere, items larger than a read: the rows are the same. */
static void a_long_list_is_read_whole(void **state)
{
    (void)state;
    enum { ROWS = 20000, LARGE = 600000 };
    for (int form = 0; form < 3; form++) {
        buffer file = { 0 };
        buffer_string(&file, "[");
        for (int i = 0; i < ROWS; i++) {
            buffer_printf(&file, "%s{%s\"text\":%s \"%d", i ? "," : "", form == 1 ? "\n" : "",
                          form == 2 && i % 5 == 0 ? "\n\n" : "", i);
            for (int k = 0; i == ROWS / 2 && k < LARGE; k++)
                buffer_char(&file, k % 100 ? 'x' : ']');
            buffer_string(&file, "\"}");
        }
        buffer_string(&file, "]\n");
        write_content("long.json", file.data, file.size);
        buffer_free(&file);
        bert_table *table;
        bert_rows rows = { .n = 1 };
        size_t n = 0;
        assert_int_equal(bert_table_open("long.json", NULL, false, &table, NULL), BERT_OK);
        while (!bert_table_next(table, 777, &rows, NULL) && rows.n)
            for (size_t i = 0; i < rows.n; i++, n++) {
                char number[16];
                size_t size = (size_t)snprintf(number, sizeof number, "%zu", n);
                assert_int_equal(rows.texts[i].size, size + (n == ROWS / 2 ? LARGE : 0));
                assert_memory_equal(rows.texts[i].data, number, size);
            }
        assert_int_equal(n, ROWS);
        bert_table_close(table);
    }
}

/* ---- words and tags ---------------------------------------------------------------------------------------------- */

static void tabs_divide_where_a_line_has_one(void **state)
{
    (void)state;
    const reading cases[] = {
        { .file = "a.conll",
          .labels = true,
          .content = "good film\tB-WORK\nsat O\n\nthe \t O\n",
          .expected = "1<good\xC2\xA0"
                      "film sat><-><B-WORK O>\n4<the><-><O>\n" },
        { .file = "a.conll",
          .labels = true,
          .content = "a\t\tO\n",
          .label_column = "2",
          .expected = "error BERT_ERR_DATA a.conll:1: columns: 3, column 2 is empty" },
        { .file = "a.conll",
          .labels = true,
          .content = "in O\nNew York B-LOC\n",
          .expected = "error BERT_ERR_DATA a.conll:2: columns: 3, the first line has 2; tabs divide columns with "
                      "blanks in them" },
    };
    CHECK_ALL(cases);
}

static void comments_stand_before_a_sentence(void **state)
{
    (void)state;
    const reading cases[] = {
        { .file = "a.conll",
          .labels = true,
          .content = "# id 1\n# text = a b\na O\n# O\nb O\n\n# O\n#tag O\n\n#begin document (x); part 0\nc O\n#end "
                     "document\n\n#end document\n",
          .expected = "3<a # b><-><O O O>\n7<# #tag><-><O O>\n11<c><-><O>\nnote a.conll: 2 comments (# before a "
                      "sentence) passed over\n" },
        { .file = "a.conll",
          .content = "# x\na\n",
          .expected = "2<a><-><>\nnote a.conll: 1 comment (# before a sentence) passed over\n" },
        { .file = "a.conll", .content = "#\na\n", .expected = "1<# a><-><>\n" },
    };
    CHECK_ALL(cases);
}

static void tags_of_other_schemes_become_bio(void **state)
{
    (void)state;
    const reading cases[] = {
        { .file = "a.conll",
          .labels = true,
          .content = "a B-X\nb I-X\nc E-X\nd S-X\ne O\nf U-Y\n\ng B-Y\nh L-Y\n",
          .expected = "1<a b c d e f><-><B-X I-X I-X B-X O B-Y>\n8<g h><-><B-Y I-Y>\nnote a.conll: its tags are turned "
                      "into BIO: E-X is I-X\n" },
        { .file = "a.conll",
          .labels = true,
          .content = "a PER\nb PER\nc LOC\nd O\ne LOC\n",
          .expected = "1<a b c d e><-><B-PER I-PER B-LOC O B-LOC>\nnote a.conll: its tags are turned into BIO: PER is "
                      "B-PER\n" },
        { .file = "a.conll",
          .labels = true,
          .content = "a I-X\nb I-X\nc I-Y\nd B-Y\ne O\nf I-Y\n",
          .expected = "1<a b c d e f><-><B-X I-X B-Y B-Y O B-Y>\nnote a.conll: its tags are turned into BIO: I-X is "
                      "B-X where an entity begins\n" },
        { .file = "a.conll",
          .labels = true,
          .content = "a O\nb B_X\n",
          .expected = "error BERT_ERR_DATA a.conll:2: \"B_X\" is a tag in another form than B-NAME and I-NAME" },
        { .file = "a.conll",
          .labels = true,
          .content = "a X-B\n",
          .expected = "error BERT_ERR_DATA a.conll:1: \"X-B\" is a tag in another form than B-NAME and I-NAME" },
        { .file = "a.jsonl",
          .labels = true,
          .content = "{\"text\": [\"a\", \"b\"], \"label\": [\"S-X\", \"O\"]}\n",
          .expected = "1<a b><><B-X O>\nnote a.jsonl: its tags are turned into BIO: S-X is B-X\n" },
        { .file = "a.conll", .content = "a E-X\n", .expected = "1<a><-><E-X>\n" }, /* nobody asked for it */
    };
    CHECK_ALL(cases);
}

static void tags_in_a_field_are_those_of_conll(void **state)
{
    (void)state;
    const reading cases[] = {
        { .file = "a.csv",
          .labels = true,
          .word_tags = true,
          .content = "text,label\nthe cat sat,O  B-X E-X\nfilm,S-X\n",
          .expected =
              "2<the cat sat><-><O B-X I-X>\n3<film><-><B-X>\nnote a.csv: its tags are turned into BIO: E-X is I-X\n" },
        { .file = "a.tsv",
          .labels = true,
          .word_tags = true,
          .content = "text\tlabel\na b c d\tX X O X\n",
          .expected = "2<a b c d><-><B-X I-X O B-X>\nnote a.tsv: its tags are turned into BIO: X is B-X\n" },
        { .file = "a.csv",
          .labels = true,
          .word_tags = true,
          .label_names = "O,B-X",
          .content = "text,label\na b,1 0\n",
          .expected = "2<a b><-><B-X O>\n" },
        { .file = "a.csv",
          .labels = true,
          .word_tags = true,
          .content = "text,label\na b,O E-X\n",
          .expected = "error BERT_ERR_DATA a.csv:2: \"E-X\" goes on with an entity that has not begun" },
        { .file = "a.jsonl",
          .labels = true,
          .word_tags = true,
          .content = "{\"text\": \"a b\", \"label\": \"O S-X\"}\n{\"text\": \"a b\", \"label\": [\"S-X\", "
                     "\"O\"]}\n{\"text\": [\"a\", \"b\"], "
                     "\"label\": \"B-X L-X\"}\n",
          .expected = "1<a b><><O B-X>\n2<a b><><B-X O>\n3<a b><><B-X I-X>\nnote a.jsonl: its tags are turned into "
                      "BIO: S-X is B-X\n" },
        /* nobody asked for it */
        { .file = "a.csv", .word_tags = true, .content = "text,label\na,S-X\n", .expected = "2<a><-><S-X>\n" },
    };
    CHECK_ALL(cases);
}

static void a_wrong_tag_is_named_with_its_own_line(void **state)
{
    (void)state;
    const reading cases[] = {
        { .file = "a.conll",
          .labels = true,
          .content = "the O\ncat O\n\nthe O\na O\nb O\nsat E-PER\n",
          .expected = "1<the cat><-><O O>\nerror BERT_ERR_DATA a.conll:7: \"E-PER\" goes on with an entity that has "
                      "not begun" },
        { .file = "a.conll",
          .labels = true,
          .content = "a S-X\nb I-X\n",
          .expected = "error BERT_ERR_DATA a.conll:2: \"I-X\" goes on with an entity that has ended" },
        { .file = "a.conll",
          .labels = true,
          .content = "a B-X\nb X\n",
          .expected = "error BERT_ERR_DATA a.conll:2: \"X\" is a tag of another kind than those before: with B- and "
                      "I-, or without" },
        { .file = "a.conll",
          .labels = true,
          .content = "a O\nb _\n",
          .expected = "error BERT_ERR_DATA a.conll:2: \"_\" is no tag: O, B-NAME or I-NAME is expected (or E-, S-, L-, "
                      "U-NAME)" },
        { .file = "a.conll",
          .labels = true,
          .content = "a B\n",
          .expected = "error BERT_ERR_DATA a.conll:1: \"B\" is no tag: O, B-NAME or I-NAME is expected (or E-, S-, L-, "
                      "U-NAME)" },
        { .file = "a.jsonl",
          .labels = true,
          .content = "{\"text\": [\"a\"], \"label\": [3]}\n",
          .expected = "error BERT_ERR_DATA a.jsonl:1: \"label\": item 1 of the list is \"3\", which is no tag: O, "
                      "B-NAME or I-NAME is expected "
                      "(or E-, S-, "
                      "L-, U-NAME)" },
    };
    CHECK_ALL(cases);
}

static void a_column_that_counts_words_is_noticed(void **state)
{
    (void)state;
    static const char conllu[] = "# text = vamonos "
                                 "ya\n1-2\tvamonos\t_\t_\t_\t_\t_\t_\t_\t_\n1\tvamos\tir\tV\t_\t_\t0\t_\t_\tB-"
                                 "X\n2\tnos\tnos\tP\t_\t_\t1\t_\t_\tO\n"
                                 "2.1\tx\t_\t_\t_\t_\t_\t_\t_\t_\n3\tya\tya\tR\t_\t_\t1\t_\t_\tO\n";
#define COUNTS                                                                                                        \
    "the first column counts the words, as in CoNLL-U: say which one has them (--text-columns 2) and which the tags " \
    "(--label-column N)"
    const reading cases[] = {
        { .file = "a.conll", .content = conllu, .expected = "error BERT_ERR_DATA a.conll:3: " COUNTS },
        { .file = "a.conll",
          .content = conllu,
          .labels = true,
          .text_columns = "2",
          .label_column = "10",
          .expected = "3<vamos nos ya><-><B-X O O>\nnote a.conll: 1 comment (# before a sentence) passed over\nnote "
                      "a.conll: CoNLL-U's lines of "
                      "ranges and of "
                      "words that are not written (1-2, 1.1) are passed over\n" },
        { .file = "a.conll",
          .skip = true,
          .content = "0 a X\n1 b X\n\nc d X\n",
          .expected = "error BERT_ERR_DATA a.conll:1: " COUNTS },
        { .file = "a.conll", .content = "1 a X\n\n1 a X\nb a X\n", .expected = "1<1><-><X>\n3<1 b><-><X X>\n" },
        { .file = "a.conll", .labels = true, .content = "1 O\n2 O\n", .expected = "1<1 2><-><O O>\n" },
    };
    CHECK_ALL(cases);
}

static void spans_become_tags(void **state)
{
    (void)state;
    const reading cases[] = {
        { .file = "a.jsonl",
          .labels = true,
          .content =
              "{\"text\": \"Ann M\xc3\xbcller is in Paris\", \"label\": [[17, 22, \"LOC\"], [0, 10, \"PER\"]]}\n",
          .expected = "1<Ann M\xc3\xbcller is in Paris><><B-PER I-PER O O B-LOC>\n" },
        { .file = "a.jsonl",
          .labels = true,
          .content = "{\"text\": \"a b\", \"spans\": [{\"start\": 0, \"end\": 1, \"label\": \"X\"}]}\n{\"text\": \"a "
                     "b\", \"entities\": "
                     "[{\"start_offset\": 2, "
                     "\"end_offset\": 3, \"label\": \"Y\"}]}\n{\"text\": \"a b\", \"label\": [{\"start\": 0, \"end\": "
                     "3, \"labels\": [\"two "
                     "words\"]}]}\n{\"text\": "
                     "\"a b\", \"entities\": []}\n{\"text\": \"a b\", \"label\": []}\n",
          .expected = "1<a b><><B-X O>\n2<a b><><O B-Y>\n3<a b><><B-two_words I-two_words>\n4<a b><><O O>\n5<a "
                      "b><><>\nnote a.jsonl: blanks in "
                      "the labels of "
                      "spans are \"_\" in their tags\n" },
        { .file = "a.jsonl",
          .labels = true,
          .content = "{\"text\": \"in (Paris).\", \"label\": [[4, 9, \"LOC\"]]}\n",
          .expected = "1<in (Paris).><><O B-LOC>\nnote a.jsonl: 1 of 1 spans begin or end within a word, which is "
                      "tagged whole (words are what blanks "
                      "divide)\n" },
        { .file = "a.jsonl",
          .labels = true,
          .label_names = "X,Y",
          .content = "{\"text\": \"a b\", \"label\": [[0, 1, 1], [2, 3, \"X\"]]}\n",
          .expected = "1<a b><><B-Y B-X>\n" },
        { .file = "a.jsonl",
          .labels = true,
          .content = "{\"text\": \"a b\", \"label\": [[0, 9, \"X\"]]}\n",
          .expected = "error BERT_ERR_DATA a.jsonl:1: span 1 goes from 0 to 9, in a text of 3 characters" },
        { .file = "a.jsonl",
          .labels = true,
          .content = "{\"text\": \"a b\", \"label\": [[1, 1, \"X\"]]}\n",
          .expected = "error BERT_ERR_DATA a.jsonl:1: span 1 goes from 1 to 1, in a text of 3 characters" },
        { .file = "a.jsonl",
          .labels = true,
          .content = "{\"text\": \"a b\", \"label\": [[1, 2, \"X\"]]}\n",
          .expected = "error BERT_ERR_DATA a.jsonl:1: span 1 holds no word" },
        { .file = "a.jsonl",
          .labels = true,
          .content = "{\"text\": \"a bc\", \"label\": [[2, 3, \"X\"], [3, 4, \"Y\"]]}\n",
          .expected = "error BERT_ERR_DATA a.jsonl:1: span 2 and another one touch the same word" },
        { .file = "a.jsonl",
          .labels = true,
          .content = "{\"text\": \"a b\", \"label\": [[0, 1]]}\n",
          .expected = "error BERT_ERR_DATA a.jsonl:1: span 1 is not [start, end, name], or an object with start, end "
                      "and label" },
        { .file = "a.jsonl",
          .labels = true,
          .content = "{\"text\": \"a b\", \"label\": [[0, 1, \"X\"], \"Y\"]}\n",
          .expected = "error BERT_ERR_DATA a.jsonl:1: span 2 is not [start, end, name], or an object with start, end "
                      "and label" },
    };
    CHECK_ALL(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_that_are_not_utf8_are_found_and_guessed),
        cmocka_unit_test(encodings_that_bytes_fit_are_named),
        cmocka_unit_test(a_row_that_is_not_utf8_can_be_left_out),
        cmocka_unit_test(bytes_are_dropped_where_that_is_asked_for),
        cmocka_unit_test(other_encodings_are_decoded),
        cmocka_unit_test(what_is_not_of_the_encoding_is_found),
        cmocka_unit_test(long_files_are_decoded_whole),
        cmocka_unit_test(cr_alone_ends_lines_where_there_is_no_lf),
        cmocka_unit_test(quotes_and_backslashes_are_read_where_asked_for),
        cmocka_unit_test(columns_of_0_and_1_are_a_list_of_labels),
        cmocka_unit_test(a_label_with_an_exponent_is_the_number_that_it_is),
        cmocka_unit_test(a_first_row_that_looks_like_data_is_told),
        cmocka_unit_test(numbers_have_the_names_that_are_given),
        cmocka_unit_test(a_number_beyond_64_bits_is_no_label),
        cmocka_unit_test(one_list_of_objects_is_rows),
        cmocka_unit_test(a_long_list_is_read_whole),
        cmocka_unit_test(tabs_divide_where_a_line_has_one),
        cmocka_unit_test(comments_stand_before_a_sentence),
        cmocka_unit_test(tags_of_other_schemes_become_bio),
        cmocka_unit_test(tags_in_a_field_are_those_of_conll),
        cmocka_unit_test(a_wrong_tag_is_named_with_its_own_line),
        cmocka_unit_test(a_column_that_counts_words_is_noticed),
        cmocka_unit_test(spans_become_tags),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}

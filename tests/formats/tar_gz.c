/* .tar.gz archives: what tar writes is unpacked, what could leave the folder or lies about its size is refused. */
#include "formats/tar_gz.h"

#include "tar_builder.h"
#include "base/scratch.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Unpacks FOLDER/a.tar.gz into FOLDER/out. */
static bert_status unpack(bert_err *err)
{
    return tar_gz_unpack(scratch("a.tar.gz"), scratch("out"), err);
}

/* Unpacking fails with these words behind the archive's name. */
static void assert_refused(bert_status code, const char *words)
{
    bert_err err = { 0 };
    assert_int_equal(unpack(&err), code);
    assert_string_equal(err.message, words);
}

static const char *words(const char *format, const char *name)
{
    static char text[1024];
    int n = snprintf(text, sizeof text, "%s: ", scratch("a.tar.gz"));
    snprintf(text + n, sizeof text - (size_t)n, format, name);
    return text;
}

static void files_and_folders_are_unpacked(void **state)
{
    (void)state;
    buffer tar = { 0 };
    tar_entry(&tar, '5', "./", "", 0);
    tar_entry(&tar, '5', "./module/", "", 0);
    tar_file(&tar, "./module/a.txt", "alpha\n");
    tar_file(&tar, "./module/empty", "");
    tar_file(&tar, "other/deeper/b.txt", "beta"); /* no entry for its folders */
    tar_write(&tar, scratch("a.tar.gz"));
    bert_err err;
    assert_int_equal(unpack(&err), BERT_OK);
    assert_true(file_holds(scratch("out/module/a.txt"), "alpha\n", 6));
    assert_true(file_holds(scratch("out/module/empty"), "", 0));
    assert_true(file_holds(scratch("out/other/deeper/b.txt"), "beta", 4));
}

/* Names that take a prefix, a pax header, GNU's long name, and the header's own field. */
static void what_the_tar_command_writes_is_unpacked(void **state)
{
    (void)state;
    static const struct {
        const char *format;
        int folder, name; /* lengths */
    } CASES[] = { { "ustar", 90, 95 }, { "pax", 200, 200 }, { "gnu", 200, 200 }, { "v7", 10, 80 } };
    char n[201], command[1024], path[512];
    memset(n, 'n', 200);
    n[200] = 0;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_err err = { 0 };
        snprintf(path, sizeof path, "%.*s/%.*s", CASES[i].folder, n, CASES[i].name, n);
        snprintf(command, sizeof command, "cd %s && mkdir %.*s && echo text >%s && tar -czf a.tar.gz --format=%s n*",
                 scratch_folder, CASES[i].folder, n, path, CASES[i].format);
        assert_int_equal(system(command), 0);
        assert_int_equal(unpack(&err), BERT_OK);
        snprintf(command, sizeof command, "cd %s/out && test \"$(cat %s)\" = text && cd .. && rm -r n* out",
                 scratch_folder, path);
        assert_int_equal(system(command), 0);
    }
}

static void names_that_leave_the_folder_are_refused(void **state)
{
    (void)state;
    static const char *const NAMES[][2] = { { "../evil", "a name with \"..\"" },
                                            { "a/../../evil", "a name with \"..\"" },
                                            { "a/..", "a name with \"..\"" },
                                            { "..", "a name with \"..\"" },
                                            { "a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/deep", "a name of too many folders" },
                                            { "/tmp/evil", "an absolute name" } };
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        buffer tar = { 0 };
        char text[256];
        tar_file(&tar, NAMES[i][0], "evil");
        tar_write(&tar, scratch("a.tar.gz"));
        snprintf(text, sizeof text, "refused, an entry has %s: %s", NAMES[i][1], NAMES[i][0]);
        assert_refused(BERT_ERR_FORMAT, words("%s", text));
        assert_false(file_exists(scratch("evil")));
    }
}

static void long_names_that_leave_the_folder_are_refused(void **state)
{
    (void)state;
    buffer tar = { 0 };
    tar_entry(&tar, 'x', "pax", "16 path=../evil\n", 16);
    tar_file(&tar, "harmless", "evil");
    tar_write(&tar, scratch("a.tar.gz"));
    assert_refused(BERT_ERR_FORMAT, words("refused, an entry has a name with \"..\": %s", "../evil"));
    tar_entry(&tar, 'L', "././@LongLink", "../evil", 8);
    tar_file(&tar, "harmless", "evil");
    tar_write(&tar, scratch("a.tar.gz"));
    assert_refused(BERT_ERR_FORMAT, words("refused, an entry has a name with \"..\": %s", "../evil"));
    tar_entry(&tar, 'x', "pax", "12 path=a\0b\n", 12);
    tar_file(&tar, "harmless", "evil");
    tar_write(&tar, scratch("a.tar.gz"));
    assert_refused(BERT_ERR_FORMAT,
                   words("refused, an entry has a name that is empty, too long or holds a NUL: %s", "a"));
}

static void links_and_devices_are_refused(void **state)
{
    (void)state;
    static const char TYPES[] = "12346S";
    for (const char *type = TYPES; *type; type++) {
        buffer tar = { 0 };
        char text[128];
        tar_entry(&tar, *type, "it", "", 0);
        tar_write(&tar, scratch("a.tar.gz"));
        snprintf(text, sizeof text, "refused, it is neither a file nor a folder (type '%c')", *type);
        assert_refused(BERT_ERR_FORMAT, words("%s", text));
    }
}

static void a_name_twice_is_refused(void **state)
{
    (void)state;
    buffer tar = { 0 };
    char text[600];
    tar_file(&tar, "a", "one");
    tar_file(&tar, "a", "two");
    tar_write(&tar, scratch("a.tar.gz"));
    snprintf(text, sizeof text, "%s: cannot write: File exists", scratch("out/a"));
    assert_refused(BERT_ERR_IO, text);
}

static void a_size_beyond_the_archive_is_refused(void **state)
{
    (void)state;
    bert_err err;
    buffer tar = { 0 };
    tar_header_only(&tar, '0', "huge", 077777777777);
    tar_write(&tar, scratch("a.tar.gz"));
    assert_int_equal(unpack(&err), BERT_ERR_FORMAT);
    assert_non_null(
        strstr(err.message, "an entry of 8589934591 bytes at byte 0 of the tar, the archive can hold at most "));
    assert_false(file_exists(scratch("out/huge")));
    tar_header_only(&tar, 'x', "pax", (1 << 20) + 1);
    char *noise = calloc(1, 1 << 16); /* so that the archive could hold the header */
    for (size_t i = 0; i < 1 << 16; i++)
        noise[i] = (char)(i * i * 31 >> 3);
    buffer_add(&tar, noise, 1 << 16);
    free(noise);
    tar_write(&tar, scratch("a.tar.gz"));
    assert_refused(BERT_ERR_FORMAT,
                   words("a header of 1048577 bytes at byte 512 of the tar, at most 1048576 are read%s", ""));
}

static void damaged_headers_are_refused(void **state)
{
    (void)state;
    buffer tar = { 0 };
    tar_file(&tar, "a", "text");
    tar.data[1] ^= 1; /* against the checksum */
    tar_write(&tar, scratch("a.tar.gz"));
    assert_refused(BERT_ERR_FORMAT, words("no tar header at byte 0 of the tar%s", ""));
    tar_header_only(&tar, '0', "a", 0);
    tar.data[124] = 'x'; /* no octal number */
    tar_sum(&tar);
    tar_write(&tar, scratch("a.tar.gz"));
    assert_refused(BERT_ERR_FORMAT, words("no tar header at byte 0 of the tar%s", ""));
    static const char *const PAX[] = { "99999 path=a\n", "0 path=a\n", "x path=a\n", "12 path=abcd" };
    for (size_t i = 0; i < sizeof PAX / sizeof *PAX; i++) {
        tar_file(&tar, "pax", PAX[i]);
        tar.data[156] = 'x';
        tar.size = 512;
        tar_sum(&tar);
        tar.size = 1024;
        tar_write(&tar, scratch("a.tar.gz"));
        assert_refused(BERT_ERR_FORMAT, words("damaged pax header before byte 1024 of the tar%s", ""));
    }
}

/* Cut at any byte, an archive is refused; flipped at any byte, it is refused or gives the same files (the gzip header
 * holds idle bytes). */
static void damaged_archives_are_refused(void **state)
{
    (void)state;
    buffer tar = { 0 };
    tar_file(&tar, "a", "some text that is long enough to be compressed, compressed, compressed");
    tar_write(&tar, scratch("whole"));
    file_mapping m;
    assert_int_equal(file_map(&m, scratch("whole"), NULL), BERT_OK);
    for (size_t n = 0; n < m.size; n++) {
        bert_err err = { 0 };
        assert_int_equal(file_write_whole(scratch("a.tar.gz"), m.data, n, NULL), BERT_OK);
        assert_int_equal(unpack(&err), BERT_ERR_FORMAT);
        folder_remove(scratch("out"), NULL);
    }
    char *flipped = malloc(m.size);
    for (size_t i = 0; i < m.size; i++) {
        memcpy(flipped, m.data, m.size);
        flipped[i] = (char)~flipped[i];
        assert_int_equal(file_write_whole(scratch("a.tar.gz"), flipped, m.size, NULL), BERT_OK);
        if (!unpack(NULL))
            assert_true(i < 10 &&
                        file_holds(scratch("out/a"),
                                   "some text that is long enough to be compressed, compressed, compressed", 70));
        folder_remove(scratch("out"), NULL);
    }
    free(flipped);
    file_unmap(&m);
}

static void what_is_no_archive_is_refused(void **state)
{
    (void)state;
    char text[600];
    file_write_whole(scratch("a.tar.gz"), "plain text", 10, NULL);
    assert_refused(BERT_ERR_FORMAT, words("not a gzip file%s", ""));
    unlink(scratch("a.tar.gz"));
    assert_refused(BERT_ERR_IO, words("cannot open: No such file or directory%s", ""));
    buffer tar = { 0 };
    tar_write(&tar, scratch("a.tar.gz"));
    file_write_whole(scratch("out"), "a file", 6, NULL);
    snprintf(text, sizeof text, "%s: cannot make the folder: File exists", scratch("out"));
    assert_refused(BERT_ERR_IO, text);
}

int main(void)
{
#define IN_FOLDER(test) in_a_folder(test)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(files_and_folders_are_unpacked),
        IN_FOLDER(what_the_tar_command_writes_is_unpacked),
        IN_FOLDER(names_that_leave_the_folder_are_refused),
        IN_FOLDER(long_names_that_leave_the_folder_are_refused),
        IN_FOLDER(links_and_devices_are_refused),
        IN_FOLDER(a_name_twice_is_refused),
        IN_FOLDER(a_size_beyond_the_archive_is_refused),
        IN_FOLDER(damaged_headers_are_refused),
        IN_FOLDER(damaged_archives_are_refused),
        IN_FOLDER(what_is_no_archive_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

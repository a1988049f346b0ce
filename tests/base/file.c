/* Files and folders that appear whole or not at all; paths. */
#include "base/file.h"

#include "base/scratch.h"
#include "base/temporary.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static void assert_holds(const char *path, const char *text)
{
    file_mapping m;
    assert_works(file_map(&m, path, err));
    assert_int_equal(m.size, strlen(text));
    assert_memory_equal(m.data, text, m.size);
    file_unmap(&m);
}

/* ---- reading ---- */

static void a_file_is_mapped(void **state)
{
    (void)state;
    assert_holds(scratch_text("a", "some bytes"), "some bytes");
    file_mapping m;
    assert_works(file_map(&m, scratch_text("empty", ""), err));
    assert_int_equal(m.size, 0);
    assert_non_null(m.data);
    file_unmap(&m);
    file_unmap(&m); /* closed already: nothing happens */
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    file_mapping m;
    scratch_text("file", "x");
    assert_int_equal(mkfifo(scratch("pipe"), 0600), 0);
    assert_fails(file_map(&m, scratch("none"), err), BERT_ERR_IO, "none: cannot open: No such file or directory");
    assert_fails(file_map(&m, scratch("file/below"), err), BERT_ERR_IO, "file/below: cannot open: Not a directory");
    assert_fails(file_map(&m, scratch("."), err), BERT_ERR_IO, ".: is a folder, expected a file");
    assert_fails(file_map(&m, scratch("pipe"), err), BERT_ERR_IO, "pipe: is not a regular file");
    assert_fails(file_map(&m, "/dev/null", err), BERT_ERR_IO, "/dev/null: is not a regular file");
    assert_int_equal(m.size, 0);
    char bytes[4];
    assert_int_equal(file_begins(scratch("pipe"), bytes, 4), 0);
    assert_int_equal(file_begins(scratch("none"), bytes, 4), 0);
    assert_int_equal(file_begins(scratch("file"), bytes, 4), 1);
}

/* ---- writing ---- */

static void a_file_appears_when_it_is_whole(void **state)
{
    (void)state;
    file_writer w;
    const char *path = scratch_text("a", "old");
    assert_works(file_create(&w, path, err));
    file_write(&w, "new ", 4);
    file_write(&w, NULL, 0);
    fprintf(w.stream, "%d", 7);
    assert_holds(path, "old");
    assert_int_equal(scratch_entries(), 2);
    assert_works(file_failed(&w, err));
    assert_works(file_commit(&w, err));
    assert_holds(path, "new 7");
    assert_int_equal(scratch_entries(), 1);
    file_abort(&w); /* after commit: nothing happens */
}

static void an_aborted_file_leaves_the_old_one(void **state)
{
    (void)state;
    file_writer w;
    const char *path = scratch_text("a", "old");
    assert_works(file_create(&w, path, err));
    file_write(&w, "new", 3);
    file_abort(&w);
    file_abort(&w);
    assert_holds(path, "old");
    assert_int_equal(scratch_entries(), 1);
}

static void a_file_that_cannot_be_made_is_an_error(void **state)
{
    (void)state;
    file_writer w;
    scratch_text("file", "x");
    assert_fails(file_create(&w, scratch("none/a"), err), BERT_ERR_IO,
                 "none/a: cannot write: No such file or directory");
    assert_fails(file_create(&w, scratch("file/a"), err), BERT_ERR_IO, "file/a: cannot write: Not a directory");
    assert_fails(file_create(&w, "/dev/null", err), BERT_ERR_IO,
                 "/dev/null: is no regular file, expected the name of a file");
    assert_fails(file_create(&w, "/proc/a", err), BERT_ERR_IO, "/proc/a: cannot write: No such file or directory");
    assert_null(w.stream);
    assert_works(folder_create(scratch("folder/x"), err));
    assert_fails(file_write_whole(scratch("folder"), "x", 1, err), BERT_ERR_IO,
                 "folder: is a folder, expected the name of a file");
    assert_int_equal(scratch_entries(), 2);
}

/* A disk that is full: here a limit on the size of files. */
static void a_full_disk_leaves_the_old_file_and_nothing_else(void **state)
{
    (void)state;
    static const char bytes[1 << 16];
    const char *path = scratch_text("a", "old");
    struct rlimit before, limit;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    limit = (struct rlimit){ 1000, before.rlim_max };
    setrlimit(RLIMIT_FSIZE, &limit);
    bert_err small = { 0 }, large = { 0 }, early = { 0 };
    /* found when the buffer is written out */
    bert_status small_status = file_write_whole(path, bytes, 2000, &small);
    bert_status large_status = file_write_whole(path, bytes, sizeof bytes, &large); /* found at once */
    file_writer w;
    bert_status created = file_create(&w, path, NULL);
    file_write(&w, bytes, sizeof bytes);
    bert_status early_status = file_failed(&w, &early);
    file_abort(&w);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    assert_error(small_status, &small, BERT_ERR_IO, "a: cannot write: File too large");
    assert_error(large_status, &large, BERT_ERR_IO, "a: cannot write: File too large");
    assert_int_equal(created, BERT_OK);
    assert_error(early_status, &early, BERT_ERR_IO, "a: cannot write: File too large");
    assert_holds(path, "old");
    assert_int_equal(scratch_entries(), 1);
}

static void a_file_is_copied(void **state)
{
    (void)state;
    scratch_text("from", "bytes");
    assert_works(file_copy(scratch("from"), scratch("to"), err));
    assert_holds(scratch("to"), "bytes");
    assert_fails(file_copy(scratch("none"), scratch("to"), err), BERT_ERR_IO,
                 "none: cannot open: No such file or directory");
    assert_holds(scratch("to"), "bytes");
}

/* ---- folders ---- */

static void a_folder_is_made_with_its_parents(void **state)
{
    (void)state;
    assert_works(folder_create(scratch("a/b//c/"), err));
    assert_true(file_is_folder(scratch("a/b/c")));
    assert_works(folder_create(scratch("a/b"), err)); /* there already */
    assert_works(folder_create("/", err));
    scratch_text("file", "x");
    assert_fails(folder_create(scratch("file"), err), BERT_ERR_IO, "file: cannot make the folder: File exists");
    assert_fails(folder_create(scratch("file/x/y"), err), BERT_ERR_IO, "file: cannot make the folder: File exists");
    assert_fails(folder_create("", err), BERT_ERR_IO, ": cannot make the folder: No such file or directory");
}

static void a_folder_is_listed_in_the_order_of_names(void **state)
{
    enum { MANY = 70 };
    (void)state;
    arena a = { 0 };
    folder_names list;
    assert_works(folder_create(scratch("full/.folder"), err));
    assert_works(folder_list(&list, &a, scratch("full/.folder"), err));
    assert_int_equal(list.n, 0);
    for (int i = MANY; i-- > 0;) {
        char name[32];
        snprintf(name, sizeof name, "full/%02d", i * 37 % MANY);
        scratch_text(name, "");
    }
    assert_works(folder_list(&list, &a, scratch("full"), err));
    assert_int_equal(list.n, MANY + 1);
    assert_string_equal(list.names[0], ".folder");
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(atoi(list.names[1 + i]), i);
    assert_fails(folder_list(&list, &a, scratch("full/00"), err), BERT_ERR_IO,
                 "full/00: cannot open the folder: Not a directory");
    assert_int_equal(list.n, 0);
    arena_free(&a);
}

static void a_folder_is_removed_but_not_what_links_lead_to(void **state)
{
    (void)state;
    assert_works(folder_create(scratch("gone/deep"), err));
    scratch_text("kept", "x");
    assert_works(folder_create(scratch("kept-folder"), err));
    scratch_text("kept-folder/inside", "x");
    assert_int_equal(symlink(scratch("kept"), scratch("gone/deep/link")), 0);
    assert_int_equal(symlink(scratch("kept-folder"), scratch("gone/link")), 0);
    assert_int_equal(symlink(scratch("kept-folder"), scratch("link")), 0);
    assert_works(folder_remove(scratch("gone"), err));
    assert_works(folder_remove(scratch("link"), err));
    assert_false(file_exists(scratch("gone")));
    assert_false(file_exists(scratch("link")));
    assert_true(file_exists(scratch("kept")));
    assert_true(file_exists(scratch("kept-folder/inside")));
    assert_fails(folder_remove(scratch("none"), err), BERT_ERR_IO, "none: cannot remove: No such file or directory");
}

/* Fills a folder under way with its mark. */
static void begin(folder_writer *w, const char *path)
{
    assert_works(folder_begin(w, path, err));
    char name[600];
    snprintf(name, sizeof name, "%s/module.json", w->temporary);
    assert_works(file_write_whole(name, "new", 3, err));
}

static void a_folder_appears_when_it_is_whole(void **state)
{
    (void)state;
    folder_writer w;
    begin(&w, scratch("model/")); /* the slash names the same folder */
    assert_false(file_exists(scratch("model")));
    assert_works(folder_commit(&w, err));
    assert_holds(scratch("model/module.json"), "new");
    assert_int_equal(scratch_entries(), 1);
    folder_abort(&w); /* after commit: nothing happens */
}

static void a_folder_replaces_one_of_ours(void **state)
{
    (void)state;
    folder_writer w;
    assert_works(folder_create(scratch("empty"), err));
    assert_works(folder_create(scratch("ours/deep"), err));
    scratch_text("ours/module.json", "old");
    scratch_text("ours/deep/old", "old");
    begin(&w, scratch("ours"));
    assert_holds(scratch("ours/module.json"), "old");
    assert_works(folder_commit(&w, err));
    assert_holds(scratch("ours/module.json"), "new");
    assert_false(file_exists(scratch("ours/deep")));
    begin(&w, scratch("empty"));
    assert_works(folder_commit(&w, err));
    assert_holds(scratch("empty/module.json"), "new");
    assert_int_equal(scratch_entries(), 2);
}

static void an_aborted_folder_leaves_the_old_one(void **state)
{
    (void)state;
    folder_writer w;
    assert_works(folder_create(scratch("ours"), err));
    scratch_text("ours/module.json", "old");
    begin(&w, scratch("ours"));
    folder_abort(&w);
    folder_abort(&w);
    assert_holds(scratch("ours/module.json"), "old");
    assert_int_equal(scratch_entries(), 1);
}

static void what_is_no_folder_is_not_replaced_by_one(void **state)
{
    (void)state;
    folder_writer w;
    scratch_text("file", "x");
    assert_fails(folder_begin(&w, scratch("file"), err), BERT_ERR_IO,
                 "file: is a file, expected a folder or a new name");
    assert_fails(folder_begin(&w, scratch("file/model"), err), BERT_ERR_IO,
                 "file: cannot make the folder: File exists");
    assert_null(w.temporary);
    assert_int_equal(scratch_entries(), 1);
}

/* ---- temporaries ---- */

/* A run that was killed: its temporaries stand there, and nobody holds them. */
static void leave(const char *path, bool folder)
{
    char *name;
    int file = temporary_create(path, folder, &name);
    assert_true(file >= 0);
    close(file);
    free(name);
}

static void what_a_killed_run_left_is_removed_by_the_next(void **state)
{
    (void)state;
    folder_writer w;
    leave(scratch("model"), true);
    begin(&w, scratch("model"));
    close(w.folder); /* killed */
    assert_int_equal(scratch_entries(), 1);
    free(w.path);
    free(w.temporary);
    begin(&w, scratch("model"));
    assert_int_equal(scratch_entries(), 1);
    assert_works(folder_commit(&w, err));
    leave(scratch("file"), false);
    assert_works(file_write_whole(scratch("other"), "x", 1, err));
    assert_int_equal(scratch_entries(), 3); /* of another name: not its own to remove */
    assert_works(file_write_whole(scratch("file"), "x", 1, err));
    assert_int_equal(scratch_entries(), 3);
    assert_holds(scratch("model/module.json"), "new");
}

static void those_who_write_one_name_do_not_remove_each_others(void **state)
{
    (void)state;
    file_writer a, b;
    folder_writer c, d;
    assert_works(file_create(&a, scratch("file"), err));
    assert_works(file_create(&b, scratch("file"), err));
    begin(&c, scratch("folder"));
    begin(&d, scratch("folder"));
    bert_remove_leftovers(scratch("file"));
    temporaries_sweep(scratch_folder);
    assert_int_equal(scratch_entries(), 4);
    file_write(&a, "first", 5);
    file_write(&b, "second", 6);
    assert_works(file_commit(&a, err));
    assert_works(file_commit(&b, err));
    assert_works(folder_commit(&c, err));
    assert_works(folder_commit(&d, err));
    assert_holds(scratch("file"), "second");
    assert_holds(scratch("folder/module.json"), "new");
    assert_int_equal(scratch_entries(), 2);
}

static void names_that_look_alike_are_left_alone(void **state)
{
    (void)state;
    static const char *const NAMES[] = { "file.tmp-123",
                                         "file.tmp-abcdefghijk",
                                         "file.tmp-abcdefghijk1",
                                         "other.file.tmp-abcdefghijkl",
                                         "file.tmp-abcdefghijkl.x",
                                         ".tmp-abcdefghijkl" };
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        scratch_text(NAMES[i], "x");
    assert_int_equal(symlink("/etc", scratch("file.tmp-abcdefghijkm")), 0);
    scratch_text("file.tmp-abcdefghijkn", "x");
    bert_remove_leftovers(scratch("file"));
    assert_false(file_exists(scratch("file.tmp-abcdefghijkn")));
    assert_int_equal(scratch_entries(), sizeof NAMES / sizeof *NAMES + 1);
    bert_remove_leftovers(scratch("none/file"));
    bert_remove_leftovers("");
}

static void links_are_replaced_and_not_followed(void **state)
{
    (void)state;
    scratch_text("kept", "kept");
    assert_works(folder_create(scratch("kept-folder"), err));
    assert_int_equal(symlink("kept", scratch("link")), 0);
    assert_int_equal(symlink("kept-folder", scratch("link-folder")), 0);
    assert_int_equal(symlink("nowhere", scratch("dangling")), 0);
    assert_works(file_write_whole(scratch("link"), "new", 3, err));
    assert_works(file_write_whole(scratch("dangling"), "new", 3, err));
    folder_writer w;
    begin(&w, scratch("link-folder"));
    assert_works(folder_commit(&w, err));
    assert_holds(scratch("kept"), "kept");
    assert_holds(scratch("link"), "new");
    assert_holds(scratch("dangling"), "new");
    assert_holds(scratch("link-folder/module.json"), "new");
    assert_false(file_exists(scratch("kept-folder/module.json")));
    assert_int_equal(scratch_entries(), 5);
}

static void new_files_and_folders_have_the_modes_that_umask_leaves(void **state)
{
    (void)state;
    struct stat st;
    mode_t before = umask(027);
    folder_writer w;
    begin(&w, scratch("folder"));
    assert_works(folder_commit(&w, err));
    umask(before);
    assert_int_equal(stat(scratch("folder"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0750);
    assert_int_equal(stat(scratch("folder/module.json"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
}

static void what_is_written_in_place_is_a_file_of_its_own(void **state)
{
    (void)state;
    scratch_text("kept", "kept");
    assert_int_equal(symlink("kept", scratch("link")), 0);
    assert_int_equal(link(scratch("kept"), scratch("second")), 0);
    assert_int_equal(mkfifo(scratch("pipe"), 0600), 0);
    assert_true(open_in_place(scratch("link")) < 0 && errno == ELOOP);
    assert_true(open_in_place(scratch("second")) < 0 && errno == EMLINK);
    assert_true(open_in_place(scratch("pipe")) < 0 && errno == ENXIO);
    int file = open_in_place(scratch("new"));
    assert_true(file >= 0);
    close(file);
}

/* ---- paths ---- */

static void paths_are_joined_and_taken_apart(void **state)
{
    (void)state;
    arena a = { 0 };
    assert_string_equal(path_join(&a, "a", "b"), "a/b");
    assert_string_equal(path_join(&a, "a/", "b"), "a/b");
    assert_string_equal(path_join(&a, "a", "/b"), "/b");
    assert_string_equal(path_folder(&a, "a/b/c"), "a/b");
    assert_string_equal(path_folder(&a, "a/b/"), "a");
    assert_string_equal(path_folder(&a, "a//b"), "a");
    assert_string_equal(path_folder(&a, "c"), ".");
    assert_string_equal(path_folder(&a, "/c"), "/");
    assert_string_equal(path_folder(&a, "/"), "/");
    assert_string_equal(path_name("a/b/c"), "c");
    assert_string_equal(path_name("c"), "c");
    assert_true(path_ends("x.tar.gz", ".gz"));
    assert_false(path_ends("gz", ".gz"));
    arena_free(&a);
}

static void a_path_is_seen_from_a_folder(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        /* target, folder, what is expected */
        { "a/b/c", "a", "b/c" },        { "a", "a/b/c", "../.." },  { "a/b", "a/b", "." },
        { "a/b", "a/bb", "../b" },      { "a/bb", "a/b", "../bb" }, { "a/b/c", "x/y", "../../a/b/c" },
        { "link", "a/b", "../../x/y" }, { "a", "link", "../../a" },
    };
    arena a = { 0 };
    assert_works(folder_create(scratch("a/b/c"), err));
    assert_works(folder_create(scratch("a/bb"), err));
    assert_works(folder_create(scratch("x/y"), err));
    assert_int_equal(symlink(scratch("x/y"), scratch("link")), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(path_relative(&a, scratch(cases[i][0]), scratch(cases[i][1])), cases[i][2]);
    assert_string_equal(path_relative(&a, "/", "/"), ".");
    assert_string_equal(path_relative(&a, "/tmp", "/"), "tmp");
    assert_string_equal(path_relative(&a, "/", "/tmp"), "..");
    assert_null(path_relative(&a, scratch("none"), "/tmp"));
    arena_free(&a);
}

#define IN_SCRATCH(test) in_a_folder(test)

static bert_status opens_not(const char *path, bert_err *err)
{
    assert_true(file_holds(path, "new", 3));
    return (fail)(err, BERT_ERR_FORMAT, "not what it should be"); /* the parentheses: cmocka has a macro of that name */
}

/* What its own reader refuses does not replace what stands there. */
static void what_does_not_open_is_not_renamed(void **state)
{
    (void)state;
    file_writer w;
    scratch_text("a", "old");
    assert_works(file_create(&w, scratch("a"), err));
    file_write(&w, "new", 3);
    assert_fails(file_commit_opened(&w, opens_not, err), BERT_ERR_FORMAT,
                 "a: what was written does not open: not what it should be");
    assert_true(file_holds(scratch("a"), "old", 3));
    assert_int_equal(scratch_entries(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(what_does_not_open_is_not_renamed),
        IN_SCRATCH(a_file_is_mapped),
        IN_SCRATCH(what_is_no_file_is_refused),
        IN_SCRATCH(a_file_appears_when_it_is_whole),
        IN_SCRATCH(an_aborted_file_leaves_the_old_one),
        IN_SCRATCH(a_file_that_cannot_be_made_is_an_error),
        IN_SCRATCH(a_full_disk_leaves_the_old_file_and_nothing_else),
        IN_SCRATCH(a_file_is_copied),
        IN_SCRATCH(a_folder_is_made_with_its_parents),
        IN_SCRATCH(a_folder_is_listed_in_the_order_of_names),
        IN_SCRATCH(a_folder_is_removed_but_not_what_links_lead_to),
        IN_SCRATCH(a_folder_appears_when_it_is_whole),
        IN_SCRATCH(a_folder_replaces_one_of_ours),
        IN_SCRATCH(an_aborted_folder_leaves_the_old_one),
        IN_SCRATCH(what_is_no_folder_is_not_replaced_by_one),
        IN_SCRATCH(what_a_killed_run_left_is_removed_by_the_next),
        IN_SCRATCH(those_who_write_one_name_do_not_remove_each_others),
        IN_SCRATCH(names_that_look_alike_are_left_alone),
        IN_SCRATCH(links_are_replaced_and_not_followed),
        IN_SCRATCH(new_files_and_folders_have_the_modes_that_umask_leaves),
        IN_SCRATCH(what_is_written_in_place_is_a_file_of_its_own),
        cmocka_unit_test(paths_are_joined_and_taken_apart),
        IN_SCRATCH(a_path_is_seen_from_a_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Modules by folder, archive and address: unpacked once, remembered, shared by processes. */
#include "web/fetch.h"

#include "base/sha.h"
#include "http_server.h"
#include "tar_builder.h"
#include "base/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/wait.h>

#include <cmocka.h>

static arena memory;

static int set_up(void **state)
{
    int failed = scratch_make(state);
    setenv("BERT_CACHE", scratch("cache"), 1);
    return failed;
}

static int tear_down(void **state)
{
    arena_free(&memory);
    return scratch_remove(state);
}

/* FOLDER/name, an archive that holds module/module.json with this text. */
static const char *make_archive(const char *name, const char *text)
{
    buffer tar = { 0 };
    tar_entry(&tar, '5', "module/", "", 0);
    tar_file(&tar, "module/module.json", text);
    tar_write(&tar, scratch(name));
    return scratch(name);
}

/* What module.json of the fetched folder must hold. */
static void assert_module(const char *folder, const char *text)
{
    assert_non_null(folder);
    assert_true(file_holds(path_join(&memory, folder, "module.json"), text, strlen(text)));
}

static void a_folder_is_itself(void **state)
{
    (void)state;
    char *folder = NULL;
    assert_int_equal(fetch_module(&memory, scratch_folder, &folder, NULL), BERT_OK);
    assert_string_equal(folder, scratch_folder);
    assert_false(file_exists(scratch("cache")));
}

static void an_archive_is_unpacked_under_its_hash(void **state)
{
    (void)state;
    char *folder = NULL, hex[SHA256_HEX], expected[256];
    const char *archive = make_archive("a.tar.gz", "one");
    assert_int_equal(sha256_file(archive, hex, NULL), BERT_OK);
    snprintf(expected, sizeof expected, "%s/cache/archives/%s/module", scratch_folder, hex);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fetch_module(&memory, archive, &folder, NULL), BERT_OK);
        assert_string_equal(folder, expected);
        assert_module(folder, "one");
    }
    assert_int_equal(fetch_module(&memory, make_archive("b.tgz", "two"), &folder, NULL), BERT_OK);
    assert_module(folder, "two");
}

static void an_archive_may_hold_the_module_at_its_top(void **state)
{
    (void)state;
    char *folder = NULL;
    buffer tar = { 0 };
    tar_file(&tar, "module.json", "top");
    tar_file(&tar, "assets/vocab.txt", "[UNK]\n");
    tar_write(&tar, scratch("a.tar.gz"));
    assert_int_equal(fetch_module(&memory, scratch("a.tar.gz"), &folder, NULL), BERT_OK);
    assert_module(folder, "top");
}

/* A route that serves the archive. */
static route serving(const char *path, const file_mapping *archive)
{
    return (route){ .path = path, .body = (const char *)archive->data, .size = archive->size };
}

static void an_address_is_fetched_once(void **state)
{
    (void)state;
    char *folder = NULL;
    file_mapping m;
    http_server server;
    assert_int_equal(file_map(&m, make_archive("a.tar.gz", "one"), NULL), BERT_OK);
    route r = serving("/module.tar.gz?version=1", &m);
    server_start(&server, &r, 1);
    const char *url = server_url(&server, r.path);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fetch_module(&memory, url, &folder, NULL), BERT_OK);
        assert_module(folder, "one");
    }
    assert_int_equal(r.hits, 1);
    folder_remove(scratch("cache/archives"), NULL); /* what was unpacked is gone: fetched again */
    assert_int_equal(fetch_module(&memory, url, &folder, NULL), BERT_OK);
    assert_module(folder, "one");
    assert_int_equal(r.hits, 2);
    server_stop(&server);
    assert_int_equal(fetch_module(&memory, url, &folder, NULL), BERT_OK); /* no server is needed then */
    file_unmap(&m);
}

static void several_processes_fetch_an_address_once(void **state)
{
    (void)state;
    char *folder = NULL;
    file_mapping m;
    http_server server;
    pid_t pids[6];
    const char *archive = make_archive("a.tar.gz", "one");
    assert_int_equal(file_map(&m, archive, NULL), BERT_OK);
    route r = serving("/m.tgz", &m);
    server_start(&server, &r, 1);
    const char *url = server_url(&server, r.path);
    for (int i = 0; i < 6; i++)
        if ((pids[i] = fork()) == 0) /* half by address, half by name: all want one folder of the cache */
            _exit(fetch_module(&memory, i % 2 ? url : archive, &folder, NULL) ||
                  !file_exists(path_join(&memory, folder, "module.json")));
    for (int i = 0; i < 6; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    server_stop(&server);
    file_unmap(&m);
    assert_int_equal(r.hits, 1);
    char command[256];
    /* no temporary folder is left */
    snprintf(command, sizeof command, "test $(ls %s/cache/archives | wc -l) = 1", scratch_folder);
    assert_int_equal(system(command), 0);
}

static void bad_archives_leave_nothing_in_the_cache(void **state)
{
    (void)state;
    char *folder = NULL, text[512], command[256];
    bert_err err;
    http_server server;
    route r = { .path = "/m.tar.gz", .body = "a page that says welcome" };
    server_start(&server, &r, 1);
    const char *url = server_url(&server, r.path);
    assert_int_equal(fetch_module(&memory, url, &folder, &err), BERT_ERR_FORMAT);
    snprintf(text, sizeof text, "%s: %s/cache/addresses/", url, scratch_folder);
    assert_memory_equal(err.message, text, strlen(text));
    assert_non_null(strstr(err.message, ".tar.gz: not a gzip file"));
    r = (route){ .path = "/m.tar.gz", .status = 404 };
    assert_int_equal(fetch_module(&memory, url, &folder, &err), BERT_ERR_NETWORK);
    snprintf(text, sizeof text, "%s: the server answered 404 (not found)", url);
    assert_string_equal(err.message, text);
    server_stop(&server);
    snprintf(command, sizeof command, "test -z \"$(ls %s/cache/archives; ls %s/cache/addresses | grep -v lock)\"",
             scratch_folder, scratch_folder);
    assert_int_equal(system(command), 0);
}

static void what_is_forgotten_is_fetched_again(void **state)
{
    (void)state;
    char *folder = NULL;
    file_mapping m;
    http_server server;
    const char *archive = arena_string(&memory, make_archive("a.tar.gz", "one"));
    assert_int_equal(file_map(&m, archive, NULL), BERT_OK);
    route r = serving("/module.tar.gz", &m);
    server_start(&server, &r, 1);
    const char *url = server_url(&server, r.path), *paths[] = { archive, url };
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fetch_module(&memory, paths[i], &folder, NULL), BERT_OK);
        assert_module(folder, "one");
        fetch_forget(paths[i]);
        assert_false(file_exists(folder));
        fetch_forget(paths[i]);
    }
    assert_int_equal(fetch_module(&memory, url, &folder, NULL), BERT_OK);
    assert_int_equal(r.hits, 2);
    fetch_forget(scratch_folder); /* a folder is nobody's but the user's */
    fetch_forget(scratch("none"));
    assert_true(file_exists(scratch("a.tar.gz")));
    server_stop(&server);
    file_unmap(&m);
}

static void what_is_no_module_is_told(void **state)
{
    (void)state;
    char *folder = NULL, text[512];
    bert_err err;
    assert_int_equal(fetch_module(&memory, scratch("none"), &folder, &err), BERT_ERR_IO);
    snprintf(text, sizeof text, "%s/none: no such file or folder", scratch_folder);
    assert_string_equal(err.message, text);
    file_write_whole(scratch("notes.txt"), "text", 4, NULL);
    assert_int_equal(fetch_module(&memory, scratch("notes.txt"), &folder, &err), BERT_ERR_FORMAT);
    snprintf(text, sizeof text, "%s/notes.txt: not a module: expected a folder, a .tar.gz file or an http(s) address",
             scratch_folder);
    assert_string_equal(err.message, text);
}

static void the_cache_is_where_the_environment_says(void **state)
{
    (void)state;
    char *folder = NULL, expected[256];
    bert_err err;
    const char *archive = make_archive("a.tar.gz", "one");
    static const struct {
        const char *variable, *value, *cache;
    } CASES[] = { { "BERT_CACHE", "b", "b/archives/" },
                  { "XDG_CACHE_HOME", "x", "x/libbert/archives/" },
                  { "HOME", "h", "h/.cache/libbert/archives/" } };
    char *home = strdup(getenv("HOME") ? getenv("HOME") : "");
    for (int i = 0; i < 4; i++) {
        unsetenv("BERT_CACHE");
        unsetenv("XDG_CACHE_HOME");
        unsetenv("HOME");
        if (i == 3)
            break;
        setenv(CASES[i].variable, scratch(CASES[i].value), 1);
        assert_int_equal(fetch_module(&memory, archive, &folder, NULL), BERT_OK);
        snprintf(expected, sizeof expected, "%s/%s", scratch_folder, CASES[i].cache);
        assert_memory_equal(folder, expected, strlen(expected));
    }
    assert_int_equal(fetch_module(&memory, archive, &folder, &err), BERT_ERR_IO);
    assert_string_equal(err.message, "no folder for the cache: BERT_CACHE, XDG_CACHE_HOME and HOME are not set");
    setenv("HOME", home, 1);
    free(home);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_folder_is_itself),
        IN_FOLDER(an_archive_is_unpacked_under_its_hash),
        IN_FOLDER(an_archive_may_hold_the_module_at_its_top),
        IN_FOLDER(an_address_is_fetched_once),
        IN_FOLDER(several_processes_fetch_an_address_once),
        IN_FOLDER(bad_archives_leave_nothing_in_the_cache),
        IN_FOLDER(what_is_forgotten_is_fetched_again),
        IN_FOLDER(what_is_no_module_is_told),
        IN_FOLDER(the_cache_is_where_the_environment_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

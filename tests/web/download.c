/* Downloads against a server on loopback: whole or not at all, resumed, retried, checked, and the token kept at
 * home. */
#include "web/download.h"

#include "base/sha.h"
#include "http_server.h"
#include "base/scratch.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { SIZE = 200000 };
static char BODY[SIZE];
static http_server server;

/* A download of /file to FOLDER/file that does not pause for long between tries. */
static download of_file(void)
{
    return (download){ .url = server_url(&server, "/file"), .path = scratch("file"), .pause = 0.01 };
}

/* Runs it against one route. */
static bert_status run(download *d, route *r, bert_err *err)
{
    r->path = r->path ? r->path : "/file";
    server_start(&server, r, 1);
    if (!d->url || !strchr(d->url, ':'))
        d->url = server_url(&server, "/file");
    bert_status s = download_file(d, err);
    server_stop(&server);
    return s;
}

static void assert_whole(const char *bytes, size_t n)
{
    assert_true(file_holds(scratch("file"), bytes, n));
    assert_false(file_exists(scratch("file.part")));
    assert_false(file_exists(scratch("file.part.etag")));
}

/* "http://127.0.0.1:PORT/file: WORDS" */
static const char *message(const char *words)
{
    static char text[512];
    snprintf(text, sizeof text, "%s: %s", server_url(&server, "/file"), words);
    return text;
}

static void a_file_arrives_whole(void **state)
{
    (void)state;
    route r = { .body = BODY, .size = SIZE };
    download d = { .path = scratch("file") };
    assert_int_equal(run(&d, &r, NULL), BERT_OK);
    assert_whole(BODY, SIZE);
    assert_int_equal(r.hits, 1);
    assert_null(strstr(r.request, "Authorization"));
    assert_null(strstr(r.request, "Range"));
    assert_non_null(strstr(r.request, "User-Agent: libbert/"));
}

static void an_empty_file_arrives(void **state)
{
    (void)state;
    route r = { .body = "" };
    download d = { .path = scratch("file") };
    assert_int_equal(run(&d, &r, NULL), BERT_OK);
    assert_whole("", 0);
}

static void a_file_of_untold_length_arrives(void **state)
{
    (void)state;
    route r = { .body = BODY, .size = SIZE, .no_length = true };
    download d = { .path = scratch("file") };
    assert_int_equal(run(&d, &r, NULL), BERT_OK);
    assert_whole(BODY, SIZE);
}

/* Leaves what an interrupted download leaves: the first bytes and the tag they were sent under. */
static void leave_part(size_t n, const char *etag)
{
    file_write_whole(scratch("file.part"), BODY, n, NULL);
    file_write_whole(scratch("file.part.etag"), etag, strlen(etag), NULL);
}

static void what_is_half_there_is_resumed(void **state)
{
    (void)state;
    route r = { .body = BODY, .size = SIZE, .etag = "\"one\"" };
    download d = { .path = scratch("file") };
    leave_part(150000, "\"one\"");
    assert_int_equal(run(&d, &r, NULL), BERT_OK);
    assert_whole(BODY, SIZE);
    assert_int_equal(r.sent, SIZE - 150000);
    assert_non_null(strstr(r.request, "Range: bytes=150000-\r\n"));
    assert_non_null(strstr(r.request, "If-Range: \"one\"\r\n"));
}

static void a_file_that_changed_is_fetched_from_its_start(void **state)
{
    (void)state;
    route r = { .body = "new", .etag = "\"two\"" };
    download d = { .path = scratch("file") };
    leave_part(150000, "\"one\"");
    assert_int_equal(run(&d, &r, NULL), BERT_OK);
    assert_whole("new", 3);
}

static void bytes_of_unknown_origin_are_not_resumed(void **state)
{
    (void)state;
    route r = { .body = BODY, .size = SIZE, .etag = "\"one\"" };
    download d = { .path = scratch("file") };
    leave_part(150000, "W/\"one\""); /* a weak tag does not stand for bytes */
    assert_int_equal(run(&d, &r, NULL), BERT_OK);
    assert_whole(BODY, SIZE);
    assert_int_equal(r.sent, SIZE);
}

/* What a server sends of the middle of a file is glued on where it is the rest of what is here; else the file is
 * fetched from its start. */
static void a_part_that_is_not_the_rest_is_not_glued_on(void **state)
{
    (void)state;
    static const struct {
        const char *range, *etag;
        size_t sent; /* of the file's bytes: the part, and all of it again */
    } CASES[] = {
        { "bytes 150000-199999/200000", "\"one\"", 50000 },
        { "bytes 150000-199999/*", NULL, 50000 },
        { "bytes 149999-199998/200000", NULL, 250000 },
        { "bytes 0-49999/200000", NULL, 250000 },
        { "bytes 150000-199998/200000", NULL, 250000 }, /* of another length than its body */
        { "bytes 150000-199999/300000", NULL, 250000 }, /* not to the end */
        { "bytes 150000-199999/200000", "\"two\"", 250000 },
        { "bytes 150000-", NULL, 250000 },
        { "bytes -", NULL, 250000 },
        { "pages 3-4/5", NULL, 250000 },
        { "bytes 199999-150000/200000", NULL, 250000 },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        route r = {
            .body = BODY, .size = SIZE, .etag = "\"one\"", .content_range = CASES[i].range, .part_etag = CASES[i].etag
        };
        download d = { .path = scratch("file"), .pause = 0.01 };
        unlink(scratch("file"));
        leave_part(150000, "\"one\"");
        assert_int_equal(run(&d, &r, NULL), BERT_OK);
        assert_whole(BODY, SIZE);
        assert_int_equal(r.sent, CASES[i].sent);
    }
}

static void a_part_that_nobody_asked_for_is_refused(void **state)
{
    (void)state;
    bert_err err;
    route r = { .body = BODY, .size = SIZE, .status = 206, .content_range = "bytes 0-199999/400000" };
    download d = { .path = scratch("file"), .pause = 0.01 };
    assert_int_equal(run(&d, &r, &err), BERT_ERR_NETWORK);
    assert_string_equal(err.message, message("the server sent a part of the file, which was not asked for"));
    assert_false(file_exists(scratch("file")));
    assert_false(file_exists(scratch("file.part")));
}

static void a_body_without_end_stops_and_its_part_is_removed(void **state)
{
    (void)state;
    bert_err err;
    route r = { .body = BODY, .size = SIZE, .etag = "\"one\"", .no_length = true, .endless = true };
    download d = { .path = scratch("file"), .most = 1000000 };
    assert_int_equal(run(&d, &r, &err), BERT_ERR_NETWORK);
    assert_string_equal(err.message, message("the server sends more than 1000000 bytes"));
    assert_false(file_exists(scratch("file.part")));
    d = (download){ .path = scratch("file"), .expected_size = 300000 };
    assert_int_equal(run(&d, &r, &err), BERT_ERR_NETWORK);
    assert_string_equal(err.message, message("the server sends more than the listed 300000 bytes"));
    assert_false(file_exists(scratch("file.part")));
    assert_false(file_exists(scratch("file.part.etag")));
}

/* Ten bytes a second would never be nothing. */
static void a_server_that_drips_times_out(void **state)
{
    (void)state;
    bert_err err;
    route r = { .body = BODY, .size = 100, .slow = true, .etag = "\"one\"" };
    download d = { .path = scratch("file"), .pause = 0.01, .stall_seconds = 1 };
    assert_int_equal(run(&d, &r, &err), BERT_ERR_NETWORK);
    assert_non_null(strstr(err.message, "too slow"));
    assert_true(r.hits >= 2);
}

static void on_alarm(int signal)
{
    (void)signal;
}

/* A signal that the program bears does not end a wait for another process, nor a transfer. */
static void signals_do_not_end_a_download(void **state)
{
    (void)state;
    route r = { .body = BODY, .size = 20, .slow = true };
    download d = { .path = scratch("file"), .pause = 0.01 };
    struct sigaction act = { .sa_handler = on_alarm }, before;
    struct itimerval often = { { 0, 20000 }, { 0, 20000 } }, never = { 0 };
    sigaction(SIGALRM, &act, &before); /* without SA_RESTART */
    setitimer(ITIMER_REAL, &often, NULL);
    bert_status s = run(&d, &r, NULL);
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &before, NULL);
    assert_int_equal(s, BERT_OK);
    assert_whole(BODY, 20);
}

static void a_server_without_ranges_is_read_from_the_start(void **state)
{
    (void)state;
    route r = { .body = BODY, .size = SIZE, .etag = "\"one\"", .no_ranges = true };
    download d = { .path = scratch("file") };
    leave_part(150000, "\"one\"");
    assert_int_equal(run(&d, &r, NULL), BERT_OK);
    assert_whole(BODY, SIZE);
}

static void a_broken_transfer_is_taken_up_where_it_broke(void **state)
{
    (void)state;
    route r = { .body = BODY, .size = SIZE, .etag = "\"one\"", .cut_first = 2, .cut = 60000 };
    download d = { .path = scratch("file"), .pause = 0.01 };
    assert_int_equal(run(&d, &r, NULL), BERT_OK);
    assert_whole(BODY, SIZE);
    assert_int_equal(r.hits, 3);
    assert_int_equal(r.sent, SIZE);
}

static void a_stalled_transfer_is_taken_up(void **state)
{
    (void)state;
    route r = { .body = BODY, .size = SIZE, .etag = "\"one\"", .cut_first = 1, .cut = 60000, .stall = true };
    download d = { .path = scratch("file"), .pause = 0.01, .stall_seconds = 1 };
    assert_int_equal(run(&d, &r, NULL), BERT_OK);
    assert_whole(BODY, SIZE);
    assert_int_equal(r.hits, 2);
}

static void a_transfer_that_always_breaks_fails_and_can_be_resumed(void **state)
{
    (void)state;
    bert_err err;
    route r = { .body = BODY, .size = SIZE, .etag = "\"one\"", .cut_first = 5, .cut = 10000 };
    download d = { .path = scratch("file"), .pause = 0.01 };
    assert_int_equal(run(&d, &r, &err), BERT_ERR_NETWORK);
    assert_non_null(strstr(err.message, "/file: transfer closed with 150000 bytes remaining to read (tried 5 times)"));
    assert_false(file_exists(scratch("file")));
    route again = { .body = BODY, .size = SIZE, .etag = "\"one\"" };
    d.url = NULL;
    assert_int_equal(run(&d, &again, NULL), BERT_OK);
    assert_whole(BODY, SIZE);
    assert_int_equal(again.sent, SIZE - 50000);
}

static void a_server_in_trouble_is_asked_again(void **state)
{
    (void)state;
    route r = { .body = "text", .fail_first = 2 };
    download d = { .path = scratch("file"), .pause = 0.01 };
    assert_int_equal(run(&d, &r, NULL), BERT_OK);
    assert_whole("text", 4);
    assert_int_equal(r.hits, 3);
}

static void statuses_are_told(void **state)
{
    (void)state;
    static const struct {
        int status, hits;
        const char *words;
    } CASES[] = {
        { 500, 5, "the server answered 500 (tried 5 times)" },
        { 429, 5, "the server answered 429 (too many requests) (tried 5 times)" },
        { 404, 1, "the server answered 404 (not found)" },
        { 401, 1, "the server answered 401 (not allowed: private, gated or not there; a token goes into HF_TOKEN)" },
        { 204, 1, "the server answered 204" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_err err;
        route r = { .body = CASES[i].status == 204 ? "" : "a page about an error", .status = CASES[i].status };
        download d = { .path = scratch("file"), .pause = 0.01 };
        assert_int_equal(run(&d, &r, &err), BERT_ERR_NETWORK);
        assert_string_equal(err.message, message(CASES[i].words));
        assert_int_equal(r.hits, CASES[i].hits);
        assert_false(file_exists(scratch("file")));
        assert_false(file_exists(scratch("file.part")));
    }
}

static void an_optional_file_may_be_missing(void **state)
{
    (void)state;
    route r = { .body = "nothing here", .status = 404 };
    download d = { .path = scratch("file"), .optional = true };
    assert_int_equal(run(&d, &r, NULL), BERT_OK);
    assert_true(d.missing);
    assert_false(file_exists(scratch("file")));
}

static void a_wrong_checksum_is_told(void **state)
{
    (void)state;
    bert_err err;
    char words[512];
    route r = { .body = "text" };
    download d = { .path = scratch("file"),
                   .expected = "00000000000000000000000000000000000000000000000000000000000000aa" };
    assert_int_equal(run(&d, &r, &err), BERT_ERR_NETWORK);
    snprintf(words, sizeof words,
             "SHA-256 is 982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1, expected %s", d.expected);
    assert_string_equal(err.message, message(words));
    assert_int_equal(r.hits, 1);
    assert_false(file_exists(scratch("file")));
    assert_false(file_exists(scratch("file.part")));
}

static void the_hubs_tags_are_checksums(void **state)
{
    (void)state;
    bert_err err;
    /* SHA-256 and git hash-object of "text" */
    static const char *const RIGHT[] = { "\"982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1\"",
                                         "W/\"f3a34851d44d6b97c90fbb99dd3d18c261b9a237\"" };
    for (int i = 0; i < 2; i++) {
        route r = { .body = "text", .etag = RIGHT[i] }, wrong = { .body = "test", .etag = RIGHT[i] };
        download d = { .path = scratch("file"), .from_hub = true };
        assert_int_equal(run(&d, &r, &err), BERT_OK);
        assert_whole("text", 4);
        unlink(d.path);
        d.url = NULL;
        assert_int_equal(run(&d, &wrong, &err), BERT_ERR_NETWORK);
        assert_non_null(
            strstr(err.message,
                   i == 0 ? "SHA-256 is 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08, expected 982d"
                          : "git SHA-1 is 30d74d258442c7c65512eafab474568dd706c430, expected f3a3"));
        route other = { .body = "test", .etag = RIGHT[i] }; /* elsewhere a tag of 64 digits may be anything */
        d = (download){ .path = scratch("file") };
        assert_int_equal(run(&d, &other, &err), BERT_OK);
        unlink(d.path);
    }
}

static void a_resumed_file_with_a_wrong_checksum_is_fetched_anew(void **state)
{
    (void)state;
    char hex[SHA256_HEX];
    sha256_hex(BODY, SIZE, hex);
    route r = { .body = BODY, .size = SIZE, .etag = "\"one\"" };
    download d = { .path = scratch("file"), .expected = hex, .pause = 0.01 };
    leave_part(1000, "\"one\"");
    file_write_whole(scratch("file.part"), "not the first bytes", 19, NULL);
    assert_int_equal(run(&d, &r, NULL), BERT_OK);
    assert_whole(BODY, SIZE);
    assert_int_equal(r.hits, 2);
}

static void what_is_there_and_whole_is_kept(void **state)
{
    (void)state;
    static const char *const TAGS[] = { "\"982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1\"",
                                        "\"f3a34851d44d6b97c90fbb99dd3d18c261b9a237\"", NULL };
    for (int i = 0; i < 3; i++) {
        route r = { .body = "text", .linked_etag = TAGS[i] };
        download d = { .path = scratch("file"), .from_hub = true };
        file_write_whole(d.path, "text", 4, NULL);
        assert_int_equal(run(&d, &r, NULL), BERT_OK);
        assert_true(d.kept);
        assert_whole("text", 4);
        route changed = { .body = "other",
                          .linked_etag = i == 0 ? "\"d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa\""
                                                : NULL };
        d.url = NULL;
        assert_int_equal(run(&d, &changed, NULL), BERT_OK);
        assert_false(d.kept);
        assert_whole("other", 5);
    }
}

static void a_token_goes_to_the_first_host_alone(void **state)
{
    (void)state;
    char elsewhere[256];
    route r[] = { { .path = "/file", .location = elsewhere, .etag = "\"a tag of the redirect\"" },
                  { .path = "/here", .body = "text" },
                  { .path = "/there", .body = "text" } };
    server_start(&server, r, 3);
    download d = of_file();
    d.bearer = "secret-token";
    snprintf(elsewhere, sizeof elsewhere, "http://localhost:%d/there", server.port);
    assert_int_equal(download_file(&d, NULL), BERT_OK);
    assert_non_null(strstr(r[0].request, "Authorization: Bearer secret-token\r\n"));
    assert_int_equal(r[2].hits, 1);
    assert_null(strstr(r[2].request, "secret"));
    snprintf(elsewhere, sizeof elsewhere, "/here"); /* the same host keeps it */
    assert_int_equal(download_file(&d, NULL), BERT_OK);
    assert_non_null(strstr(r[1].request, "Authorization: Bearer secret-token\r\n"));
    server_stop(&server);
    assert_whole("text", 4);
}

/* A store that the hub redirects to has tags of its own; the hub's stands on the redirect. */
static void a_stores_tag_is_no_checksum(void **state)
{
    (void)state;
    static const char TAG[] = "\"00000000000000000000000000000000000000000000000000000000000000aa\"";
    char elsewhere[256];
    route r[] = { { .path = "/file",
                    .location = elsewhere,
                    .linked_etag = "\"982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1\"" },
                  { .path = "/there", .body = "text", .etag = TAG } };
    server_start(&server, r, 2);
    snprintf(elsewhere, sizeof elsewhere, "http://localhost:%d/there", server.port);
    download d = of_file();
    d.from_hub = true;
    assert_int_equal(download_file(&d, NULL), BERT_OK);
    r[0].linked_etag = NULL;
    unlink(d.path);
    assert_int_equal(download_file(&d, NULL), BERT_OK);
    r[0].linked_etag = TAG;
    bert_err err;
    assert_int_equal(download_file(&d, &err), BERT_ERR_NETWORK);
    assert_non_null(strstr(err.message, "SHA-256 is 982d"));
    server_stop(&server);
    assert_whole("text", 4); /* the one that was there */
}

static void a_token_with_a_line_break_is_refused(void **state)
{
    (void)state;
    bert_err err;
    route r = { .body = "text" };
    download d = { .path = scratch("file"), .bearer = "token\r\nX-Evil: 1" };
    assert_int_equal(run(&d, &r, &err), BERT_ERR_ARGUMENT);
    assert_non_null(strstr(err.message, "the token for http://127.0.0.1:"));
    assert_int_equal(r.hits, 0);
}

static void other_protocols_are_refused(void **state)
{
    (void)state;
    bert_err err;
    download d = { .url = "file:///etc/passwd", .path = scratch("file") };
    assert_int_equal(download_file(&d, &err), BERT_ERR_ARGUMENT);
    assert_string_equal(err.message, "file:///etc/passwd: not an http:// or https:// address");
    route r = { .location = "file:///etc/passwd" };
    d = (download){ .path = scratch("file"), .pause = 0.01 };
    assert_int_equal(run(&d, &r, &err), BERT_ERR_NETWORK);
    assert_non_null(strstr(err.message, "Protocol \"file\""));
    assert_false(file_exists(scratch("file")));
}

static void a_circle_of_redirects_ends(void **state)
{
    (void)state;
    bert_err err;
    route r = { .location = "/file" };
    download d = { .path = scratch("file") };
    assert_int_equal(run(&d, &r, &err), BERT_ERR_NETWORK);
    assert_non_null(strstr(err.message, "Maximum (10) redirects followed"));
}

static void nobody_at_the_port_is_told_at_once(void **state)
{
    (void)state;
    bert_err err;
    route r = { .path = "/file" };
    server_start(&server, &r, 1);
    download d = of_file();
    server_stop(&server);
    assert_int_equal(download_file(&d, &err), BERT_ERR_NETWORK);
    assert_non_null(strstr(err.message, "/file: Failed to connect to 127.0.0.1 port "));
    assert_null(strstr(err.message, "tried"));
    assert_false(file_exists(scratch("file.part")));
}

/* The last figures that a download told. */
typedef struct figures {
    char file[64];
    uint64_t done, total, stop_at;
} figures;

static bool keep_figures(void *context, const char *file, uint64_t done, uint64_t total)
{
    figures *f = context;
    snprintf(f->file, sizeof f->file, "%s", file);
    f->done = done;
    f->total = total;
    return done < f->stop_at;
}

static void progress_counts_resumed_bytes_and_may_stop(void **state)
{
    (void)state;
    bert_err err;
    figures f = { .stop_at = UINT64_MAX };
    route r = { .body = BODY, .size = SIZE, .etag = "\"one\"" }, again = r;
    download d = { .path = scratch("file"), .progress = keep_figures, .context = &f };
    leave_part(150000, "\"one\"");
    assert_int_equal(run(&d, &r, NULL), BERT_OK);
    assert_string_equal(f.file, "file");
    assert_int_equal(f.done, SIZE);
    assert_int_equal(f.total, SIZE);
    unlink(d.path);
    f.stop_at = 1;
    d.url = NULL;
    assert_int_equal(run(&d, &again, &err), BERT_ERR_STOPPED);
    assert_string_equal(err.message, message("stopped"));
    assert_false(file_exists(scratch("file")));
}

/* In a process of its own, which may write files of 100,000 bytes at most. */
static void a_full_disk_is_told(void **state)
{
    (void)state;
    route r = { .path = "/file", .body = BODY, .size = SIZE, .etag = "\"one\"" };
    server_start(&server, &r, 1);
    download d = of_file();
    char expected[600];
    snprintf(expected, sizeof expected, "%s.part: cannot write: File too large", d.path);
    pid_t pid = fork();
    if (pid == 0) {
        bert_err err = { 0 };
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 100000, 100000 });
        bert_status s = download_file(&d, &err);
        _exit(s == BERT_ERR_IO && !strcmp(err.message, expected) ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_false(file_exists(d.path));
    assert_int_equal(download_file(&d, NULL), BERT_OK); /* when there is room again */
    server_stop(&server);
    assert_whole(BODY, SIZE);
}

static void a_folder_that_is_not_there_is_told(void **state)
{
    (void)state;
    bert_err err;
    char expected[600];
    download d = { .url = "http://127.0.0.1:1/file", .path = scratch("none/file") };
    snprintf(expected, sizeof expected, "%s.part: cannot write: No such file or directory", d.path);
    assert_int_equal(download_file(&d, &err), BERT_ERR_IO);
    assert_string_equal(err.message, expected);
}

static void several_processes_may_fetch_one_file(void **state)
{
    (void)state;
    route r = { .path = "/file", .body = BODY, .size = SIZE, .etag = "\"one\"" };
    server_start(&server, &r, 1);
    download d = of_file();
    pid_t pids[4];
    for (int i = 0; i < 4; i++)
        if ((pids[i] = fork()) == 0)
            _exit(download_file(&d, NULL) ? 1 : 0);
    for (int i = 0; i < 4; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    server_stop(&server);
    assert_whole(BODY, SIZE);
}

int main(void)
{
    for (size_t i = 0; i < SIZE; i++)
        BODY[i] = (char)(i * i >> 7);
#define IN_FOLDER(test) in_a_folder(test)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_file_arrives_whole),
        IN_FOLDER(an_empty_file_arrives),
        IN_FOLDER(a_file_of_untold_length_arrives),
        IN_FOLDER(what_is_half_there_is_resumed),
        IN_FOLDER(a_file_that_changed_is_fetched_from_its_start),
        IN_FOLDER(bytes_of_unknown_origin_are_not_resumed),
        IN_FOLDER(a_part_that_is_not_the_rest_is_not_glued_on),
        IN_FOLDER(a_part_that_nobody_asked_for_is_refused),
        IN_FOLDER(a_body_without_end_stops_and_its_part_is_removed),
        IN_FOLDER(a_server_that_drips_times_out),
        IN_FOLDER(signals_do_not_end_a_download),
        IN_FOLDER(a_server_without_ranges_is_read_from_the_start),
        IN_FOLDER(a_broken_transfer_is_taken_up_where_it_broke),
        IN_FOLDER(a_stalled_transfer_is_taken_up),
        IN_FOLDER(a_transfer_that_always_breaks_fails_and_can_be_resumed),
        IN_FOLDER(a_server_in_trouble_is_asked_again),
        IN_FOLDER(statuses_are_told),
        IN_FOLDER(an_optional_file_may_be_missing),
        IN_FOLDER(a_wrong_checksum_is_told),
        IN_FOLDER(the_hubs_tags_are_checksums),
        IN_FOLDER(a_resumed_file_with_a_wrong_checksum_is_fetched_anew),
        IN_FOLDER(what_is_there_and_whole_is_kept),
        IN_FOLDER(a_token_goes_to_the_first_host_alone),
        IN_FOLDER(a_stores_tag_is_no_checksum),
        IN_FOLDER(a_token_with_a_line_break_is_refused),
        IN_FOLDER(other_protocols_are_refused),
        IN_FOLDER(a_circle_of_redirects_ends),
        IN_FOLDER(nobody_at_the_port_is_told_at_once),
        IN_FOLDER(progress_counts_resumed_bytes_and_may_stop),
        IN_FOLDER(a_full_disk_is_told),
        IN_FOLDER(a_folder_that_is_not_there_is_told),
        IN_FOLDER(several_processes_may_fetch_one_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

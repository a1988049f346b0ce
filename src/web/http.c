/* One HTTP(S) GET over libcurl, which is loaded for the first: it brings thirty libraries, a third of the time that a
 * command takes to start. */
#include "web/http.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { CONNECT_SECONDS = 20, STALL_SECONDS = 30, MOST_REDIRECTS = 10, MOST_TRIES = 5, LEAST_BYTES_A_SECOND = 256 };

/* What the callbacks share. */
typedef struct transfer {
    http_get *get;
    CURL *curl;
    bert_err *err;
    bert_status failed; /* `body` failed: err is filled */
    bool leaves;        /* the response that is being read redirects to another host */
    bool elsewhere;     /* the response that is being read comes from another host than the URL's */
} transfer;

#define LIBCURL "libcurl.so.4"
#define EVERY_CALL(X)                                                                    \
    X(global_init) X(easy_init) X(easy_setopt) X(easy_perform) X(easy_strerror) X(easy_cleanup) \
        X(slist_append) X(slist_free_all)

/* libcurl's functions, as long as the process lasts. */
static struct libcurl {
#define MEMBER(name) __typeof__(&curl_##name) name;
    EVERY_CALL(MEMBER)
} libcurl;

/* libcurl wants this once in a process, before any thread uses it. */
static bool loaded;
static CURLcode started = CURLE_FAILED_INIT;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void start(void)
{
    void *library = dlopen(LIBCURL, RTLD_NOW | RTLD_LOCAL);
    loaded = library;
#define FIND(name) loaded = loaded && (*(void **)&libcurl.name = dlsym(library, "curl_" #name)) != NULL;
    EVERY_CALL(FIND)
    if (loaded)
        started = libcurl.global_init(CURL_GLOBAL_DEFAULT);
}

bool http_is_address(const char *path)
{
    return !strncasecmp(path, "http://", 7) || !strncasecmp(path, "https://", 8);
}

void http_escape_path(buffer *b, const char *path)
{
    for (const unsigned char *p = (const unsigned char *)path; *p; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
                     strchr("-._~/", *p);
        if (plain)
            buffer_char(b, (char)*p);
        else
            buffer_printf(b, "%%%02X", *p);
    }
}

bert_status http_fail_status(const http_get *get, bert_err *err)
{
    static const struct {
        int status;
        const char *words;
    } WORDS[] = { { 401, " (not allowed: private, gated or not there; a token goes into HF_TOKEN)" },
                  { 403, " (not allowed: private or gated; a token goes into HF_TOKEN)" },
                  { 404, " (not found)" },
                  { 429, " (too many requests)" } };
    const char *words = "";
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (WORDS[i].status == get->response.status)
            words = WORDS[i].words;
    return fail(err, BERT_ERR_NETWORK, "%s: the server answered %d%s", get->url, get->response.status, words);
}

/* Copies a header's value without the white space around it; "" where it is too long. */
static void copy_value(char out[HTTP_ETAG], const char *value, size_t n)
{
    while (n && (*value == ' ' || *value == '\t'))
        value++, n--;
    while (n && strchr(" \t\r\n", value[n - 1]))
        n--;
    if (n >= HTTP_ETAG)
        n = 0;
    memcpy(out, value, n);
    out[n] = 0;
}

/* Takes W/ and the quotes from an entity tag: W/"abc" becomes abc. */
static void strip_etag(char out[HTTP_ETAG], const char *etag)
{
    if (!strncmp(etag, "W/", 2))
        etag += 2;
    size_t n = strlen(etag);
    if (n >= 2 && etag[0] == '"' && etag[n - 1] == '"')
        etag++, n -= 2;
    memcpy(out, etag, n);
    out[n] = 0;
}

/* True where a redirect's target is on the host of url: it begins with one slash, or with url's own scheme, host and
 * port. */
static bool stays(const char *url, const char *location, size_t m)
{
    while (m && (*location == ' ' || *location == '\t'))
        location++, m--;
    if (m >= 2 && location[0] == '/')
        return location[1] != '/';
    const char *host = strstr(url, "://") + 3;
    size_t n = (size_t)(host - url) + strcspn(host, "/?#");
    return m > n && !strncasecmp(location, url, n) && strchr("/?#\r\n", location[n]);
}

/* "FIRST-LAST/SIZE", "FIRST-LAST/" and a star; anything else is as if it was not told. */
static void http_read_range(http_response *r, const char *value)
{
    uint64_t first, last, size = HTTP_NO_LENGTH;
    int end = 0;
    if (sscanf(value, "%" SCNu64 "-%" SCNu64 "/%n", &first, &last, &end) != 2 || !end || last < first)
        return;
    if (strcmp(value + end, "*") && (sscanf(value + end, "%" SCNu64, &size) != 1 || last >= size))
        return;
    r->range_start = first;
    r->range_end = last;
    r->range_size = size;
}

/* One header line of a response. */
static void http_read_header(transfer *t, const char *line, size_t n)
{
    http_response *r = &t->get->response;
    const char *colon = memchr(line, ':', n);
    if (!colon)
        return;
    size_t name = (size_t)(colon - line);
    char value[HTTP_ETAG];
    copy_value(value, colon + 1, n - name - 1);
    if (name == 4 && !strncasecmp(line, "etag", 4)) {
        memcpy(r->etag, value, sizeof value);
        /* A store that was redirected to has tags of its own making: only the hub's own are checksums. */
        if (!t->elsewhere && !*r->hub_etag && r->status / 100 == 2)
            strip_etag(r->hub_etag, value);
    } else if (name == 13 && !strncasecmp(line, "x-linked-etag", 13)) {
        strip_etag(r->hub_etag, value);
    } else if (name == 14 && !strncasecmp(line, "content-length", 14)) {
        r->length = strtoull(value, NULL, 10);
    } else if (name == 13 && !strncasecmp(line, "content-range", 13) && !strncasecmp(value, "bytes ", 6)) {
        http_read_range(r, value + 6);
    } else if (name == 8 && !strncasecmp(line, "location", 8)) {
        t->leaves = !stays(t->get->url, colon + 1, n - name - 1);
    }
}

/* libcurl gives the headers line by line, those of redirects first; the status line begins and an empty line ends each
 * response. */
static size_t on_header(char *line, size_t size, size_t count, void *context)
{
    transfer *t = context;
    http_response *r = &t->get->response;
    size_t n = size * count;
    if (n >= 5 && !memcmp(line, "HTTP/", 5)) {
        t->elsewhere |= t->leaves;
        const char *space = memchr(line, ' ', n);
        r->status = space ? (int)strtol(space, NULL, 10) : 0;
        r->length = HTTP_NO_LENGTH;
        r->range_start = r->range_end = r->range_size = HTTP_NO_LENGTH;
        r->etag[0] = 0;
    } else if (n <= 2 && r->status >= 200) {
        if (t->get->headers && !t->get->headers(t->get->context, r)) {
            t->get->finished = true;
            return 0;
        }
    } else {
        http_read_header(t, line, n);
    }
    return n;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    transfer *t = context;
    size_t n = size * count;
    bert_err err = { 0 };
    if (t->get->body(t->get->context, &t->get->response, bytes, n, &err))
        return n;
    t->failed = fail(t->err, err.code, "%s", err.message);
    return 0;
}

static int http_on_progress(void *context, curl_off_t total, curl_off_t done, curl_off_t up_total, curl_off_t up)
{
    transfer *t = context;
    (void)up_total, (void)up;
    return !t->get->progress(t->get->context, done > 0 ? (uint64_t)done : 0, total > 0 ? (uint64_t)total : 0);
}

static bool is_printable(const char *s)
{
    for (; *s; s++)
        if (*s <= ' ' || *s > '~')
            return false;
    return true;
}

/* The headers that the request carries beside libcurl's own; NULL with *s set where one cannot be made. */
static struct curl_slist *request_headers(const http_get *get, bert_status *s, bert_err *err)
{
    buffer line = { 0 };
    struct curl_slist *list = NULL;
    if (get->bearer && !is_printable(get->bearer)) {
        *s = fail(err, BERT_ERR_ARGUMENT, "the token for %s holds spaces or control characters", get->url);
        return NULL;
    }
    /* libcurl leaves an Authorization header out of what it sends to another host, port or protocol. */
    const char *pairs[2][2] = { { "Authorization: Bearer ", get->bearer },
                                { "If-Range: ", get->range ? get->if_range : NULL } };
    for (int i = 0; i < 2; i++) {
        if (!pairs[i][1])
            continue;
        buffer_clear(&line);
        buffer_printf(&line, "%s%s", pairs[i][0], pairs[i][1]);
        struct curl_slist *longer = line.failed ? NULL : libcurl.slist_append(list, line.data);
        if (!longer) {
            *s = fail_memory(err, "a request's headers");
            break;
        }
        list = longer;
    }
    buffer_free(&line);
    return list;
}

static void allow_protocols(CURL *curl, bool secure)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    libcurl.easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    libcurl.easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
#else
    libcurl.easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
    libcurl.easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS,
                     (long)(secure ? CURLPROTO_HTTPS : CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

static void transfer_set_up(transfer *t, struct curl_slist *headers, char words[CURL_ERROR_SIZE])
{
    const http_get *get = t->get;
    CURL *c = t->curl;
    libcurl.easy_setopt(c, CURLOPT_URL, get->url);
    allow_protocols(c, !strncasecmp(get->url, "https:", 6));
    libcurl.easy_setopt(c, CURLOPT_ERRORBUFFER, words);
    libcurl.easy_setopt(c, CURLOPT_USERAGENT, "libbert/" BERT_VERSION);
    libcurl.easy_setopt(c, CURLOPT_NOSIGNAL, 1L); /* signals belong to the program */
    libcurl.easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
    libcurl.easy_setopt(c, CURLOPT_MAXREDIRS, (long)MOST_REDIRECTS);
    libcurl.easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    libcurl.easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)LEAST_BYTES_A_SECOND);
    libcurl.easy_setopt(c, CURLOPT_LOW_SPEED_TIME, get->stall_seconds ? get->stall_seconds : (long)STALL_SECONDS);
    libcurl.easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    libcurl.easy_setopt(c, CURLOPT_RANGE, get->range);
    libcurl.easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
    libcurl.easy_setopt(c, CURLOPT_HEADERDATA, t);
    libcurl.easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    libcurl.easy_setopt(c, CURLOPT_WRITEDATA, t);
    if (get->progress) {
        libcurl.easy_setopt(c, CURLOPT_XFERINFOFUNCTION, http_on_progress);
        libcurl.easy_setopt(c, CURLOPT_XFERINFODATA, t);
        libcurl.easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    }
}

/* True for failures that the next try may not meet. A name that does not resolve and a refused connection are not among
 * them. */
static bool may_pass(CURLcode code)
{
    static const CURLcode PASSING[] = { CURLE_OPERATION_TIMEDOUT, CURLE_PARTIAL_FILE, CURLE_RECV_ERROR,
                                        CURLE_SEND_ERROR,         CURLE_GOT_NOTHING,  CURLE_HTTP2,
                                        CURLE_HTTP2_STREAM };
    for (size_t i = 0; i < sizeof PASSING / sizeof *PASSING; i++)
        if (code == PASSING[i])
            return true;
    return false;
}

/* What became of the transfer. */
static bert_status judge(transfer *t, CURLcode code, const char *words)
{
    http_get *get = t->get;
    if (t->failed)
        return t->failed;
    if (code == CURLE_OK || get->finished) {
        int status = get->response.status;
        get->retry = status == 408 || status == 429 || status >= 500;
        return BERT_OK;
    }
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return fail(t->err, BERT_ERR_STOPPED, "%s: stopped", get->url);
    if (code == CURLE_OUT_OF_MEMORY)
        return fail_memory(t->err, get->url);
    get->retry = may_pass(code);
    return fail(t->err, BERT_ERR_NETWORK, "%s: %s", get->url, *words ? words : libcurl.easy_strerror(code));
}

bert_status http_get_run(http_get *get, bert_err *err)
{
    get->response = (http_response){ .length = HTTP_NO_LENGTH,
                                     .range_start = HTTP_NO_LENGTH,
                                     .range_end = HTTP_NO_LENGTH,
                                     .range_size = HTTP_NO_LENGTH };
    get->finished = get->retry = false;
    if (!http_is_address(get->url))
        return fail(err, BERT_ERR_ARGUMENT, "%s: not an http:// or https:// address", get->url);
    pthread_once(&once, start);
    if (!loaded)
        return fail(err, BERT_ERR_UNSUPPORTED, "%s: a download needs libcurl, and there is no " LIBCURL " here",
                    get->url);
    if (started != CURLE_OK)
        return fail(err, BERT_ERR_NETWORK, "libcurl does not start: %s", libcurl.easy_strerror(started));

    bert_status s = BERT_OK;
    char words[CURL_ERROR_SIZE] = "";
    transfer t = { .get = get, .err = err };
    struct curl_slist *headers = request_headers(get, &s, err);
    if (!s && !(t.curl = libcurl.easy_init()))
        s = fail_memory(err, get->url);
    if (!s) {
        transfer_set_up(&t, headers, words);
        CURLcode code = libcurl.easy_perform(t.curl);
        s = judge(&t, code, words);
    }
    if (t.curl)
        libcurl.easy_cleanup(t.curl);
    libcurl.slist_free_all(headers);
    return s;
}

static void pause_seconds(double seconds)
{
    struct timespec t = { (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9) };
    while (nanosleep(&t, &t) && errno == EINTR)
        ;
}

bert_status http_retry(bert_status (*try_once)(void *context, bool *retry, bert_err *err), void *context, double pause,
                       bert_err *err)
{
    if (pause <= 0)
        pause = 0.5;
    for (int i = 1;; i++, pause *= 2) {
        bool retry = false;
        bert_status s = try_once(context, &retry, err);
        if (!s || !retry)
            return s;
        if (i == MOST_TRIES) {
            size_t n = err ? strlen(err->message) : 0;
            if (err)
                snprintf(err->message + n, sizeof err->message - n, " (tried %d times)", i);
            return s;
        }
        pause_seconds(pause);
    }
}

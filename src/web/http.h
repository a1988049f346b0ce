/* One HTTP(S) GET over libcurl. download.h makes whole files of it; hub.c reads a listing with it. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_ETAG = 256 }; /* entity tags beyond this are taken as absent */

/* What a response's headers said. */
typedef struct http_response {
    int status;      /* of the last response, after redirects; 0: none came */
    uint64_t length; /* of the body; HTTP_NO_LENGTH where not told */
    /* Status 206: the first and the last byte of the body in the file, and the file's size; HTTP_NO_LENGTH where not
     * told. */
    uint64_t range_start, range_end, range_size;
    char etag[HTTP_ETAG]; /* the last response's, as sent, quotes included; "" where there is none */
    /* X-Linked-Etag of any response, else ETag if the first host answered itself; without W/ and quotes */
    char hub_etag[HTTP_ETAG];
} http_response;
#define HTTP_NO_LENGTH UINT64_MAX

typedef struct http_get {
    const char *url;
    const char *bearer;   /* a token, sent to the URL's host alone; NULL: none */
    const char *range;    /* "100-": ask for this part of the body; NULL: all */
    const char *if_range; /* ... as long as the entity tag is still this one */
    long stall_seconds;   /* give up when hardly anything has come for so long; 0: 30 */

    /* Called when a response's headers are read, redirects too; false ends the transfer with `finished`. NULL: none. */
    bool (*headers)(void *context, const http_response *response);
    /* Called with the bytes of the last response's body, whatever its status; false (err filled) ends the transfer. */
    bool (*body)(void *context, const http_response *response, const void *bytes, size_t n, bert_err *err);
    /* Called now and then with the bytes of the body so far; false stops. NULL: none. */
    bool (*progress)(void *context, uint64_t done, uint64_t total);
    void *context;

    http_response response;
    bool finished; /* `headers` had seen enough */
    bool retry;    /* it failed by something that may pass: a broken or stalled transfer, a status of 408, 429 or 5xx */
} http_get;

/* Runs one transfer. BERT_OK also for a status of 400 and more, 5xx included: the caller judges. Fails with
 * BERT_ERR_NETWORK, BERT_ERR_ARGUMENT (no http or https address; a token with control characters), BERT_ERR_STOPPED,
 * BERT_ERR_MEMORY, and what `body` failed with. */
bert_status http_get_run(http_get *get, bert_err *err);

/* Calls try_once until it succeeds, leaves *retry false, or has failed five times; the message then says so. The pauses
 * between begin with `pause` seconds (0: 0.5) and double. */
bert_status http_retry(bert_status (*try_once)(void *context, bool *retry, bert_err *err), void *context, double pause,
                       bert_err *err);

/* True for an address that begins with http:// or https://. */
bool http_is_address(const char *path);

/* Appends one path of a URL, each byte that may not stand there as %XX; '/' is kept. */
void http_escape_path(buffer *b, const char *path);

/* The failure that a status means: "URL: the server answered 404 (not found)". */
bert_status http_fail_status(const http_get *get, bert_err *err);

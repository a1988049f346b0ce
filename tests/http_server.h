/* An HTTP server for tests: on 127.0.0.1, a port of its own, one thread, one answer a connection. Each route is a
 * canned behaviour and keeps what it saw. Read by tests that use all of its functions. */
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct route {
    const char *path; /* what is asked for: "/file" */
    const char *body;
    size_t size;             /* 0: strlen(body) */
    const char *etag;        /* with its quotes; NULL: none */
    const char *linked_etag; /* X-Linked-Etag */
    const char *location;    /* 302 to there */
    int status;              /* 0: 200, or 206 for a range */
    int fail_first;          /* this many answers are 500 */
    int cut_first;           /* this many answers end after `cut` bytes of the body */
    size_t cut;
    bool stall; /* a cut answer does not end the connection: it waits for the client to give up */
    bool no_ranges, no_length;
    const char *content_range; /* what is said of a part, instead of the truth */
    const char *part_etag;     /* the tag that a part is sent under */
    bool endless;              /* the body comes again and again */
    bool slow;                 /* a byte of it at a time, ten a second */

    int hits;           /* requests seen */
    size_t sent;        /* bytes of bodies sent */
    char request[4096]; /* the last request's head */
} route;

typedef struct http_server {
    int fd, port;
    route *routes;
    size_t n;
    pthread_t thread;
} http_server;

static void send_all(int fd, const char *bytes, size_t n)
{
    while (n) {
        ssize_t k = send(fd, bytes, n, MSG_NOSIGNAL);
        if (k <= 0)
            return;
        bytes += k, n -= (size_t)k;
    }
}

static void wait_for_close(int fd)
{
    char c;
    while (recv(fd, &c, 1, 0) > 0)
        ;
}

/* The first byte asked for: that of a Range whose If-Range, if any, still holds. */
static size_t range_of(const route *r, size_t size)
{
    const char *range = strstr(r->request, "\r\nRange: bytes="), *if_range = strstr(r->request, "\r\nIf-Range: ");
    if (!range || r->no_ranges)
        return 0;
    if (if_range && (!r->etag || strncmp(if_range + 12, r->etag, strlen(r->etag))))
        return 0;
    size_t from = strtoull(range + 15, NULL, 10);
    return from < size ? from : 0;
}

static void answer(int fd, route *r)
{
    size_t size = r->size ? r->size : r->body ? strlen(r->body) : 0, from = range_of(r, size), n = size - from;
    int status = r->location ? 302 : r->status ? r->status : from ? 206 : 200;
    bool fails = r->hits <= r->fail_first, cut = !fails && r->hits <= r->fail_first + r->cut_first;
    char head[4096];
    int k = snprintf(head, sizeof head, "HTTP/1.1 %d -\r\nConnection: close\r\n", fails ? 500 : status);
    if (!r->no_length)
        k += snprintf(head + k, sizeof head - (size_t)k, "Content-Length: %zu\r\n", n);
    if (r->content_range && status == 206)
        k += snprintf(head + k, sizeof head - (size_t)k, "Content-Range: %s\r\n", r->content_range);
    else if (from)
        k += snprintf(head + k, sizeof head - (size_t)k, "Content-Range: bytes %zu-%zu/%zu\r\n", from, size - 1, size);
    const char *pairs[3][2] = { { "ETag", status == 206 && r->part_etag ? r->part_etag : r->etag },
                                { "X-Linked-Etag", r->linked_etag },
                                { "Location", r->location } };
    for (int i = 0; i < 3; i++)
        if (pairs[i][1])
            k += snprintf(head + k, sizeof head - (size_t)k, "%s: %s\r\n", pairs[i][0], pairs[i][1]);
    k += snprintf(head + k, sizeof head - (size_t)k, "\r\n");
    send_all(fd, head, (size_t)k);
    if (cut && n > r->cut)
        n = r->cut;
    for (size_t i = 0; r->slow && i < n && send(fd, r->body + from + i, 1, MSG_NOSIGNAL) == 1; i++)
        usleep(100000);
    if (!r->slow)
        send_all(fd, r->body ? r->body + from : "", n);
    while (r->endless && send(fd, r->body, size, MSG_NOSIGNAL) > 0)
        ;
    r->sent += n;
    if (cut && r->stall)
        wait_for_close(fd);
}

static void serve(http_server *s, int fd)
{
    static const char NONE[] = "HTTP/1.1 404 -\r\nConnection: close\r\nContent-Length: 9\r\n\r\nnot here\n";
    char request[4096], path[1024];
    size_t n = 0;
    request[0] = 0;
    while (n < sizeof request - 1 && !strstr(request, "\r\n\r\n")) {
        ssize_t k = recv(fd, request + n, sizeof request - 1 - n, 0);
        if (k <= 0)
            return;
        n += (size_t)k;
        request[n] = 0;
    }
    if (sscanf(request, "GET %1023s", path) != 1)
        return;
    for (size_t i = 0; i < s->n; i++)
        if (!strcmp(s->routes[i].path, path) ||
            (strlen(s->routes[i].path) == strcspn(path, "?") && strstr(path, s->routes[i].path) == path)) {
            memcpy(s->routes[i].request, request, n + 1);
            s->routes[i].hits++;
            answer(fd, &s->routes[i]);
            return;
        }
    send_all(fd, NONE, sizeof NONE - 1);
}

static void *serve_all(void *context)
{
    http_server *s = context;
    for (int fd; (fd = accept(s->fd, NULL, NULL)) >= 0;) {
        serve(s, fd);
        shutdown(fd, SHUT_WR);
        close(fd);
    }
    return NULL;
}

static void server_start(http_server *s, route *routes, size_t n)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    s->routes = routes;
    s->n = n;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&address, size) || listen(s->fd, 16) ||
        getsockname(s->fd, (struct sockaddr *)&address, &size) || pthread_create(&s->thread, NULL, serve_all, s)) {
        perror("a server on 127.0.0.1");
        exit(1);
    }
    s->port = ntohs(address.sin_port);
    setenv("no_proxy", "*", 1);
}

static void server_stop(http_server *s)
{
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
}

/* "http://127.0.0.1:PORT/path", in one of a few buffers that are used in turn. */
static const char *server_url(const http_server *s, const char *path)
{
    static char urls[8][256];
    static int next;
    char *url = urls[next++ % 8];
    snprintf(url, sizeof urls[0], "http://127.0.0.1:%d%s", s->port, path);
    return url;
}

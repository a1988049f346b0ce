/* A small strict reader of HTML: every element that is opened is closed in its order, but for those that have no end;
 * quotes are closed; "<", ">" and "&" stand for themselves nowhere; bytes are UTF-8. What browsers forgive, it does
 * not. */
#pragma once

#include "base/utf8.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* What is wrong, or NULL. */
static inline const char *html_fault(const char *html, size_t size)
{
    enum { DEPTH = 64, NAME = 24 };
    static char open[DEPTH][NAME], fault[256];
    static const char doctype[] = "<!DOCTYPE html>\n";
    size_t depth = 0, i = strlen(doctype);
    if (size < i || memcmp(html, doctype, i))
        return "no doctype";
    while (i < size) {
        bool style = depth && !strcmp(open[depth - 1], "style");
        if (html[i] == '>' && !style)
            return "a > in text";
        if (html[i] == '&' && !style) {
            size_t n = strspn(html + i + 1, "abcdefghijklmnopqrstuvwxyz#0123456789");
            if (!n || html[i + 1 + n] != ';')
                return "a & in text";
        }
        if (html[i] != '<') {
            uint32_t cp;
            size_t n = utf8_decode((const unsigned char *)html + i, size - i, &cp);
            if (!n || (cp < 0x20 && !isspace((int)cp)))
                return "a byte that is no text";
            i += n;
            continue;
        }
        bool closing = html[i + 1] == '/';
        const char *name = html + i + 1 + closing;
        size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789");
        const char *p = name + n;
        if (n == 0 || n >= NAME)
            return "a < in text";
        while (*p && *p != '>' && *p != '/') { /* name="value" */
            if (*p != ' ')
                return "no blank before an attribute";
            p += 1;
            size_t key = strspn(p, "abcdefghijklmnopqrstuvwxyzB-0123456789");
            p += key;
            if (!key || p[0] != '=' || p[1] != '"')
                return snprintf(fault, sizeof fault, "an attribute without quotes: %.40s", p), fault;
            p += 2 + strcspn(p + 2, "\"<");
            if (*p++ != '"')
                return "a quote that is left open";
        }
        bool empty = *p == '/';
        p += empty;
        if (*p != '>')
            return "a tag that is left open";
        bool endless = (n == 4 && !memcmp(name, "meta", 4));
        if (closing && (!depth || strlen(open[depth - 1]) != n || memcmp(open[depth - 1], name, n)))
            return snprintf(fault, sizeof fault, "</%.*s> where %s is open", (int)n, name,
                            depth ? open[depth - 1] : "nothing"),
                   fault;
        if (closing) {
            depth--;
        } else if (!empty && !endless) {
            if (depth == DEPTH)
                return "too deep";
            memcpy(open[depth], name, n);
            open[depth++][n] = 0;
        }
        i = (size_t)(p + 1 - html);
    }
    return depth ? snprintf(fault, sizeof fault, "%s is left open", open[depth - 1]), fault : NULL;
}

/* How often a string occurs. */
static inline size_t occurrences(const char *text, const char *what)
{
    size_t n = 0;
    for (const char *p = text; (p = strstr(p, what)); p += strlen(what))
        n++;
    return n;
}

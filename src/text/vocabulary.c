/* The file is copied once; tokens point into the copy. */
#include "text/vocabulary.h"

#include "base/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What Python's str.strip takes away. */
static bool is_python_space(uint32_t cp)
{
    return (cp >= 0x09 && cp <= 0x0D) || (cp >= 0x1C && cp <= 0x20) || cp == 0x85 || cp == 0xA0 || cp == 0x1680 ||
           (cp >= 0x2000 && cp <= 0x200A) || cp == 0x2028 || cp == 0x2029 || cp == 0x202F || cp == 0x205F ||
           cp == 0x3000;
}

static bert_text strip_start(bert_text line)
{
    uint32_t cp;
    while (line.size) {
        size_t length = utf8_decode((const unsigned char *)line.data, line.size, &cp);
        if (!length || !is_python_space(cp))
            break;
        line.data += length;
        line.size -= length;
    }
    return line;
}

static bert_text strip_end(bert_text line)
{
    uint32_t cp;
    while (line.size) {
        size_t length = 1; /* back to the first byte of the last character */
        while (length < 4 && length < line.size && ((unsigned char)line.data[line.size - length] & 0xC0) == 0x80)
            length++;
        if (utf8_decode((const unsigned char *)line.data + line.size - length, length, &cp) != length ||
            !is_python_space(cp))
            break;
        line.size -= length;
    }
    return line;
}

static size_t count_lines(const char *bytes, size_t size)
{
    size_t n = size && bytes[size - 1] != '\n';
    for (size_t i = 0; i < size; i++)
        n += bytes[i] == '\n';
    return n;
}

/* The size up to the end of the last line that is not blank. */
static size_t without_blank_end(const char *bytes, size_t size)
{
    bert_text all = strip_end((bert_text){ bytes, size });
    const char *end = all.size < size ? memchr(bytes + all.size, '\n', size - all.size) : NULL;
    return all.size == 0 ? 0 : end ? (size_t)(end - bytes) : size;
}

static bert_text token_of(const char *line, size_t length, bool strip)
{
    bert_text token = { line, length };
    if (strip)
        return strip_end(strip_start(token));
    token.size -= length && line[length - 1] == '\r';
    return token;
}

/* Points tokens into the copy, and ends each with a NUL where the line's end or white space stood. */
static void split_lines(vocabulary *v, size_t size, bool strip)
{
    char *line = v->bytes, *end = v->bytes + size;
    for (size_t i = 0; i < v->n; i++) {
        char *newline = memchr(line, '\n', (size_t)(end - line));
        size_t length = (size_t)((newline ? newline : end) - line);
        v->tokens[i] = token_of(line, length, strip);
        line[v->tokens[i].data - line + (ptrdiff_t)v->tokens[i].size] = '\0';
        line += length + 1;
    }
}

static bert_status make_trie(vocabulary *v, ready_trie ready, const char *name, bert_err *err)
{
    if (ready.nodes)
        return trie_use(&v->trie, ready, v->n)
                   ? BERT_OK
                   : fail(err, BERT_ERR_FORMAT, "%s: its trie of %zu nodes is damaged", name, ready.size);
    trie_key *keys = calloc(v->n, sizeof *keys);
    if (!keys)
        return fail_memory(err, name);
    for (size_t i = 0; i < v->n; i++)
        keys[i] = (trie_key){ (const unsigned char *)v->tokens[i].data, (uint32_t)v->tokens[i].size, (int32_t)i };
    bool fine = trie_build(&v->trie, keys, v->n);
    free(keys);
    return fine ? BERT_OK : fail_memory(err, name);
}

bert_status vocabulary_create(vocabulary *v, const char *bytes, size_t size, ready_trie ready, bool strip,
                              const char *name, bert_err *err)
{
    if (size >= INT32_MAX)
        return fail(err, BERT_ERR_FORMAT, "%s: %zu bytes; a vocabulary has less than 2 GiB", name, size);
    if (size >= 3 && !memcmp(bytes, "\xEF\xBB\xBF", 3)) {
        bytes += 3;
        size -= 3;
    }
    size = without_blank_end(bytes, size);
    if (!size)
        return fail(err, BERT_ERR_FORMAT, "%s: empty; a vocabulary has one token a line", name);
    v->n = count_lines(bytes, size);
    v->bytes = malloc(size + 1);
    v->tokens = calloc(v->n, sizeof *v->tokens);
    bert_status s = v->bytes && v->tokens ? BERT_OK : fail_memory(err, name);
    if (!s) {
        memcpy(v->bytes, bytes, size);
        split_lines(v, size, strip);
        s = make_trie(v, ready, name, err);
    }
    if (s)
        vocabulary_free(v);
    return s;
}

bert_status vocabulary_unpack(vocabulary *v, const packed_vocabulary *packed, ready_trie ready, const char *name,
                              bert_err *err)
{
    if (!packed->tokens.size)
        return fail(err, BERT_ERR_FORMAT, "%s: no token in the vocabulary", name);
    v->n = packed->n;
    v->bytes = malloc(packed->tokens.size + v->n);
    v->tokens = calloc(v->n, sizeof *v->tokens);
    char *to = v->bytes;
    for (size_t i = 0, from = 0; to && v->tokens && i < v->n; i++) {
        size_t end = load_le32(packed->ends + 4 * i), size = end - from;
        memcpy(to, packed->tokens.data + from, size);
        to[size] = 0;
        v->tokens[i] = (bert_text){ to, size };
        to += size + 1;
        from = end;
    }
    bert_status s = v->bytes && v->tokens ? make_trie(v, ready, name, err) : fail_memory(err, name);
    if (s)
        vocabulary_free(v);
    return s;
}

void vocabulary_free(vocabulary *v)
{
    trie_free(&v->trie);
    free(v->tokens);
    free(v->bytes);
    *v = (vocabulary){ 0 };
}

int32_t vocabulary_id(const vocabulary *v, const char *token, size_t size)
{
    if (!size)
        return -1;
    int32_t node = trie_walk(&v->trie, 0, (const unsigned char *)token, size);
    return node < 0 ? -1 : v->trie.nodes[node].id;
}

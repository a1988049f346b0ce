/* Tar archives for tests, honest and hostile: entries are added to a buffer, which is written through gzip. */
#pragma once

#include "base/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* A number as n octal digits. */
static void tar_octal(char *out, int n, unsigned long long value)
{
    for (; n--; value >>= 3)
        out[n] = (char)('0' + (value & 7));
}

/* The checksum of the header at the end of the buffer. */
static void tar_sum(buffer *tar)
{
    char *h = tar->data + tar->size - 512;
    unsigned sum = 0;
    memset(h + 148, ' ', 8);
    for (int i = 0; i < 512; i++)
        sum += (unsigned char)h[i];
    tar_octal(h + 148, 6, sum);
    h[154] = 0;
}

/* A header that claims `size` bytes, and none of them. */
static void tar_header_only(buffer *tar, char type, const char *name, unsigned long long size)
{
    char h[512] = "";
    memcpy(h, name, strnlen(name, 100));
    snprintf(h + 100, 8, "0000644");
    tar_octal(h + 124, 11, size);
    h[156] = type;
    memcpy(h + 257, "ustar\00000", 8);
    buffer_add(tar, h, sizeof h);
    tar_sum(tar);
}

static void tar_entry(buffer *tar, char type, const char *name, const char *bytes, size_t n)
{
    static const char ZERO[512];
    tar_header_only(tar, type, name, n);
    buffer_add(tar, bytes, n);
    buffer_add(tar, ZERO, (512 - n % 512) % 512);
}

static void tar_file(buffer *tar, const char *name, const char *text)
{
    tar_entry(tar, '0', name, text, strlen(text));
}

/* The archive, ended as tar ends one, as a .tar.gz at path; the buffer is freed. */
static void tar_write(buffer *tar, const char *path)
{
    static const char ZERO[1024];
    buffer_add(tar, ZERO, sizeof ZERO);
    gzFile gz = gzopen(path, "wb");
    if (tar->failed || !gz || gzwrite(gz, tar->data, (unsigned)tar->size) != (int)tar->size || gzclose(gz) != Z_OK) {
        perror(path);
        exit(1);
    }
    buffer_free(tar);
}

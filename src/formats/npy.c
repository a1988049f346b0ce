/* NumPy's .npy, version 1.0: a magic string, the version, the header's size, the header (a Python dict as text, padded
 * with spaces and a newline to a multiple of 64), the data. The number of rows is known at the end only, so the
 * header's room is fixed and it is written again then. */
#include "base/error.h"
#include "base/file.h"
#include "base/size.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bert_npy {
    file_writer writer;
    size_t rows, cols;
};

enum { NPY_START = 10 }; /* the header's text; it takes at most 110 bytes with two numbers of 20 digits */

void bert_npy_header(char header[BERT_NPY_HEADER], size_t rows, size_t cols)
{
    static const char start[] = "\x93NUMPY\x01\x00";
    memcpy(header, start, 8);
    header[8] = (char)(BERT_NPY_HEADER - NPY_START);
    header[9] = 0;
    int n = snprintf(header + NPY_START, BERT_NPY_HEADER - NPY_START,
                     "{'descr': '<f4', 'fortran_order': False, 'shape': (%zu, %zu), }", rows, cols);
    memset(header + NPY_START + n, ' ', BERT_NPY_HEADER - NPY_START - (size_t)n);
    header[BERT_NPY_HEADER - 1] = '\n';
}

static void npy_write_header(bert_npy *npy)
{
    char header[BERT_NPY_HEADER];
    bert_npy_header(header, npy->rows, npy->cols);
    file_write(&npy->writer, header, sizeof header);
}

bert_status bert_npy_create(const char *path, size_t cols, bert_npy **npy, bert_err *err)
{
    size_t bytes;
    *npy = NULL;
    if (cols == 0 || !mul_size(cols, sizeof(float), &bytes))
        return fail(err, BERT_ERR_ARGUMENT, "%s: rows of %zu numbers", path, cols);
    bert_npy *n = calloc(1, sizeof *n);
    if (!n)
        return fail_memory(err, path);
    bert_status s = file_create(&n->writer, path, err);
    if (s) {
        free(n);
        return s;
    }
    n->cols = cols;
    npy_write_header(n);
    *npy = n;
    return BERT_OK;
}

bert_status bert_npy_write(bert_npy *npy, const float *rows, size_t n, bert_err *err)
{
    size_t bytes, total;
    if (!mul_size(npy->cols * sizeof(float), n, &bytes) || !add_size(npy->rows, n, &total))
        return fail(err, BERT_ERR_ARGUMENT, "%s: %zu rows of %zu numbers", npy->writer.path, n, npy->cols);
    file_write(&npy->writer, rows, bytes);
    npy->rows = total;
    return file_failed(&npy->writer, err);
}

bert_status bert_npy_commit(bert_npy *npy, bert_err *err)
{
    if (!npy->writer.error && fseek(npy->writer.stream, 0, SEEK_SET))
        npy->writer.error = errno;
    npy_write_header(npy);
    bert_status s = file_commit(&npy->writer, err);
    free(npy);
    return s;
}

void bert_npy_abort(bert_npy *npy)
{
    if (!npy)
        return;
    file_abort(&npy->writer);
    free(npy);
}

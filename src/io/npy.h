/* NumPy's .npy, version 1.0: rows of float32 written as they come, the shape filled in at the end. */
#ifndef IO_NPY_H
#define IO_NPY_H
#include "base/file.h"
typedef struct npy_writer {
    file_writer file;
    size_t rows, cols;
} npy_writer;
bert_status npy_create(npy_writer *w, const char *path, size_t cols, bert_err *err);
void npy_write(npy_writer *w, const float *rows, size_t n);
bert_status npy_commit(npy_writer *w, bert_err *err);
void npy_abort(npy_writer *w);
#endif

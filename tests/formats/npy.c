/* .npy files: the bytes are those that NumPy's format description asks for. */
#include "bert.h"

#include "base/scratch.h"

#include <signal.h>
#include <sys/resource.h>

/* The header's text, and the floats behind it. */
static void assert_npy(const char *path, const char *shape, const float *values, size_t n)
{
    char text[256];
    file_mapping m;
    assert_works(file_map(&m, path, err));
    assert_memory_equal(m.data, "\x93NUMPY\x01\x00", 8);
    size_t header = m.data[8] + 256u * m.data[9];
    assert_int_equal((10 + header) % 64, 0);
    assert_int_equal(m.size, 10 + header + n * sizeof(float));
    int used = snprintf(text, sizeof text, "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }", shape);
    assert_memory_equal(m.data + 10, text, (size_t)used);
    for (size_t i = (size_t)used; i + 1 < header; i++)
        assert_int_equal(m.data[10 + i], ' ');
    assert_int_equal(m.data[10 + header - 1], '\n');
    if (n)
        assert_memory_equal(m.data + 10 + header, values, n * sizeof(float));
    file_unmap(&m);
}

static void rows_are_written_as_they_come(void **state)
{
    (void)state;
    bert_npy *npy;
    const float rows[9] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
    assert_works(bert_npy_create(scratch("v.npy"), 3, &npy, err));
    assert_works(bert_npy_write(npy, rows, 1, err));
    assert_works(bert_npy_write(npy, NULL, 0, err));
    assert_works(bert_npy_write(npy, rows + 3, 2, err));
    assert_false(file_exists(scratch("v.npy")));
    assert_works(bert_npy_commit(npy, err));
    assert_npy(scratch("v.npy"), "(3, 3)", rows, 9);
}

static void the_header_is_there_for_who_writes_the_rest(void **state)
{
    (void)state;
    bert_npy *npy;
    char header[BERT_NPY_HEADER];
    file_mapping m;
    const float rows[6] = { 0 };
    assert_works(bert_npy_create(scratch("v.npy"), 3, &npy, err));
    assert_works(bert_npy_write(npy, rows, 2, err));
    assert_works(bert_npy_commit(npy, err));
    bert_npy_header(header, 2, 3);
    assert_works(file_map(&m, scratch("v.npy"), err));
    assert_memory_equal(m.data, header, sizeof header);
    file_unmap(&m);
}

static void no_rows_are_a_file_too(void **state)
{
    (void)state;
    bert_npy *npy;
    assert_works(bert_npy_create(scratch("v.npy"), (size_t)1 << 61, &npy, err)); /* the header has room for it */
    assert_works(bert_npy_commit(npy, err));
    assert_npy(scratch("v.npy"), "(0, 2305843009213693952)", NULL, 0);
}

static void an_aborted_file_leaves_nothing(void **state)
{
    (void)state;
    bert_npy *npy;
    assert_works(bert_npy_create(scratch("v.npy"), 3, &npy, err));
    bert_npy_abort(npy);
    bert_npy_abort(NULL);
    assert_int_equal(scratch_entries(), 0);
}

static void what_cannot_be_written_is_an_error(void **state)
{
    (void)state;
    bert_npy *npy;
    const float x = 1;
    assert_fails(bert_npy_create(scratch("v.npy"), 0, &npy, err), BERT_ERR_ARGUMENT, "v.npy: rows of 0 numbers");
    assert_fails(bert_npy_create(scratch("v.npy"), SIZE_MAX / 2, &npy, err), BERT_ERR_ARGUMENT,
                 "v.npy: rows of 9223372036854775807 numbers");
    assert_fails(bert_npy_create(scratch("none/v.npy"), 3, &npy, err), BERT_ERR_IO,
                 "none/v.npy: cannot write: No such file or directory");
    assert_null(npy);
    assert_works(bert_npy_create(scratch("v.npy"), 3, &npy, err));
    assert_fails(bert_npy_write(npy, &x, SIZE_MAX / 2, err), BERT_ERR_ARGUMENT,
                 "v.npy: 9223372036854775807 rows of 3 numbers");
    bert_npy_abort(npy);
}

/* A disk that is full: the write or the commit says so, and no file is left. */
static void a_full_disk_is_an_error(void **state)
{
    (void)state;
    static const float rows[1 << 14];
    struct rlimit before, limit;
    bert_npy *npy;
    bert_err written = { 0 }, committed = { 0 };
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    limit = (struct rlimit){ 1000, before.rlim_max };
    setrlimit(RLIMIT_FSIZE, &limit);
    bert_status s = bert_npy_create(scratch("v.npy"), 1 << 14, &npy, NULL);
    bert_status write_status = s ? s : bert_npy_write(npy, rows, 1, &written);
    bert_status commit_status = s ? s : bert_npy_commit(npy, &committed);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    assert_int_equal(s, BERT_OK);
    assert_error(write_status, &written, BERT_ERR_IO, "v.npy: cannot write: File too large");
    assert_error(commit_status, &committed, BERT_ERR_IO, "v.npy: cannot write: File too large");
    assert_int_equal(scratch_entries(), 0);
}

#define IN_SCRATCH(test) in_a_folder(test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(rows_are_written_as_they_come),  IN_SCRATCH(no_rows_are_a_file_too),
        IN_SCRATCH(an_aborted_file_leaves_nothing), IN_SCRATCH(what_cannot_be_written_is_an_error),
        IN_SCRATCH(a_full_disk_is_an_error),        IN_SCRATCH(the_header_is_there_for_who_writes_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

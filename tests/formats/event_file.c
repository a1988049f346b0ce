/* TensorBoard's event files: framing, checksums and messages as they were written. tests/cli/report_tensorboard.sh
 * reads them with TensorBoard itself. */
#include "formats/event_file.h"

#include "base/scratch.h"

#include "base/checksum.h"
#include "base/size.h"
#include "event.pb-c.h"

#include <math.h>
#include <signal.h>
#include <sys/resource.h>

enum { MOST_EVENTS = 16 };

/* The events of a file. */
typedef struct event_list {
    TfEvent__Event *items[MOST_EVENTS];
    size_t n;
} event_list;

/* Walks over the records: a length, its checksum, the data, its checksum, and nothing behind the last. */
static void read_events(event_list *list, const char *path)
{
    file_mapping m;
    assert_works(file_map(&m, path, err));
    list->n = 0;
    for (size_t at = 0; at < m.size;) {
        const unsigned char *record = m.data + at;
        assert_true(m.size - at >= 16);
        uint64_t size = load_le64(record);
        assert_int_equal(load_le32(record + 8), crc32c_mask(crc32c(0, record, 8)));
        assert_true(size <= m.size - at - 16);
        assert_int_equal(load_le32(record + 12 + size), crc32c_mask(crc32c(0, record + 12, size)));
        assert_true(list->n < MOST_EVENTS);
        list->items[list->n] = tf_event__event__unpack(NULL, size, record + 12);
        assert_non_null(list->items[list->n]);
        list->n++;
        at += 16 + size;
    }
    file_unmap(&m);
}

static void free_events(event_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        tf_event__event__free_unpacked(list->items[i], NULL);
}

/* The path of the i-th file of a folder in the order of their names. */
static const char *event_path(const char *folder, size_t i)
{
    static char path[600];
    struct dirent **entries;
    int n = scandir(folder, &entries, NULL, alphasort);
    assert_true(n > (int)i + 2); /* . and .. stand before letters */
    snprintf(path, sizeof path, "%s/%s", folder, entries[i + 2]->d_name);
    while (n-- > 0)
        free(entries[n]);
    free(entries);
    return path;
}

static event_file *create(const char *folder, int64_t purge_step)
{
    event_file *e;
    assert_works(event_file_create(&e, folder, purge_step, err));
    return e;
}

/* The first record of every file is 24 bytes of data: a time and "brain.Event:2". Its length and that length's masked
 * checksum are constants; the latter is that of TensorBoard's masked_crc32c. */
static void a_file_begins_with_the_version(void **state)
{
    (void)state;
    event_list list;
    file_mapping m;
    assert_works(event_file_close(create(scratch("logs/train"), -1), err));
    const char *path = event_path(scratch("logs/train"), 0);
    assert_int_equal(strncmp(path_name(path), "events.out.tfevents.", 20), 0);
    assert_works(file_map(&m, path, err));
    static const unsigned char start[] = { 24, 0, 0, 0, 0, 0, 0, 0, 0xA3, 0x7F, 0x4B, 0x22, 0x09 };
    assert_int_equal(m.size, 40);
    assert_memory_equal(m.data, start, sizeof start);
    file_unmap(&m);
    read_events(&list, path);
    assert_int_equal(list.n, 1);
    assert_string_equal(list.items[0]->file_version, "brain.Event:2");
    assert_true(list.items[0]->wall_time > 1.6e9);
    free_events(&list);
}

static void scalars_keep_step_tag_and_value_even_zero_and_nan(void **state)
{
    (void)state;
    event_list list;
    event_file *e = create(scratch("logs"), -1);
    event_file_scalar(e, 7, "loss/train", 0.25);
    event_file_scalar(e, (int64_t)1 << 40, "accuracy", 0);
    event_file_scalar(e, 0, "loss/train", NAN);
    assert_works(event_file_flush(e, err));
    read_events(&list, event_path(scratch("logs"), 0));
    assert_int_equal(list.n, 4);
    static const struct {
        int64_t step;
        const char *tag;
        float value;
    } rows[] = { { 7, "loss/train", 0.25f }, { (int64_t)1 << 40, "accuracy", 0 }, { 0, "loss/train", NAN } };
    for (size_t i = 0; i < 3; i++) {
        const TfEvent__Event *event = list.items[i + 1];
        assert_int_equal(event->what_case, TF_EVENT__EVENT__WHAT_SUMMARY);
        assert_int_equal(event->summary->n_value, 1);
        const TfEvent__Summary__Value *v = event->summary->value[0];
        assert_int_equal(event->step, rows[i].step);
        assert_string_equal(v->tag, rows[i].tag);
        assert_int_equal(v->value_case, TF_EVENT__SUMMARY__VALUE__VALUE_SIMPLE_VALUE);
        assert_true(isnan(rows[i].value) ? isnan(v->simple_value) : v->simple_value == rows[i].value);
    }
    free_events(&list);
    assert_works(event_file_close(e, err));
}

static void a_text_is_a_tensor_of_one_string_for_the_text_plugin(void **state)
{
    (void)state;
    event_list list;
    event_file *e = create(scratch("logs"), -1);
    event_file_text(e, 3, "options", "| a | b |\n|---|---|\n| 1 | ü |");
    assert_works(event_file_close(e, err));
    read_events(&list, event_path(scratch("logs"), 0));
    assert_int_equal(list.n, 2);
    const TfEvent__Summary__Value *v = list.items[1]->summary->value[0];
    assert_int_equal(list.items[1]->step, 3);
    assert_string_equal(v->tag, "options");
    assert_string_equal(v->metadata->plugin_data->plugin_name, "text");
    assert_int_equal(v->value_case, TF_EVENT__SUMMARY__VALUE__VALUE_TENSOR);
    assert_int_equal(v->tensor->dtype, 7);
    assert_int_equal(v->tensor->tensor_shape->n_dim, 1);
    assert_int_equal(v->tensor->tensor_shape->dim[0]->size, 1);
    assert_int_equal(v->tensor->n_string_val, 1);
    assert_int_equal(v->tensor->string_val[0].len, strlen("| a | b |\n|---|---|\n| 1 | ü |"));
    assert_memory_equal(v->tensor->string_val[0].data, "| a | b |\n|---|---|\n| 1 | ü |", v->tensor->string_val[0].len);
    free_events(&list);
}

static void a_resumed_run_opens_a_second_file_that_leaves_out_later_steps(void **state)
{
    (void)state;
    event_list list;
    assert_works(event_file_close(create(scratch("logs"), -1), err));
    assert_works(event_file_close(create(scratch("logs"), 41), err));
    assert_int_equal(scratch_entries(), 1);
    read_events(&list, event_path(scratch("logs"), 1));
    assert_int_equal(list.n, 2);
    assert_int_equal(list.items[1]->what_case, TF_EVENT__EVENT__WHAT_SESSION_LOG);
    assert_int_equal(list.items[1]->session_log->status, 1);
    assert_int_equal(list.items[1]->step, 42);
    free_events(&list);
}

static void closing_nothing_is_fine(void **state)
{
    (void)state;
    assert_works(event_file_close(NULL, err));
}

static void a_folder_that_cannot_be_made_is_an_error(void **state)
{
    (void)state;
    event_file *e;
    scratch_text("file", "");
    assert_fails(event_file_create(&e, scratch("file/logs"), -1, err), BERT_ERR_IO,
                 "file: cannot make the folder: File exists");
    assert_null(e);
}

/* The disk ends within a record: the records before it can be read, and nothing follows the one that was cut off. */
static void a_full_disk_is_told_by_flush_and_by_close(void **state)
{
    (void)state;
    struct rlimit before, small = { 600, 600 };
    bert_err full;
    event_file *e = create(scratch("logs"), -1);
    const char *path = event_path(scratch("logs"), 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (int i = 0; i < 20; i++)
        event_file_scalar(e, i, "loss", 1);
    bert_status flushed = event_file_flush(e, &full);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(flushed, BERT_ERR_IO);
    assert_non_null(strstr(full.message, "cannot write: File too large"));
    event_file_scalar(e, 20, "loss", 1);
    assert_int_equal(event_file_close(e, &full), BERT_ERR_IO);
    assert_non_null(strstr(full.message, "cannot write: File too large"));
    file_mapping m;
    assert_works(file_map(&m, path, err));
    assert_true(m.size <= 600);
    file_unmap(&m);
}

/* With EVENT_FOLDER set, a run and its continuation are left there for TensorBoard itself. */
static void a_run_is_left_for_tensorboard(void **state)
{
    (void)state;
    const char *folder = getenv("EVENT_FOLDER");
    if (!folder)
        skip();
    event_file *e = create(folder, -1);
    event_file_text(e, 0, "options", "epochs: **5**");
    for (int i = 1; i <= 10; i++)
        event_file_scalar(e, i, "loss", i);
    assert_works(event_file_close(e, err));
    e = create(folder, 6);
    for (int i = 7; i <= 9; i++)
        event_file_scalar(e, i, "loss", -i);
    assert_works(event_file_close(e, err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(a_file_begins_with_the_version),
        in_a_folder(scalars_keep_step_tag_and_value_even_zero_and_nan),
        in_a_folder(a_text_is_a_tensor_of_one_string_for_the_text_plugin),
        in_a_folder(a_resumed_run_opens_a_second_file_that_leaves_out_later_steps),
        cmocka_unit_test(closing_nothing_is_fine),
        in_a_folder(a_folder_that_cannot_be_made_is_an_error),
        in_a_folder(a_full_disk_is_told_by_flush_and_by_close),
        cmocka_unit_test(a_run_is_left_for_tensorboard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

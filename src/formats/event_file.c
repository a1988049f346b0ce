/* TensorBoard's event files. A record is the length of its data (uint64), the masked CRC-32C of these eight bytes, the
 * data (a tensorflow.Event), and the masked CRC-32C of the data; all little-endian. */
#include "formats/event_file.h"

#include "base/buffer.h"
#include "base/checksum.h"
#include "base/file.h"
#include "event.pb-c.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TYPE_STRING = 7, SESSION_START = 1, SAME_SECOND_MOST = 1000 };

struct event_file {
    FILE *stream;
    char *path;
    buffer record;    /* the one at hand */
    buffer tag, text; /* its strings: the messages of protobuf-c have no const */
    /* errno of the first failure; nothing is written after it, for a record that is cut off hides all behind it */
    int error;
};

static double wall_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void add_masked_crc(buffer *b, const void *bytes, size_t n)
{
    uint32_t crc = crc32c_mask(crc32c(0, bytes, n));
    buffer_add(b, &crc, sizeof crc);
}

static void write_event(event_file *e, const TfEvent__Event *event)
{
    if (e->error)
        return;
    buffer *b = &e->record;
    uint64_t size = tf_event__event__get_packed_size(event);
    buffer_clear(b);
    buffer_add(b, &size, sizeof size);
    add_masked_crc(b, &size, sizeof size);
    if (!buffer_reserve(b, size)) {
        e->error = ENOMEM;
        return;
    }
    b->size += tf_event__event__pack(event, (uint8_t *)b->data + b->size);
    add_masked_crc(b, b->data + b->size - size, size);
    if (b->failed)
        e->error = ENOMEM;
    else if (fwrite(b->data, 1, b->size, e->stream) != b->size)
        e->error = errno ? errno : EIO;
}

static void write_summary(event_file *e, int64_t step, TfEvent__Summary__Value *value)
{
    TfEvent__Summary summary = TF_EVENT__SUMMARY__INIT;
    TfEvent__Event event = TF_EVENT__EVENT__INIT;
    summary.n_value = 1;
    summary.value = &value;
    event.wall_time = wall_time();
    event.step = step;
    event.what_case = TF_EVENT__EVENT__WHAT_SUMMARY;
    event.summary = &summary;
    write_event(e, &event);
}

/* The version record, which must be the first, and the one that begins a session. */
static void write_start(event_file *e, int64_t purge_step)
{
    TfEvent__Event version = TF_EVENT__EVENT__INIT, start = TF_EVENT__EVENT__INIT;
    version.wall_time = start.wall_time = wall_time();
    version.what_case = TF_EVENT__EVENT__WHAT_FILE_VERSION;
    version.file_version = (char[]){ "brain.Event:2" };
    write_event(e, &version);
    if (purge_step < 0)
        return;
    TfEvent__SessionLog log = TF_EVENT__SESSION_LOG__INIT;
    log.status = SESSION_START;
    start.step = purge_step + 1; /* earlier files' steps from this one on are left out */
    start.what_case = TF_EVENT__EVENT__WHAT_SESSION_LOG;
    start.session_log = &log;
    write_event(e, &start);
}

/* Opens a file that is not there yet. Files are read in the order of their names: a second one of the same second gets
 * the next number. */
static bert_status open_new(event_file *e, const char *folder, bert_err *err)
{
    char host[256] = "";
    if (gethostname(host, sizeof host - 1) || !host[0])
        strcpy(host, "localhost");
    long long seconds = (long long)time(NULL);
    for (int i = 0; i < SAME_SECOND_MOST; i++) {
        buffer name = { 0 };
        buffer_printf(&name, "%s/events.out.tfevents.%010lld.%s.%ld.%03d", folder, seconds, host, (long)getpid(), i);
        free(e->path);
        if (!(e->path = buffer_take(&name)))
            return fail_memory(err, folder);
        if ((e->stream = fopen(e->path, "wbxe")))
            return BERT_OK;
        if (errno != EEXIST)
            break;
    }
    return fail_errno(err, "%s: cannot write", e->path);
}

bert_status event_file_create(event_file **out, const char *folder, int64_t purge_step, bert_err *err)
{
    *out = NULL;
    bert_status s = folder_create(folder, err);
    if (s)
        return s;
    event_file *e = calloc(1, sizeof *e);
    if (!e)
        return fail_memory(err, folder);
    s = open_new(e, folder, err);
    if (s) {
        event_file_close(e, NULL);
        return s;
    }
    write_start(e, purge_step);
    *out = e;
    return BERT_OK;
}

static char *event_text(event_file *e, buffer *own, const char *string)
{
    buffer_clear(own);
    buffer_string(own, string);
    if (own->failed)
        e->error = e->error ? e->error : ENOMEM;
    return own->data;
}

void event_file_scalar(event_file *e, int64_t step, const char *tag, double number)
{
    TfEvent__Summary__Value value = TF_EVENT__SUMMARY__VALUE__INIT;
    value.tag = event_text(e, &e->tag, tag);
    value.value_case = TF_EVENT__SUMMARY__VALUE__VALUE_SIMPLE_VALUE;
    value.simple_value = (float)number;
    write_summary(e, step, &value);
}

void event_file_text(event_file *e, int64_t step, const char *tag, const char *markdown)
{
    TfEvent__SummaryMetadata__PluginData plugin = TF_EVENT__SUMMARY_METADATA__PLUGIN_DATA__INIT;
    TfEvent__SummaryMetadata metadata = TF_EVENT__SUMMARY_METADATA__INIT;
    TfEvent__TensorShapeProto__Dim dim = TF_EVENT__TENSOR_SHAPE_PROTO__DIM__INIT, *dims = &dim;
    TfEvent__TensorShapeProto shape = TF_EVENT__TENSOR_SHAPE_PROTO__INIT;
    TfEvent__TensorProto tensor = TF_EVENT__TENSOR_PROTO__INIT;
    TfEvent__Summary__Value value = TF_EVENT__SUMMARY__VALUE__INIT;
    ProtobufCBinaryData text = { strlen(markdown), (uint8_t *)event_text(e, &e->text, markdown) };
    plugin.plugin_name = (char[]){ "text" };
    metadata.plugin_data = &plugin;
    dim.size = 1;
    shape.n_dim = 1;
    shape.dim = &dims;
    tensor.dtype = TYPE_STRING;
    tensor.tensor_shape = &shape;
    tensor.n_string_val = 1;
    tensor.string_val = &text;
    value.tag = event_text(e, &e->tag, tag);
    value.metadata = &metadata;
    value.value_case = TF_EVENT__SUMMARY__VALUE__VALUE_TENSOR;
    value.tensor = &tensor;
    write_summary(e, step, &value);
}

bert_status event_file_flush(event_file *e, bert_err *err)
{
    if (!e->error && fflush(e->stream))
        e->error = errno ? errno : EIO;
    if (!e->error)
        return BERT_OK;
    errno = e->error;
    return fail_errno(err, "%s: cannot write", e->path);
}

bert_status event_file_close(event_file *e, bert_err *err)
{
    if (!e)
        return BERT_OK;
    bert_status s = BERT_OK;
    if (e->stream) {
        s = event_file_flush(e, err);
        if (fclose(e->stream) && !s)
            s = fail_errno(err, "%s: cannot write", e->path);
    }
    buffer_free(&e->record);
    buffer_free(&e->tag);
    buffer_free(&e->text);
    free(e->path);
    free(e);
    return s;
}

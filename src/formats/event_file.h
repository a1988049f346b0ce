/* TensorBoard's event files: records of TFRecord framing (length, masked CRC-32C, tensorflow.Event). Source of the
 * format: tensorflow/core/util/event.proto, tensorflow/core/framework/summary.proto,
 * tensorflow/core/lib/io/record_writer.h. */
#pragma once

#include "base/error.h"

#include <stdint.h>

typedef struct event_file event_file;

/* Makes FOLDER/events.out.tfevents.SECONDS.HOST.PID.NUMBER, the folder with its parents, and writes its version record.
 * A run that is resumed opens a new file in the same folder, as TensorBoard expects; steps after purge_step of earlier
 * files are then left out by TensorBoard (SessionLog START); purge_step < 0: none. */
bert_status event_file_create(event_file **e, const char *folder, int64_t purge_step, bert_err *err);
/* Buffered; what is written so far is on disk after flush. An error is remembered and told by flush and close. */
void event_file_scalar(event_file *e, int64_t step, const char *tag, double value);
void event_file_text(event_file *e, int64_t step, const char *tag, const char *markdown);
bert_status event_file_flush(event_file *e, bert_err *err);
bert_status event_file_close(event_file *e, bert_err *err); /* frees e in any case; NULL does nothing */

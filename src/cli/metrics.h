/* Metrics as the library's table lists them. */
#ifndef CLI_METRICS_H
#define CLI_METRICS_H

#include "bert.h"

/* "val_loss: 0.4100 - val_accuracy: 0.8000": loss, accuracy and the one that is watched (may be NULL); behind that, where it is no better,
 * what always the same answer has: " (always \"neg\": 0.8000)" (baseline: NULL for none of it). */
void metrics_text(const bert_metrics *metrics, const bert_baseline *baseline, const char *watch, char *out, size_t size);

#endif

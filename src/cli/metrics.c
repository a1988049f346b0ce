/* Metrics as the library's table lists them. */
#include "cli/metrics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ` (always "0": 0.6300)`; a correlation, which a constant does not have, is left out. */
static size_t baseline_text(const bert_baseline *baseline, const bert_metric *watched, char *out, size_t size)
{
    double value = bert_metric_value(&baseline->metrics, watched);
    int n = isnan(value) ? snprintf(out, size, " (always %s)", baseline->answer)
                         : snprintf(out, size, " (always %s: %.4f)", baseline->answer, value);
    return (size_t)n;
}

void metrics_text(const bert_metrics *metrics, const bert_baseline *baseline, const char *watch, char *out, size_t size)
{
    size_t n, at = 0;
    const bert_metric *table = bert_metric_table(&n);
    *out = 0;
    for (size_t i = 0; i < n && at < size; i++) {
        const char *name = table[i].name;
        double value = bert_metric_value(metrics, &table[i]);
        bool watched = watch && !strcmp(name, watch);
        if (isnan(value) || (!watched && strcmp(name, "loss") && strcmp(name, "accuracy")))
            continue;
        at += (size_t)snprintf(out + at, size - at, "%sval_%s: %.4f", at ? " - " : "", name, value);
        if (watched && baseline && baseline->note[0] && at < size)
            at += baseline_text(baseline, &table[i], out + at, size - at);
    }
}

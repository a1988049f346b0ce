/* The sections of a page in their order. Each leaves itself out where its data is absent. */
#pragma once

#include "report/report_page.h"

void section_curves(page *p);  /* training: history and steps */
void section_metrics(page *p); /* the table of all */
void section_labels(page *p);  /* precision, recall, F1 of each label */
void section_confusion(page *p);
void section_thresholds(page *p); /* precision-recall, ROC, scores */
void section_calibration(page *p);
void section_numbers(page *p); /* predicted against true */
void section_entities(page *p);
void section_mistakes(page *p);
void section_lengths(page *p);
void section_run(page *p); /* options, machine, time, memory */

/* The name of the metric that tells the best epoch; NULL: not known. */
const char *watched_metric(const report *r);

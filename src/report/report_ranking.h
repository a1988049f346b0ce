/* Scores with what is true of them, in order: what curves, areas and calibration are made from. */
#pragma once

#include "report/report_page.h"
#include "task/ranking.h"

/* Of column k: is it this label? false: memory is out. */
bool ranking_of_column(page *p, ranking *r, size_t k);

/* Of every score that is a yes or a no by itself: is it one? false: there are none, or memory is out. */
bool ranking_of_decisions(page *p, ranking *r);

/* Of the score of what is predicted: is it right? */
bool ranking_of_confidence(page *p, ranking *r);

/* Mean precision over the positives (as scikit-learn's average_precision_score); NaN without positives. */
double ranking_average_precision(const ranking *r);

/* How many of the items, and of them how many true ones, have a score of at least `least`. */
size_t ranking_above(const ranking *r, double least, size_t *true_ones);

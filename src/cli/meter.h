/* How far a long file is, on standard error's terminal, as Keras shows it: nothing where there is none, where results
 * go to a terminal, where a person types, or where it takes less than a second. */
#pragma once

#include "bert.h"
#include "cli/bar.h"

#include <stdio.h>

typedef struct meter {
    bar bar;
    double began;
    uint64_t read; /* bytes of the table when it began */
} meter;

meter meter_start(int results, const bert_table *table);
/* rows of the whole run are done, n of them since the meter began; read of total bytes, 0: nobody knows. */
void meter_show(meter *m, size_t rows, size_t n, uint64_t read, uint64_t total);
/* complete: the end of the table was reached. What is drawn stays. */
void meter_end(meter *m, size_t rows, size_t n, bool complete);

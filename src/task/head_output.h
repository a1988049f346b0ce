/* What a head's outputs are: how many, their loss, and how they become scores. */
#pragma once

#include "models/model.h"

struct target_rows;
struct loss_spec;

typedef struct head_output {
    bool threshold;          /* a score is a yes from a threshold on */
    size_t outputs, columns; /* rows of the head, and columns of the scores; 0: as many as there are labels */
    /* sum + the losses of the rows of y, one after another; losses (n; NULL: not wanted) each one's; dlogits (NULL: not
     * wanted) the gradient of (their sum * scale). logits (n, K). spec NULL: neither class weights nor smoothing. */
    double (*loss)(double sum, float *dlogits, float *losses, const float *logits, const struct target_rows *y,
                   const struct loss_spec *spec, float scale, size_t K);
    /* scores (n, columns) from logits (n, K); m gives the scale of numbers */
    void (*scores)(const bert_model *m, float *scores, const float *logits, size_t n, size_t K);
    /* and back: logits (n, K) that give these scores, finite also where a probability is 0 or 1 */
    void (*logits)(const bert_model *m, float *logits, const float *scores, size_t n, size_t K);
} head_output;

extern const head_output OUTPUT_PAIR;    /* one output: the probability of the second of two labels, by a sigmoid */
extern const head_output OUTPUT_SOFTMAX; /* one each: probabilities of labels that exclude each other */
extern const head_output
    /* one each: probabilities of labels by themselves. The loss is the mean over them, class weights are theirs */
    OUTPUT_SIGMOIDS;
/* one output: a number on the model's scale. Neither class weights nor smoothing mean anything to it */
extern const head_output OUTPUT_NUMBER;

/* Losses and scores of the tasks, as the list of tasks holds them. */
#ifndef TASK_LOSSES_H
#define TASK_LOSSES_H

#include "task/head.h"

double binary_loss(float *dlogits, float *losses, const float *logits, const target_rows *y, const loss_spec *spec, float scale, size_t K);
double class_loss(float *dlogits, float *losses, const float *logits, const target_rows *y, const loss_spec *spec, float scale, size_t K);
/* The mean over the labels; class weights are those of the labels. */
double classes_loss(float *dlogits, float *losses, const float *logits, const target_rows *y, const loss_spec *spec, float scale, size_t K);
/* Neither class weights nor smoothing mean anything here. */
double number_loss(float *dlogits, float *losses, const float *logits, const target_rows *y, const loss_spec *spec, float scale, size_t K);

void binary_scores(const bert_model *m, float *scores, const float *logits, size_t n, size_t K);
void class_scores(const bert_model *m, float *scores, const float *logits, size_t n, size_t K);
void classes_scores(const bert_model *m, float *scores, const float *logits, size_t n, size_t K);
void number_scores(const bert_model *m, float *scores, const float *logits, size_t n, size_t K);

void binary_logits(const bert_model *m, float *logits, const float *scores, size_t n, size_t K);
void class_logits(const bert_model *m, float *logits, const float *scores, size_t n, size_t K);
void classes_logits(const bert_model *m, float *logits, const float *scores, size_t n, size_t K);
void number_logits(const bert_model *m, float *logits, const float *scores, size_t n, size_t K);

#endif

/* A frozen model beside the one that it was made from, on somebody's data. */
#pragma once

#include "models/model.h"

/* Runs both on all rows, of which there is at least one. Fails as sessions do. */
bert_status frozen_compare(const bert_model *original, const bert_model *frozen, const bert_dataset *data,
                           bert_freeze_check *check, bert_err *err);

/* The list of families of encoders. A family is one file here, and a row of the list in families.c. */
#pragma once

#include "net/family.h"

extern const family FAMILY_BERT, FAMILY_DISTILBERT, FAMILY_ROBERTA, FAMILY_XLM_ROBERTA, FAMILY_CAMEMBERT,
    FAMILY_ELECTRA, FAMILY_ALBERT, FAMILY_MPNET;

/* All of them, BERT first; ends with NULL. */
extern const family *const FAMILIES[];

/* NULL: none of that model_type. */
const family *family_by_name(const char *name);

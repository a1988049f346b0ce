/* The list of families. */
#include "arch/families.h"

#include <string.h>

const family *const FAMILIES[] = { &FAMILY_BERT,        &FAMILY_DISTILBERT, &FAMILY_ROBERTA,
                                   &FAMILY_XLM_ROBERTA, &FAMILY_CAMEMBERT,  &FAMILY_ELECTRA,
                                   &FAMILY_ALBERT,      &FAMILY_MPNET,      NULL };

const family *family_by_name(const char *name)
{
    for (const family *const *f = FAMILIES; *f; f++)
        if (!strcmp((*f)->name, name))
            return *f;
    return NULL;
}

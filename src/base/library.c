/* What the library says of itself, and the freeing of what it hands out. */
#include "bert.h"

#include <stdlib.h>

const char *bert_version(void)
{
    return BERT_VERSION;
}

void bert_free(char *string)
{
    free(string);
}

/* What bert_inspect says, as JSON. */
#include "cli/facts.h"
#include "cli/messages.h"

#include <stdlib.h>

/* jansson's reader loses characters where memory runs out: it gets no NULL to see. */
static void *memory_or_end(size_t n)
{
    void *p = malloc(n);
    if (!p)
        exit(report_error("out of memory: what the file holds"));
    return p;
}

bert_status facts_of(const char *path, json_t **facts, bert_err *err)
{
    char *text = NULL;
    *facts = NULL;
    bert_status s = bert_inspect(path, true, &text, err);
    if (s)
        return s;
    json_malloc_t take;
    json_free_t give;
    json_get_alloc_funcs(&take, &give);
    json_set_alloc_funcs(memory_or_end, give);
    *facts = json_loads(text, 0, NULL);
    json_set_alloc_funcs(take, give);
    bert_free(text);
    return BERT_OK;
}

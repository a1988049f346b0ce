/* Options of a tokenizer that are the defaults but for case. */
#pragma once

#include "bert.h"

static inline bert_tokenizer_options with_case(bool do_lower_case)
{
    bert_tokenizer_options options;
    bert_tokenizer_defaults(&options);
    options.do_lower_case = do_lower_case;
    return options;
}

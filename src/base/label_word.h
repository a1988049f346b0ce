/* What a label is, however it is spelled. */
#pragma once

#include "bert.h"

/* A label is the same word whatever file it stands in: without the blanks around it; a whole number without "+" and
 * without ".0" ("1", " 1.0" and "+1" are "1", but "01" is a word of its own, and so is "1e0", which a table makes "1");
 * "True" and "TRUE" are "true", "False" and "FALSE" are "false", and neither is a number. Points into the label, or to
 * constant words. */
bert_text label_word(bert_text label);

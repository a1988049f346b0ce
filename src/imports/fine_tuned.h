/* What others fine-tuned: a transformers folder whose head stands on BERT. */
#pragma once

#include "imports/source.h"

/* True for BertForSequenceClassification and BertForTokenClassification, unless a sentence-transformers folder takes
 * vectors from it. */
bool fine_tuned_is(const source *s);

/* Writes the source as a model folder with its module inside; its predictions are those of transformers and of
 * CrossEncoder. Fails with BERT_ERR_FORMAT, BERT_ERR_UNSUPPORTED, BERT_ERR_ARGUMENT (a sequence layer that is not the
 * last one), BERT_ERR_IO. */
bert_status fine_tuned_write(source *s, const char *folder, const bert_import_options *options, bert_err *err);

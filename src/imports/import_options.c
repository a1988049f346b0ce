/* What an import may be told, as a table. */
#include "base/options.h"

static const char *const LOWER_CASE[] = { "auto", "true", "false", NULL };
static const char *const SPECIAL_IN_TEXT[] = { "auto", "split", "keep", NULL };

static const bert_option IMPORT[] = {
    OPTION_INT(bert_import_options, seq_layer, "-1", -1024, 1023, "N",
               "layer of output sequence_output; negative from the end"),
    OPTION_INT(bert_import_options, tok_layer, "-7", -1024, 1023, "N",
               "layer of output token_output; the first in a model of fewer than 7"),
    OPTION_CHOICE(bert_import_options, do_lower_case, "auto", LOWER_CASE, "WORD", "whether texts are lower-cased"),
    OPTION_CHOICE(
        bert_import_options, special_in_text, "auto", SPECIAL_IN_TEXT, "WORD",
        "\"[SEP]\" in a text: split into characters, or keep as that token; auto: as who made the checkpoint"),
    OPTION_INT(bert_import_options, num_attention_heads, "0", 0, 1024, "N",
               "attention heads, where no configuration tells them"),
    OPTION_BOOL(bert_import_options, ids_only, "false", "look for no tokeniser: a module that reads ids, no texts"),
    OPTION_BOOL(bert_import_options, force, "false", OPTION_FORCE_HELP),
};

bert_option_table bert_import_option_table(void)
{
    return OPTION_TABLE(IMPORT);
}

void bert_import_defaults(bert_import_options *options)
{
    bert_options_defaults(options, bert_import_option_table());
}

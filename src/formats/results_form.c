#include "formats/results_form.h"

#include "base/options.h"

#include <stdlib.h>
#include <string.h>

/* First lines. In them * stands for anything without a tab, % for a whole number, # for one between 0 and 1, > for the
 * rest of the line. */
static const char *const LINES[] = {
    "{\"label\": \"*\", \"score\": *, \"scores\": {>",
    "{\"labels\": [*], \"scores\": {>",
    "{\"value\": *}",
    "{\"entities\": []}",
    "{\"entities\": [{\"label\": \"*\", \"start\": >",
    "{\"embedding\": [>",
    "*\t#",             /* a label and its score */
    "*\t#,>",           /* labels and theirs */
    "%\t*\t%\t%\t#\t>", /* an entity of a row */
    "text\tlabel\tprediction>",
    "text\ttext_pair\tlabel\tprediction>",
    "text,label,prediction>",
    "text,text_pair,label,prediction>",
    "{\"text\": \"*\", \"label\": *, \"prediction\": >",
};

/* Passes over a number; false: none of that kind stands there. */
static bool pass_number(const char **s, bool whole)
{
    char *end;
    double number = strtod_l(*s, &end, plain_locale());
    bool suits = whole ? *s + strspn(*s, "0123456789") == end : number > 0 && number < 1;
    suits &= end > *s;
    *s = end;
    return suits;
}

static bool form_matches(const char *pattern, const char *s)
{
    for (; *pattern != '>'; pattern++) {
        if (*pattern == '*') {
            while (!form_matches(pattern + 1, s))
                if (!*s || *s++ == '\t')
                    return false;
            return true;
        }
        if (*pattern == '%' || *pattern == '#') {
            if (!pass_number(&s, *pattern == '%'))
                return false;
        } else if (*pattern != *s++)
            return false;
        else if (!*pattern)
            return true;
    }
    return true;
}

/* Values, or vectors as columns. */
static bool are_numbers(const char *line)
{
    return *line && !line[strspn(line, "0123456789+-.e\t")];
}

bool results_form_is(const char *text)
{
    char line[RESULTS_FORM_BYTES + 1];
    size_t n = strcspn(text, "\n");
    n = n < sizeof line ? n : sizeof line - 1;
    memcpy(line, text, n);
    line[n] = 0;
    bool is = are_numbers(line);
    for (size_t i = 0; !is && i < sizeof LINES / sizeof *LINES; i++)
        is = form_matches(LINES[i], line);
    return is;
}

/* A pattern becomes a short program, which is run with a stack of choices: no recursion but into what looks ahead. A
 * repeated class is one choice, however often it matched. */
#include "text/pattern.h"

#include "base/utf8.h"
#include "base/size.h"
#include "text/unicode.h"

#include <stdlib.h>
#include <string.h>

enum {
    MOST_OPS = 1000,
    MOST_CLASSES = 250,
    MOST_ITEMS = 400,
    MOST_DEPTH = 6,
    MOST_ALTERNATIVES = 100,
    ENDLESS = INT32_MAX
};

typedef enum pattern_op_kind { OP_LITERAL, OP_CLASS, OP_REPEAT, OP_SPLIT, OP_JUMP, OP_LOOK, OP_MATCH } pattern_op_kind;

typedef struct pattern_op {
    pattern_op_kind kind;
    bool flag;    /* REPEAT: gives nothing back; LOOK: must not match */
    int32_t x, y; /* places, as seen from here: SPLIT: the first choice, the second; JUMP: x; LOOK: behind it */
    int32_t min, max;
    uint32_t value; /* LITERAL: the character; CLASS, REPEAT: which class */
} pattern_op;

/* A part of a class: a range, or characters of a kind. */
typedef enum item_kind { ITEM_RANGE, ITEM_CATEGORIES, ITEM_SPACE, ITEM_WORD } item_kind;

typedef struct class_item {
    item_kind kind;
    bool negated;
    uint32_t first, last; /* a range; or the categories */
} class_item;

typedef struct pattern_class {
    bool negated;
    uint64_t ascii[2]; /* the answer for each ASCII character, negation counted */
    size_t first, n;   /* of the items */
} pattern_class;

struct pattern {
    pattern_op ops[MOST_OPS];
    pattern_class classes[MOST_CLASSES];
    class_item items[MOST_ITEMS];
    size_t n_ops, n_classes, n_items;
    bool begins[128]; /* whether a match may begin with that character */
};

typedef struct pattern_choice {
    size_t at, low; /* low: of a repetition, where it must not go below; SIZE_MAX: of alternatives */
    uint32_t op;
} pattern_choice;

/* ---- classes ----------------------------------------------------------------------------------------------------- */

static bool item_has(const class_item *i, uint32_t cp)
{
    bool has = i->kind == ITEM_RANGE        ? cp >= i->first && cp <= i->last
               : i->kind == ITEM_CATEGORIES ? unicode_is(cp, i->first)
               : i->kind == ITEM_SPACE      ? unicode_is_space(cp)
                                            : unicode_is_pattern_word(cp);
    return has != i->negated;
}

static bool class_search(const pattern *p, const pattern_class *c, uint32_t cp)
{
    bool has = false;
    for (size_t i = 0; !has && i < c->n; i++)
        has = item_has(&p->items[c->first + i], cp);
    return has != c->negated;
}

static inline bool class_has(const pattern *p, uint32_t class, uint32_t cp)
{
    const pattern_class *c = &p->classes[class];
    return cp < 128 ? c->ascii[cp / 64] >> cp % 64 & 1 : class_search(p, c, cp);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

typedef struct pattern_reader {
    pattern *p;
    const unsigned char *at, *end;
    bool any_case;
    int depth, alternatives; /* groups and alternatives that are open */
    const char *refused;     /* what is not known */
} pattern_reader;

static void pattern_refuse(pattern_reader *r, const char *what)
{
    r->refused = r->refused ? r->refused : what;
}

static size_t op_add(pattern_reader *r, pattern_op op)
{
    if (r->p->n_ops + 1 >= MOST_OPS) {
        pattern_refuse(r, "its length");
        return r->p->n_ops - 1;
    }
    r->p->ops[r->p->n_ops] = op;
    return r->p->n_ops++;
}

/* Puts an operation before those from `place` on. */
static void op_insert(pattern_reader *r, size_t place, pattern_op op)
{
    op_add(r, op);
    if (r->refused)
        return;
    memmove(&r->p->ops[place + 1], &r->p->ops[place], (r->p->n_ops - 1 - place) * sizeof op);
    r->p->ops[place] = op;
}

static bool sees(const pattern_reader *r, const char *text)
{
    size_t n = strlen(text);
    return (size_t)(r->end - r->at) >= n && !memcmp(r->at, text, n);
}

static bool takes(pattern_reader *r, const char *text)
{
    bool there = sees(r, text);
    r->at += there ? strlen(text) : 0;
    return there;
}

static uint32_t take_character(pattern_reader *r)
{
    uint32_t cp = 0;
    size_t length = r->at < r->end ? utf8_decode(r->at, (size_t)(r->end - r->at), &cp) : 0;
    if (!length)
        pattern_refuse(r, "its end");
    r->at += length;
    return cp;
}

static uint32_t class_begin(pattern_reader *r, bool negated)
{
    if (r->p->n_classes >= MOST_CLASSES) {
        pattern_refuse(r, "its length");
        return 0;
    }
    r->p->classes[r->p->n_classes] = (pattern_class){ .negated = negated, .first = r->p->n_items };
    return (uint32_t)r->p->n_classes++;
}

static void class_add(pattern_reader *r, uint32_t class, class_item item)
{
    if (r->p->n_items >= MOST_ITEMS) {
        pattern_refuse(r, "its length");
        return;
    }
    r->p->items[r->p->n_items++] = item;
    r->p->classes[class].n++;
}

/* A character under any case: what Unicode folds together with ASCII's letters is ſ and the sign for kelvin. */
static void class_add_folded(pattern_reader *r, uint32_t class, uint32_t cp)
{
    uint32_t lower = (uint32_t)utf8proc_tolower((utf8proc_int32_t)cp),
             upper = (uint32_t)utf8proc_toupper((utf8proc_int32_t)cp);
    class_add(r, class, (class_item){ .first = cp, .last = cp });
    class_add(r, class, (class_item){ .first = lower, .last = lower });
    class_add(r, class, (class_item){ .first = upper, .last = upper });
    if (lower == 's')
        class_add(r, class, (class_item){ .first = 0x17F, .last = 0x17F });
    if (lower == 'k')
        class_add(r, class, (class_item){ .first = 0x212A, .last = 0x212A });
}

static void class_end(pattern_reader *r, uint32_t class)
{
    pattern_class *c = &r->p->classes[class];
    for (uint32_t cp = 0; cp < 128; cp++)
        if (class_search(r->p, c, cp))
            c->ascii[cp / 64] |= (uint64_t)1 << cp % 64;
}

static const struct {
    const char *name;
    uint32_t categories;
} PROPERTIES[] = {
    { "{L}", CATEGORIES_LETTER },          { "{M}", CATEGORIES_MARK },
    { "{N}", CATEGORIES_NUMBER },          { "{P}", CATEGORIES_PUNCTUATION },
    { "{S}", CATEGORIES_SYMBOL },          { "{Z}", CATEGORIES_SEPARATOR },
    { "{Lu}", 1 << UTF8PROC_CATEGORY_LU }, { "{Ll}", 1 << UTF8PROC_CATEGORY_LL },
    { "{Lt}", 1 << UTF8PROC_CATEGORY_LT }, { "{Lm}", 1 << UTF8PROC_CATEGORY_LM },
    { "{Lo}", 1 << UTF8PROC_CATEGORY_LO }, { "{Mn}", 1 << UTF8PROC_CATEGORY_MN },
    { "{Mc}", 1 << UTF8PROC_CATEGORY_MC }, { "{Nd}", 1 << UTF8PROC_CATEGORY_ND },
    { "{Nl}", 1 << UTF8PROC_CATEGORY_NL }, { "{No}", 1 << UTF8PROC_CATEGORY_NO },
};

/* What stands behind a backslash: true: a kind of characters, *item; false: one character, item->first. */
static bool take_escape(pattern_reader *r, class_item *item)
{
    static const struct {
        char name;
        item_kind kind;
        uint32_t categories;
    } KINDS[] = { { 's', ITEM_SPACE, 0 }, { 'w', ITEM_WORD, 0 }, { 'd', ITEM_CATEGORIES, 1 << UTF8PROC_CATEGORY_ND } };
    uint32_t cp = take_character(r);
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if ((cp | 0x20) == (uint32_t)KINDS[i].name) {
            *item = (class_item){ KINDS[i].kind, cp < 'a', KINDS[i].categories, 0 };
            return true;
        }
    if (cp == 'p' || cp == 'P') {
        for (size_t i = 0; i < sizeof PROPERTIES / sizeof *PROPERTIES; i++)
            if (takes(r, PROPERTIES[i].name)) {
                *item = (class_item){ ITEM_CATEGORIES, cp == 'P', PROPERTIES[i].categories, 0 };
                return true;
            }
        pattern_refuse(r, "a property of characters");
        return false;
    }
    bool letter = (cp >= '0' && cp <= '9') || (cp >= 'a' && cp <= 'z') || (cp >= 'A' && cp <= 'Z');
    *item = (class_item){ .first = cp == 'n' ? '\n' : cp == 'r' ? '\r' : cp == 't' ? '\t' : cp == 'f' ? '\f' : cp };
    if (letter && item->first == cp)
        pattern_refuse(r, "a letter behind a backslash");
    return false;
}

/* The members of [...], whose bracket is taken. */
static uint32_t take_class(pattern_reader *r)
{
    uint32_t class = class_begin(r, takes(r, "^"));
    bool begun = false;
    while (!r->refused && !(begun && takes(r, "]"))) {
        class_item item = { 0 };
        begun = true;
        if (sees(r, "[") || sees(r, "&&") || sees(r, "]")) {
            pattern_refuse(r, "a class within a class");
        } else if (takes(r, "\\") ? take_escape(r, &item) : (item.first = take_character(r), false)) {
            class_add(r, class, item);
            continue;
        }
        item.last = item.first;
        if (sees(r, "-") && r->end - r->at > 1 && r->at[1] != ']') {
            r->at++;
            class_item last = { 0 };
            if (takes(r, "\\") ? take_escape(r, &last) : (last.first = take_character(r), false))
                pattern_refuse(r, "a range of kinds");
            item.last = last.first;
        }
        if (item.last < item.first)
            pattern_refuse(r, "an empty range");
        if (r->any_case && item.first != item.last)
            pattern_refuse(r, "a range under any case");
        if (r->any_case)
            class_add_folded(r, class, item.first);
        else
            class_add(r, class, item);
    }
    class_end(r, class);
    return class;
}

static uint32_t class_of_one(pattern_reader *r, uint32_t cp)
{
    uint32_t class = class_begin(r, false);
    if (r->any_case)
        class_add_folded(r, class, cp);
    else
        class_add(r, class, (class_item){ .first = cp, .last = cp });
    class_end(r, class);
    return class;
}

static bool take_number(pattern_reader *r, int32_t *n)
{
    *n = 0;
    const unsigned char *from = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9' && *n < 100000)
        *n = 10 * *n + (*r->at++ - '0');
    return r->at > from;
}

/* ?, *, +, {n}, {n,}, {n,m}. false: none of them. */
static bool take_quantifier(pattern_reader *r, int32_t *min, int32_t *max)
{
    *min = 0, *max = ENDLESS;
    if (takes(r, "?"))
        *max = 1;
    else if (takes(r, "+"))
        *min = 1;
    else if (takes(r, "{")) {
        if (!take_number(r, min))
            pattern_refuse(r, "a brace");
        *max = *min;
        if (takes(r, ",") && !take_number(r, max))
            *max = ENDLESS;
        if (!takes(r, "}") || *max < *min || !*max)
            pattern_refuse(r, "a brace");
        return true;
    } else if (!takes(r, "*"))
        return false;
    if (sees(r, "?"))
        pattern_refuse(r, "a lazy quantifier");
    return true;
}

static void take_alternatives(pattern_reader *r);

/* A group behind its parenthesis; operations from `from` on are its. */
static void take_group(pattern_reader *r)
{
    bool any_case = r->any_case, look = false, negative = false;
    size_t from = r->p->n_ops;
    if (takes(r, "?i:"))
        r->any_case = true;
    else if (takes(r, "?!"))
        look = negative = true;
    else if (takes(r, "?="))
        look = true;
    else if (!takes(r, "?:") && sees(r, "?"))
        pattern_refuse(r, "a group");
    if (r->depth++ > MOST_DEPTH)
        pattern_refuse(r, "groups so deep");
    if (!r->refused)
        take_alternatives(r);
    r->depth--;
    r->any_case = any_case;
    if (!takes(r, ")"))
        pattern_refuse(r, "an open parenthesis");
    if (!look || r->refused)
        return;
    op_add(r, (pattern_op){ .kind = OP_MATCH });
    op_insert(r, from, (pattern_op){ .kind = OP_LOOK, .flag = negative, .x = (int32_t)(r->p->n_ops + 1 - from) });
}

static void quantify_group(pattern_reader *r, size_t from)
{
    int32_t min, max;
    if (!take_quantifier(r, &min, &max) || r->refused)
        return;
    int32_t n = (int32_t)(r->p->n_ops - from);
    if (sees(r, "+") || r->p->ops[from].kind == OP_LOOK || (max != ENDLESS && max != 1) || min > 1) {
        pattern_refuse(r, "how a group is repeated");
    } else if (min == 1 && max == ENDLESS) {
        op_add(r, (pattern_op){ .kind = OP_SPLIT, .x = -n, .y = 1 });
    } else if (!min) {
        bool many = max == ENDLESS;
        op_insert(r, from, (pattern_op){ .kind = OP_SPLIT, .x = 1, .y = n + 1 + many });
        if (many)
            op_add(r, (pattern_op){ .kind = OP_JUMP, .x = -(n + 1) });
    }
}

/* A single character or class with what repeats it. */
static void take_single(pattern_reader *r)
{
    class_item item = { 0 };
    bool literal = false;
    uint32_t class = 0, cp = 0;
    if (takes(r, "[")) {
        class = take_class(r);
    } else if (takes(r, ".")) {
        class = class_begin(r, true);
        class_add(r, class, (class_item){ .first = '\n', .last = '\n' });
        class_end(r, class);
    } else if (takes(r, "\\") && take_escape(r, &item)) {
        class = class_begin(r, false);
        class_add(r, class, item);
        class_end(r, class);
    } else if (item.first) {
        literal = true;
        cp = item.first;
    } else if (!r->refused) {
        literal = true;
        cp = take_character(r);
        if (cp == '^' || cp == '$' || cp == '?' || cp == '*' || cp == '+' || cp == '{')
            pattern_refuse(r, "an anchor, or a quantifier of nothing");
    }
    int32_t min, max;
    if (take_quantifier(r, &min, &max)) {
        if (literal)
            class = class_of_one(r, cp);
        bool possessive = takes(r, "+");
        op_add(r, (pattern_op){ .kind = OP_REPEAT, .flag = possessive, .min = min, .max = max, .value = class });
    } else if (literal && !r->any_case)
        op_add(r, (pattern_op){ .kind = OP_LITERAL, .value = cp });
    else
        op_add(r, (pattern_op){ .kind = OP_CLASS, .value = literal ? class_of_one(r, cp) : class });
}

static void take_sequence(pattern_reader *r)
{
    while (!r->refused && r->at < r->end && !sees(r, "|") && !sees(r, ")")) {
        size_t from = r->p->n_ops;
        if (takes(r, "(")) {
            take_group(r);
            quantify_group(r, from);
        } else
            take_single(r);
    }
}

static void take_alternatives(pattern_reader *r)
{
    size_t from = r->p->n_ops;
    take_sequence(r);
    if (r->refused || !takes(r, "|"))
        return;
    int32_t n = (int32_t)(r->p->n_ops - from);
    op_insert(r, from, (pattern_op){ .kind = OP_SPLIT, .x = 1, .y = n + 2 });
    size_t jump = op_add(r, (pattern_op){ .kind = OP_JUMP });
    if (r->alternatives++ > MOST_ALTERNATIVES)
        pattern_refuse(r, "so many alternatives");
    if (!r->refused)
        take_alternatives(r);
    r->alternatives--;
    r->p->ops[jump].x = (int32_t)(r->p->n_ops - jump);
}

/* Which characters a match may begin with, from an operation on. Returns whether it may match where nothing is. */
static bool find_begins(pattern *p, size_t op, bool *seen)
{
    if (seen[op])
        return false;
    seen[op] = true;
    const pattern_op *o = &p->ops[op];
    switch (o->kind) {
    case OP_LITERAL:
        if (o->value < 128)
            p->begins[o->value] = true;
        return false;
    case OP_CLASS:
    case OP_REPEAT:
        for (uint32_t cp = 0; cp < 128; cp++)
            p->begins[cp] |= class_has(p, o->value, cp);
        return o->kind == OP_REPEAT && !o->min && find_begins(p, op + 1, seen);
    case OP_SPLIT: {
        bool first = find_begins(p, op + (size_t)(ptrdiff_t)o->x, seen);
        return find_begins(p, op + (size_t)(ptrdiff_t)o->y, seen) || first;
    }
    case OP_JUMP:
    case OP_LOOK:
        return find_begins(p, op + (size_t)(ptrdiff_t)o->x, seen);
    case OP_MATCH:
        return true;
    }
    return false;
}

static void read_literal(pattern_reader *r)
{
    while (r->at < r->end && !r->refused)
        op_add(r, (pattern_op){ .kind = OP_LITERAL, .value = take_character(r) });
}

bert_status pattern_compile(const pattern **out, bert_text text, bool literal, arena *a, const char *where,
                            bert_err *err)
{
    bool seen[MOST_OPS] = { false };
    pattern *p = arena_alloc(a, sizeof *p);
    pattern_reader r = { .p = p,
                         .at = (const unsigned char *)text.data,
                         .end = (const unsigned char *)text.data + text.size };
    if (!p)
        return fail_memory(err, where);
    if (literal)
        read_literal(&r);
    else
        take_alternatives(&r);
    if (r.at < r.end)
        pattern_refuse(&r, "a parenthesis");
    op_add(&r, (pattern_op){ .kind = OP_MATCH });
    if (!r.refused && find_begins(p, 0, seen))
        pattern_refuse(&r, "that it matches where nothing is");
    *out = p;
    return !r.refused ? BERT_OK
                      : fail(err, BERT_ERR_UNSUPPORTED, "%s: pattern \"%.*s\": %s is not known to libbert", where,
                             (int)size_least(text.size, 200), text.data, r.refused);
}

/* ---- matching ---------------------------------------------------------------------------------------------------- */

typedef struct matching {
    const pattern *p;
    text_work *w;
    const unsigned char *bytes;
    size_t size, *steps;
    size_t n_choices;
} matching;

static bool choice_push(matching *m, pattern_choice c)
{
    text_work *w = m->w;
    bool fine = ARRAY_HOLDS(w->choices, w->choices_capacity, m->n_choices + 1);
    if (fine)
        w->choices[m->n_choices++] = c;
    w->failed |= !fine;
    return fine;
}

/* Takes the class as often as it may. false: not often enough. */
static bool repeat(matching *m, const pattern_op *o, size_t op, size_t *at)
{
    size_t low = *at, length;
    int32_t n = 0;
    for (; n < o->max && *at < m->size && class_has(m->p, o->value, text_character(m->bytes + *at, &length)); n++) {
        *at += length;
        low = n < o->min ? *at : low;
    }
    *m->steps -= size_least(*m->steps, (size_t)n);
    if (n < o->min)
        return false;
    return o->flag || *at == low || choice_push(m, (pattern_choice){ *at, low, (uint32_t)op + 1 });
}

/* Goes back to the last pattern_choice. false: there is none above `base`. */
static bool choose_again(matching *m, size_t base, size_t *op, size_t *at)
{
    if (m->n_choices == base)
        return false;
    pattern_choice *c = &m->w->choices[m->n_choices - 1];
    *op = c->op;
    if (c->low != SIZE_MAX) {
        do
            c->at--;
        while ((m->bytes[c->at] & 0xC0) == 0x80);
    }
    *at = c->at;
    m->n_choices -= c->low == SIZE_MAX || c->at == c->low;
    return true;
}

static bool match_from(matching *m, size_t op, size_t at, size_t *end)
{
    size_t base = m->n_choices, length;
    for (;;) {
        const pattern_op *o = &m->p->ops[op];
        bool fine = true;
        if (!*m->steps || m->w->failed) {
            m->w->refused |= !*m->steps;
            return false;
        }
        --*m->steps;
        switch (o->kind) {
        case OP_LITERAL:
            fine = at < m->size && text_character(m->bytes + at, &length) == o->value;
            at += fine ? length : 0;
            op++;
            break;
        case OP_CLASS:
            fine = at < m->size && class_has(m->p, o->value, text_character(m->bytes + at, &length));
            at += fine ? length : 0;
            op++;
            break;
        case OP_REPEAT:
            fine = repeat(m, o, op, &at);
            op++;
            break;
        case OP_SPLIT:
            fine = choice_push(m, (pattern_choice){ at, SIZE_MAX, (uint32_t)((ptrdiff_t)op + o->y) });
            op = (size_t)((ptrdiff_t)op + o->x);
            break;
        case OP_JUMP:
            op = (size_t)((ptrdiff_t)op + o->x);
            break;
        case OP_LOOK: {
            size_t behind;
            fine = match_from(m, op + 1, at, &behind) != o->flag;
            op = (size_t)((ptrdiff_t)op + o->x);
            break;
        }
        case OP_MATCH:
            m->n_choices = base;
            *end = at;
            return true;
        }
        if (!fine && !choose_again(m, base, &op, &at))
            return false;
    }
}

bool pattern_find(const pattern *p, text_work *w, size_t at, size_t size, size_t *start, size_t *end, size_t *steps)
{
    matching m = { .p = p, .w = w, .bytes = w->text.bytes, .size = size, .steps = steps };
    for (; at < size && !w->refused && !w->failed; at += character_size(m.bytes[at])) {
        if (m.bytes[at] < 128 && !p->begins[m.bytes[at]])
            continue;
        if (match_from(&m, 0, at, end)) {
            *start = at;
            return !w->refused && !w->failed;
        }
    }
    return false;
}

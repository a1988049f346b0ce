/* The parts of a page. Everything is inline: no script, no font, no picture from elsewhere; the palette is Okabe and
 * Ito's, which the colour-blind can tell apart, with lighter shades on dark screens. Paper is always light. */
#include "report/report_page.h"

#include "base/utf8.h"
#include "formats/target.h"

#include <math.h>
#include <string.h>

static const char STYLE[] =
    ":root{color-scheme:light "
    "dark;--paper:#fff;--card:#f6f7f9;--ink:#1b1f24;--soft:#57606a;--line:#d5dae0;--grid:#e4e8ec;"
    "--c0:#0072b2;--c1:#d55e00;--c2:#00875f;--c3:#b0558a;--c4:#3d444d;--c5:#3d8fc4;--c6:#6b7280}"
    "@media screen and "
    "(prefers-color-scheme:dark){:root{--paper:#14171b;--card:#1d2127;--ink:#e6e9ed;--soft:#a0a9b4;--line:#363c45;--"
    "grid:#2b3038;"
    "--c0:#5cb3ea;--c1:#ff8f50;--c2:#35c797;--c3:#e39bc4;--c4:#d3d8de;--c5:#a5d6f5;--c6:#9aa3ae}}"
    "*{box-sizing:border-box}"
    "body{margin:0 auto;max-width:1120px;padding:20px 16px 48px;background:var(--paper);color:var(--ink);"
    "font:16px/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,\"Helvetica Neue\",Arial,\"DejaVu Sans\",sans-serif}"
    "h1{font-size:1.6rem;line-height:1.2;margin:0 0 .3rem}"
    "h2{font-size:1.15rem;margin:2.4rem 0 .2rem;padding-top:.7rem;border-top:1px solid var(--line)}"
    "p{margin:.2rem 0 .8rem;color:var(--soft);max-width:70ch;overflow-wrap:anywhere}"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(130px,1fr));gap:10px;margin:1.2rem 0}"
    ".tile{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:10px 12px}"
    ".tile b{display:block;font-size:1.45rem;line-height:1.2;font-variant-numeric:tabular-nums}"
    ".tile span{color:var(--soft);font-size:.82rem}"
    ".tile.main{border-color:var(--c0);border-left-width:5px}"
    ".grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,330px),1fr));gap:14px;margin-top:.8rem}"
    "figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:8px;padding:10px "
    "12px;min-width:0;break-inside:avoid}"
    "figcaption{font-weight:600;font-size:.95rem}"
    ".legend{display:flex;flex-wrap:wrap;gap:2px 14px;font-size:.8rem;color:var(--soft)}"
    ".legend i{display:inline-block;width:18px;height:0;border-top:3px solid;vertical-align:middle;margin-right:5px}"
    ".legend i.dash{border-top-style:dashed}.legend "
    "i.box{height:10px;border-top-width:10px;width:12px;opacity:.6}.legend "
    "i.dot{width:7px;height:7px;border-top-width:7px;border-radius:4px}"
    "svg{display:block;width:100%;height:auto;margin-top:4px}svg text{font-size:11px;fill:var(--soft)}"
    ".scroll{overflow-x:auto;margin:.4rem 0}"
    "table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums;min-width:min(100%,320px)}"
    "caption{text-align:left;color:var(--soft);font-size:.82rem;padding-bottom:4px}"
    "th,td{padding:4px 10px;border-bottom:1px solid var(--line);text-align:right;vertical-align:top}"
    "th{font-weight:600}thead th{color:var(--soft);vertical-align:bottom}"
    "th:first-child,td.l,th.l{text-align:left}th[scope=row]{font-weight:500}th.n{white-space:nowrap}"
    "td{white-space:nowrap}td.l,td.text{white-space:normal}td.l{min-width:6em}td.l div{white-space:nowrap}"
    "tr.best>*{background:var(--card);font-weight:700}"
    ".heat td{text-align:center;border:1px solid var(--paper);min-width:3.2em}.heat th{border:0}.heat .hot{color:#fff}"
    ".heat thead th{text-align:center}"
    "td.text{text-align:left;min-width:min(60vw,380px);overflow-wrap:anywhere}td.text div+div{border-top:1px dotted "
    "var(--line);margin-top:4px;padding-top:4px}"
    ".bar{display:block;height:12px;background:var(--c0);border-radius:2px;min-width:1px}td.bars{width:50%;min-width:"
    "110px;vertical-align:"
    "middle}"
    "details{margin:.4rem 0}summary{cursor:pointer;color:var(--soft);font-size:.85rem}"
    "footer{margin-top:2.4rem;color:var(--soft);font-size:.8rem}"
    "@media "
    "print{body{max-width:none;padding:0;font-size:11pt}h2{break-after:avoid}figure,tr{break-inside:avoid}.scroll{"
    "overflow:visible}"
    "*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}";

void *page_array(page *p, size_t n, size_t size)
{
    void *array = arena_array(&p->memory, n, size);
    p->out.failed |= !array;
    return array;
}

void page_begin(page *p, const char *title)
{
    buffer_string(&p->out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                           "<meta name=\"generator\" content=\"" TARGET_MARK "\">\n"
                           "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>");
    page_string(p, title);
    buffer_printf(&p->out, "</title>\n<style>%s</style>\n</head>\n<body>\n<main>\n", STYLE);
}

void page_end(page *p)
{
    buffer_string(&p->out, "</body>\n</html>\n");
}

void section_begin(page *p, const char *heading, const char *note)
{
    page_between(p, "<section>\n<h2>", heading, "</h2>\n");
    if (note)
        page_between(p, "<p>", note, "</p>\n");
}

void section_end(page *p)
{
    buffer_string(&p->out, "</section>\n");
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

/* Seen as nothing, or as something that changes its surroundings: control characters, and marks that turn the direction
 * of what follows. */
static bool unseen(uint32_t cp)
{
    return (cp < 0x20 && cp != '\t' && cp != '\n' && cp != '\r') || (cp >= 0x7F && cp < 0xA0) ||
           (cp >= 0x202A && cp <= 0x202E) || (cp >= 0x2066 && cp <= 0x2069) || (cp >= 0xFDD0 && cp <= 0xFDEF) ||
           (cp & 0xFFFE) == 0xFFFE;
}

static void add_code_point(buffer *b, const char *bytes, size_t n, uint32_t cp)
{
    if (n == 0 || unseen(cp))
        buffer_string(b, "\xEF\xBF\xBD");
    else if (cp == '&')
        buffer_string(b, "&amp;");
    else if (cp == '<')
        buffer_string(b, "&lt;");
    else if (cp == '>')
        buffer_string(b, "&gt;");
    else if (cp == '"')
        buffer_string(b, "&quot;");
    else if (cp == '\'')
        buffer_string(b, "&#39;");
    else
        buffer_add(b, bytes, n);
}

void page_cut(page *p, bert_text text, size_t most)
{
    size_t i = 0;
    for (size_t points = 0; i < text.size && points < most; points++) {
        uint32_t cp = 0;
        size_t n = utf8_decode((const unsigned char *)text.data + i, text.size - i, &cp);
        add_code_point(&p->out, text.data + i, n, cp);
        i += n ? n : 1;
    }
    if (i < text.size)
        buffer_string(&p->out, "…");
}

void page_text(page *p, bert_text text)
{
    page_cut(p, text, SIZE_MAX);
}

void page_string(page *p, const char *string)
{
    page_text(p, (bert_text){ string, strlen(string) });
}

void page_between(page *p, const char *before, const char *string, const char *after)
{
    buffer_string(&p->out, before);
    page_string(p, string);
    buffer_string(&p->out, after);
}

void page_number(page *p, double x)
{
    if (isnan(x))
        buffer_string(&p->out, "–");
    else if (isinf(x))
        buffer_string(&p->out, x < 0 ? "−∞" : "∞");
    else if (x == trunc(x) && fabs(x) < 1e15)
        buffer_printf(&p->out, "%.0f", x);
    else if (fabs(x) < 1e-3 || fabs(x) >= 1e6)
        buffer_printf(&p->out, "%.3g", x);
    else
        buffer_printf(&p->out, "%.*f", fabs(x) < 10 ? 4 : fabs(x) < 1000 ? 2 : 1, x);
}

/* ---- tables ------------------------------------------------------------------------------------------------------ */

void table_begin(page *p, const char *caption, const char *heads)
{
    buffer_string(&p->out, "<div class=\"scroll\"><table>");
    if (caption)
        page_between(p, "<caption>", caption, "</caption>");
    buffer_string(&p->out, "\n<thead><tr>");
    for (;;) {
        bool left = *heads == '<';
        heads += left;
        size_t n = strcspn(heads, "|");
        buffer_printf(&p->out, "<th scope=\"col\"%s>", left ? " class=\"l\"" : "");
        page_text(p, (bert_text){ heads, n });
        buffer_string(&p->out, "</th>");
        if (!heads[n])
            break;
        heads += n + 1;
    }
    buffer_string(&p->out, "</tr></thead>\n<tbody>\n");
}

void table_end(page *p)
{
    buffer_string(&p->out, "</tbody></table></div>\n");
}

void row_begin(page *p, const char *head)
{
    page_between(p, "<tr><th scope=\"row\">", head, "</th>");
}

void row_begin_number(page *p, double head, bool best)
{
    buffer_printf(&p->out, "<tr%s><th scope=\"row\" class=\"n\">", best ? " class=\"best\"" : "");
    page_number(p, head);
    buffer_string(&p->out, "</th>");
}

void row_end(page *p)
{
    buffer_string(&p->out, "</tr>\n");
}

void cell_number(page *p, double x)
{
    buffer_string(&p->out, "<td>");
    page_number(p, x);
    buffer_string(&p->out, "</td>");
}

void cell_count(page *p, size_t n)
{
    buffer_printf(&p->out, "<td>%zu</td>", n);
}

void cell_percent(page *p, double share)
{
    if (isnan(share))
        buffer_string(&p->out, "<td>–</td>");
    else
        buffer_printf(&p->out, "<td>%.1f %%</td>", 100 * share);
}

void cell_string(page *p, const char *string)
{
    page_between(p, "<td class=\"l\">", string, "</td>");
}

void fold_begin(page *p, const char *summary)
{
    page_between(p, "<details><summary>", summary, "</summary>\n");
}

void fold_end(page *p)
{
    buffer_string(&p->out, "</details>\n");
}

void fold_numbers(page *p, const char *heads, const double *firsts, size_t n, const double *const *columns,
                  size_t n_columns)
{
    fold_begin(p, "Numbers");
    table_begin(p, NULL, heads);
    for (size_t i = 0; i < n; i++) {
        row_begin_number(p, firsts[i], false);
        for (size_t k = 0; k < n_columns; k++)
            cell_number(p, columns[k][i]);
        row_end(p);
    }
    table_end(p);
    fold_end(p);
}

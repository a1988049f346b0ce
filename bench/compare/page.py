"""What a comparison found, as Markdown."""
import statistics

from environment import table

SLOWER = 0.99  # a ratio below is told
SHOWN = 3      # differences of one comparison


# ---- bits -----------------------------------------------------------------------------------------------------------------

def bits_part(found):
    """A line a section; below it each thing that differs, is refused, or stands in one of both alone and is no number."""
    rows = found["rows"]
    isas, sections = ordered(row["isa"] for row in rows), ordered(row["section"] for row in rows)
    lines = [[section, *(counted([r for r in rows if (r["section"], r["isa"]) == (section, isa)]) for isa in isas)] for section in sections]
    return f"{found['sizes']}.\n\n{table(['comparisons, numbers', *isas], lines)}\n{''.join(told(rows))}\n"


def ordered(values):
    return list(dict.fromkeys(values))


def counted(rows):
    refused, wrong = sum(bool(r["refused"]) for r in rows), sum(bool(r["differences"]) for r in rows)
    return (f"{len(rows) - refused}, {sum(r['numbers'] for r in rows):,}: " + (f"**{wrong} differ**" if wrong else "equal") if len(rows) > refused else "") + (
        f" ({refused} refused by both)" if refused else "")


def told(rows):
    for row in rows:
        if row["differences"]:
            more = len(row["differences"]) - SHOWN
            yield f"- {row['section']}, {row['isa']}: {row['what']}: {'; '.join(row['differences'][:SHOWN])}{f'; {more} more' if more > 0 else ''}\n"
    for words in ordered(row["refused"] for row in rows if row["refused"]):
        yield f"- refused by both: {words} ({'; '.join(row['what'] for row in rows if row['refused'] == words)})\n"
    for section in ordered(row["section"] for row in rows):
        names = ordered(note for row in rows if row["section"] == section for note in row["notes"])
        if names:
            yield f"- no number, and not the same in both: {section}: {', '.join(names)}\n"


# ---- speed ----------------------------------------------------------------------------------------------------------------

def ratio(figure, pair):
    """Above 1: the present tree is better."""
    old, new = pair
    return new / old if figure["rate"] else old / new


def judged(figure):
    """Median of the turns' ratios, their quartiles, the mark."""
    ratios = [ratio(figure, pair) for pair in figure["turns"]]
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return middle, low, high, "**worse**" if high < SLOWER else "?" if middle < SLOWER else ""


def speed_part(found):
    rows = []
    for figure in found["figures"]:
        middle, low, high, mark = judged(figure)
        old, new = (statistics.median(pair[k] for pair in figure["turns"]) for k in (0, 1))
        rows.append([figure["what"], f"{old:.4g} {figure['unit']}", f"{new:.4g} {figure['unit']}", f"{middle:.3f}", f"{low:.3f} to {high:.3f}", mark])
    rows += [[what, f"{old:,}", f"{new:,}", f"{old / new:.3f}", "", ""] for what, old, new in found["fixed"]]
    return (f"{found['turns']} turns: medians, and the quartiles of the turns' ratios; above 1 the present tree is better. `worse`: three quarters of the turns are "
            f"below {SLOWER}; `?`: their median alone is.\n\n" + table(["", found["base"], "present", "ratio", "quartiles", ""], rows))


# ---- all ------------------------------------------------------------------------------------------------------------------

PARTS = (("bits", "Bits", bits_part), ("speed", "Speed", speed_part))


def page(result):
    out = ["; ".join(f"{k} {v}" for k, v in result["machine"].items()) + "."]
    out += [f"### {title}, {result[name]['date']}, {result[name]['size']} size\n\n{part(result[name])}" for name, title, part in PARTS if name in result]
    return "\n\n".join(out)


def differs(result):
    """Whether a number differs or something is slower beyond noise."""
    return (any(row["differences"] for row in result.get("bits", {}).get("rows", ()))
            or any("worse" in judged(figure)[3] for figure in result.get("speed", {}).get("figures", ())))

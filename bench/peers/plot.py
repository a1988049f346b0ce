"""Bars as an SVG file, without a library."""
import html

ROW, LABEL, LENGTH, MARGIN, TITLE = 22, 260, 420, 16, 34
OURS, THEIRS = "#2563a8", "#b0b7bf"


def bars(panels):
    """panels: [(title, [(label, value, whether it is ours)])], one below the other."""
    parts, y = [], MARGIN
    for title, rows in panels:
        parts.append(f'<text x="{MARGIN}" y="{y + 14}" font-weight="bold">{html.escape(title)}</text>')
        y += TITLE
        most = max(value for _, value, _ in rows)
        for label, value, ours in rows:
            length = LENGTH * value / most
            parts.append(f'<text x="{LABEL}" y="{y + 12}" text-anchor="end">{html.escape(label)}</text>'
                         f'<rect x="{LABEL + 8}" y="{y}" width="{length:.1f}" height="{ROW - 6}" fill="{OURS if ours else THEIRS}"/>'
                         f'<text x="{LABEL + 14 + length:.1f}" y="{y + 12}">{value:,.0f}</text>')
            y += ROW
        y += MARGIN
    width = LABEL + LENGTH + 90
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" width="{width}" height="{y}" font-family="sans-serif" '
            f'font-size="12">\n<rect width="100%" height="100%" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n")

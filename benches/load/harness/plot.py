"""Draws the plots of docs/performance.md, as plain SVG for light and dark backgrounds."""

from html import escape

from .report import cold_groups, median
from .tools import median_ratio, rank

STYLE = """
  text { font: 14px system-ui, sans-serif; fill: #24292f; }
  .title { font-weight: 600; }
  .bar { fill: #8c959f; }
  .ours { fill: #0a7ea4; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .bar { fill: #6e7681; }
    .ours { fill: #39b5dd; }
  }
"""
WIDTH, LABELS, ROW, BAR = 760, 290, 26, 16
LONGEST = WIDTH - LABELS - 70


def write(results, options):
    """Writes the plots into the folder of the documents."""
    docs, bottles = options.docs, rank(options.bottles)
    groups = []
    for (traffic, found), peers in results["nearby"].items():
        where = f"nearby, {traffic} traffic, about {found} results of {bottles} bottles"
        groups.append((f"{where}: requests per second, Bottle = 1", by_server(peers, "rate", True)))
        if (traffic, found) == ("typical", 20):
            groups.append((f"{where}: server CPU per request, Bottle = 1", by_server(peers, "cpu", False)))
    draw(docs / "performance.svg", "Requests per second and CPU per request by server", groups)

    label = "Throughput of a cold file and with little memory"
    draw(docs / "performance-cold.svg", label, cold(results))
    if "growth" in results:
        draw(docs / "performance-growth.svg", "Growth with the number of bottles", growth(results, options))


def by_server(peers, value, falling):
    """Returns a bar for each server, relative to Bottle; the best is first."""
    rows = [
        (peer.name, median_ratio(peer.values(value), peers[0].values(value)), peer is peers[0])
        for peer in peers
    ]
    return sorted(rows, key=lambda row: row[1], reverse=falling)


def cold(results):
    """Returns a bar for each state of the file and the memory, relative to the first of its group."""
    groups = []
    for group in cold_groups(results):
        (standard, first), *_ = group
        rows = [
            (name, median(samples, "rate") / median(first, "rate"), "short" not in name)
            for name, samples in group
        ]
        groups.append((f"nearby, typical traffic: requests per second, {standard} = 1", rows))
    return groups


def growth(results, options):
    measured, large = results["growth"], rank(options.large)
    base = rank(options.bottles)
    time = [(f"nearby, {large} : {base}", 1 / measured["nearby"], True)]
    time += [(f"{name.replace(' of the whole world', '')}, {large} : 100 k", ratio, True)
             for name, ratio in measured["world"].items()]
    memory = [(f"{rank(size.bottles)} bottles", size.memory / measured["sizes"][0].memory, True)
              for size in measured["sizes"]]
    return [
        ("Time of the same request in a larger sea, smaller sea = 1", time),
        ("Memory without pages of the file, smallest sea = 1", memory),
    ]


def draw(path, label, groups):
    """Writes a group of bars for each title; a bar is its name, its value and whether it is Bottle's."""
    parts, y = [], 8
    for title, rows in groups:
        y += ROW
        parts.append(f'<text class="title" x="8" y="{y}">{escape(title)}</text>')
        y += 10
        largest = max(value for _, value, _ in rows)
        for name, value, ours in rows:
            parts.append(bar(name, value, value / largest * LONGEST, y, ours))
            y += ROW
    height = y + 8
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img" '
        f'aria-label="{escape(label)}">\n<style>{STYLE}</style>\n'
    )
    path.write_text(svg + "\n".join(parts) + "\n</svg>\n", encoding="utf-8")


def bar(name, value, length, y, ours):
    kind = "bar ours" if ours else "bar"
    middle = y + BAR - 3
    return (
        f'<text x="{LABELS - 10}" y="{middle}" text-anchor="end">{escape(name)}</text>'
        f'<rect class="{kind}" x="{LABELS}" y="{y}" width="{max(length, 1):.1f}" height="{BAR}" rx="2"/>'
        f'<text x="{LABELS + length + 8:.1f}" y="{middle}">{value:.2f}</text>'
    )

"""Draws requests per second by server, as a plain SVG for light and dark backgrounds."""

from html import escape

from .tools import ROOT, median_ratio

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


def draw(nearby, bottles):
    """Writes docs/performance.svg: a group of bars for each number of results, relative to Bottle."""
    parts, y = [], 8
    for found, peers in nearby.items():
        title = f"nearby, about {found} results of {bottles}: requests per second, Bottle = 1"
        y += ROW
        parts.append(f'<text class="title" x="8" y="{y}">{escape(title)}</text>')
        y += 10
        speeds = [(peer.name, median_ratio(peer.rates(), peers[0].rates())) for peer in peers]
        fastest = max(speed for _, speed in speeds)
        for name, speed in sorted(speeds, key=lambda pair: -pair[1]):
            parts.append(bar(name, speed, speed / fastest * LONGEST, y))
            y += ROW
    height = y + 8
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img" '
        f'aria-label="Requests per second by server">\n<style>{STYLE}</style>\n'
    )
    text = svg + "\n".join(parts) + "\n</svg>\n"
    (ROOT / "docs" / "performance.svg").write_text(text, encoding="utf-8")


def bar(name, speed, length, y):
    kind = "bar ours" if name == "Bottle" else "bar"
    middle = y + BAR - 3
    return (
        f'<text x="{LABELS - 10}" y="{middle}" text-anchor="end">{escape(name)}</text>'
        f'<rect class="{kind}" x="{LABELS}" y="{y}" width="{max(length, 1):.1f}" height="{BAR}" rx="2"/>'
        f'<text x="{LABELS + length + 8:.1f}" y="{middle}">{speed:.2f}</text>'
    )

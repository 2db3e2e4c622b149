"""The tables: absolute numbers on the terminal, ratios in docs/performance.md."""

import statistics
import unicodedata

from .busy import THROWERS, throws_ratio
from .tools import ROOT, median_ratio, rank

MIB = 1024 * 1024


def median(samples, name):
    return statistics.median(getattr(sample, name) for sample in samples)


def width(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def plain(head, rows):
    """Formats a table for the terminal: the first column left-aligned, the others right-aligned."""
    rows = [head, *rows]
    widths = [max(width(row[n]) for row in rows) for n in range(len(head))]
    lines = []
    for row in rows:
        cells = [row[0] + " " * (widths[0] - width(row[0]))]
        cells += [" " * (w - width(cell)) + cell for cell, w in zip(row[1:], widths[1:])]
        lines.append("  ".join(cells))
    return "\n".join(lines)


def markdown(head, rows):
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def peer_numbers(peers):
    head = ["server", "requests/s", "p50 ms", "p99 ms", "Bottle's rate"]
    rows = []
    for peer in peers:
        ratio = median_ratio(peers[0].rates(), peer.rates())
        numbers = [median(peer.samples, name) for name in ("rate", "p50", "p99")]
        rows.append(
            [peer.name, f"{numbers[0]:,.0f}", f"{numbers[1]:.2f}", f"{numbers[2]:.2f}", f"{ratio:.2f} ×"]
        )
    return head, rows


def peer_ratios(peers):
    head = ["compared with", "requests per second", "p50", "p99"]
    rows = []
    for peer in peers[1:]:
        ratios = [
            median_ratio(
                [getattr(sample, name) for sample in peers[0].samples],
                [getattr(sample, name) for sample in peer.samples],
            )
            for name in ("rate", "p50", "p99")
        ]
        rows.append([peer.name, *(f"{ratio:.2f}" for ratio in ratios)])
    return head, rows


def figure_rows(figures):
    head = ["figure", "measured", "must", "aim", "reached"]
    return head, [[f.name, f.shown(), *f.goals(), f.verdict()] for f in figures]


def storage_rows(rates):
    ours = next(iter(rates.values()))
    head = ["searches, two callers, 20 results", "rate of Bottle's store"]
    return head, [[name, f"{ours / rate:.2f} ×"] for name, rate in rates.items()]


def size_rows(sizes):
    head = ["bottles", "file, bytes per bottle", "memory, MiB", "start, ms", "backup, s"]
    rows = [
        [
            rank(size.bottles),
            f"{size.file:.0f}",
            f"{size.memory / MIB:.1f}",
            f"{size.start * 1000:.0f}",
            f"{size.backup:.1f}",
        ]
        for size in sizes
    ]
    return head, rows


def busy_lines(results):
    throws, logins = results["throws"], results["logins"]
    grouped, single = (
        f"{median(throws[name], 'rate'):,.0f}/s (p99 {median(throws[name], 'p99'):.1f} ms)"
        for name in ("grouped", "single")
    )
    return (
        f"Durable throws, {THROWERS} connections: {grouped}; one transaction each: {single}; "
        f"{throws_ratio(throws):.2f} ×\n"
        f"nearby at {median(logins['alone'], 'rate') / logins['full']:.0%} load: "
        f"p99 {median(logins['alone'], 'p99'):.2f} ms alone, "
        f"{median(logins['beside'], 'p99'):.2f} ms beside "
        f"{median(logins['logins'], 'rate'):.0f} logins/s; memory then {logins['memory'] / MIB:.0f} MiB"
    )


def terminal(results, figures, bottles):
    parts = []
    for found, peers in results["nearby"].items():
        parts.append(f"nearby, about {found} results of {rank(bottles)} bottles")
        parts.append(plain(*peer_numbers(peers)) + "\n")
    storage_head, storage = storage_rows(results["storage"])
    numbers = [
        [name, f"{rate:,.0f}/s", ratio]
        for (name, rate), (_, ratio) in zip(results["storage"].items(), storage)
    ]
    parts.append(plain([storage_head[0], "", storage_head[1]], numbers) + "\n")
    parts.append(busy_lines(results) + "\n")
    parts.append(plain(*size_rows(results["sizes"])) + "\n")
    parts.append(plain(*figure_rows(figures)))
    return "\n".join(parts)


DOCUMENT = """\
# Performance

Use this page to judge how fast Bottle is and what it costs to run. This command measured everything
in one go and wrote the page; the server and the load generator shared 2 cores:

```sh
{command}
```

Each figure is the median of {rounds} rounds of {seconds} seconds in which the servers took turns. A
comparison is the median of the ratios of the rounds. All servers return the same JSON to the same
requests, from the same file, after the same check of cookie and session. *must* is the requirement
and *aim* the goal; *reached* names the higher of the two that the figure meets.

{figures}

## `nearby` compared with other servers

![Requests per second by server](performance.svg)

Each cell is Bottle's value divided by that of the other server.

{peers}## The search alone, without HTTP

{storage}

## Size

{sizes}

Memory excludes cached pages of the file and is measured after a load. The backup is SQLite's own,
made while the server runs.
{left_out}"""


def document(results, figures, options, left_out, command):
    """Writes docs/performance.md."""
    peers = "".join(
        f"About {found} results of {rank(options.bottles)} bottles:\n\n{markdown(*peer_ratios(peers))}\n\n"
        for found, peers in results["nearby"].items()
    )
    missing = "".join(f"\nLeft out: {name}.\n" for name, _ in left_out.peers)
    text = DOCUMENT.format(
        command=command,
        rounds=options.rounds,
        seconds=options.seconds,
        figures=markdown(*figure_rows(figures)),
        peers=peers,
        storage=markdown(*storage_rows(results["storage"])),
        sizes=markdown(*size_rows(results["sizes"])),
        left_out=missing,
    )
    (ROOT / "docs" / "performance.md").write_text(text, encoding="utf-8")

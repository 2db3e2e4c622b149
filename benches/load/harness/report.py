"""The tables, and the absolute numbers on the terminal."""

import statistics
import unicodedata

from . import cold
from .busy import SLOW_SYNC_MS, THROWERS, throws_ratio
from .tools import MIB, median_ratio, rank


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


VALUES = ("rate", "cpu", "p50", "p99")


def peer_numbers(peers):
    head = ["server", "requests/s", "CPU µs", "p50 ms", "p99 ms", "Bottle's rate", "Bottle's CPU"]
    rows = []
    for peer in peers:
        numbers = [
            f"{peer.median(name):{form}}" for name, form in zip(VALUES, (",.0f", ".0f", ".2f", ".2f"))
        ]
        ratios = [median_ratio(peers[0].values(name), peer.values(name)) for name in ("rate", "cpu")]
        rows.append([peer.name, *numbers, *(f"{ratio:.2f} ×" for ratio in ratios)])
    return head, rows


def peer_ratios(peers):
    head = ["compared with", "requests per second", "server CPU per request", "p50", "p99"]
    rows = []
    for peer in peers[1:]:
        ratios = [median_ratio(peers[0].values(name), peer.values(name)) for name in VALUES]
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
            "–" if size.backup is None else f"{size.backup:.1f}",
        ]
        for size in sizes
    ]
    return head, rows


def busy_lines(results):
    logins = results["logins"]
    return (
        throws_line("Durable throws", results["throws"])
        + throws_line(f"With {SLOW_SYNC_MS} ms more for each sync", results["slow_throws"])
        + f"nearby at {median(logins['alone'], 'rate') / logins['full']:.0%} load: "
        f"p99 {median(logins['alone'], 'p99'):.2f} ms alone, "
        f"{median(logins['beside'], 'p99'):.2f} ms beside "
        f"{median(logins['logins'], 'rate'):.0f} logins/s; memory then {logins['memory'] / MIB:.0f} MiB"
    )


def throws_line(name, throws):
    if not throws:
        return ""
    grouped, single = (
        f"{median(throws[kind], 'rate'):,.0f}/s (p99 {median(throws[kind], 'p99'):.1f} ms)"
        for kind in ("grouped", "single")
    )
    return (
        f"{name}, {THROWERS} connections: {grouped}; one transaction each: {single}; "
        f"{throws_ratio(throws):.2f} ×\n"
    )


def mixed_lines(results):
    mixed, light = results["mixed"], results["overhead"]
    return (
        f"nearby at {median(mixed['alone'], 'rate'):,.0f}/s: p99 {median(mixed['alone'], 'p99'):.2f} ms alone, "
        f"{median(mixed['within'], 'p99'):.2f} ms at {median(mixed['within'], 'rate'):,.0f}/s beside "
        f"{median(mixed['others'], 'rate'):,.0f} other requests/s "
        f"(p99 {median(mixed['others'], 'p99'):.2f} ms); the streams received {mixed['events']} bottles\n"
        f"CPU of /healthz: {median(light['healthz'], 'cpu'):.1f} µs; "
        f"of /api/users/self: {median(light['self'], 'cpu'):.1f} µs"
    )


def cold_groups(results):
    """Returns the samples of the cold sea and of the limited one, as groups in which the first is the standard."""
    messages, first = results["messages"], f"first {cold.FIRST_SECONDS} s"
    groups = [
        [
            (f"{length} messages, {name}", messages[length][state])
            for state, name in (("warm", "warm"), ("cold", first))
            for length in ("long", "short")
        ]
    ]
    if limited := results.get("limited"):
        large = rank(results["sizes"][-1].bottles)
        groups.append(
            [
                (f"{large} bottles, unlimited memory", limited["unlimited"]),
                (f"{large} bottles, {cold.LITTLE // MIB} MiB", limited["limited"]),
            ]
        )
    return groups


def cold_rows(results):
    head = ["nearby, typical traffic", "requests/s", "relative rate"]
    rows = []
    for group in cold_groups(results):
        standard = median(group[0][1], "rate")
        for name, samples in group:
            rate = median(samples, "rate")
            rows.append([name, f"{rate:,.0f}", f"{rate / standard:.2f} ×"])
    return head, rows


def page_rows(pages):
    head = ["pages of a cold search", "Bottle", "peers"]
    return head, [[f"{traffic} traffic", f"{of['bottle']}", f"{of['peer']}"] for traffic, of in pages.items()]


def terminal(results, figures, options):
    parts = []
    for (traffic, found), peers in results["nearby"].items():
        parts.append(f"nearby, {traffic} traffic, about {found} results of {rank(options.bottles)} bottles")
        parts.append(plain(*peer_numbers(peers)) + "\n")
    storage_head, storage = storage_rows(results["storage"])
    numbers = [
        [name, f"{rate:,.0f}/s", ratio]
        for (name, rate), (_, ratio) in zip(results["storage"].items(), storage)
    ]
    parts.append(plain([storage_head[0], "", storage_head[1]], numbers) + "\n")
    parts.append(busy_lines(results) + "\n" + mixed_lines(results) + "\n")
    parts.append(plain(*cold_rows(results)) + "\n")
    parts.append(plain(*page_rows(results["pages"])) + "\n")
    parts.append(plain(*size_rows(results["sizes"])) + "\n")
    parts.append(plain(*figure_rows(figures)))
    return "\n".join(parts)

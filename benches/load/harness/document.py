"""Writes docs/performance.md, which has ratios only: absolute numbers depend on the machine."""

from . import mixed
from .report import (
    cold_rows, figure_rows, markdown, page_rows, peer_ratios, size_rows, storage_rows,
)
from .tools import rank

DOCUMENT = """\
# Performance

Use this page to judge how fast Bottle is and what it costs to run. This command measured everything
in one go and wrote the page; the server and the load generator shared 2 cores:

```sh
{command}
```

Each figure is the median of at most {rounds} rounds of {seconds} seconds in which the servers took
turns. A comparison is the median of the ratios of the rounds. All servers return the same JSON to
the same requests, after the same check of cookie and session. Bottle reads its own file; the others
read the same bottles from a file with the schema that one would write by hand: a table and its
R\\*-tree, in the order of arrival. axum is built as anybody would build it, with the allocator of the
system and the SQLite that rusqlite bundles. Server CPU is user and system time, of all its processes.
*must* is the requirement and *aim* the goal; *reached* names the higher of the two that the figure
meets. [Decisions](decisions.md#reading) says where the time of a search goes.

{figures}

On a Raspberry Pi, they mean:

{meanings}

## `nearby` compared with other servers

![Requests per second and CPU per request by server](performance.svg)

Each cell is Bottle's value divided by that of the other server. Typical traffic looks at cities, the
n-th of them with a probability of 1/n of the first; uniform traffic looks around any bottle.

{peers}## A cold file and little memory

![Throughput of a cold file and with little memory](performance-cold.svg)

A cold server starts with a file that is not in the page cache. Rates are relative to the first row
of the same sea.

{cold}

{pages}

A page has 2 KiB in Bottle's file and 4 KiB in the peers' file.

## The mixed load

{nearby} % of the requests are `nearby`; the others are {others}.
Together they have {load:.0f} % of Bottle's full rate, and run beside {streams} event streams. The
figure compares the p99 of `nearby` with its p99 alone at the same rate.

## The search alone, without HTTP

{storage}

## Size

{growth}{sizes}

Memory includes Bottle's cache, excludes cached pages of the file and is measured after a load. The
backup is SQLite's own, made while the server runs.
{left_out}"""


def write(results, figures, options, left_out, command):
    """Writes performance.md."""
    peers = "".join(
        f"{traffic.capitalize()} traffic, about {found} results of {rank(options.bottles)} bottles:\n\n"
        f"{markdown(*peer_ratios(peers))}\n\n"
        for (traffic, found), peers in results["nearby"].items()
    )
    text = DOCUMENT.format(
        command=command,
        rounds=options.rounds,
        seconds=options.seconds,
        figures=markdown(*figure_rows(figures)),
        meanings="\n".join(f"- {figure.name}: {figure.means}" for figure in figures),
        peers=peers,
        cold=markdown(*without_rates(*cold_rows(results))),
        pages=markdown(*page_rows(results["pages"])),
        nearby=mixed.NEARBY,
        others=", ".join(f"{kind} ({share} %)" for kind, share in mixed.OTHERS.items()),
        load=100 * mixed.LOAD,
        streams=mixed.STREAMS,
        storage=markdown(*storage_rows(results["storage"])),
        growth=growth(results),
        sizes=markdown(*size_rows(results["sizes"])),
        left_out="".join(f"\nLeft out: {name}.\n" for name, _ in left_out.peers),
    )
    (options.docs / "performance.md").write_text(text, encoding="utf-8")


def growth(results):
    if "growth" not in results:
        return ""
    return "![Growth with the number of bottles](performance-growth.svg)\n\n"


def without_rates(head, rows):
    return [head[0], head[2]], [[row[0], row[2]] for row in rows]

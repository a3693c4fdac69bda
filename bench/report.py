"""What the figures say: a table for each database, a file, and the comparison of two files."""

import json
import platform
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from bench.load import Figure
from bench.measures import MEASURES, RAW, TARGETS, Target

_TIE = 0.2
"""Differences below this share are ties."""


@dataclass
class Results:
    """The figures of one database: those of round n belong together."""

    hello: list[Figure] = field(default_factory=list)
    raw: dict[str, list[Figure]] = field(default_factory=dict)
    service: dict[str, list[Figure]] = field(default_factory=dict)
    start_seconds: list[float] = field(default_factory=list)
    resident_mb: list[float] = field(default_factory=list)


def summary(results: Results) -> dict[str, dict[str, float]]:
    """Medians of each measure; a share is taken within its round, then the median of the shares.

    `share` is of hello's requests a second with wrk, and of hello's processor time with the own
    generator; both are there under their own names too.
    """
    rows = {"hello": _medians(results.hello, results.hello)}
    rows |= {f"raw {name}": _medians(fs, results.hello) for name, fs in results.raw.items()}
    rows |= {name: _medians(figures, results.hello) for name, figures in results.service.items()}
    return rows


def _medians(figures: list[Figure], hello: list[Figure]) -> dict[str, float]:
    def median(value: Callable[[Figure, Figure], float]) -> float:
        return statistics.median(value(f, h) for f, h in zip(figures, hello, strict=False))

    by_rate = median(lambda f, h: f.per_second / h.per_second)
    by_cpu = median(lambda f, h: h.cpu_us / f.cpu_us)
    return {
        "per_second": median(lambda f, _: f.per_second),
        "cpu_us": median(lambda f, _: f.cpu_us),
        "p99_ms": median(lambda f, _: f.p99_ms),
        "share": by_rate if figures[0].generator == "wrk" else by_cpu,
        "share_of_rate": by_rate,
        "share_of_cpu": by_cpu,
    }


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for heading in headings:
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    return table


def distance(share: float, target: Target) -> str:
    """How far a share of hello is on the way."""
    if share >= target.stretch:
        return f"[green]stretch reached[/], {share / target.stretch:.0%} of it"
    if share >= target.first:
        return f"[green]first reached[/], {share / target.stretch:.0%} of stretch"
    return f"[yellow]{share / target.first:.0%} of first[/]"


def show(console: Console, database: str, results: Results) -> None:
    """Prints the table of one database."""
    rows = summary(results)
    own = results.hello[0].generator != "wrk"
    basis = "processor time" if own else "requests/s"
    table = _table(
        f"{database}: shares of hello by {basis}",
        *("", "req/s", "CPU µs", "p99 ms", "share", "by CPU", "of raw", "first / stretch", ""),
    )
    order = ["hello", *(f"raw {m.name}" for m in RAW), *(m.name for m in MEASURES)]
    for name in (name for name in order if name in rows):
        row = rows[name]
        cells = [
            name,
            f"{row['per_second']:,.0f}",
            f"{row['cpu_us']:,.0f}",
            f"{row['p99_ms']:.1f}",
            f"{row['share']:.3f}",
            f"{row['share_of_cpu']:.3f}",
        ]
        limit, target = rows.get(f"raw {name[:2]}"), TARGETS[database].get(name[:2])
        if target is not None:
            cells.append(f"{row['share'] / limit['share']:.0%}" if limit else "")
            cells += [f"{target.first:g} / {target.stretch:g}", distance(row["share"], target)]
        table.add_row(*cells, style=None if target is not None else "dim")
    console.print(table)
    parted = [abs(row["share_of_rate"] / row["share_of_cpu"] - 1) for row in rows.values()]
    if max(parted) > _TIE:
        console.print(
            "  share and by CPU part by more than 20 %: by CPU is the steadier when the machine is busy with "
            "other work, but leaves out waiting (for the disk in W1, for PostgreSQL)"
        )
    if results.start_seconds:
        console.print(
            f"  start to first answer {statistics.median(results.start_seconds):.2f} s (to reach: 1.5), "
            f"resident memory after the load {max(results.resident_mb):.0f} MB (to reach: 150)"
        )
    console.print()


def save(folder: Path, databases: dict[str, Results], settings: dict[str, Any]) -> Path:
    """Writes `<timestamp>.json`."""
    at = datetime.now(UTC)
    document = {
        "at": at.isoformat(timespec="seconds"),
        "machine": {"cpu": _cpu(), "python": platform.python_version()},
        "settings": settings,
        "databases": {
            name: {"summary": summary(results), "figures": asdict(results)}
            for name, results in databases.items()
        },
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{at:%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(document, indent=1) + "\n")
    return path


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(models)} x {models[0]}" if models else platform.machine()


def compare(console: Console, before: Path, after: Path) -> None:
    """Prints what changed from one file to another."""
    old, new = (json.loads(path.read_text()) for path in (before, after))
    for name in (name for name in old["databases"] if name in new["databases"]):
        rows = [document["databases"][name]["summary"] for document in (old, new)]
        table = _table(
            f"{name}: {before.stem} -> {after.stem}",
            *("", "req/s", "x", "CPU µs", "x", "share of hello", "x", ""),
        )
        for measure in (measure for measure in rows[0] if measure in rows[1]):
            first, second = rows[0][measure], rows[1][measure]
            cells = [measure]
            for key, form in (("per_second", ",.0f"), ("cpu_us", ",.0f"), ("share", ".3f")):
                cells += [f"{first[key]:{form}} -> {second[key]:{form}}"]
                cells += [f"{second[key] / first[key]:.2f}"]
            ratio = second["share"] / first["share"]
            tie = 1 - _TIE < ratio < 1 / (1 - _TIE)
            cells.append(
                "[dim]tie[/]" if tie else "[green]faster[/]" if ratio > 1 else "[red]slower[/]"
            )
            table.add_row(*cells)
        console.print(table)
    if old["settings"].get("generator") != new["settings"].get("generator"):
        console.print("The two used different load generators: compare the CPU columns only.")
    if old["machine"] != new["machine"]:
        console.print(f"Other machines: {old['machine']} and {new['machine']}.")
    console.print(f"Ratios within {_TIE:.0%} are ties.")

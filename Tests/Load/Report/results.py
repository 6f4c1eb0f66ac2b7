"""The results of a bench, read back: records by scenario, variant and subject, and what follows from them."""

import json
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FLEET = ["orchestrator", "reservation", "payment", "notification", "expiry", "recommendation"]
SERVERS = ["broker", "database", "cache"]
COMPONENTS = [*SERVERS, *FLEET, "program"]
"""What a purchase costs; who measures and what else the machine did are not part of it."""
BESIDE = ["generator", "others"]
PEERS = ["faststream", "dbos", "celery"]
RATE = "purchases per second"


@dataclass
class Spread:
    """The median of the rounds, and how far they lie apart."""

    values: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def __str__(self) -> str:
        low, high = number(min(self.values)), number(max(self.values))
        middle = number(self.median)
        return middle if low == high else f"{middle} ({low} – {high})"


class Results:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: dict[str, Any] = json.loads(path.read_text())
        self.records: list[dict[str, Any]] = self.file["records"]

    def select(self, scenario: str, variant: str | None = None, subject: str = "fleet") -> list[dict[str, Any]]:
        """The records that have figures, in the order of their rounds."""
        return [
            record
            for record in self.records
            if record["scenario"] == scenario
            and record["subject"] == subject
            and variant in (None, record["variant"])
            and "failure" not in record
            and not record.get("isDisturbed", False)
        ]

    def variants(self, scenario: str) -> list[str]:
        return list(dict.fromkeys(record["variant"] for record in self.records if record["scenario"] == scenario))

    def spread(self, records: Iterable[dict[str, Any]], value: Callable[[dict[str, Any]], float | None]) -> Spread | None:
        values = [found for record in records if (found := value(record)) is not None]
        return Spread(values) if values else None

    def figure(self, name: str, scenario: str, variant: str | None = None, subject: str = "fleet") -> Spread | None:
        return self.spread(self.select(scenario, variant, subject), lambda record: record["findings"]["figures"].get(name))

    def percentile(self, latency: str, which: str, scenario: str, variant: str | None = None) -> Spread | None:
        return self.spread(
            self.select(scenario, variant),
            lambda record: record["findings"]["latencies"].get(latency, {}).get(which),
        )

    def ratios(
        self, over: list[dict[str, Any]], under: list[dict[str, Any]], value: Callable[[dict[str, Any]], float]
    ) -> Spread | None:
        """Round by round: the first over the mean of the second, which were measured beside it."""
        ratios = []
        for record in over:
            beside = [value(other) for other in under if other["round"] == record["round"]]
            if beside and statistics.mean(beside) > 0:
                ratios.append(value(record) / statistics.mean(beside))
        return Spread(ratios) if ratios else None


def rate_of(record: dict[str, Any]) -> float:
    return record["findings"]["figures"][RATE]


def milliseconds_per_purchase(record: dict[str, Any]) -> dict[str, float]:
    """CPU milliseconds that one purchase took of each component."""
    purchases = record["findings"]["figures"].get("purchases", 0)
    return {name: 1000 * seconds / purchases for name, seconds in record["consumption"]["cpu"].items() if purchases}


def number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"

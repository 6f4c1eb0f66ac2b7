"""What the fleet must reach, and whether it did in this run."""

from dataclasses import dataclass

from results import FLEET, PEERS, Results, Spread, number, rate_of


@dataclass
class Target:
    wanted: str
    found: Spread | None
    is_met: bool

    @property
    def row(self) -> list[str]:
        if self.found is None:
            return [self.wanted, "not measured", "–"]
        return [self.wanted, str(self.found), "yes" if self.is_met else "**no**"]


def targets(results: Results) -> list[Target]:
    return [
        at_least("saturate, of the floor", 0.6, beside(results, "saturate", "saturate", "floor")),
        at_least("saturate, of the best peer", 8, best_peer(results)),
        at_least("hot, of saturate", 0.9, beside(results, "hot", "saturate", "fleet")),
        at_most("p99 at 200/s, of the floor's", 2, latency_of_floor(results, "200/s")),
        at_least("accepted starts a second over HTTP", 2000, results.figure("accepted per second", "http", "intake")),
        at_most("MB of the largest worker at saturation", 100, memory(results, FLEET[1:])),
        at_most("MB of the orchestrator at saturation", 200, memory(results, FLEET[:1])),
        at_least("with finished sagas, of empty tables", 0.9, history(results, "finished sagas")),
        at_least("beside an open transaction, of empty tables", 0.8, history(results, "open transaction")),
        at_most("p99 of the timers' lag, ms", 1000, results.percentile("lag at 250 a second", "p99", "expiry")),
        at_most("p99 of a refusal once sold out, ms", 50, results.percentile("refusal once sold out", "p99", "storm")),
        at_least(
            "soak: completed per second, late to early", 0.95,
            results.figure("completed per second, late to early", "soak"),
        ),
    ]


def at_least(name: str, bound: float, found: Spread | None) -> Target:
    return Target(f"{name} ≥ {number(bound)}", found, found is not None and found.median >= bound)


def at_most(name: str, bound: float, found: Spread | None) -> Target:
    return Target(f"{name} ≤ {number(bound)}", found, found is not None and found.median <= bound)


def beside(results: Results, over: str, under: str, subject: str) -> Spread | None:
    return results.ratios(results.select(over), results.select(under, subject=subject), rate_of)


def best_peer(results: Results) -> Spread | None:
    """Of the peer that was the fastest over all rounds."""
    peers = [(results.figure("purchases per second", "saturate", subject=peer), peer) for peer in PEERS]
    known = [(figure.median, peer) for figure, peer in peers if figure]
    return beside(results, "saturate", "saturate", max(known)[1]) if known else None


def latency_of_floor(results: Results, variant: str) -> Spread | None:
    def p99(record: dict) -> float:
        findings = record["findings"]
        if record["subject"] == "floor":
            return findings["figures"]["start to notified p99 ms"]
        return findings["latencies"]["start to completed"]["p99"]

    return results.ratios(
        results.select("latency", variant), results.select("latency", variant, subject="floor"), p99
    )


def memory(results: Results, names: list[str]) -> Spread | None:
    def largest(record: dict) -> float | None:
        used = record["consumption"]["memory"]
        return max((used[process] for process in used if process.split("-")[0] in names), default=None)

    return results.spread(results.select("saturate"), largest)


def history(results: Results, variant: str) -> Spread | None:
    return results.ratios(
        results.select("history", variant), results.select("history", "empty tables"), rate_of
    )

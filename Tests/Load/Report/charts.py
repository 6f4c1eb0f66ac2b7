"""The charts of a bench, as SVG."""

import statistics
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plot  # noqa: E402  # the backend must be chosen first
from matplotlib.axes import Axes  # noqa: E402

from results import COMPONENTS, PEERS, RATE, Results, milliseconds_per_purchase  # noqa: E402

COLOURS = dict(
    zip(
        COMPONENTS,
        ["#d1495b", "#30638e", "#7b9e87", "#edae49", "#003d5b", "#00798c", "#8f5d8b", "#66a182", "#b8b8b8",
         "#6c757d"],
        strict=True,
    )
)
plot.rcParams.update(
    {
        "svg.fonttype": "none", "svg.hashsalt": "turnstile", "font.family": "sans-serif", "font.size": 10,
        "axes.spines.top": False, "axes.spines.right": False, "axes.titleweight": "bold", "axes.titlelocation": "left",
        "figure.constrained_layout.use": True, "savefig.facecolor": "white", "legend.frameon": False,
    }
)


def draw_all(results: Results, folder: Path) -> list[tuple[str, str]]:
    """Draws what there are records for: file names and what they show."""
    drawn = []
    for name, title, draw in [
        ("throughput.svg", "Purchases per second", throughput),
        ("latency.svg", "Latency at fixed rates", latency),
        ("cpu.svg", "Where the CPU went", cpu),
        ("scale.svg", "Processes and lanes", scale),
        ("soak.svg", "A long time at 70 %", soak),
    ]:
        figure, axes = plot.subplots(figsize=(8, 4.2))
        if draw(results, axes):
            axes.set_title(title)
            figure.savefig(folder / name, metadata={"Date": None})
            drawn.append((name, title))
        plot.close(figure)
    return drawn


def bars(axes: Axes, rows: list[tuple[str, Any, str]], unit: str) -> bool:
    """Horizontal bars of medians, with whiskers from the least to the most."""
    rows = [row for row in rows if row[1]]
    if not rows:
        return False
    medians = [spread.median for _, spread, _ in rows]
    low = [spread.median - min(spread.values) for _, spread, _ in rows]
    high = [max(spread.values) - spread.median for _, spread, _ in rows]
    places = range(len(rows))
    axes.barh(places, medians, xerr=[low, high], color=[colour for _, _, colour in rows], error_kw={"elinewidth": 1})
    for place, value, above in zip(places, medians, high, strict=True):
        axes.annotate(f"{value:,.0f}", (value + above, place), xytext=(5, 0), textcoords="offset points", va="center")
    axes.set_yticks(places, [name for name, _, _ in rows])
    axes.invert_yaxis()
    axes.set_xlabel(unit)
    axes.margins(x=0.12)
    return True


def throughput(results: Results, axes: Axes) -> bool:
    ours, other = COLOURS["database"], COLOURS["program"]
    rows = [("floor", results.figure(RATE, "saturate", subject="floor"), other)]
    for name, scenario, variant in [
        ("saturate", "saturate", None), ("hot", "hot", None), ("seats", "seats", None),
        ("backlog", "backlog", None), ("http, start to outcome", "http", "end to end"),
    ]:
        rows.append((name, results.figure(RATE, scenario, variant), ours))
    rows += [(peer, results.figure(RATE, "saturate", subject=peer), COLOURS["broker"]) for peer in PEERS]
    return bars(axes, rows, RATE)


def latency(results: Results, axes: Axes) -> bool:
    """Percentiles with the tail stretched: each decade of rarity as wide as the one before."""
    drawn = False
    for variant, colour in zip(results.variants("latency"), ["#7b9e87", "#30638e", "#d1495b"], strict=False):
        records = results.select("latency", variant)
        if not records:
            continue
        curves = [record["findings"]["latencies"]["start to completed"]["curve"] for record in records]
        ranks = [point["rank"] for point in curves[0] if point["rank"] <= 0.9995]
        times = [statistics.median(curve[index]["milliseconds"] for curve in curves) for index in range(len(ranks))]
        axes.plot([1 / (1 - rank) for rank in ranks], times, label=variant, color=colour)
        drawn = True
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks([2, 10, 100, 1000], ["p50", "p90", "p99", "p99.9"])
    axes.set_xlabel("percentile")
    axes.set_ylabel("ms from start to completed")
    axes.grid(visible=True, alpha=0.3)
    if drawn:
        axes.legend(title="purchases a second")
    return drawn


def cpu(results: Results, axes: Axes) -> bool:
    rows = []
    for name, scenario, variant, subject in [
        ("saturate", "saturate", None, "fleet"), ("hot", "hot", None, "fleet"), ("seats", "seats", None, "fleet"),
        ("http, intake", "http", "intake", "fleet"), ("http, to outcome", "http", "end to end", "fleet"),
        ("backlog", "backlog", None, "fleet"), ("floor", "saturate", None, "floor"),
    ]:
        costs = [milliseconds_per_purchase(record) for record in results.select(scenario, variant, subject)]
        if costs and any(costs):
            rows.append((name, {part: statistics.median(c.get(part, 0) for c in costs) for part in COMPONENTS}))
    if not rows:
        return False
    left = [0.0] * len(rows)
    for part in COMPONENTS:
        widths = [costs[part] for _, costs in rows]
        if max(widths) >= 0.005:
            axes.barh([name for name, _ in rows], widths, left=left, label=part, color=COLOURS[part])
        left = [start + width for start, width in zip(left, widths, strict=True)]
    axes.invert_yaxis()
    axes.set_xlabel("CPU milliseconds per purchase")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return True


def scale(results: Results, axes: Axes) -> bool:
    rows = [
        (variant, results.figure(RATE, "scale", variant), COLOURS["database"]) for variant in results.variants("scale")
    ]
    return bars(axes, rows, RATE)


def soak(results: Results, axes: Axes) -> bool:
    records = results.select("soak")
    if not records or not records[-1]["findings"]["series"]:
        return False
    series = records[-1]["findings"]["series"][:-1]
    minutes = [row["seconds"] / 60 for row in series]
    axes.plot(minutes, [row["completed per second"] for row in series], color=COLOURS["database"], label=RATE)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("minutes")
    axes.set_ylabel("purchases completed per second")
    memory = axes.twinx()
    memory.spines["right"].set_visible(True)
    for name, colour in [("orchestrator", "orchestrator"), ("reservation", "reservation"), ("broker", "broker")]:
        memory.plot(minutes, [row[f"{name} MB"] for row in series], color=COLOURS[colour], label=f"{name}, MB", lw=1)
    memory.set_ylim(bottom=0)
    memory.set_ylabel("MB")
    axes.figure.legend(loc="outside lower center", ncols=4)
    return True

"""Makes a Markdown report and charts of a bench's results.

    report.py RESULTS.json                    report.md and charts beside the results
    report.py RESULTS.json --document FOLDER  also into PERFORMANCE.md of that folder, between its marks
"""

import argparse
import statistics
from pathlib import Path

from charts import draw_all
from results import BESIDE, COMPONENTS, FLEET, PEERS, RATE, Results, milliseconds_per_purchase, number
from targets import targets

BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
NAMES = {"faststream": "FastStream + asyncpg", "dbos": "DBOS Transact", "celery": "Celery", "floor": "floor program"}
MILLION_A_MINUTE = 1_000_000 / 60


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes a report and charts of a bench's results.")
    parser.add_argument("results", type=Path)
    parser.add_argument("--document", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    results = Results(arguments.results)
    folder = arguments.results.parent
    (folder / "report.md").write_text("# Bench\n\n" + report(results, draw_all(results, folder), ""))
    if arguments.document:
        document(results, arguments.document)


def document(results: Results, folder: Path) -> None:
    """Replaces what lies between the marks, and the charts."""
    charts = folder / "Performance"
    charts.mkdir(exist_ok=True)
    for old in charts.glob("*.svg"):
        old.unlink()
    page = folder / "PERFORMANCE.md"
    text = page.read_text()
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    body = report(results, draw_all(results, charts), "Performance/")
    page.write_text(f"{head}{BEGIN}\n\n{body}\n{END}{tail}")


def report(results: Results, charts: list[tuple[str, str]], folder: str) -> str:
    parts = [
        machine(results), section("Targets", table(["target", "found", "met"], [t.row for t in targets(results)])),
        section("Throughput", throughput(results)), section("Latency", latencies(results)),
        section("Cost of a purchase", costs(results)), section("Memory", memory(results)),
        section("Other figures", figures(results)), section("Soundness", soundness(results)),
        section("Charts", "\n\n".join(f"![{title}]({folder}{name})" for name, title in charts)),
    ]
    return "\n\n".join(part for part in parts if part).rstrip() + "\n"


def section(title: str, body: str) -> str:
    return f"### {title}\n\n{body}" if body else ""


def table(head: list[str], rows: list[list[str]]) -> str:
    if not rows:
        return ""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def machine(results: Results) -> str:
    known = results.file["machine"]
    versions = ", ".join(f"{name} {text}" if name not in text else text for name, text in known["versions"].items())
    settings = ", ".join(f"`{name}={value}`" for name, value in sorted(known["durability"].items()))
    rounds = max((record["round"] for record in results.records), default=0)
    disturbed = sum(record.get("isDisturbed", False) for record in results.records)
    left_out = f" {disturbed} runs are left out, for the hypervisor withheld processors meanwhile." if disturbed else ""
    return (
        f"{known['processor']}, {known['cores']} cores that run everything, {number(known['memoryGB'])} GB, "
        f"{known['kernel']}; {versions}. {settings}, quorum queues, publisher confirms. "
        f"Begun {results.file['began']}, ended {results.file['ended']}, revision `{known['commit']}`, "
        f"sizes times {results.file['scale']:g}, up to {rounds} {'round' if rounds == 1 else 'rounds'}; "
        f"medians, with the least and the most in parentheses.{left_out}"
    )


def throughput(results: Results) -> str:
    rows = []
    for scenario in ["saturate", "hot", "seats", "http", "backlog", "history", "scale"]:
        for variant in results.variants(scenario):
            found = results.figure(RATE, scenario, variant)
            floor = results.ratios(
                results.select(scenario, variant), results.select(scenario, variant, "floor"),
                lambda record: record["findings"]["figures"][RATE],
            )
            if found:
                rows.append([f"{scenario} {variant}".strip(), str(found), str(floor) if floor else ""])
    for subject in ["floor", *PEERS]:
        found = results.figure(RATE, "saturate", subject=subject)
        if found:
            rows.append([NAMES[subject], str(found), ""])
    return table(["", RATE, "of the floor beside it"], rows)


def latencies(results: Results) -> str:
    rows = []
    for scenario in dict.fromkeys(record["scenario"] for record in results.records):
        for variant in results.variants(scenario):
            names = dict.fromkeys(
                name for record in results.select(scenario, variant) for name in record["findings"]["latencies"]
            )
            for name in names:
                cells = [
                    str(results.percentile(name, which, scenario, variant))
                    for which in ["p50", "p95", "p99", "p999", "most"]
                ]
                rows.append([f"{scenario} {variant}".strip(), name, *cells])
            floor = results.select(scenario, variant, "floor")
            if any("start to notified p99 ms" in record["findings"]["figures"] for record in floor):
                median, rare = (
                    str(results.figure(f"start to notified {which} ms", scenario, variant, "floor"))
                    for which in ["p50", "p99"]
                )
                rows.append([f"{scenario} {variant}", "floor program: start to notified", median, "", rare, "", ""])
    return table(["scenario", "ms", "p50", "p95", "p99", "p99.9", "most"], rows)


def costs(results: Results) -> str:
    """CPU per purchase, and how many cores a million purchases a minute would take at that price."""
    columns = [
        (name, [milliseconds_per_purchase(record) for record in results.select(scenario, variant, subject)])
        for name, scenario, variant, subject in [
            ("saturate", "saturate", None, "fleet"), ("hot", "hot", None, "fleet"), ("seats", "seats", None, "fleet"),
            ("200/s", "latency", "200/s", "fleet"), ("http intake", "http", "intake", "fleet"),
            ("floor", "saturate", None, "floor"), *((NAMES[peer], "saturate", None, peer) for peer in PEERS),
        ]
    ]
    columns = [(name, found) for name, found in columns if found]
    if not columns:
        return ""

    def median(found: list[dict[str, float]], part: str) -> float:
        return statistics.median(cost.get(part, 0) for cost in found)

    rows = []
    for part in COMPONENTS:
        cells = [median(found, part) for _, found in columns]
        if max(cells) >= 0.005:
            rows.append([part, *(f"{cell:.2f}" if cell else "" for cell in cells)])
    rows.append(["**all**", *(f"{sum(median(found, part) for part in COMPONENTS):.2f}" for _, found in columns)])
    for part in BESIDE:
        rows.append([f"{part} (not counted)", *(f"{median(found, part):.2f}" for _, found in columns)])
    text = "CPU milliseconds per purchase:\n\n" + table(["component", *(name for name, _ in columns)], rows)
    saturate = dict(columns).get("saturate")
    if not saturate:
        return text
    parts = ["broker", "database", "cache", *FLEET]
    cores = {part: median(saturate, part) / 1000 * MILLION_A_MINUTE for part in parts}
    sizing = table(
        ["component", "purchases per second and core", "cores for a million purchases a minute"],
        [[part, number(MILLION_A_MINUTE / cores[part]) if cores[part] else "", number(cores[part])] for part in parts]
        + [["**all**", number(MILLION_A_MINUTE / sum(cores.values())), number(sum(cores.values()))]],
    )
    return f"{text}\n\nAt the price of *saturate*:\n\n{sizing}"


def memory(results: Results) -> str:
    shown = [name for name in ["saturate", "hot", "backlog", "http", "soak"] if results.select(name)]
    processes = dict.fromkeys(
        process for name in shown for record in results.select(name) for process in record["consumption"]["memory"]
    )
    rows = []
    for process in processes:
        cells = [results.spread(results.select(name), lambda r: r["consumption"]["memory"].get(process)) for name in shown]
        rows.append([process, *(str(cell) if cell else "" for cell in cells)])
    return table(["most MB", *shown], rows)


def figures(results: Results) -> str:
    rows = []
    for scenario in dict.fromkeys(record["scenario"] for record in results.records):
        for variant in results.variants(scenario):
            records = results.select(scenario, variant)
            names = dict.fromkeys(name for record in records for name in record["findings"]["figures"])
            for name in sorted(names):
                if name != RATE:
                    found = results.figure(name, scenario, variant)
                    rows.append([f"{scenario} {variant}".strip(), name, str(found)])
    return table(["scenario", "figure", "found"], rows)


def soundness(results: Results) -> str:
    """Whether every promise held after every scenario, and what else went wrong."""
    judged = [record for record in results.records if "soundness" in record]
    sound = [record for record in judged if record["soundness"]["isSound"]]
    sagas = sum(record["soundness"]["sagas"] for record in judged)
    lines = [
        f"`turnstile verify --settled` found {len(sound)} of {len(judged)} runs sound, {sagas:,} sagas in all."
    ]
    for record in results.records:
        name = f"{record['scenario']} {record['variant']}".strip() + f", {record['subject']}, round {record['round']}"
        troubles = list(record["findings"]["complaints"])
        if "failure" in record:
            troubles.append(record["failure"].splitlines()[0])
        if record.get("soundness", {"isSound": True})["isSound"] is False:
            troubles.append(f"not sound: {record['soundness']['broken']}")
        lines += [f"- {name}: {trouble}" for trouble in troubles]
    return "\n".join([lines[0], "", *lines[1:]]).rstrip()


if __name__ == "__main__":
    main()

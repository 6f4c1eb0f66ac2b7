"""Counts what the microbenchmarks cost, and complains where it is more than it was.

    measure.py PROGRAM THRESHOLDS.json            compares
    measure.py PROGRAM THRESHOLDS.json --update   writes down what was counted

Instructions and allocations are counted by valgrind's DHAT, so the machine's speed and load do not matter. Each
benchmark runs twice with different repetitions; the difference is what the repetitions cost, without the start-up.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

REPETITIONS = {"step": (100, 400), "messages": (20, 80), "decode": (20, 80), "encode": (20, 80), "lane": (2, 6)}
SLACK = 0.10
ENOUGH_TO_BE_NEWS = 0.10


def main() -> None:
    parser = argparse.ArgumentParser(description="Counts what the microbenchmarks cost.")
    parser.add_argument("program", type=Path)
    parser.add_argument("thresholds", type=Path)
    parser.add_argument("--update", action="store_true")
    arguments = parser.parse_args()
    names = subprocess.run([arguments.program, "--list"], check=True, capture_output=True, text=True).stdout.split()
    with tempfile.TemporaryDirectory() as folder:
        program = without_debug_information(arguments.program, Path(folder))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            found = dict(zip(names, pool.map(lambda name: cost(program, name), names), strict=True))
    if arguments.update:
        arguments.thresholds.parent.mkdir(exist_ok=True)
        arguments.thresholds.write_text(json.dumps(found, indent=4) + "\n")
        return
    if not arguments.thresholds.exists():
        sys.exit(f"there are no thresholds for this compiler; write them with --update: {arguments.thresholds}")
    known = json.loads(arguments.thresholds.read_text())
    complaints = [line for name in names for line in compare(name, found[name], known.get(name))]
    for line in complaints:
        print(f"  {line}")
    sys.exit(1 if complaints else 0)


def without_debug_information(program: Path, folder: Path) -> Path:
    """A copy that valgrind can load: older ones stop at what newer compilers write down about the source."""
    copy = folder / program.name
    subprocess.run(["strip", "--strip-debug", "-o", copy, program], check=True)
    return copy


def cost(program: Path, name: str) -> dict[str, int]:
    """Instructions and allocations of one repetition."""
    few, many = REPETITIONS[name]
    (instructions, allocations), (more_instructions, more_allocations) = count(program, name, few), count(
        program, name, many
    )
    return {
        "instructions": round((more_instructions - instructions) / (many - few)),
        "allocations": round((more_allocations - allocations) / (many - few)),
    }


def count(program: Path, name: str, repetitions: int) -> tuple[int, int]:
    with tempfile.NamedTemporaryFile(suffix=".json") as profile:
        run = subprocess.run(
            ["valgrind", "--tool=dhat", "--num-callers=1", f"--dhat-out-file={profile.name}", program, name,
             str(repetitions)],
            capture_output=True, text=True,
            # Hashing with a random seed would make every run a little different.
            env=os.environ | {"SWIFT_DETERMINISTIC_HASHING": "1"},
        )
        total = re.search(r"Total:\s+[\d,]+ bytes in ([\d,]+) blocks", run.stderr)
        if run.returncode != 0 or not total:
            sys.exit(f"{name} cannot be measured (status {run.returncode}):\n{run.stderr[-2000:]}")
        ended = re.search(r'"te":(\d+)', Path(profile.name).read_text())
        return int(ended[1]), int(total[1].replace(",", ""))


def compare(name: str, found: dict[str, int], known: dict[str, int] | None) -> list[str]:
    if known is None:
        return [f"{name} has no threshold: {found}"]
    complaints = []
    for what, before in known.items():
        now = found[what]
        change = f"{name}: {now:,} {what}, {now - before:+,} against {before:,}"
        if now > before * (1 + SLACK):
            complaints.append(change)
        elif now < before * (1 - ENOUGH_TO_BE_NEWS):
            print(f"  {change}; write it down with compose/dev micro --update")
        else:
            print(f"  {change}")
    return complaints


if __name__ == "__main__":
    main()

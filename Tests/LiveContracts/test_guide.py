"""The guide for upstream teams, done exactly as it is printed."""

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import contract

# ```sh is run, ```text is what that prints, where … stands for anything, and ```python NAME is a file.
BLOCK = re.compile(r"^```(sh|text|python \S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
GUIDE = (contract.CONTRACTS / "UPSTREAM.md").read_text()


def blocks() -> list[tuple[str, str]]:
    return [(match[1], match[2]) for match in BLOCK.finditer(GUIDE)]


def test_every_block_of_the_guide_is_tried():
    fences = re.findall(r"^```", GUIDE, re.MULTILINE)
    assert len(fences) == 2 * len(blocks())
    kinds = [kind for kind, _ in blocks()]
    assert kinds.count("sh") == kinds.count("text") and kinds[0] != "text"


def test_every_command_prints_what_the_guide_says(tmp_path: Path):
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    shell = subprocess.Popen(
        ["bash"], cwd=tmp_path, env=os.environ | {"PATH": path}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    commands = blocks()
    for (kind, content), (_, expected) in zip(commands, [*commands[1:], ("", "")], strict=True):
        if kind.startswith("python "):
            (tmp_path / kind.removeprefix("python ")).write_text(content)
        elif kind == "sh":
            printed = run(shell, content)
            assert matches(expected, printed), f"{content}\nprinted\n{printed}\nand the guide says\n{expected}"
    shell.stdin.close()
    assert shell.wait(timeout=10) == 0


def run(shell: subprocess.Popen, command: str) -> str:
    """Has the one shell of the guide run a block; returns what it printed, with its failure if it failed."""
    impatience = threading.Timer(60, shell.kill)
    impatience.start()
    shell.stdin.write(f"set -e\n{command}\nset +e\nprintf '\\n--end of block--\\n'\n")
    shell.stdin.flush()
    lines = []
    for line in shell.stdout:
        if line == "--end of block--\n":
            impatience.cancel()
            return "".join(lines).removesuffix("\n")
        lines.append(line)
    return "".join(lines) + f"(the shell ended with status {shell.wait()})"


def matches(expected: str, printed: str) -> bool:
    pattern = ".*?".join(re.escape(part) for part in expected.strip().split("…"))
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None

"""Wrong samples made from right ones."""

import copy
from collections.abc import Iterator

Path = tuple[str | int, ...]


def leaves(value: object, path: Path = ()) -> Iterator[tuple[Path, object]]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from leaves(member, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path, value


def members(value: object, path: Path = ()) -> Iterator[Path]:
    """Every field of every object."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield (*path, name)
            yield from members(member, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from members(item, (*path, index))


def without(sample: object, path: Path) -> object:
    changed = copy.deepcopy(sample)
    del parent(changed, path)[path[-1]]
    return changed


def replacing(sample: object, path: Path, value: object) -> object:
    if not path:
        return value
    changed = copy.deepcopy(sample)
    parent(changed, path)[path[-1]] = value
    return changed


def parent(value: object, path: Path) -> dict | list:
    for part in path[:-1]:
        value = value[part]
    return value


def general(path: Path) -> str:
    """The path without the places in lists, such as `tiers/*/seats`."""
    return "/".join("*" if isinstance(part, int) else part for part in path)

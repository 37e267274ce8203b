"""Imports go downwards only (DESIGN section 3). The layers are data here; the imports are read from the source."""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

TOP = ("pools", "core", "groups", "cli")
"""Left never imports right. `perf` stands beside them: `cli` starts it, and it imports nothing of ours."""

INSIDE_CORE = (
    {"errors"},
    {"units"},
    {"addresses", "passwords"},
    {"config"},
    {"http", "net", "peers", "resolver"},
    {"session"},
    {"rules"},
    {"balance"},
    {"checks", "report"},
    {"relay"},
    {
        "runtime",
        "build_backups",
        "build_errors",
        "build_levels",
        "build_logs",
        "build_rules",
        "build_sticky",
        "build_tracking",
    },
    {"build"},
    {"rehearsal"},
)
"""Left never imports right, and neighbours of one layer do not import each other."""

CONFESSED: dict[tuple[str, str], str] = {}
"""Imports that break the order on purpose, each with its reason."""

FORBIDDEN_IN_POOLS = {"asyncio", "socket", "ssl", "time"}
"""Pools are arithmetic and structure: no I/O, and `now` is always an argument."""

PERF_MAY_IMPORT_OURS = "perf.micro"


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name without `maniple.`, `__init__` files under their folder's name."""
    found = {}
    for top in (*TOP, "perf"):
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


@functools.cache
def imports_of(name: str, path: Path) -> list[tuple[int, bool, str]]:
    return list(read_imports(name, path))


def read_imports(name: str, path: Path) -> Iterator[tuple[int, bool, str]]:
    """(line, is relative, dotted target) for each import; targets inside the package without `maniple.`."""
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, False, alias.name
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.lineno, False, node.module or ""
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1]
            if node.module:
                base = base + node.module.split(".")
            for alias in node.names:
                whole = ".".join([*base, alias.name])
                yield node.lineno, True, whole if whole in MODULES else ".".join(base)


def internal_imports() -> list[tuple[str, str, int]]:
    """(importer, imported, line) for each import between modules of the package."""
    return [
        (name, target, line)
        for name, path in MODULES.items()
        for line, relative, target in imports_of(name, path)
        if relative
    ]


def rank_in_core(module: str) -> int:
    part = module.split(".")[1]
    for rank, names in enumerate(INSIDE_CORE):
        if part in names:
            return rank
    raise AssertionError(
        f"{module}: 'core.{part}' has no place among the layers of core; give it one in DESIGN and here"
    )


def test_the_package_is_found() -> None:
    assert "core.errors" in MODULES and "cli.main" in MODULES


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_of_our_own_are_relative(name: str) -> None:
    absolute = [
        f"line {line}: {target}"
        for line, relative, target in imports_of(name, MODULES[name])
        if not relative and target.split(".")[0] == "maniple" and not name.startswith(PERF_MAY_IMPORT_OURS)
    ]
    assert not absolute, "imports inside the package are relative"


def test_top_layers_import_downwards_only() -> None:
    wrong = []
    for importer, imported, line in internal_imports():
        source, target = importer.split(".")[0], imported.split(".")[0]
        if source == "perf" or target not in (*TOP, "perf"):
            continue
        if target == "perf" and source == "cli":
            continue
        if target == "perf" or TOP.index(source) < TOP.index(target):
            wrong.append(f"{importer}:{line} imports {imported}")
    assert not wrong, "cli -> groups -> core -> pools"


def test_core_imports_leftwards_only() -> None:
    wrong = []
    for importer, imported, line in internal_imports():
        if not (importer.startswith("core.") and imported.startswith("core.")):
            continue
        if importer.split(".")[1] == imported.split(".")[1] or (importer, imported) in CONFESSED:
            continue
        if rank_in_core(importer) <= rank_in_core(imported):
            wrong.append(f"{importer}:{line} imports {imported}")
    assert not wrong, "the order of core is " + " < ".join("/".join(sorted(names)) for names in INSIDE_CORE)


def test_confessed_breaches_still_exist() -> None:
    present = {(importer, imported) for importer, imported, _ in internal_imports()}
    assert set(CONFESSED) <= present, "a confessed breach is gone: take it off the list"


def test_pools_import_the_standard_library_only() -> None:
    wrong = []
    for name, path in MODULES.items():
        if not name.startswith("pools"):
            continue
        for line, relative, target in imports_of(name, path):
            top = target.split(".")[0]
            if relative and top == "pools":
                continue
            if relative or top not in sys.stdlib_module_names or top in FORBIDDEN_IN_POOLS:
                wrong.append(f"{name}:{line} imports {target}")
    assert not wrong


def test_perf_imports_nothing_of_ours() -> None:
    wrong = [
        f"{importer}:{line} imports {imported}"
        for importer, imported, line in internal_imports()
        if importer.startswith("perf")
        and not imported.startswith("perf")
        and not importer.startswith(PERF_MAY_IMPORT_OURS)
    ]
    assert not wrong, "perf drives the command line as a process"


def test_tests_import_absolutely() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level > 0
    ]
    assert not wrong
    assert not list((ROOT / "tests").rglob("__init__.py"))

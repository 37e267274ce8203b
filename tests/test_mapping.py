"""Every module has a test module of its name in the mirrored folder, and every test module there has its module."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("pools", "core", "groups", "cli", "perf")


def modules() -> list[Path]:
    """Modules with code, relative to the root."""
    return sorted(
        path.relative_to(ROOT)
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if path.name != "__init__.py"
    )


def present_tests() -> list[Path]:
    """Test modules that lie in a mirrored folder, relative to tests/."""
    tests = ROOT / "tests"
    return sorted(path.relative_to(tests) for package in PACKAGES for path in (tests / package).rglob("test_*.py"))


@pytest.mark.parametrize("module", modules(), ids=str)
def test_module_has_its_test_module(module: Path) -> None:
    assert (ROOT / "tests" / module.parent / f"test_{module.name}").exists()


@pytest.mark.parametrize("test_module", present_tests(), ids=str)
def test_test_module_has_its_module(test_module: Path) -> None:
    """`test_head.py` needs `head.py`; `test_head_cases.py` may stand beside it as more of the same."""
    subject = test_module.stem.removeprefix("test_")
    names = {path.stem for path in (ROOT / test_module.parent).glob("*.py")}
    assert any(subject == name or subject.startswith(f"{name}_") for name in names)

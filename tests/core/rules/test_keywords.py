"""The list of modules with keywords is whole."""

from __future__ import annotations

from pathlib import Path

from maniple.core.rules import keywords


def test_every_module_with_keywords_is_imported() -> None:
    folder = Path(keywords.__file__).parent
    files = {path.stem for kind in ("fetch", "convert") for path in folder.glob(f"{kind}_*.py")}
    assert {module.__name__.rpartition(".")[2] for module in keywords.MODULES} == files

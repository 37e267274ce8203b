from __future__ import annotations

from pathlib import Path

from maniple.cli import haproxy_dumps as dumps
from maniple.cli.haproxy_flags import MEMORY_WORDS
from maniple.core.config.environment import Environment


def test_lines_are_shown_as_words() -> None:
    text = 'defaults  # comment\n  mode   http\nfrontend f\n bind ":80"  name "$NAME"\ncache c\n max-age 3\n'
    shown = dumps.lines_text([("x.cfg", text)], Environment({"NAME": "n"}))
    assert shown == "defaults \n\tmode http \nfrontend f \n\tbind :80 name n \ncache c \n\tmax-age 3 \n"


def test_keywords_of_a_class() -> None:
    assert dumps.keywords_text(["zz"]) == ""
    assert dumps.keywords_text(["help"]).startswith("# List of supported keyword classes:\nall: list all keywords\n")
    listed = dumps.keywords_text(["cfg"])
    assert listed.startswith("# List of registered configuration keywords:\nglobal\n\t")
    assert "\n\toption httplog\n" in listed and "\tserver <name> <addr> weight\n" in listed
    assert dumps.keywords_text(["all"]) == listed


def test_libraries_are_those_of_the_memory_map(tmp_path: Path) -> None:
    maps = tmp_path / "maps"
    maps.write_text(
        "55d0-55d1 r--p 00000000 fe:00 1  /usr/bin/python3\n"
        "55d1-55d2 r-xp 00000000 fe:00 1  /usr/bin/python3\n"
        "7f00-7f01 r-xp 00000000 fe:00 2  /lib/libc.so.6\n"
        "7f01-7f02 r-xp 00000000 fe:00 2  /lib/libc.so.6\n"
        "7f03-7f04 r--p 00000000 fe:00 3  /usr/lib/locale/locale-archive\n"
        "7ffc-7ffd rw-p 00000000 00:00 0  [stack]\n"
        "7ffe-7fff r-xp 00000000 00:00 0  [vdso]\n"
    )
    assert dumps.libraries_text(False, maps) == "/usr/bin/python3\n/lib/libc.so.6\n"
    assert dumps.libraries_text(True, maps).startswith("List of loaded object files:\n/usr/bin/python3\n")
    assert "libc" in dumps.libraries_text(False)


def test_memory_help_names_every_word() -> None:
    text = dumps.memory_text()
    assert all(word in text and opposite in text for word, opposite, _ in MEMORY_WORDS)

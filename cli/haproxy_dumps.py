"""What HAProxy's -dC, -dK, -dL and -dMhelp print.

Owns: these texts. Must not know: flags, when they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ..core.config.diagnostics import Diagnostics
from ..core.config.environment import Environment
from ..core.config.lexer import read_lines
from .haproxy_flags import MEMORY_WORDS

_CLASSES = {
    "all": "list all keywords",
    "acl": "ACL keywords",
    "cfg": "configuration keywords",
    "cli": "CLI keywords",
    "cnv": "sample converter keywords",
    "flt": "filter names",
    "smp": "sample fetch functions",
    "svc": "service names",
}
"""The classes of `-dK`; all but cfg are empty as long as maniple has none of them."""


def memory_text() -> str:
    """`-dMhelp`: the words, none of which changes anything."""
    lines = [
        "-dM is accepted for the sake of scripts. Memory here is Python's: the words below are",
        "checked and have no effect.",
        "",
        "    set               clear            description",
        "  -----------------+-----------------+-----------------------------------------",
    ]
    lines.extend(f"    {word:<15}|  {opposite:<15}| {meaning}" for word, opposite, meaning in MEMORY_WORDS)
    return "\n".join(lines) + "\n"


def lines_text(sources: Iterable[tuple[str, str]], environment: Environment) -> str:
    """`-dC`: each line as its words, sections at the margin. Lines that cannot be read are left out: loading the same
    files reports them."""
    from ..core.config.known import KNOWN_SECTIONS
    from ..core.config.sections import SECTIONS

    text = []
    for file, source in sources:
        for line in read_lines(file, source, environment, Diagnostics()):
            words = "".join(f"{word.text} " for word in line.words)
            section = line.words[0].text in SECTIONS or line.words[0].text in KNOWN_SECTIONS
            text.append(words if section else "\t" + words)
    return "".join(f"{line}\n" for line in text)


def keywords_text(classes: Sequence[str]) -> str:
    """`-dK`: the help for the class "help", and the configuration keywords for "cfg" and "all"."""
    text = ""
    if "help" in classes:
        text += "# List of supported keyword classes:\n"
        text += "".join(f"{name}: {meaning}\n" for name, meaning in _CLASSES.items())
    if "cfg" in classes or "all" in classes:
        text += "# List of registered configuration keywords:\n" + _configuration_keywords()
    return text


def _configuration_keywords() -> str:
    from ..core.config import sections
    from ..core.config.keywords import BIND_KEYWORDS, GLOBAL_KEYWORDS, OPTIONS, PROXY_KEYWORDS, SERVER_KEYWORDS

    assert sections.TABLES  # its import fills the registry
    lines = ["global", *(f"\t{name}" for name in GLOBAL_KEYWORDS.names())]
    for section in ("defaults", "frontend", "listen", "backend"):
        lines.append(section)
        for name in PROXY_KEYWORDS.names(section):
            if name == "bind":
                lines.extend(f"\tbind <addr> {word}" for word in BIND_KEYWORDS.names())
            elif name == "server":
                lines.extend(f"\tserver <name> <addr> {word}" for word in SERVER_KEYWORDS.names())
            else:
                lines.append(f"\t{name}")
        lines.extend(f"\toption {name}" for name in OPTIONS.names(section))
    return "\n".join(lines) + "\n"


def libraries_text(heading: bool, maps: Path = Path("/proc/self/maps")) -> str:
    """`-dL`: the shared objects in this process's memory, in the order of their first appearance."""
    found: dict[str, None] = {}
    for line in maps.read_text(encoding="utf-8", errors="replace").splitlines():
        parts = line.split(maxsplit=5)
        if len(parts) == 6 and parts[5].startswith("/") and "x" in parts[1]:
            found.setdefault(parts[5])
    text = "".join(f"{path}\n" for path in found)
    return ("List of loaded object files:\n" if heading else "") + text

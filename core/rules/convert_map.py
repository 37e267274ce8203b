"""The converters `map`, `map_<method>` and `map_<method>_<type>`: from a value to what a file has for it.

Owns: their names and types (manual 7.3.1). Must not know: how files are read (pattern_files) and searched (matching).
HAProxy 3's `map_<method>_key`, which gives the key that matched, is among them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .catalogue import Call, Convert, converter
from .convert_regsub import Substitution, parse_substitution
from .matching import Regexes
from .pattern_files import files_of
from .patterns import Patterns
from .samples import INT, IP, STR, Type, pack_ip

SOURCES: dict[str, Type] = {
    "str": STR,
    "beg": STR,
    "sub": STR,
    "dir": STR,
    "dom": STR,
    "end": STR,
    "reg": STR,
    "int": INT,
    "ip": IP,
}
"""Matching method -> type of what is looked for."""
RESULTS: dict[str, Type] = {"str": STR, "int": INT, "ip": IP, "key": STR}
_DEFAULTS = {"str": "string", "int": "integer", "ip": "string"}


def _patterns(call: Call, method: str, payload: str, shown: str = "") -> Patterns:
    path = call.arguments[0].text if call.arguments else ""
    try:
        return files_of(call.site).file(path, True).patterns(method, False, True, payload, shown)
    except ValueError as error:
        raise call.error(str(error), 0) from None


def _default(call: Call, result: str) -> Any:
    value = call.values[1] if len(call.values) > 1 else None
    if value is None or result != "ip":
        return value
    packed = pack_ip(value)
    if packed is None:
        raise call.error("an address is expected", 1)
    return packed


def _with_default(find: Callable[[Any], Any], default: Any) -> Convert:
    if default is None:
        return find

    def convert(value: Any) -> Any:
        found = find(value)
        return default if found is None else found

    return convert


def _register(names: str, method: str, result: str) -> None:
    arguments = "file:string" + (f" default:{_DEFAULTS[result]}?" if result in _DEFAULTS else "")
    what = {"str": "", "int": ", a number", "ip": ", an address", "key": ""}[result]
    summary = "The key that the value matches in a map" if result == "key" else f"What a map has for the value{what}"

    @converter(names, SOURCES[method], RESULTS[result], f"{summary} ({method})", arguments=arguments)
    def make(call: Call) -> Convert:
        default = _default(call, result)
        return _with_default(_patterns(call, method, result).found, default)


for _method in SOURCES:
    for _result in RESULTS:
        if _result == "str":
            _register({"str": "map map_str"}.get(_method, f"map_{_method}"), _method, "str")
        else:
            _register(f"map_{_method}_{_result}", _method, _result)


@converter(
    "map_regm",
    STR,
    STR,
    "What a map of regular expressions has for the value, with \\1 and its kin filled in",
    arguments="file:string default:string?",
)
def _map_regm(call: Call) -> Convert:
    patterns = _patterns(call, "reg", "str", "regm")
    matcher = patterns.matcher
    assert isinstance(matcher, Regexes)
    find = matcher.found_match
    # Values may change at run time; each is read once.
    templates: dict[tuple[bytes, int], Substitution] = {}

    def substitution(text: bytes, groups: int) -> Substitution:
        key = text, groups
        known = templates.get(key)
        if known is None:
            if len(templates) > 10_000:
                templates.clear()
            try:
                known = parse_substitution(text, groups)
            except ValueError:
                known = b""
            templates[key] = known
        return known

    def filled(value: bytes) -> bytes | None:
        hit = find(value)
        if hit is None:
            return None
        match, text = hit
        template = substitution(text, match.re.groups)
        return match.expand(template) if isinstance(template, bytes) else template(match)

    return _with_default(filled, _default(call, "str"))

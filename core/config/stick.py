"""What `stick` lines ask of tables (manual 4.2): whoever keeps servers in a table has it store them.

Owns: which table a line names, and the data types that this adds to it. Must not know: keys, how a server is kept
(rules/stick_rules). It is settled here because a table's shape says how its shared memory lies. Tables that are not
there are told by the rules, which know the column.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ...pools.table_shape import Stored, TableShape
from .model import ProxySpec, RuleSpec
from .table_spec import TableSpec

KINDS = ("stick match", "stick on", "stick store-request", "stick store-response")
"""All kinds of lines."""
_SERVERS = (Stored("server_id"), Stored("server_key"))


def table_of(line: RuleSpec, proxy: str) -> str:
    """The name of the table that a line of that proxy means."""
    words = [word.text for word in line.words]
    for index, text in enumerate(words):
        if text in ("if", "unless"):
            break
        if text == "table" and 0 < index < len(words) - 1:
            return words[index + 1]
    return proxy


def store_servers(proxies: Iterable[ProxySpec], tables: Mapping[str, TableSpec]) -> Mapping[str, TableSpec]:
    """The tables, those that `stick` lines name with servers stored in them."""
    found = dict(tables)
    for proxy in proxies:
        for line in proxy.rules:
            if line.kind not in KINDS or proxy.disabled:
                continue
            spec = found.get(table_of(line, proxy.name))
            if spec is not None:
                found[spec.name] = replace(spec, shape=_with_servers(spec.shape))
    return found


def _with_servers(shape: TableShape) -> TableShape:
    there = {one.name for one in shape.stored}
    more = tuple(one for one in _SERVERS if one.name not in there)
    return replace(shape, stored=shape.stored + more) if more else shape

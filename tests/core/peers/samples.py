"""Tables and bytes that several tests use; the bytes were recorded between two HAProxies 3.0."""

from __future__ import annotations

from hypothesis import strategies as st
from maniple.core.peers.tables import ARRAYS, DATA_TYPES, RATES, TEXTS, Column, TableDefinition, make_definition
from maniple.core.peers.values import Rate, Value

PERIODS = {
    "gpc0_rate": 10_000,
    "conn_rate": 20_000,
    "sess_rate": 30_000,
    "http_req_rate": 40_000,
    "http_err_rate": 50_000,
    "bytes_in_rate": 60_000,
    "bytes_out_rate": 70_000,
    "gpc1_rate": 80_000,
    "http_fail_rate": 90_000,
}
SCALARS = DATA_TYPES[:22]
EVERYTHING = make_definition("all", "ip", 4, 600_000, [Column(name, 1, PERIODS.get(name, 0)) for name in SCALARS])
ARRAYED = make_definition(
    "arr", "integer", 4, 600_000, [Column("gpc", 3), Column("gpt", 2), Column("gpc_rate", 4, 10_000)]
)
GLITCHES = make_definition("gl", "string", 5, 60_000, [Column("glitch_cnt"), Column("glitch_rate", 1, 5_000)])

RECORDED_DEFINITIONS = [
    (4, make_definition("bin", "binary", 8, 0, [Column("gpc0")]), "0a8209040362696e07080400"),
    (3, ARRAYED, "0a821803036172720204f0f1fe6ef0eda301160217031804f0e203"),
    (
        2,
        EVERYTHING,
        "0a82330203616c6c0404fff0fe0ef0eda30103f0e20305f0d30808f0c40d0af0b5120cf0a6170ef0971c10f0882112f0f92515f0ea2a",
    ),
    (5, GLITCHES, "0a82120502676c0606f0f1fefe01f0971c1af8a901"),
    (1, make_definition("/s1", "string", 20, 60_000, [Column("gpt0"), Column("gpc0")]), "0a820b01032f7331061506f0971c"),
    (5, make_definition("v6", "ipv6", 16, 0, [Column("gpc0")]), "0a8208050276360510040" + "0"),
]


@st.composite
def definitions(draw: st.DrawFn) -> TableDefinition:
    """Any table."""
    columns = []
    for name in draw(st.sets(st.sampled_from(DATA_TYPES), max_size=8)):
        elements = draw(st.integers(1, 100)) if name in ARRAYS else 1
        columns.append(Column(name, elements, draw(st.integers(1, 1 << 31)) if name in RATES else 0))
    key = draw(st.sampled_from(["ip", "ipv6", "integer", "string", "binary"]))
    width = {"ip": 4, "ipv6": 16, "integer": 4}.get(key) or draw(st.integers(1, 64))
    name = draw(st.text("abcXYZ019_.:-/", max_size=20))
    return make_definition(name, key, width, draw(st.integers(0, 1 << 31)), columns)


def keys(table: TableDefinition) -> st.SearchStrategy[bytes]:
    """Any key of a table."""
    return st.binary(min_size=0 if table.key == "string" else table.width, max_size=table.width)


def values(table: TableDefinition) -> st.SearchStrategy[dict[str, Value]]:
    """Any values of a table."""
    number = st.integers(0, (1 << 64) - 1)
    rate = st.builds(Rate, number, number, number)
    parts: dict[str, st.SearchStrategy[Value]] = {}
    for column in table.columns:
        one: st.SearchStrategy[Value] = rate if column.name in RATES else number
        if column.name in TEXTS:
            one = st.none() | st.binary(max_size=20)
        if column.name in ARRAYS:
            one = st.tuples(*[one] * column.elements)
        parts[column.name] = one
    return st.fixed_dictionaries(parts)

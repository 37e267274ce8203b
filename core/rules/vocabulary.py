"""The words of expressions: what there is, and what HAProxy (3.2) has and maniple has not yet, by name.

Owns: the names of what is missing, and how all of them are shown (`maniple check --keywords`). Must not know: what a
keyword does. Invariant: no name is missing and there: the catalogue is asked (keywords fills it).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..config.keywords import State
from .catalogue import CONVERTERS, FETCHES, ConverterEntry, FetchEntry, entries

_CERTIFICATE = "der i_dn key_alg notafter notbefore s_dn serial sha1 sig_alg version"
_CONNECTION = """
    alg_keysize alpn cipher client_early_traffic_secret client_handshake_traffic_secret client_random
    client_traffic_secret_0 curve early_exporter_secret err err_str exporter_secret is_resumed npn protocol
    server_handshake_traffic_secret server_random server_traffic_secret_0 session_id session_key unique_id use_keysize
"""


def _with(prefixes: str, *families: str) -> str:
    return " ".join([prefix + name for prefix in prefixes.split() for family in families for name in family.split()])


_MISSING_CONVERTERS = (("a library that is not free", "51d.single da-csv-conv"),)

_MISSING_FETCHES = (
    ("a slip of HAProxy's: `sc_clr_gpc` is meant", "sc1_clr_gpc"),
    (
        "TLS",
        "ssl_bc ssl_fc ssl_c_ca_err ssl_c_ca_err_depth ssl_c_chain_der ssl_c_err ssl_c_r_dn ssl_c_used ssl_c_verify"
        " ssl_fc_cipherlist_bin ssl_fc_cipherlist_hex ssl_fc_cipherlist_str ssl_fc_cipherlist_xxh ssl_fc_ecformats_bin"
        " ssl_fc_eclist_bin ssl_fc_extlist_bin ssl_fc_has_crt ssl_fc_has_early ssl_fc_has_sni ssl_fc_protocol_hello_id"
        " ssl_fc_sigalgs_bin ssl_fc_sni ssl_fc_supported_groups_bin ssl_s_chain_der "
        + _with("ssl_bc_ ssl_fc_", _CONNECTION)
        + " "
        + _with("ssl_c_ ssl_f_ ssl_s_", _CERTIFICATE),
    ),
    ("facts that are not kept", "bs.id"),
    ("the PROXY protocol", "fc_pp_authority fc_pp_tlv fc_pp_unique_id"),
    ("a library that is not free", "51d.all"),
    (
        "HAProxy's insides",
        "bs.aborted bs.debug_str cpu_calls cpu_ns_avg cpu_ns_tot fcgi.docroot fcgi.index fs.aborted"
        " fs.debug_str internal.htx.data internal.htx.free internal.htx.free_data"
        " internal.htx.has_eom internal.htx.nbblks internal.htx.size internal.htx.used internal.htx_blk.data"
        " internal.htx_blk.hdrname internal.htx_blk.hdrval internal.htx_blk.size internal.htx_blk.start_line"
        " internal.htx_blk.type internal.strm.is_htx last_entity lat_ns_avg"
        " lat_ns_tot term_events waiting_entity",
    ),
)

MISSING: dict[str, dict[str, str]] = {
    "fetch": {name: reason for reason, names in _MISSING_FETCHES for name in names.split()},
    "converter": {name: reason for reason, names in _MISSING_CONVERTERS for name in names.split()},
}
"""Kind of keyword -> name -> what it belongs to or waits for. A name that has come since is in the catalogue."""


def missing(kind: str, name: str) -> str | None:
    """What a `fetch` or `converter` that HAProxy has and maniple has not belongs to; None for all others."""
    return None if name in (FETCHES if kind == "fetch" else CONVERTERS) else MISSING[kind].get(name)


@dataclass(frozen=True, slots=True)
class Term:
    """One keyword of expressions, as documentation shows it."""

    kind: str
    name: str
    usage: str
    source: str
    """Of converters: the type that they take."""
    result: str
    state: State
    """IN_FORCE or KNOWN."""
    summary: str
    """What it gives; of what is missing, what it belongs to."""


def terms() -> Iterator[Term]:
    """All of them: fetches, then converters, by name."""
    known: list[FetchEntry | ConverterEntry] = list(entries())
    found = []
    for entry in known:
        if isinstance(entry, FetchEntry):
            found.append(Term("fetch", entry.name, entry.usage, "", entry.type.value, State.IN_FORCE, entry.summary))
        else:
            result = "same" if entry.result is None else entry.result.value
            source = entry.source.value
            found.append(Term("converter", entry.name, entry.usage, source, result, State.IN_FORCE, entry.summary))
    for kind, names in MISSING.items():
        found += [Term(kind, name, name, "", "", State.KNOWN, names[name]) for name in names if missing(kind, name)]
    yield from sorted(found, key=lambda term: (term.kind != "fetch", term.name))


def render() -> str:
    """The terms as text: usage, types, state, and the line of documentation."""
    lines = []
    kind = ""
    for term in terms():
        if term.kind != kind:
            kind = term.kind
            head = "fetches" if kind == "fetch" else "converters"
            lines += ["", f"{head:<44} {'types':<18} state"]
        types = f"{term.source} -> {term.result}" if term.source else term.result
        lines.append(f"{term.usage:<44} {types:<18} {'in force' if term.state is State.IN_FORCE else 'missing'}")
        lines.append(f"    {term.summary}")
    return "\n".join(lines) + "\n"

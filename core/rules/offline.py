"""Samples whose values nobody can know without the running proxy, and what is taken for them when a request is
explained.

Owns: their names, and what is said of each. Must not know: how samples are fetched. Invariant: what an explanation
shows for such a sample is what a proxy would see that has just started and serves nobody else; the reader is told so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_LOAD = "depends on the load of the moment; here nobody else is served"
_STATE = "depends on the servers' states; here they are as configured, never checked"
_RATE = "is a rate; here this is the first request"
_CHANGING = "is another one each time"
_TIME = "depends on the time; here it is now"
_PLACE = "depends on the machine and the process that serve it"
_KERNEL = "is told by the kernel of a connection; here there is none"
_ASKED = "would ask a name server; here none is asked, and the variable stays as it is"
_STORED = "is what earlier requests have left; here there are none"

_TOLD = {
    _LOAD: (
        "act_conn avg_queue be_conn be_conn_free be_server_timeout connslots dst_conn fe_conn queue so_name srv_conn "
        "srv_conn_free srv_queue bc_be_queue bc_srv_queue cpu_calls cpu_ns_avg cpu_ns_tot lat_ns_avg lat_ns_tot"
    ),
    _STATE: "nbsrv srv_is_up srv_weight srv_uweight stopping",
    _RATE: "be_sess_rate fe_req_rate fe_sess_rate srv_sess_rate",
    _CHANGING: "rand uuid unique-id",
    _TIME: "date date_us accept_date request_date",
    _PLACE: "hostname nbproc nbthread pid proc thread last_rule_file",
    _KERNEL: (
        "bc_rtt bc_rttvar bc_src bc_src_port fc_fackets fc_lost fc_reordering fc_retrans fc_rtt fc_rttvar fc_sacked "
        "fc_unacked dst_is_local src_is_local"
    ),
}
_NOTES: dict[str, str] = {name: note for note, names in _TOLD.items() for name in names.split()}
NOTES: Mapping[str, str] = _NOTES
"""Name of a fetch -> what is said of it."""

_ACTIONS = {"do-resolve": _ASKED}
_FAMILIES = (("sc_", _STORED), ("sc0_", _STORED), ("sc1_", _STORED), ("sc2_", _STORED), ("table_", _STORED))
_FETCH = re.compile(r"(?:^|(?<=[\s\[!{]))([A-Za-z][A-Za-z0-9_.-]*)")
_LOOKING = ("stick on", "stick match")
_PROCESS = re.compile(r"\bvar\(proc\.([A-Za-z0-9_.]+)")


def notes_of(text: str) -> list[str]:
    """What is to be said of a rule, an ACL or a format with this text."""
    found = {}
    for match in _FETCH.finditer(text):
        name = match[1]
        note = _NOTES.get(name) or _ACTIONS.get(name)
        if note is None:
            note = next((said for start, said in _FAMILIES if name.startswith(start)), None)
        if note is not None:
            found[name] = f"{name} {note}"
    for match in _PROCESS.finditer(text):
        found[match[0]] = f"proc.{match[1]} is what earlier requests have left; here there are none"
    if text in _LOOKING:
        found[text] = f"{text} finds what earlier requests have left; here there are none"
    return list(found.values())

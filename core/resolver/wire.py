"""Messages of the domain name system as bytes (RFC 1035, EDNS: RFC 6891): written and read by dnspython.

Owns: what is asked for, when a message answers a question, and which addresses one holds. Must not know: sockets, time.
Importing this imports dnspython (70 ms), so it is imported only where a configuration has a section `resolvers`.

Invariants: what is not an answer to the question (number, name, type, class) is no answer at all: anybody may have sent
it; a chain of CNAMEs is followed inside the one message only, and must hold together.
"""

from __future__ import annotations

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype

# dnspython imports the classes of records when it meets one: too late in a group that has changed its root.
import dns.rdtypes.ANY.NS
import dns.rdtypes.ANY.OPT
import dns.rdtypes.ANY.SOA
import dns.rrset
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA

from .status import Family, Status

CHAIN = 16
"""Most CNAMEs on the way to an address."""


class Question:
    """One name and family to ask for. `packet(number)`: the bytes."""

    __slots__ = ("_packet", "family", "key")

    def __init__(self, name: bytes, family: Family, payload: int = 512) -> None:
        """`name`: as text, labels with dots between them. ValueError: it is no name of a host."""
        try:
            self.key = dns.name.from_text(name.decode("ascii")).canonicalize()
        except (UnicodeDecodeError, dns.exception.DNSException) as error:
            raise ValueError(f"no name of a host: {name!r}") from error
        if len(self.key) < 2:
            raise ValueError("the root has no address")
        self.family = family
        query = dns.message.make_query(self.key, dns.rdatatype.RdataType.make(int(family)), use_edns=0, payload=payload)
        self._packet = query.to_wire()[2:]

    def packet(self, number: int) -> bytes:
        """The question under a number of 16 bits."""
        return number.to_bytes(2, "big") + self._packet


def number_of(packet: bytes) -> int:
    """The number that an answer bears; -1: it is too short for any."""
    return int.from_bytes(packet[:2], "big") if len(packet) >= 12 else -1


def read_answer(question: Question, packet: bytes) -> tuple[Status, tuple[bytes, ...]] | None:
    """(what it says, packed addresses) of a message whose number is that of the question. None: it does not answer this
    question, and is to be taken for forged."""
    try:
        message = dns.message.from_wire(packet, ignore_trailing=True, one_rr_per_rrset=False, continue_on_error=True)
    except (dns.exception.DNSException, ValueError):
        return None
    if not message.flags & dns.flags.QR or message.opcode() != 0 or len(message.question) != 1:
        return None
    asked = message.question[0]
    if (asked.name, int(asked.rdtype), int(asked.rdclass)) != (question.key, int(question.family), 1):
        return None
    if message.flags & dns.flags.TC:
        return Status.TRUNCATED, ()
    if message.errors:
        return Status.OTHER, ()
    code = message.rcode()
    if code == dns.rcode.NXDOMAIN:
        return Status.NX, ()
    if code == dns.rcode.REFUSED:
        return Status.REFUSED, ()
    if code != dns.rcode.NOERROR:
        return Status.OTHER, ()
    addresses = _addresses(question, message.answer)
    return (Status.VALID, addresses) if addresses else (Status.OTHER, ())


def _addresses(question: Question, answer: list[dns.rrset.RRset]) -> tuple[bytes, ...]:
    """Those at the end of the chain that begins with the question's name."""
    by_name: dict[tuple[dns.name.Name, int], dns.rrset.RRset] = {
        (one.name.canonicalize(), int(one.rdtype)): one for one in answer if int(one.rdclass) == 1
    }
    name = question.key
    for _ in range(CHAIN):
        found = by_name.get((name, int(question.family)))
        if found is not None:
            return tuple(_packed(record) for record in found if isinstance(record, (A, AAAA)))
        alias = by_name.get((name, int(dns.rdatatype.CNAME)))
        if alias is None:
            return ()
        record = alias[0]
        if not isinstance(record, CNAME):
            return ()
        name = record.target.canonicalize()
    return ()


def _packed(record: A | AAAA) -> bytes:
    return bytes(record.to_wire() or b"")

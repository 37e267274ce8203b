"""Messages: what is asked, and what is taken for an answer."""

from __future__ import annotations

import subprocess
import sys

import dns.flags
import dns.message
import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.resolver.status import Family, Status
from maniple.core.resolver.wire import CHAIN, Question, number_of, read_answer
from maniple.core.rules.samples import pack_ip
from maniple.tests.core.resolver.nameserver import answer

Rows = tuple[str, ...]


def asked(question: Question, number: int = 7) -> dns.message.Message:
    return dns.message.from_wire(question.packet(number))


def test_a_question() -> None:
    message = asked(Question(b"www.Example.org", Family.IPV6, 4096), 0xABCD)
    assert (message.id, message.flags, message.payload) == (0xABCD, dns.flags.RD, 4096)
    assert [one.to_text() for one in message.question] == ["www.example.org. IN AAAA"]
    assert asked(Question(b"a.", Family.IPV4)).question[0].to_text() == "a. IN A"


@pytest.mark.parametrize("name", [b"", b".", b"a..b", b"a" * 64, b"x." * 127 + b"xx", b"\xff.org", b"\\999"])
def test_no_names(name: bytes) -> None:
    with pytest.raises(ValueError, match=r"name|root"):
        Question(name, Family.IPV4)


FOUND: tuple[tuple[Rows, Family, Rows], ...] = (
    (("a.x A 192.0.2.1",), Family.IPV4, ("192.0.2.1",)),
    (("a.x A 192.0.2.2 192.0.2.1",), Family.IPV4, ("192.0.2.2", "192.0.2.1")),
    (("A.X A 192.0.2.1",), Family.IPV4, ("192.0.2.1",)),
    (("a.x AAAA 2001:db8::1",), Family.IPV6, ("2001:db8::1",)),
    (("a.x CNAME b.x", "b.x A 192.0.2.1"), Family.IPV4, ("192.0.2.1",)),
    (("c.x A 192.0.2.1", "b.x CNAME c.x", "a.x CNAME b.x"), Family.IPV4, ("192.0.2.1",)),
    # None.
    ((), Family.IPV4, ()),
    (("a.x AAAA 2001:db8::1",), Family.IPV4, ()),
    (("b.x A 192.0.2.1",), Family.IPV4, ()),
    (("a.x CNAME b.x", "c.x A 192.0.2.1"), Family.IPV4, ()),
    (("a.x CNAME b.x", "b.x CNAME a.x"), Family.IPV4, ()),
    (("a.x CNAME b.x",), Family.IPV4, ()),
)


@pytest.mark.parametrize(("rows", "family", "addresses"), FOUND)
def test_addresses_of_an_answer(rows: Rows, family: Family, addresses: Rows) -> None:
    question = Question(b"a.x", family)
    status = Status.VALID if addresses else Status.OTHER
    found = read_answer(question, answer(asked(question), *rows).to_wire())
    # dnspython writes the records of a name in any order.
    assert found is not None and found[0] is status
    assert sorted(found[1]) == sorted(pack_ip(one.encode()) or b"" for one in addresses)


def test_chains_have_an_end() -> None:
    question = Question(b"n0.x", Family.IPV4)
    for links, expected in ((CHAIN - 1, Status.VALID), (CHAIN, Status.OTHER)):
        rows = [f"n{number}.x CNAME n{number + 1}.x" for number in range(links)]
        found = read_answer(question, answer(asked(question), *rows, f"n{links}.x A 192.0.2.1").to_wire())
        assert found is not None and found[0] is expected


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (dns.rcode.NXDOMAIN, Status.NX),
        (dns.rcode.REFUSED, Status.REFUSED),
        (dns.rcode.SERVFAIL, Status.OTHER),
        (dns.rcode.NOTIMP, Status.OTHER),
    ],
)
def test_failures(code: dns.rcode.Rcode, status: Status) -> None:
    question = Question(b"a.x", Family.IPV4)
    # Records beside a failure count for nothing.
    found = read_answer(question, answer(asked(question), "a.x A 192.0.2.1", code=code).to_wire())
    assert found == (status, ())


def test_truncated() -> None:
    question = Question(b"a.x", Family.IPV4)
    message = answer(asked(question), "a.x A 192.0.2.1")
    message.flags |= dns.flags.TC
    assert read_answer(question, message.to_wire()) == (Status.TRUNCATED, ())


def test_what_answers_another_question_is_no_answer() -> None:
    question = Question(b"a.x", Family.IPV4)
    good = "a.x A 192.0.2.1"
    for other in (Question(b"b.x", Family.IPV4), Question(b"a.x", Family.IPV6)):
        assert read_answer(question, answer(asked(other), good).to_wire()) is None
    assert read_answer(question, question.packet(7)) is None
    message = answer(asked(question), good)
    message.question.clear()
    assert read_answer(question, message.to_wire()) is None
    message = answer(asked(question), good)
    message.question *= 2
    assert read_answer(question, message.to_wire()) is None


def test_records_are_known_without_a_further_import() -> None:
    """A group may have changed its root when the first answer comes."""
    code = """
import sys
import dns.rcode, dns.rrset, dns.message
from maniple.core.resolver.status import Family
from maniple.core.resolver.wire import Question, read_answer
question = Question(b"a.x", Family.IPV4)
message = dns.message.make_response(dns.message.from_wire(question.packet(1)))
packet = bytearray(message.to_wire())
sys.path.clear()
sys.meta_path.clear()
packet[2:4] = b"\\x81\\x80"
packet[6:8] = b"\\0\\2"
end = 12 + 9
records = b"\\xc0\\x0c\\0\\5\\0\\1\\0\\0\\0\\1\\0\\4\\1b\\xc0\\x0e"
records += b"\\1b\\xc0\\x0e\\0\\1\\0\\1\\0\\0\\0\\1\\0\\4\\1\\2\\3\\4"
packet[end:end] = records
print(read_answer(question, bytes(packet)))
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.stdout == "(<Status.VALID: 0>, (b'\\x01\\x02\\x03\\x04',))\n", found.stderr


def test_numbers() -> None:
    assert number_of(Question(b"a.x", Family.IPV4).packet(0x1234)) == 0x1234
    assert number_of(b"") == number_of(b"x" * 11) == -1


@given(st.binary(max_size=80))
def test_rubbish_is_no_answer(packet: bytes) -> None:
    assert read_answer(Question(b"a.x", Family.IPV4), packet) is None


@given(st.data())
def test_damaged_answers_never_raise(data: st.DataObject) -> None:
    question = Question(b"a.x", Family.IPV4)
    packet = bytearray(answer(asked(question), "a.x CNAME b.x", "b.x A 192.0.2.1").to_wire())
    for _ in range(data.draw(st.integers(1, 3))):
        packet[data.draw(st.integers(0, len(packet) - 1))] = data.draw(st.integers(0, 255))
    del packet[data.draw(st.integers(0, len(packet))) :]
    found = read_answer(question, bytes(packet))
    assert found is None or found[0] in Status

"""Messages in files: HTTP/1 as it is sent, or as people write it in an editor.

Owns: what is forgiven: line ends, a missing blank line. Must not know: what a head means. Invariant: a message that is
right already is not touched.
"""

from __future__ import annotations


def read_message(raw: bytes) -> tuple[bytes, bytes, list[str]]:
    """A file's head (with its blank line) and body, and what had to be put right. Empty: there is nothing in it."""
    notes: list[str] = []
    raw = raw.lstrip(b"\r\n")
    if not raw:
        return b"", b"", notes
    end = raw.find(b"\r\n\r\n")
    plain = raw.find(b"\n\n")
    if end >= 0 and not 0 <= plain < end:
        return raw[: end + 4], raw[end + 4 :], notes
    head, blank, body = raw.partition(b"\n\n")
    if not blank:
        # The rest of a line may be missing as well.
        head = raw.rstrip(b"\r\n")
        notes.append("the file's head has no blank line at its end; it is taken to be whole")
    if b"\r\n" not in head:
        head = head.replace(b"\n", b"\r\n")
    return head + b"\r\n\r\n", body, notes


def lines_of(head: bytes) -> list[str]:
    """A head for people, without its blank line."""
    text = head.partition(b"\r\n\r\n")[0]
    return [line.decode("utf-8", "backslashreplace") for line in text.split(b"\r\n")]

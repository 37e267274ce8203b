"""Reading of HTTP/1 messages in transcripts: deliberately simple, and independent of what is tested."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Parsed:
    """One message of a transcript."""

    start: str
    headers: list[str] = field(default_factory=list)
    body: bytes = b""
    trailers: list[str] = field(default_factory=list)
    whole: bool = True


def _head(data: bytes, start: int) -> tuple[str, list[str], int] | None:
    end = data.find(b"\r\n\r\n", start)
    if end < 0:
        return None
    lines = data[start:end].decode("latin-1").split("\r\n")
    return lines[0], lines[1:], end + 4


def _value(headers: list[str], name: str) -> str | None:
    for line in headers:
        key, _, value = line.partition(":")
        if key.lower() == name:
            return value.strip().lower()
    return None


def _chunked(data: bytes, start: int, message: Parsed) -> int:
    """End of a chunked body; -1 if it is not whole. The payload is collected either way."""
    at = start
    while True:
        line_end = data.find(b"\r\n", at)
        if line_end < 0:
            return -1
        try:
            size = int(data[at:line_end].split(b";")[0], 16)
        except ValueError:
            return -1
        at = line_end + 2
        if size == 0:
            break
        message.body += data[at : at + size]
        at += size + 2
        if at > len(data):
            return -1
    if data[at : at + 2] == b"\r\n":
        return at + 2
    end = data.find(b"\r\n\r\n", at)
    if end < 0:
        return -1
    message.trailers = data[at:end].decode("latin-1").split("\r\n")
    return end + 4


def read_message(data: bytes, start: int, method: bytes) -> tuple[Parsed, int] | None:
    """One message at `start`; `method` is that of the request answered, b"" for a request. The second value: its end,
    -1 when it is not whole, -2 when it lasts until the connection's end. None without a whole head."""
    found = _head(data, start)
    if found is None:
        return None
    line, headers, end = found
    if " " not in line:
        return None
    message = Parsed(line, headers)
    status = 0
    if method:
        status = int(line.split(" ")[1]) if " " in line else 0
        if status < 200 or status in (204, 304) or method == b"HEAD" or (method == b"CONNECT" and status < 300):
            return message, end
    if _value(headers, "transfer-encoding") == "chunked":
        end = _chunked(data, end, message)
        message.whole = end >= 0
        return message, end
    length = _value(headers, "content-length")
    if length is None:
        if not method:
            return message, end
        message.body = data[end:]
        return message, -2
    message.body = data[end : end + int(length)]
    message.whole = len(message.body) == int(length)
    return message, end + int(length) if message.whole else -1


def message_end(data: bytes, start: int, method: bytes) -> int:
    """Where the message at `start` ends, interim responses before it included; -1 while it is not whole, -2 when only
    the connection's end tells."""
    while True:
        found = read_message(data, start, method)
        if found is None:
            return -1
        message, end = found
        if method and end >= 0 and message.start.split(" ")[1].startswith("1") and " 101" not in message.start:
            start = end
            continue
        return end


def read_all(data: bytes, methods: list[bytes]) -> tuple[list[Parsed], bytes]:
    """All messages of a transcript, and what remains after the last whole one. `methods` [] for requests; else those
    of the requests answered, the last one standing for all that follow."""
    messages: list[Parsed] = []
    start = 0
    answered = 0
    while start < len(data):
        method = methods[min(answered, len(methods) - 1)] if methods else b""
        found = read_message(data, start, method)
        if found is None:
            return messages, data[start:]
        message, end = found
        messages.append(message)
        if end < 0:
            return messages, b""
        start = end
        if method and not message.start.split(" ")[1].startswith("1"):
            answered += 1
        if " 101 " in message.start or (method == b"CONNECT" and message.start.split(" ")[1] == "200"):
            return messages, data[start:]
        if not method and message.start.startswith("CONNECT"):
            return messages, data[start:]
        if not method and _value(message.headers, "upgrade"):
            return messages, data[start:]
    return messages, b""

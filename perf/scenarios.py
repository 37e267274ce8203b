"""What is measured: the scenarios, as data.

Owns the shape of the traffic (requests, connections, cookies, bodies) and the settings that every target gets alike.
Knows no program: targets.py turns a scenario into configuration files, wrk.py into load. Invariant: a scenario says
the same thing to every target, so a figure of one can be set beside that of another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

KIB = 1024
MIB = 1024 * 1024


class Kind(Enum):
    """How a scenario is measured; harness.py has one function for each."""

    REQUESTS = "requests"
    IDLE = "idle"
    START = "start"


class Cookies(Enum):
    """Whose cookies a request carries. A proxy that caches parsed heads is flattered by cookies that never vary."""

    NONE = "none"
    PER_CLIENT = "per client"
    PER_REQUEST = "per request"


@dataclass(frozen=True)
class Scenario:
    """One kind of traffic. `connections` are busy at a time; `idle` more are opened and left alone beside them."""

    name: str
    title: str
    path: str = "/small"
    kind: Kind = Kind.REQUESTS
    method: str = "GET"
    browser: bool = False
    cookies: Cookies = Cookies.NONE
    keep_alive: bool = True
    reuse: str = "always"
    upload: int = 0
    download: int = 0
    connections: int = 64
    idle: int = 0
    httplog: bool = False
    groups: int = 1
    """Processes that serve (threads where a program has these). Above one, target, load and origin share all CPUs."""
    balance: str = ""
    """How maniple spreads new connections over its groups (tune.listener.balance); "" for its default."""
    rules: tuple[str, ...] = ()
    """Lines of the frontend, in the language that HAProxy and maniple share."""
    plain: str = ""
    """The scenario that is the same but for the rules: what they add is the difference."""
    tunnel: bool = True
    """A bare byte pump can stand beside it as the floor: one client connection is one server connection there."""


SMALL_BODY = 128
"""Bytes of the origin's small answer."""

HEADER_RULES = (
    "acl firefox hdr(user-agent) -m sub Firefox",
    "acl html hdr(accept) -m beg text/html",
    "acl english hdr(accept-language) -m beg en",
    "acl brotli hdr(accept-encoding) -m sub br",
    "acl upgrade hdr(upgrade-insecure-requests) 1",
    "acl navigate hdr(sec-fetch-mode) navigate",
    "acl document hdr(sec-fetch-dest) document",
    "acl same hdr(sec-fetch-site) same-origin",
    "acl session hdr(cookie) -m sub session=",
    "acl local hdr(host) -m beg 127.",
    "http-request set-header X-Forwarded-Proto http if firefox html",
    "http-request set-header Accept-Encoding gzip if english brotli",
    "http-request del-header Priority if upgrade navigate",
    "http-request add-header X-Kind page if document same",
    "http-request set-header Accept-Language en if session local",
)
"""Ten ACLs on headers, all of them true, and five rewrites."""
TRACKING = (
    "stick-table type ip size 100k expire 1m store http_req_cnt,http_req_rate(10s),bytes_out_rate(10s)",
    "http-request track-sc0 src",
)
"""An entry of a table that each request tracks, with three counters. All requests come from one address: one hot key,
also where several groups count on it."""

SCENARIOS: tuple[Scenario, ...] = (
    Scenario("small", "small keep-alive GET", download=SMALL_BODY),
    Scenario(
        "browser",
        "browser-sized head, cookies vary from client to client",
        browser=True,
        cookies=Cookies.PER_CLIENT,
        download=SMALL_BODY,
    ),
    Scenario(
        "browser-unique",
        "browser-sized head, cookies new with every request",
        browser=True,
        cookies=Cookies.PER_REQUEST,
        download=SMALL_BODY,
    ),
    Scenario(
        "browser-rules",
        "the same as browser, with ten header ACLs and five header rewrites",
        browser=True,
        cookies=Cookies.PER_CLIENT,
        download=SMALL_BODY,
        rules=HEADER_RULES,
        plain="browser",
        tunnel=False,
    ),
    Scenario(
        "tracked",
        "small keep-alive GET, tracked in a stick table with three counters",
        download=SMALL_BODY,
        rules=TRACKING,
        plain="small",
        tunnel=False,
    ),
    *(
        Scenario(f"small-{groups}", f"small keep-alive GET in {groups} groups", download=SMALL_BODY, groups=groups)
        for groups in (2, 8)
    ),
    *(
        Scenario(
            f"tracked-{groups}",
            f"tracked in {groups} groups, which all count on one key",
            download=SMALL_BODY,
            rules=TRACKING,
            plain=f"small-{groups}",
            groups=groups,
            tunnel=False,
        )
        for groups in (2, 8)
    ),
    Scenario(
        "close-always",
        "connection per request, http-reuse always",
        keep_alive=False,
        download=SMALL_BODY,
        tunnel=False,
    ),
    Scenario(
        "close-safe",
        "connection per request, http-reuse safe (dials each time)",
        keep_alive=False,
        reuse="safe",
        download=SMALL_BODY,
    ),
    Scenario("response-64k", "64 KiB response", path="/64k", download=64 * KIB, connections=32),
    Scenario("response-1m", "1 MiB response", path="/1m", download=MIB, connections=16),
    Scenario("upload-1m", "1 MiB upload", path="/upload", method="POST", upload=MIB, connections=16),
    Scenario(
        "idle",
        "64 busy connections beside 10,000 idle ones",
        kind=Kind.IDLE,
        idle=10_000,
        download=SMALL_BODY,
        tunnel=False,
    ),
    Scenario("httplog", "small keep-alive GET, httplog to syslog", httplog=True, download=SMALL_BODY, tunnel=False),
    Scenario("start", "start to first accepted connection", kind=Kind.START, tunnel=False),
)

BY_NAME: dict[str, Scenario] = {scenario.name: scenario for scenario in SCENARIOS}

BROWSER_FIELDS: tuple[tuple[str, str], ...] = (
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
    ("Accept-Language", "en-GB,en;q=0.5"),
    ("Accept-Encoding", "gzip, deflate, br"),
    ("Connection", "keep-alive"),
    ("Upgrade-Insecure-Requests", "1"),
    ("Sec-Fetch-Dest", "document"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-Site", "same-origin"),
    ("Priority", "u=0, i"),
)
"""With Host and Cookie these are the twelve fields of a browser's request; about 600 bytes with the request line."""

CLIENT = "{client}"
"""Stands in a head for what differs between clients (or requests): eight hexadecimal digits."""


def select(names: Iterable[str]) -> tuple[Scenario, ...]:
    """The scenarios of these names in the table's order; all for no name. KeyError names the first unknown one."""
    wanted = set(names)
    for name in wanted:
        if name not in BY_NAME:
            raise KeyError(name)
    return tuple(scenario for scenario in SCENARIOS if not wanted or scenario.name in wanted)


def request_head(scenario: Scenario, authority: str) -> str:
    """The head to send, blank line included, with CLIENT still in it where cookies vary."""
    return "".join(f"{line}\r\n" for line in (*_lines(scenario, authority), ""))


def client_mark(number: int) -> str:
    """What stands for CLIENT in the requests of client `number`. Spread over the digits, as session cookies are."""
    return f"{(number + 1) * 2654435761 % 2**32:08x}"


def _lines(scenario: Scenario, authority: str) -> Iterator[str]:
    yield f"{scenario.method} {scenario.path} HTTP/1.1"
    yield f"Host: {authority}"
    if scenario.browser:
        for name, value in BROWSER_FIELDS:
            yield f"{name}: {value}"
        mark = CLIENT if scenario.cookies is not Cookies.NONE else client_mark(0)
        cookies = (
            "theme=dark; language=en-GB",
            "consent=analytics.0-ads.0-at.1732233600",
            f"visitor={mark}.1732233600",
        )
        yield f"Cookie: session={mark}8d1c4a7e90b35f26; {'; '.join(cookies)}"
    if scenario.upload:
        yield f"Content-Length: {scenario.upload}"
    if not scenario.keep_alive:
        yield "Connection: close"

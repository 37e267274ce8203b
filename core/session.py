"""The facts of one client connection (session) and of one request with its response (exchange): what rules, logs and
algorithms may read. The relay's classes extend these with transports and behaviour.

Times: `*_at` fields are milliseconds of the thread's monotonic clock (float, loop.time()*1000), -1.0 where the phase
was not reached; `*_date` fields are seconds since the epoch (float). Fields are grouped by lifetime.
"""

from __future__ import annotations

from typing import Any

NOT_REACHED = -1.0
DIRECT, FORCED, IGNORED = 1, 2, 4
"""What persistence has to do with a request (bits): it names the server; the server holds though it is down; it does
not count."""


class Session:
    """One client connection, from accept to close."""

    __slots__ = (
        "accept_at",
        "accept_date",
        "client_host",
        "client_port",
        "destination",
        "destination_port",
        "frontend_host",
        "frontend_name",
        "frontend_port",
        "listener_name",
        "number",
        "source",
        "source_port",
        "tls",
        "tracked",
        "variables",
    )

    accept_at: float
    accept_date: float
    client_host: str
    """Numeric address; "unix" for a unix socket (its port then is the listener's id)."""
    client_port: int
    frontend_host: str
    frontend_port: int
    frontend_name: str
    listener_name: str
    """As `%fp`-like fetches and error lines show it: the bind line's name, or its number from 1."""
    number: int
    """Counts sessions of the thread, from 1."""
    tls: bool
    # For rules, which may change them (`set-src` and its kin). Filled in where the frontend's rules look at them.
    source: bytes
    """The client's address, packed: 4 or 16 bytes; b"" on a unix socket."""
    source_port: int
    destination: bytes
    """The address that it connected to."""
    destination_port: int
    tracked: Any
    """Entries of stick tables that the session tracks (rules/trackers); None while there are none."""
    variables: dict[str, Any] | None
    """Of the scope `sess`: name -> (type, value); None while there is none."""


class Exchange:
    """One request on a session. `tcp` mode has exactly one, without a head."""

    __slots__ = (
        "backend_connections",
        "backend_name",
        "backend_queue",
        "bytes_from_client",
        "bytes_to_client",
        "connect_at",
        "cookie_state",
        "end_at",
        "first_byte_at",
        "first_byte_date",
        "frontend_connections",
        "head_at",
        "idle_since",
        "method",
        "number",
        "persistence",
        "process_connections",
        "redispatched",
        "request_captures",
        "request_cookie",
        "request_line",
        "request_number",
        "response_at",
        "response_captures",
        "response_cookie",
        "retries",
        "server_connections",
        "server_host",
        "server_name",
        "server_port",
        "server_queue",
        "session",
        "slot_at",
        "source_host",
        "source_port",
        "status",
        "target",
        "termination",
        "unique_id",
        "version",
    )

    session: Session
    # Request.
    number: int
    """Counts exchanges of the thread, from 0: `%rt`."""
    request_number: int
    """0 for the first request of its session; from 1 on a request may use and make `safe` connections (CR2)."""
    method: bytes
    target: bytes
    version: bytes
    request_line: bytes
    """As received, without its line end, for `%r`; b"" with a request that could not be read (logged as <BADREQ>)."""
    unique_id: bytes | None
    """`unique-id-format`; None while nobody has asked for it (rules.format_source.unique_id)."""
    # Where it went.
    backend_name: str
    """The backend, or the frontend's name while none is chosen."""
    server_name: str
    """The server, <NOSRV> where none was chosen, <STATS> for internal answers."""
    source_host: str
    """Our address on the server connection (`%bi`); "" where there is none."""
    source_port: int
    server_host: str
    """The server's address (`%si`); "" where no server was chosen."""
    server_port: int
    retries: int
    redispatched: bool
    persistence: int
    """DIRECT, FORCED, IGNORED, or none of them."""
    # What came of it.
    status: int
    """Status sent to the client, 0 or -1 where none was."""
    termination: bytes
    """Two letters, manual 8.5; b"--" is a normal end."""
    cookie_state: bytes
    """Letters three and four; b"--"."""
    bytes_to_client: int
    bytes_from_client: int
    request_captures: list[str | None]
    response_captures: list[str | None]
    request_cookie: str
    """`capture cookie`: `name=value`, "" where there was none; without surrogates."""
    response_cookie: str
    # When (see the module's docstring). Tq, Tw, Tc, Tr, Td and the rest of manual 8.4 are differences of these.
    idle_since: float
    """End of the handshakes or of the previous exchange: Ti = first_byte_at - idle_since."""
    first_byte_at: float
    first_byte_date: float
    head_at: float
    """The request's head was complete: TR."""
    slot_at: float
    """Left the queues: Tw."""
    connect_at: float
    """Connected to the server, or a pooled connection was taken: Tc."""
    response_at: float
    """The response's head was complete: Tr."""
    end_at: float
    # How busy it was when the line was made (`%ac %fc %bc %sc %sq %bq`).
    process_connections: int
    frontend_connections: int
    backend_connections: int
    server_connections: int
    server_queue: int
    backend_queue: int

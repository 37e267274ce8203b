"""Load by wrk: its Lua script from a scenario, its command line, and what it reports.

Owns the dialect of wrk. The script sends exactly the bytes that scenarios.request_head gives, so that the order and
spelling of fields are ours, and prints one line of JSON when it is done, so that nothing is read out of a table made
for people.

A limit to know: wrk asks the script for "the next request", not for that of a connection. Where cookies vary from
client to client, as many clients as there are connections take turns, and a client's next request may leave on
another connection.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from string import Template

from .scenarios import CLIENT, Cookies, Scenario, client_mark, request_head

MARK = "wrk-summary "
SECONDS_TO_END = 15.0
"""How much longer than it should wrk may take before it is taken for stuck."""

SCRIPT = Template(
    """\
local heads = {$heads}
local body = string.rep("x", $upload)
local unique = $unique
local turn = 0
for i = 1, #heads do heads[i] = heads[i] .. body end

function request()
   turn = turn + 1
   if unique then
      local mark = string.format("%08x", (turn * 2654435761 + $seed) % 4294967296)
      return heads[1] .. mark .. heads[2] .. mark .. heads[3]
   end
   return heads[(turn - 1) % #heads + 1]
end

function done(summary, latency, requests)
   local e = summary.errors
   io.write(string.format(
      '$mark{"requests":%d,"duration_us":%d,"bytes":%d,"p50_us":%d,"p99_us":%d,"max_us":%d,' ..
      '"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}\\n',
      summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99), latency.max,
      e.connect, e.read, e.write, e.status, e.timeout))
end
"""
)

ERROR_WORDS: dict[str, str] = {
    "connect": "connections not made",
    "read": "errors or early ends while reading",
    "write": "errors while writing",
    "status": "answers of status 400 and above",
    "timeout": "requests without an answer in time",
}


@dataclass(frozen=True)
class Load:
    """What wrk did: counts, microseconds, bytes, and errors by kind (keys of ERROR_WORDS)."""

    requests: int
    duration_us: int
    bytes: int
    p50_us: int
    p99_us: int
    max_us: int
    errors: dict[str, int]

    @property
    def rate(self) -> float:
        return self.requests * 1e6 / self.duration_us if self.duration_us else 0.0

    def faults(self, download: int) -> list[str]:
        """What went wrong, in words; `download` are the body bytes that each answer must at least have brought."""
        found = [f"{count} {ERROR_WORDS[kind]}" for kind, count in self.errors.items() if count]
        if not self.requests:
            found.append("no request was answered")
        elif self.bytes < self.requests * download:
            found.append(f"{self.bytes} bytes came for {self.requests} answers of {download} and more each")
        return found


def script(scenario: Scenario, port: int, seed: int = 0) -> str:
    """The Lua script of a scenario against a loopback port. `seed` varies the cookies between two runs."""
    head = request_head(scenario, f"127.0.0.1:{port}")
    unique = scenario.cookies is Cookies.PER_REQUEST
    if unique:
        heads = head.split(CLIENT)
        assert len(heads) == 3, "the script joins three pieces"
    elif scenario.cookies is Cookies.PER_CLIENT:
        heads = [head.replace(CLIENT, client_mark(seed + client)) for client in range(scenario.connections)]
    else:
        heads = [head]
    return SCRIPT.substitute(
        heads=", ".join(lua_string(text) for text in heads),
        upload=scenario.upload,
        unique="true" if unique else "false",
        seed=seed,
        mark=MARK,
    )


def command(program: str, script_path: str, port: int, connections: int, seconds: float) -> list[str]:
    """wrk with one thread; it takes whole seconds only."""
    duration = f"{max(1, round(seconds))}s"
    url = f"http://127.0.0.1:{port}/"
    return [program, "-t1", f"-c{connections}", f"-d{duration}", "--timeout", "10s", "-s", script_path, url]


def parse(output: str) -> Load:
    """Read what the script printed; ValueError when it printed nothing of the kind."""
    for line in output.splitlines():
        if line.startswith(MARK):
            fields = json.loads(line[len(MARK) :])
            errors = {kind: fields.pop(kind) for kind in ERROR_WORDS}
            return Load(errors=errors, **fields)
    raise ValueError(f"no summary in what wrk said: {output.strip()[-200:] or 'nothing'}")


def lua_string(text: str) -> str:
    """A Lua literal of exactly these (Latin-1) characters."""
    return '"' + "".join(_lua_character(character) for character in text) + '"'


def _lua_character(character: str) -> str:
    if character in '"\\' or not " " <= character <= "~":
        return f"\\{ord(character):03d}"
    return character

"""The path of one request through the rules, as a document: what `maniple explain --json` prints, and its text form is
made of.

Owns: the shape of the document. Must not know: how a path is found (tracing, rehearsal), how it is laid out (cli).
Invariants: everything is text, numbers, booleans, lists or None, so that `dataclasses.asdict` is JSON; bytes of
messages are shown as UTF-8, and what is none with backslashes.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Change:
    """What an action changed. `subject`: "request header", "response header", "request", "response", "variable",
    "connection" or "setting"; `name`: which one. `before` and `after` are all values in their order; [] is none."""

    subject: str
    name: str
    before: list[str]
    after: list[str]


@dataclass(slots=True)
class Term:
    """One ACL of a condition that was looked at: evaluation stops where the result is known, and so does the list.

    `holds` is what counts, the `!` before it included. `why`: the sample, its value, and the pattern that it met.
    `acl`: criterion, flags and patterns. `file` and `line`: of the ACL's own line; "" and 0 for one between braces, and
    for a predefined one."""

    text: str
    holds: bool
    why: str
    acl: str = ""
    file: str = ""
    line: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ConditionTrace:
    """A condition. `text` begins with `if` or `unless`, which `holds` has taken into account."""

    text: str
    holds: bool
    terms: list[Term]


@dataclass(slots=True)
class ActionTrace:
    """One action that was carried out. `verdict`: what follows from it, "" where the next rule is looked at."""

    text: str
    changes: list[Change] = field(default_factory=list)
    verdict: str = ""
    notes: list[str] = field(default_factory=list)
    entered: list[RuleTrace] | None = None
    """The rules of the set that a jump has entered."""


@dataclass(slots=True)
class RuleTrace:
    """One line of rules that was looked at. `actions`: empty where the condition does not hold."""

    file: str
    line: int
    text: str
    condition: ConditionTrace | None = None
    actions: list[ActionTrace] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def applies(self) -> bool:
        return self.condition is None or self.condition.holds


@dataclass(slots=True)
class PassTrace:
    """One set of rules that was run. `proxy`: as `frontend web`; `kind`: the keyword of its lines. `left`: rules behind
    the last one that was looked at."""

    proxy: str
    kind: str
    rules: list[RuleTrace]
    left: int = 0
    changes: list[Change] = field(default_factory=list)
    """Of a pass that is not made of rules: captures, identifiers, the mirrors of `map-uri`."""


@dataclass(slots=True)
class Candidate:
    """A server of the backend. `state`: as configured, since nothing has checked it: "up", "disabled", "weight 0";
    `balanced`: requests are balanced over it now; `share`: its part of them in percent, where weights say it;
    `checked`: `check` is written, so health checks may say otherwise."""

    name: str
    address: str
    weight: int
    state: str
    backup: bool
    balanced: bool
    share: float | None
    checked: bool
    file: str
    line: int


@dataclass(slots=True)
class Choice:
    """Where the request goes. `server`: the first choice; "" where none can be told. `why`: how it is found, or why it
    cannot be."""

    backend: str
    reason: str
    """Why this backend."""
    algorithm: str
    servers: list[Candidate]
    server: str
    why: str


@dataclass(slots=True)
class Answer:
    """A response that maniple makes itself. `head`: lines; `body`: its start."""

    status: int
    head: list[str]
    body: str
    size: int
    """Bytes of the whole body."""


@dataclass(slots=True)
class Ending:
    """How it ends. `kind`: "forwarded", "answered", "closed" (without a word) or "dropped" (the client is not told).
    `by`: file:line of the rule, or what else has decided."""

    kind: str
    by: str
    status: int = 0
    answer: Answer | None = None
    choice: Choice | None = None


@dataclass(slots=True)
class Explanation:
    """The whole of it. `request` is what came and `sent` what would leave to the server, as lines of the head; `body`:
    bytes of the body. `response`, `returned`: the same of the response, where one was given."""

    version: int
    frontend: str
    bind: str
    source: str
    request: list[str]
    body: int
    passes: list[PassTrace] = field(default_factory=list)
    ending: Ending | None = None
    sent: list[str] = field(default_factory=list)
    response: list[str] = field(default_factory=list)
    response_passes: list[PassTrace] = field(default_factory=list)
    response_ending: Ending | None = None
    """Where a rule refused the server's response."""
    returned: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What cannot be known without the running proxy, and what was assumed."""

    @property
    def forwarded(self) -> bool:
        """Is it the server's answer that the client gets?"""
        return self.ending is not None and self.ending.kind == "forwarded" and self.response_ending is None


def show_bytes(value: bytes) -> str:
    """Bytes of a message for people and for JSON."""
    return value.decode("utf-8", "backslashreplace")

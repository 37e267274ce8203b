"""Lines of rules: acl, http-request, tcp-request, use_backend, redirect and their kin (manual 4.2).

Owns: in which sections each may stand, and what defaults sections hand down. Must not know: actions, conditions and
expressions: the lines are kept as words with their columns, and compiled by `rules` where they run (and by `maniple
check`). Invariant: a line is kept whole, or refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from .diagnostics import Diagnostics
from .drafts import ErrorLine, ProxyDraft, Reading, RuleSetDraft
from .keywords import ANY, BACK, FRONT, PROXY_KEYWORDS, RULE_SET_KEYWORDS, Keyword, State, setter
from .model import RuleSetSpec, RuleSpec, RuleWord
from .names import TWICE
from .statement import Refusal, Statement
from .values import Duration

REQUEST_RULES = frozenset({"request-rules"})
RESPONSE_RULES = frozenset({"response-rules"})
_OWN = ANY - {"defaults"}
_OWN_FRONT = FRONT - {"defaults"}
_OWN_BACK = BACK - {"defaults"}
_ACTION = "<action> [<argument>...] [{if|unless} <condition>]"
_PATTERN = "<pattern> [table <table>] [{if|unless} <condition>]"

KINDS = {
    "acl": (ANY, "<name> <criterion> [<flag>...] [<operator>] <value>...", 2, "A condition by name."),
    "http-request": (ANY, _ACTION, 1, "What is done with a request, in the order of the lines."),
    "http-response": (ANY, _ACTION, 1, "What is done with a response: the backend's lines, then the frontend's."),
    "http-after-response": (ANY, _ACTION, 1, "What is done with every response, our own answers too."),
    "tcp-request connection": (FRONT, _ACTION, 1, "What is done with a connection as soon as it is accepted."),
    "tcp-request session": (FRONT, _ACTION, 1, "What is done with a connection after its handshakes."),
    "tcp-request content": (ANY, _ACTION, 1, "What is done when the first bytes are there, before http-request."),
    "tcp-response content": (BACK, _ACTION, 1, "What is done when a response begins, before http-response."),
    "use_backend": (_OWN_FRONT, "<backend> [{if|unless} <condition>]", 1, "The backend; the first line that is true."),
    "use-server": (_OWN_BACK, "<server> [{if|unless} <condition>]", 1, "The server, if it is up."),
    "force-persist": (_OWN_BACK, "{if|unless} <condition>", 2, "Persistence holds though the server is down."),
    "ignore-persist": (_OWN_BACK, "{if|unless} <condition>", 2, "Persistence does not count."),
    "stick match": (_OWN_BACK, _PATTERN, 1, "Go to the server that a table knows of a key."),
    "stick on": (_OWN_BACK, _PATTERN, 1, "`stick match` and `stick store-request` in one."),
    "stick store-request": (_OWN_BACK, _PATTERN, 1, "Keep the server that has answered, by a key of the request."),
    "stick store-response": (_OWN_BACK, _PATTERN, 1, "Keep the server that has answered, by a key of its response."),
    "redirect": (
        _OWN,
        "{location|prefix|scheme} <text> [<option>...] [{if|unless} <condition>]",
        2,
        "Answer with a redirection, after the http-request lines.",
    ),
    "http-error": (ANY, "status <code> [<reply>...]", 2, "An answer of maniple's own, instead of the built-in one."),
    "monitor fail": (_OWN_FRONT, "{if|unless} <condition>", 2, "monitor-uri is answered with 503."),
    "capture request header": (_OWN_FRONT, "<name> len <length>", 3, "A header of requests for the log."),
    "capture response header": (_OWN_FRONT, "<name> len <length>", 3, "A header of responses for the log."),
    "capture cookie": (_OWN_FRONT, "<name> len <length>", 3, "A cookie, of requests and of responses, for the log."),
    "declare capture": (_OWN_FRONT, "{request|response} len <length>", 3, "A place for what rules capture."),
    "unique-id-format": (FRONT, "<format>", 1, "How an identifier is made for each request."),
    "unique-id-header": (FRONT, "<name>", 1, "The header that carries it to the server."),
}
"""Keyword -> sections, arguments, how many at least, one line of documentation."""
NAMED_DEFAULTS_ONLY = frozenset(
    name for name in KINDS if name == "acl" or name.startswith(("http-re", "http-a", "tcp-"))
)
"""What a defaults section may only say if it has a name (manual 4.1)."""
_IN_RULE_SETS = {
    "acl": REQUEST_RULES | RESPONSE_RULES,
    "http-request": REQUEST_RULES,
    "use_backend": REQUEST_RULES,
    "http-response": RESPONSE_RULES,
}
_ANSWERING = frozenset({"http-request", "http-response", "http-error"})
_ONE_WORD = frozenset({"unique-id-format", "unique-id-header"})
_NAMED = "give it one: `defaults <name>`"
_FILE = "the file is read at the start, and its content kept; a text may stand in the line itself: `string <text>`"
_CONFLICT = "its rules would be ambiguous: write two defaults sections"


def _rule(statement: Statement, reading: Reading) -> RuleSpec:
    words = tuple(RuleWord(word.text, word.start) for word in statement.arguments)
    return RuleSpec(statement.place, statement.name, words, files=tuple(_files(statement, reading)))


def _files(statement: Statement, reading: Reading) -> Iterator[tuple[str, bytes]]:
    """The files that an answer is made of."""
    if statement.name not in _ANSWERING:
        return
    answering = statement.name == "http-error"
    for word, following in pairwise(statement.arguments):
        if word.text in ("if", "unless"):
            answering = False
        elif word.text in ("deny", "return", "tarpit"):
            answering = True
        elif answering and word.text in ("file", "lf-file", "errorfile"):
            try:
                yield following.text, reading.read_file(following.text)
            except OSError as error:
                message = f"cannot read '{following.text}': {error.strerror or error}"
                raise Refusal(f"`{statement.name}`: {message}", following, _FILE) from None


def _read(statement: Statement, draft: ProxyDraft) -> None:
    if draft.kind == "defaults" and not draft.spec.name and statement.name in NAMED_DEFAULTS_ONLY:
        raise Refusal(f"`{statement.name}` is not allowed in a defaults section without a name", None, _NAMED)
    draft.rules.append(_rule(statement, draft.reading))
    if statement.name == "http-error" and statement.text(1).isdecimal():
        draft.error_lines.append(ErrorLine(statement.place, (int(statement.text(1)),)))


def _read_in_rule_set(statement: Statement, draft: RuleSetDraft) -> None:
    draft.rules.append(_rule(statement, draft.reading))


for _name, (_sections, _shape, _least, _summary) in KINDS.items():
    _most = 1 if _name in _ONE_WORD else -1
    PROXY_KEYWORDS.add(Keyword(_name, _sections, _shape, _summary, "rules", _read, _least, _most))
    if _name in _IN_RULE_SETS:
        RULE_SET_KEYWORDS.add(
            Keyword(_name, _IN_RULE_SETS[_name], _shape, _summary, "rules", _read_in_rule_set, _least, -1, strict=True)
        )


def _delay(name: str, field: str, sections: frozenset[str], state: State) -> None:
    store = setter(field, Duration())

    def read(statement: Statement, draft: ProxyDraft) -> None:
        if draft.kind == "defaults" and not draft.spec.name:
            raise Refusal(f"`{statement.name}` is not allowed in a defaults section without a name", None, _NAMED)
        store(statement, draft)

    summary = "Time that the first bytes may take to come, for the content rules."
    PROXY_KEYWORDS.add(Keyword(name, sections, "<time>", summary, "rules", read, state=state))


_delay("tcp-request inspect-delay", "request_inspect_delay", ANY, State.IN_FORCE)
_delay("tcp-response inspect-delay", "response_inspect_delay", BACK, State.IN_FORCE)


def has_rules(draft: ProxyDraft) -> bool:
    """Has a defaults section rules that it may not share (manual: http-request)?"""
    return any(rule.kind in NAMED_DEFAULTS_ONLY and rule.kind != "acl" for rule in draft.rules)


def refuse_base(statement: Statement, draft: ProxyDraft, base: ProxyDraft) -> None:
    """Refusal where a section cannot take its settings from `base`, because that has rules."""
    if not has_rules(base):
        return
    if draft.kind == "defaults":
        where = f"{base.spec.place.file}:{base.spec.place.line}"
        raise Refusal(
            f"a defaults section cannot inherit from one with rules ({where})",
            None,
            "write the rules again, or without `from`",
        )


def check_sharing(drafts: Sequence[ProxyDraft], diagnostics: Diagnostics) -> None:
    """A defaults section with rules serves frontends or backends, not both, and no listen sections."""
    sides: dict[int, ProxyDraft] = {}
    for draft in drafts:
        base = draft.base
        if base is None or not has_rules(base):
            continue
        first = sides.setdefault(id(base), draft)
        if draft.kind == "listen":
            message = f"{draft.label} cannot take its settings from defaults '{base.spec.name}', which has rules"
            diagnostics.error(draft.spec.place, message, draft.spec.name, _CONFLICT)
        elif first.kind != draft.kind:
            message = f"defaults '{base.spec.name}' has rules, and is used by {first.label} and by {draft.label}"
            diagnostics.error(draft.spec.place, message, draft.spec.name, _CONFLICT)


def own_rules(draft: ProxyDraft) -> tuple[RuleSpec, ...]:
    """The lines that the proxy's sides have: a defaults section may say more."""
    return tuple(rule for rule in draft.rules if draft.kind in KINDS[rule.kind][0])


def rule_sets(drafts: Sequence[RuleSetDraft], diagnostics: Diagnostics) -> dict[str, RuleSetSpec]:
    """The named sets; two of one name are an error."""
    found: dict[str, RuleSetSpec] = {}
    for draft in drafts:
        other = found.get(draft.name)
        if other is not None:
            message = f"{draft.kind} '{draft.name}' has the same name as {other.kind} in line {other.place.line}"
            diagnostics.error(draft.place, message, draft.name, TWICE)
            continue
        found[draft.name] = RuleSetSpec(draft.place, draft.name, draft.kind, tuple(draft.rules))
    return found


def static_backend(rule: RuleSpec) -> str:
    """The name of the backend that a `use_backend` line names; "" where only a request will tell."""
    return rule.words[0].text if rule.kind == "use_backend" and "%" not in rule.words[0].text else ""

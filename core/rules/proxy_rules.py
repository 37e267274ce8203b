"""All rules of one proxy, compiled: which sets it has, and from where they look at an exchange.

Owns: which lines belong to which set, the order of what defaults hand down, and the checks of a whole configuration.
Must not know: what becomes of verdicts.

The order (manual 4.2): a defaults section's lines come before the proxy's own of the same kind; each sees the ACLs of
its own section. `redirect` lines come after all http-request lines, `use_backend` after those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from ..config.diagnostics import Diagnostics
from ..config.model import Configuration, Place, ProxySpec, RuleSpec
from ..errors import ConfigError
from . import all_actions, keywords  # their import fills the registries
from .acl_set import AclSet
from .actions import Ground
from .catalogue import Needs, Stage
from .persist_rules import KINDS as PERSIST_KINDS
from .persist_rules import compile_persist
from .process_variables import evaluate
from .rule_sets import RuleSets
from .ruleset import EMPTY, Rule, RuleSet, compile_rule, compile_test, locate, make_set
from .scope import Site
from .site import checked_site, site_of
from .stick_rules import KINDS as STICK_KINDS
from .stick_rules import compile_stick, make_stick_set
from .unawaited import unawaited
from .verdicts import Missing

REGISTRIES = (all_actions.MODULES, keywords.MODULES)

_FRONT = {
    "tcp-request connection": Stage.CONNECTION,
    "tcp-request session": Stage.SESSION,
    "tcp-request content": Stage.FRONT_CONTENT,
    "http-request": Stage.FRONT_REQUEST,
    "redirect": Stage.FRONT_REQUEST,
    "use_backend": Stage.USE_BACKEND,
    "http-response": Stage.FRONT_RESPONSE,
    "http-after-response": Stage.FRONT_RESPONSE,
    "monitor fail": Stage.FRONT_REQUEST,
}
_BACK = {
    "tcp-request content": Stage.BACK_CONTENT,
    "http-request": Stage.BACK_REQUEST,
    "redirect": Stage.BACK_REQUEST,
    "use-server": Stage.USE_SERVER,
    "force-persist": Stage.BACK_CONTENT,
    "ignore-persist": Stage.BACK_CONTENT,
    "stick match": Stage.USE_SERVER,
    "stick on": Stage.USE_SERVER,
    "stick store-request": Stage.USE_SERVER,
    "stick store-response": Stage.STORE,
    "tcp-response content": Stage.BACK_RESPONSE_CONTENT,
    "http-response": Stage.BACK_RESPONSE,
    "http-after-response": Stage.BACK_RESPONSE,
}
"""Kind of lines -> where they look at an exchange, on either side. A listen section has both."""

Test = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class ProxyRules:
    """The rule sets of one proxy."""

    connection: RuleSet = EMPTY
    session: RuleSet = EMPTY
    content: RuleSet = EMPTY
    request: RuleSet = EMPTY
    redirects: RuleSet = EMPTY
    backends: RuleSet = EMPTY
    servers: RuleSet = EMPTY
    persist: RuleSet = EMPTY
    """Both `force-persist` and `ignore-persist`."""
    stick: RuleSet = EMPTY
    """`stick on`, `stick match` and `stick store-request`."""
    stick_response: RuleSet = EMPTY
    response_content: RuleSet = EMPTY
    response: RuleSet = EMPTY
    after: RuleSet = EMPTY
    monitor: RuleSet = EMPTY
    """`monitor fail`: STOP is a failure."""

    @property
    def needs(self) -> Needs:
        needs = Needs.NOTHING
        for one in fields(self):
            needs |= getattr(self, one.name).needs
        return needs


FIELDS = {
    "tcp-request connection": "connection",
    "tcp-request session": "session",
    "tcp-request content": "content",
    "http-request": "request",
    "redirect": "redirects",
    "use_backend": "backends",
    "use-server": "servers",
    "ignore-persist": "persist",
    "force-persist": "persist",
    "stick match": "stick",
    "stick store-request": "stick",
    "stick on": "stick",
    "stick store-response": "stick_response",
    "tcp-response content": "response_content",
    "http-response": "response",
    "http-after-response": "after",
    "monitor fail": "monitor",
}
"""Keyword of lines -> the field of ProxyRules with their set."""

NO_RULES = ProxyRules()
_TOGETHER = {"ignore-persist": "force-persist", "stick match": "stick on", "stick store-request": "stick on"}
"""Kinds of lines that are one set, in their order."""


def stage_of(kind: str, spec: ProxySpec) -> Stage:
    """Where lines of this kind look at an exchange."""
    stage = Stage(0)
    if spec.has_frontend and kind in _FRONT:
        stage |= _FRONT[kind]
    if spec.has_backend and kind in _BACK:
        stage |= _BACK[kind]
    return stage


class Findings:
    """What was found while rules were compiled."""

    def __init__(self) -> None:
        self.errors: list[ConfigError] = []
        self.warnings: list[ConfigError] = []


def compile_proxy(spec: ProxySpec, site: Site, sets: RuleSets | None, found: Findings) -> ProxyRules:
    """Compile the lines of a proxy. What is wrong goes to `found`, and is left out."""
    if not spec.rules:
        return NO_RULES
    site = site_of(site, spec.name)
    scopes = {name: AclSet([line for line in spec.rules if line.scope == name], site) for name in _scopes(spec.rules)}
    for acls in scopes.values():
        found.errors += acls.errors
        acls.errors.clear()
    rules: dict[str, list[Rule]] = {}
    known = dict.fromkeys(scopes, 0)
    grounds: dict[tuple[str, str], Ground] = {}
    ignored: set[str] = set()
    for line in spec.rules:
        if line.kind == "acl":
            known[line.scope] += 1
            continue
        if line.kind not in FIELDS:
            continue
        acls = scopes[line.scope]
        ground = grounds.get((line.kind, line.scope))
        if ground is None:
            ground = Ground(line.kind, acls.site, stage_of(line.kind, spec), spec, sets)
            grounds[line.kind, line.scope] = ground
        if spec.mode == "tcp" and (line.kind == "redirect" or line.kind.startswith("http-")):
            if line.kind not in ignored:
                ignored.add(line.kind)
                place, message = (
                    line.place,
                    f"`{line.kind}` is ignored in {spec.kind} '{spec.name}': it needs mode http",
                )
                found.warnings.append(
                    ConfigError(message, file=place.file, line=place.line, column=place.column, word=line.kind)
                )
            continue
        try:
            rules.setdefault(_TOGETHER.get(line.kind, line.kind), []).append(
                _compile(line, acls, replace(ground, known_acls=known[line.scope]))
            )
        except ConfigError as error:
            locate(error, line.place)
            found.errors.append(error)
        for warning in acls.warnings:
            locate(warning, line.place)
        found.warnings += acls.warnings
        acls.warnings.clear()
        found.errors += acls.errors
        acls.errors.clear()
    return ProxyRules(**{FIELDS[kind]: _set(kind, listed, spec) for kind, listed in rules.items()})


def _set(kind: str, listed: Sequence[Any], spec: ProxySpec) -> RuleSet:
    return make_stick_set(listed) if kind in STICK_KINDS else make_set(listed, _missing(kind, spec))


def _missing(kind: str, spec: ProxySpec) -> Missing | None:
    """What content rules say while bytes that they look at may still come; None: they take what is there."""
    if kind == "tcp-request content":
        delay = spec.request_inspect_delay
    elif kind == "tcp-response content" and spec.mode == "tcp":
        delay = spec.response_inspect_delay
    else:
        return None
    # Both the set and the step before it are run again (relay/inspection).
    return Missing(float(delay), 2) if delay else None


def _scopes(lines: Iterable[RuleSpec]) -> Sequence[str]:
    return tuple(dict.fromkeys(line.scope for line in lines))


def _compile(line: RuleSpec, acls: AclSet, ground: Ground) -> Rule:
    if line.kind in PERSIST_KINDS:
        return compile_persist(line, acls, ground)
    if line.kind in STICK_KINDS:
        return compile_stick(line, acls, ground)
    if line.kind != "monitor fail":
        return compile_rule(line, acls, ground)
    condition = compile_test(line.words, acls, ground)
    text = f"{line.kind} {' '.join(word.text for word in line.words)}"
    return Rule(line.place, text, condition, (_fail,), condition.needs, False)


def _fail(x: Any) -> Any:
    return FAILURE


FAILURE = object()
"""What a `monitor fail` line says when it is true."""


def report_rules(configuration: Configuration, diagnostics: Diagnostics) -> None:
    """Tell what `check_rules` finds."""
    found = check_rules(configuration)
    for tell, listed in ((diagnostics.error, found.errors), (diagnostics.warning, found.warnings)):
        told = set()
        for one in listed:
            place = Place(one.file, one.line, one.column)
            if (place, one.message) not in told:
                told.add((place, one.message))
                tell(place, one.message, one.word, one.hint)


def check_rules(configuration: Configuration) -> Findings:
    """Compile all rules of a configuration for nobody, to find what is wrong with them."""
    found = Findings()
    site = checked_site(configuration)
    configuration.variables.update(evaluate(configuration.globals.variables, site, found.errors))
    sets = RuleSets(configuration.rule_sets, site, found.errors)
    for spec in configuration.proxies:
        if not spec.disabled:
            found.warnings += unawaited(spec, compile_proxy(spec, site, sets, found))
    sets.check()
    found.warnings += sets.warnings
    return found

"""Named rule sets, and `jump NAME` which enters one (matrix CL12; HAProxy has no such thing).

Owns: which set may be entered from where, and that no set leads back to itself. Must not know: proxies.

A jump enters the set, and where the set gives no verdict, goes on behind the jump. The set sees its own ACLs only. What
ends a pass in it (allow, deny, use_backend, ...) ends the pass of whoever jumped. Jumps only lead forward: a set that
could reach itself is an error of the configuration.

    from                              request-rules    response-rules
    frontend, listen: http-request    yes              no
    backend: http-request             no               no
    request-rules                     yes              no
    backend: http-response            no               yes
    frontend, listen: http-response   no               no
    response-rules                    no               yes
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..config import suggest
from ..config.model import RuleSetSpec
from ..errors import ConfigError
from .acl_set import AclSet
from .action_answer import giving
from .actions import REQUEST, RESPONSE, Act, Ground, Use, action
from .catalogue import Stage
from .ruleset import Rule, RuleSet, compile_rules, make_set
from .scope import Site
from .verdicts import Jump

_RING = "take one of the jumps away"
_MADE = "a section `request-rules <name>` or `response-rules <name>` makes it"
_SIDES = "frontends have request rules, backends response rules"
_KINDS = {"request-rules": "http-request", "response-rules": "http-response"}


class RuleSets:
    """The named sets of a configuration, compiled when first entered from a stage."""

    def __init__(self, specs: Mapping[str, RuleSetSpec], site: Site, errors: list[ConfigError]) -> None:
        self.specs = specs
        self.warnings: list[ConfigError] = []
        self._site = site
        self._errors = errors
        self._acls = {name: AclSet(spec.rules, site) for name, spec in specs.items()}
        self._compiled: dict[tuple[str, Stage], RuleSet] = {}
        self._underway: list[str] = []

    def check(self) -> None:
        """Compile all, also those that nobody enters, to find their errors."""
        for name, spec in self.specs.items():
            entered = any(key[0] == name for key in self._compiled)
            if not entered:
                stage = Stage.FRONT_REQUEST if spec.kind == "request-rules" else Stage.BACK_RESPONSE
                self.compiled(name, stage)
        for acls in self._acls.values():
            self._errors.extend(acls.errors)
            self.warnings.extend(acls.warnings)

    def compiled(self, name: str, stage: Stage) -> RuleSet:
        """The set, for rules of that stage. Raises ConfigError if it is being compiled: it would reach itself."""
        key = name, stage
        found = self._compiled.get(key)
        if found is not None:
            return found
        if name in self._underway:
            ring = [*self._underway[self._underway.index(name) :], name]
            raise ConfigError(f"rule set '{name}' leads back to itself: {' -> '.join(ring)}", hint=_RING)
        spec = self.specs[name]
        acls = self._acls[name]
        self._underway.append(name)
        try:
            rules = self._rules(spec, acls, stage)
        finally:
            self._underway.pop()
        found = self._compiled[key] = make_set(rules)
        return found

    def _rules(self, spec: RuleSetSpec, acls: AclSet, stage: Stage) -> list[Rule]:
        rules: list[Rule] = []
        known = 0
        http = Ground(_KINDS[spec.kind], acls.site, stage, None, self)
        # A switch's name may be made of all that is known at that moment.
        switch = replace(http, kind="use_backend")
        for line in spec.rules:
            if line.kind == "acl":
                known += 1
                continue
            ground = switch if line.kind == "use_backend" else http
            # What one set says is said once, whoever enters it.
            errors: list[ConfigError] = []
            rules += compile_rules([line], acls, replace(ground, known_acls=known), errors)
            self._errors += [error for error in errors if all(str_of(error) != str_of(one) for one in self._errors)]
        return rules


def str_of(error: ConfigError) -> tuple[Any, ...]:
    """What makes two errors the same."""
    return error.file, error.line, error.column, error.message


def _refuse_from_here(use: Use, spec: RuleSetSpec) -> None:
    ground = use.ground
    request = spec.kind == "request-rules"
    if request is not ground.request:
        raise use.error(f"'{spec.name}' is a section {spec.kind}: `{ground.kind}` cannot enter it", use.rest[0], _SIDES)
    if ground.spec is None:
        return
    if request and ground.spec.kind == "backend":
        raise use.error("a backend cannot enter request rules: the request is where it belongs already", None, _SIDES)
    if not request and ground.spec.kind != "backend":
        raise use.error(f"a {ground.spec.kind} cannot enter response rules: only a backend can", None, _SIDES)


@action("jump", REQUEST | RESPONSE, "<rule set>", "Ours: enter a section request-rules or response-rules")
def _jump(use: Use) -> Act:
    if use.ended():
        use.take_nothing("the name of a rule set")
    name = use.rest[0].text
    sets: RuleSets | None = use.ground.sets
    if sets is None or name not in sets.specs:
        near = suggest.nearest(name, () if sets is None else sets.specs)
        raise use.error(f"there is no rule set '{name}'", use.rest[0], f"did you mean `{near}`?" if near else _MADE)
    _refuse_from_here(use, sets.specs[name])
    word = use.take("the name of a rule set")
    try:
        target = sets.compiled(name, use.ground.stage)
    except ConfigError as error:
        if error.file:
            raise
        raise use.error(error.message, word, _RING) from None
    use.needs |= target.needs
    use.entered = target
    if target.simple:
        return target.run
    use.waits = True
    return giving(Jump(use.place, target.steps))

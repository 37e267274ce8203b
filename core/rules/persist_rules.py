"""`force-persist` and `ignore-persist` (manual 4.2): conditions on which persistence holds in any case, or not at all.

Owns: compiling their lines, and what they note of an exchange. Must not know: cookies, servers. Of all lines of both
kinds the first one that is true counts; they are looked at as soon as the backend is known.
"""

from __future__ import annotations

from typing import Any

from ..config.model import RuleSpec
from ..errors import ConfigError
from ..session import FORCED, IGNORED
from .acl_set import AclSet
from .actions import Act, Ground
from .condition import compile_condition
from .ruleset import Rule
from .verdicts import STOP, Verdict

FLAGS = {"force-persist": FORCED, "ignore-persist": IGNORED}
KINDS = tuple(FLAGS)


def compile_persist(line: RuleSpec, acls: AclSet, ground: Ground) -> Rule:
    """One line. Raises ConfigError."""
    words = line.words
    if not words or words[0].text not in ("if", "unless"):
        column = words[0].column if words else line.place.column
        raise ConfigError(
            f"`{line.kind}` expects `if` or `unless` and a condition",
            column=column,
            word=words[0].text if words else "",
            hint=f"such as `{line.kind} if {{ src 192.0.2.0/24 }}`",
        )
    condition = compile_condition(words, acls, ground.site, ground.stage)
    text = f"{line.kind} {' '.join(word.text for word in words)}"
    return Rule(line.place, text, condition, (_noting(line),), condition.needs, False, (line.kind,))


def _noting(line: RuleSpec) -> Act:
    flag = FLAGS[line.kind]
    last = Verdict(STOP, line.place)

    def act(x: Any) -> Verdict:
        x.persistence |= flag
        return last

    return act

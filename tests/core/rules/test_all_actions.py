"""All actions: every module registers, and those of the manual are known."""

from __future__ import annotations

from pathlib import Path

import pytest
from maniple.core import rules
from maniple.core.rules import all_actions
from maniple.core.rules.actions import ACTIONS

FOLDER = Path(rules.__file__).parent

MANUAL = {
    "http-request": "add-acl add-header allow auth cache-use capture del-acl del-header del-map deny disable-l7-retry "
    "do-resolve early-hint normalize-uri redirect reject replace-header replace-path replace-pathq replace-uri "
    "replace-value return sc-add-gpc sc-inc-gpc sc-inc-gpc0 sc-inc-gpc1 sc-set-gpt sc-set-gpt0 send-spoe-group "
    "set-dst set-dst-port set-header set-log-level set-map set-mark set-method set-nice set-path set-pathq "
    "set-priority-class set-priority-offset set-query set-src set-src-port set-timeout set-tos set-uri set-var "
    "set-var-fmt silent-drop strict-mode tarpit track-sc0 track-sc1 track-sc2 unset-var use-service wait-for-body "
    "wait-for-handshake set-bandwidth-limit set-retries pause set-fc-mark set-fc-tos set-bc-mark set-bc-tos",
    "http-response": "add-acl add-header allow cache-store capture del-acl del-header del-map deny redirect "
    "replace-header replace-value return sc-inc-gpc0 sc-set-gpt0 send-spoe-group set-header set-log-level set-map "
    "set-mark set-nice set-status set-tos set-var set-var-fmt silent-drop strict-mode track-sc0 unset-var "
    "set-timeout set-bandwidth-limit pause",
    "http-after-response": "add-header allow capture del-header replace-header replace-value set-header set-map "
    "set-status set-var set-var-fmt strict-mode unset-var set-log-level",
    "tcp-request connection": "accept reject expect-proxy expect-netscaler-cip capture track-sc0 set-dst set-dst-port "
    "set-mark set-src set-src-port set-tos set-var set-var-fmt silent-drop unset-var",
    "tcp-request session": "accept reject set-dst set-dst-port set-mark set-src set-src-port set-tos set-var "
    "set-var-fmt silent-drop unset-var track-sc0",
    "tcp-request content": "accept reject capture do-resolve set-dst set-dst-port set-log-level set-mark set-nice "
    "set-priority-class set-priority-offset set-src set-src-port set-tos set-var set-var-fmt silent-drop switch-mode "
    "unset-var use-service track-sc0 set-bandwidth-limit",
    "tcp-response content": "accept close reject set-log-level set-mark set-nice set-tos set-var set-var-fmt "
    "silent-drop unset-var set-bandwidth-limit",
}
"""By keyword: the actions that the manual has there (2.6 to 3.2)."""
ODD = {("tcp-request connection", "capture")}
"""Not there: nothing could be captured."""
NAMES = [(kind, name) for kind, names in MANUAL.items() for name in names.split() if (kind, name) not in ODD]


@pytest.mark.parametrize(("kind", "name"), NAMES, ids=[f"{kind} {name}" for kind, name in NAMES])
def test_known_there(kind: str, name: str) -> None:
    assert name in ACTIONS, "unknown"
    assert kind in ACTIONS[name].sets


def test_all_modules_are_named() -> None:
    named = {module.__name__.rpartition(".")[2] for module in all_actions.MODULES}
    registering = {path.stem for path in FOLDER.glob("*.py") if "\n@action(" in path.read_text()}
    assert registering <= named


def test_ours() -> None:
    assert {"jump", "map-uri", "use_backend"} <= set(ACTIONS)

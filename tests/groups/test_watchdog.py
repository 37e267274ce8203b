from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from maniple.groups.watchdog import STEP, Finding, Verdict, Watchdog


def looks(watchdog: Watchdog[str], times: list[int], beats: list[dict[str, int]]) -> list[list[Verdict[str]]]:
    return [watchdog.look(now, beat) for now, beat in zip(times, beats, strict=True)]


def still(watchdog: Watchdog[str], start: int, end: int, step: int = 500, **beats: int) -> dict[int, list[str]]:
    """Looks from start to end while nobody turns; what was found when."""
    found = {}
    for now in range(start, end + 1, step):
        verdicts = watchdog.look(now, beats)
        if verdicts:
            found[now] = [f"{one.finding.value} {one.member} {one.age}" for one in verdicts]
    return found


def test_who_turns_is_left_alone() -> None:
    watchdog = Watchdog[str](2000, 10000)
    for now in range(0, 60_000, 500):
        assert watchdog.look(now, {"a": now, "b": now - 400}) == []


def test_who_does_not_is_warned_of_once_and_given_up_once() -> None:
    watchdog = Watchdog[str](2000, 10000)
    assert still(watchdog, 0, 30_000, a=7) == {2000: ["stuck a 2000"], 10_000: ["hopeless a 10000"]}


def test_one_is_back() -> None:
    watchdog = Watchdog[str](2000, 10000)
    assert still(watchdog, 0, 3000, a=7) == {2000: ["stuck a 2000"]}
    assert watchdog.look(3500, {"a": 8}) == [Verdict(Finding.BACK, "a", 3000)]
    assert still(watchdog, 4000, 6000, a=8) == {5500: ["stuck a 2000"]}


def test_a_short_absence_is_nothing() -> None:
    watchdog = Watchdog[str](2000, 10000)
    assert still(watchdog, 0, 1500, a=7) == {}
    assert watchdog.look(2000, {"a": 8}) == []


def test_members_come_and_go() -> None:
    watchdog = Watchdog[str](2000, 10000)
    assert still(watchdog, 0, 2000, a=7, b=7) == {2000: ["stuck a 2000", "stuck b 2000"]}
    # Whoever is not named any more is forgotten, and is new when it comes again.
    assert still(watchdog, 2500, 4000, b=7, c=1) == {}
    assert still(watchdog, 4500, 6500, a=7, c=1) == {4500: ["stuck c 2000"], 6500: ["stuck a 2000"]}


def test_never_means_never() -> None:
    assert still(Watchdog[str](2000, 0), 0, 100_000, a=7) == {2000: ["stuck a 2000"]}
    assert still(Watchdog[str](0, 10000), 0, 100_000, a=7) == {10_000: ["hopeless a 10000"]}
    assert still(Watchdog[str](0, 0), 0, 100_000, a=7) == {}


def test_one_that_was_given_up_without_a_warning_is_not_warned_of() -> None:
    assert still(Watchdog[str](5000, 1000), 0, 20_000, a=7) == {1000: ["hopeless a 1000"]}


def test_our_own_absence_is_nobodys_fault() -> None:
    """A suspended machine, a starved container: nobody had the time to turn."""
    watchdog = Watchdog[str](2000, 10000)
    assert still(watchdog, 0, 500, a=400) == {}
    assert watchdog.look(3_600_000, {"a": 400}) == []
    assert watchdog.look(3_600_500, {"a": 3_600_400}) == []
    # It was stuck in truth: what it was before our absence counts on.
    assert still(watchdog, 3_601_000, 3_602_500, a=3_600_400) == {3_602_500: ["stuck a 2000"]}


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 20_000), st.booleans()), max_size=60),
    st.integers(100, 5000),
    st.integers(100, 20_000),
)
def test_ages_are_what_was_seen(steps: list[tuple[int, bool]], warn: int, kill: int) -> None:
    watchdog = Watchdog[str](warn, kill)
    now = beat = age = 0
    warned = condemned = False
    watchdog.look(now, {"a": beat})
    for step, turns in steps:
        now += step
        if turns and step:
            beat = now
        seen = watchdog.look(now, {"a": beat})
        if turns and step:
            expected = [Verdict(Finding.BACK, "a", age)] if warned else []
            age, warned, condemned = 0, False, False
        else:
            age += min(step, STEP)
            expected = []
            if age >= kill and not condemned:
                condemned = True
                expected = [Verdict(Finding.HOPELESS, "a", age)]
            elif age >= warn and not warned and not condemned:
                warned = True
                expected = [Verdict(Finding.STUCK, "a", age)]
        assert seen == expected

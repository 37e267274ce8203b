"""What holds of the global sections where nothing is written: HAProxy's defaults."""

from __future__ import annotations

import pickle

from maniple.core.config.global_spec import ControlSpec, GlobalSpec, TuneSpec
from maniple.core.config.model import Address, Configuration, Place


def test_defaults_are_those_of_the_manual() -> None:
    tune = TuneSpec()
    assert (tune.bufsize, tune.maxrewrite, tune.maxhdr, tune.cookielen, tune.logurilen) == (16384, 1024, 101, 63, 1024)
    written = GlobalSpec()
    assert (written.log_tag, written.control_timeout, written.control_maxconn) == ("haproxy", 10000, 10)
    assert written.tune == tune


def test_the_secret_is_not_shown() -> None:
    assert "hidden" not in repr(GlobalSpec(secret=b"hidden"))


def test_all_of_it_is_plain_data() -> None:
    place = Place("a.cfg", 1)
    written = GlobalSpec(controls=(ControlSpec(place, Address("ipv4", "127.0.0.1", 1)),))
    assert pickle.loads(pickle.dumps(written)) == written
    assert Configuration().globals == GlobalSpec()

"""What a configuration says about groups and CPUs, for the plan.

Owns: the words as they were written, and what they come to at another number of groups. Must not know: the machine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..core.config.model import GlobalSpec
from ..core.config.thread_groups import group_sizes


@dataclass(frozen=True, slots=True)
class PlacementWords:
    """None and () stand for "not written"; lines are the words behind their keyword."""

    nbgroup: int | None = None
    nbthread: int | None = None
    thread_groups: tuple[tuple[str, ...], ...] = ()
    cpu_map: tuple[tuple[str, ...], ...] = ()
    cpu_set: tuple[tuple[str, ...], ...] = ()
    cpu_policy: tuple[str, ...] = ()
    at_runtime: bool = False
    """Is `nbgroup` a wish at run time? Then the policy goes on, and numbers on bind lines mean what they meant."""
    named_groups: bool = False
    """Were groups written before the wish?"""

    @classmethod
    def of(cls, spec: GlobalSpec) -> PlacementWords:
        """Those of a configuration."""
        return cls(spec.nbgroup, spec.nbthread, spec.thread_group_lines, spec.cpu_map, spec.cpu_set, spec.cpu_policy)

    @property
    def policy(self) -> str | None:
        return self.cpu_policy[0] if self.cpu_policy else None

    @property
    def one_thread_per_core(self) -> bool:
        """`threads-per-core 1`: of SMT siblings only the first is used."""
        return self.cpu_policy[1:] == ("threads-per-core", "1")

    @property
    def groups_written(self) -> bool:
        """Does the configuration say what groups there are?"""
        return self.named_groups if self.at_runtime else bool(self.nbgroup or self.thread_groups)

    @property
    def shapes(self) -> list[str]:
        """Keywords that say how many groups and threads there are."""
        written = (("nbgroup", self.nbgroup), ("nbthread", self.nbthread), ("thread-group", self.thread_groups))
        return [name for name, value in written if value]

    def scaled(self, groups: int) -> PlacementWords:
        """The same with another number of groups (`maniple scale`, `set nbgroup`): where threads in a group are
        written, each has as many as before (the largest as written)."""
        threads = None
        if self.thread_groups or (self.nbgroup and self.nbthread):
            threads = groups * max(group_sizes(self.nbgroup, self.nbthread, self.thread_groups))
        return replace(
            self,
            nbgroup=groups,
            nbthread=threads,
            thread_groups=(),
            at_runtime=True,
            named_groups=self.groups_written,
        )

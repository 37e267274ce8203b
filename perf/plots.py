"""Bar charts as SVG, written by hand: no plotting library is worth a dependency for one picture.

Owns the geometry and the colours. Knows nothing of proxies: groups of bars with labels come in, a string goes out.
Invariants: the result is well-formed XML, legible on white and on dark pages (it brings its own background), and says
everything in text too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

COLOURS = ("#0b6e4f", "#3b6fb6", "#7b5ea7", "#5aa9a3", "#e08e2b", "#8d99a6")
"""By series, in the order that the caller names them in."""
INK, PALE, PAPER, GOAL = "#1f2933", "#d5dbe1", "#ffffff", "#b0413e"
WIDTH, LEFT, RIGHT = 960, 250, 150
BAR, GAP, GROUP_GAP, TOP, BOTTOM = 15, 3, 16, 96, 46
FONT = "font-family='Helvetica, Arial, sans-serif'"


@dataclass(frozen=True)
class Bar:
    """One bar: its series (which gives the colour), its length on the axis, and what is written beside it."""

    series: str
    value: float
    label: str


@dataclass(frozen=True)
class BarGroup:
    """Bars that belong together. `goal` is drawn as a red line across them, None for none."""

    label: str
    bars: Sequence[Bar]
    goal: float | None = None


def bar_chart(
    title: str,
    subtitle: str,
    axis: str,
    groups: Sequence[BarGroup],
    *,
    most: float,
    reference: float | None = None,
    series: Sequence[str] = (),
    goal_name: str = "goal",
) -> str:
    """Horizontal bars. The axis ends at `most`; a longer bar is cut there and shows it by an arrow. `reference` is a
    value with a dashed line over the whole chart. `series` fixes the colours: a name has the same one in every chart
    with the same list; names that are not in it follow. `goal_name` explains the goals in the legend."""
    drawn = dict.fromkeys(bar.series for group in groups for bar in group.bars)
    known = dict.fromkeys((*series, *drawn))
    colours = {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(known) if name in drawn}
    height = TOP + BOTTOM + sum(_height(group) + GROUP_GAP for group in groups)
    scale = (WIDTH - LEFT - RIGHT) / most
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{height}' viewBox='0 0 {WIDTH} {height}' "
        f"role='img' aria-label={quoteattr(title)}>",
        f"<rect width='{WIDTH}' height='{height}' fill='{PAPER}'/>",
        draw_text(20, 30, title, size=18, weight="bold"),
        draw_text(20, 50, subtitle, size=12),
        *draw_legend(colours, goal_name if any(group.goal is not None for group in groups) else ""),
        *_axis(axis, most, scale, height),
    ]
    if reference is not None:
        x = LEFT + reference * scale
        parts.append(draw_line(x, TOP - 6, x, height - BOTTOM, INK, dash="4 3"))
    top = TOP
    for group in groups:
        parts += _group(group, top, scale, most, colours)
        top += _height(group) + GROUP_GAP
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _height(group: BarGroup) -> int:
    return max(1, len(group.bars)) * (BAR + GAP)


def draw_legend(colours: dict[str, str], goal_name: str) -> list[str]:
    parts = []
    x = 20.0
    for name, colour in colours.items():
        parts.append(f"<rect x='{x:.0f}' y='64' width='12' height='12' fill='{colour}'/>")
        parts.append(draw_text(x + 17, 74, name, size=12))
        x += 40 + 7.0 * len(name)
    if goal_name:
        parts.append(draw_line(x, 63, x, 77, GOAL, width=3))
        parts.append(draw_text(x + 8, 74, goal_name, size=12))
    return parts


def _axis(axis: str, most: float, scale: float, height: int) -> list[str]:
    parts = []
    step = grid_step(most)
    value = 0.0
    while value <= most + 1e-9:
        x = LEFT + value * scale
        parts.append(draw_line(x, TOP - 6, x, height - BOTTOM, PALE))
        parts.append(draw_text(x, height - BOTTOM + 16, f"{value:g}", size=11, anchor="middle"))
        value += step
    parts.append(draw_text(LEFT, height - 10, axis, size=12))
    return parts


def grid_step(most: float) -> float:
    """A round distance of grid lines that gives between four and eight of them."""
    for step in (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0):
        if most / step <= 8:
            return step
    return most / 5


def _group(group: BarGroup, top: int, scale: float, most: float, colours: dict[str, str]) -> list[str]:
    """Bars, then the goal across the first one, then the words, so that each lies over what comes before."""
    bars, words = [], [draw_text(LEFT - 10, top + _height(group) / 2 + 4, group.label, size=13, anchor="end")]
    for index, bar in enumerate(group.bars):
        y = top + index * (BAR + GAP)
        length = min(bar.value, most) * scale
        bars.append(
            f"<rect x='{LEFT}' y='{y}' width='{length:.1f}' height='{BAR}' fill='{colours[bar.series]}'>"
            f"<title>{escape(f'{group.label}, {bar.series}: {bar.label}')}</title></rect>"
        )
        label = f"{bar.label} →" if bar.value > most else bar.label
        words.append(draw_text(LEFT + length + 6, y + BAR - 3.5, label, size=11))
    if group.goal is not None and group.goal <= most:
        x = LEFT + group.goal * scale
        bars.append(draw_line(x, top - 3, x, top + BAR + 3, GOAL, width=3))
    return bars + words


def draw_line(x1: float, y1: float, x2: float, y2: float, colour: str, *, width: int = 1, dash: str = "") -> str:
    dashes = f" stroke-dasharray='{dash}'" if dash else ""
    ends = f"x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}'"
    return f"<line {ends} stroke='{colour}' stroke-width='{width}'{dashes}/>"


def draw_text(x: float, y: float, text: str, *, size: int, anchor: str = "start", weight: str = "normal") -> str:
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' {FONT} font-size='{size}' font-weight='{weight}' text-anchor='{anchor}' "
        # A halo, so that grid lines and goals may pass behind the words.
        f"fill='{INK}' stroke='{PAPER}' stroke-width='3' paint-order='stroke'>{escape(text)}</text>"
    )

"""A chart of lines as SVG: one figure over a few places in order, with its spread.

Owns the geometry; paper, colours and letters are those of the bar charts (plots.py). Knows nothing of proxies.
Invariants: well-formed XML, legible on any page, every point says its value in text; the axis begins at nought.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from .plots import COLOURS, INK, PALE, PAPER, draw_legend, draw_line, draw_text, grid_step

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 960, 440, 70, 40, 96, 60


@dataclass(frozen=True)
class Line:
    """One series: for each place its value, lowest and highest. Places that it lacks are passed over."""

    name: str
    points: Sequence[tuple[str, float, float, float]]


def line_chart(title: str, subtitle: str, axis: str, unit: str, places: Sequence[str], lines: Sequence[Line]) -> str:
    """`places` from left to right, evenly spaced; `axis` names them, `unit` the values."""
    most = max((point[3] for line in lines for point in line.points), default=1.0) * 1.12
    step = grid_step(most)
    scale = (HEIGHT - TOP - BOTTOM) / most
    room = (WIDTH - LEFT - RIGHT) / max(1, len(places))
    where = {place: LEFT + room * (index + 0.5) for index, place in enumerate(places)}
    colours = {line.name: COLOURS[index % len(COLOURS)] for index, line in enumerate(lines)}
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{HEIGHT}' viewBox='0 0 {WIDTH} {HEIGHT}' "
        f"role='img' aria-label={quoteattr(title)}>",
        f"<rect width='{WIDTH}' height='{HEIGHT}' fill='{PAPER}'/>",
        draw_text(20, 30, title, size=18, weight="bold"),
        draw_text(20, 50, subtitle, size=12),
        *draw_legend(colours, ""),
    ]
    value = 0.0
    while value <= most:
        y = HEIGHT - BOTTOM - value * scale
        parts.append(draw_line(LEFT, y, WIDTH - RIGHT, y, INK if value == 0 else PALE))
        parts.append(draw_text(LEFT - 8, y + 4, f"{value:g} {unit}", size=11, anchor="end"))
        value += step
    parts += [draw_text(x, HEIGHT - BOTTOM + 18, place, size=12, anchor="middle") for place, x in where.items()]
    parts.append(draw_text(WIDTH / 2, HEIGHT - 12, axis, size=12, anchor="middle"))
    for line in lines:
        parts += _line(line, where, scale, unit, colours[line.name])
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _line(line: Line, where: dict[str, float], scale: float, unit: str, colour: str) -> list[str]:
    floor = HEIGHT - BOTTOM
    path = " ".join(f"{where[place]:.1f},{floor - value * scale:.1f}" for place, value, _, _ in line.points)
    parts = [f"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='2'/>"]
    for place, value, low, high in line.points:
        x, y = where[place], floor - value * scale
        parts.append(draw_line(x, floor - low * scale, x, floor - high * scale, colour, width=1))
        words = escape(f"{line.name}, {place}: {value:.1f} {unit} ({low:.1f} to {high:.1f})")
        parts.append(f"<circle cx='{x:.1f}' cy='{y:.1f}' r='4' fill='{colour}'><title>{words}</title></circle>")
        parts.append(draw_text(x + 8, y - 6, f"{value:.1f}", size=11))
    return parts

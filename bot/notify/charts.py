"""The picture of an incident: errors per minute by revision, with deploys and rollbacks marked.

Drawn with matplotlib's objects on a canvas of its own: no pyplot, no global state, so that several may draw at once.
The same series gives the same bytes. Names come from logs: no text is read as a formula, and characters that the font
lacks are replaced.

Importing and drawing hold the interpreter for tens of milliseconds at a time: the bot lets `bot.notify.drawing` do it
in a process of its own.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.model.series import ErrorSeries, MarkKind
from bot.notify.chart_words import happened, name, per, shown, span
from bot.notify.words import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT, SCALE = 800, 400, 2
"""In points of a screen; the picture has `SCALE` pixels for each. Texts are large: a phone shows it at half the width."""

_INK, _QUIET, _LINE, _PAPER = "#1d1c1d", "#5c5b61", "#e3e2e6", "#ffffff"
_ROLLBACK = "#00664c"
_COLOURS = ("#d55e00", "#0072b2", "#e69f00", "#56b4e9", "#009e73")
"""Okabe and Ito, "Color Universal Design": told apart with every kind of colour blindness, and in grey."""
_REST = "#a3a2a8"

_LEFT, _RIGHT, _TOP, _BOTTOM = 0.028, 0.972, 0.955, 0.115
_AXES_LEFT, _AXES_RIGHT = 0.088, 0.965
_LEGEND_ROW, _MARK_ROW = 0.068, 0.064
_MARKS_NAMED, _MARK_ROWS = 5, 3
_LONGEST_TITLE = 58
_TICKS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440))
_TICKS_AT_MOST = 7


@dataclass(frozen=True)
class _Layer:
    """One colour of the bars."""

    name: str
    counts: tuple[int, ...]
    colour: str


def errors_chart(series: ErrorSeries, *, title: str, service: str) -> bytes:
    """A PNG of 1600 × 800 pixels on white paper, so that it is legible on a dark page too.

    An empty series gives a chart that says so. Takes a tenth of a second of one core, the first time half a second.

    Args:
        title: what it is about, "auth-service (staging)"; cut after 58 characters.
        service: Cloud Run's name of the service, which the names of its revisions need not repeat.
    """
    pen = _Pen()
    layers = _layers(series, service)
    below = _heading(pen, series, layers, title)
    axes = _axes(pen, series, below - _marks_room(pen, series, service))
    _requests_line(pen, axes, series)
    highest = _bars(axes, series, layers)
    _time_axis(pen, axes, series)
    _counts_axis(axes, highest)
    if not series.total:
        axes.yaxis.set_ticks([])
        said = "No errors in this window" if series.complete else "No errors among what could be read"
        pen.write(0.5 * (_AXES_LEFT + _AXES_RIGHT), 0.42, said, colour=_QUIET, size=18, ha="center", va="center")
    _marks(pen, axes, series, service)
    return pen.png()


class _Pen:
    """A blank sheet; places are fractions of it, from the lower left corner."""

    def __init__(self) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.figure: Figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100 * SCALE, facecolor=_PAPER)
        FigureCanvasAgg(self.figure)

    def write(self, x: float, y: float, said: str, *, colour: str, size: float, **more: Any) -> float:
        """Write a text, in which a dollar sign is a dollar sign; returns its width."""
        text = self.figure.text(x, y, said, color=colour, fontsize=size, family="DejaVu Sans", parse_math=False, **more)
        return float(text.get_window_extent().width) / (WIDTH * SCALE)

    def width_of(self, said: str, *, size: float, **more: Any) -> float:
        """How wide a text would be."""
        text = self.figure.text(0, 0, said, fontsize=size, family="DejaVu Sans", parse_math=False, **more)
        width = float(text.get_window_extent().width) / (WIDTH * SCALE)
        text.remove()
        return width

    def rectangle(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        from matplotlib.patches import Rectangle

        shape = Rectangle((x, y), width, height, transform=self.figure.transFigure, facecolor=colour, linewidth=0)
        self.figure.add_artist(shape)

    def png(self) -> bytes:
        target = io.BytesIO()
        self.figure.savefig(target, format="png", facecolor=_PAPER, metadata={"Software": None})
        return target.getvalue()


# --- above the bars --------------------------------------------------------------------------------------------------


def _heading(pen: _Pen, series: ErrorSeries, layers: Sequence[_Layer], title: str) -> float:
    """Title, what is counted, and the colours with their names and counts; returns where the room below begins."""
    about = shown(title, _LONGEST_TITLE)
    while pen.width_of(about, size=18, weight="bold") > _RIGHT - _LEFT:
        about = shown(about, len(about) - 2)
    width = pen.write(_LEFT, _TOP, about, colour=_INK, size=18, weight="bold", va="top")
    said = f"errors {per(series)} · {span(series)}{'' if series.complete else ' · at least: not all could be read'}"
    y = _TOP - 0.085
    if _LEFT + width + 0.03 + pen.width_of(said, size=12) <= _RIGHT:
        pen.write(_RIGHT, _TOP - 0.014, said, colour=_QUIET, size=12, va="top", ha="right")
    else:
        pen.write(_LEFT, y, said, colour=_QUIET, size=12, va="top")
        y -= _LEGEND_ROW
    return _legend(pen, series, layers, y)


def _legend(pen: _Pen, series: ErrorSeries, layers: Sequence[_Layer], y: float) -> float:
    more = "" if series.complete else "+"
    items = [(f"{layer.name}  {sum(layer.counts):,}{more}", layer.colour, 0.028) for layer in layers]
    if peak := _most_requests(series):
        items.append((f"requests, up to {peak:,} {per(series)}", _REST, 0.007))
    x = _LEFT
    for said, colour, height in items:
        width = 0.021 + pen.width_of(said, size=12.5)
        if x > _LEFT and x + width > _RIGHT:
            x, y = _LEFT, y - _LEGEND_ROW
        pen.rectangle(x, y - 0.0215 - height / 2, 0.014, height, colour)
        pen.write(x + 0.021, y, said, colour=_INK, size=12.5, va="top")
        x += width + 0.028
    return y - _LEGEND_ROW if items else y


@dataclass(frozen=True)
class _Named:
    """A mark's text: where its line is, where the text begins and ends, and in which row above the bars."""

    said: str
    colour: str
    line: float
    left: float
    right: float
    row: int


def _placed(pen: _Pen, series: ErrorSeries, service: str) -> list[_Named]:
    """The newest marks, in rows so that no text covers another; what finds no room keeps its line only."""
    rows: list[list[tuple[float, float]]] = [[] for _ in range(_MARK_ROWS)]
    placed: list[_Named] = []
    for mark in reversed(series.marks[-_MARKS_NAMED:]):
        said = happened(mark, service)
        width = pen.width_of(said, size=12, weight="bold")
        line = _x(series, mark.at)
        left = min(line + 0.006, _RIGHT - width)
        right = left + width + 0.02
        row = next((n for n, taken in enumerate(rows) if all(right <= a or left >= b for a, b in taken)), None)
        if row is not None:
            rows[row].append((left, right))
            placed.append(_Named(said, _colour(mark.kind), line, left, right, row))
    return placed


def _x(series: ErrorSeries, at: datetime) -> float:
    part = (at - series.window.start) / (series.window.end - series.window.start)
    return _AXES_LEFT + part * (_AXES_RIGHT - _AXES_LEFT)


def _colour(kind: MarkKind) -> str:
    return _ROLLBACK if kind is MarkKind.ROLLBACK else _INK


def _marks_room(pen: _Pen, series: ErrorSeries, service: str) -> float:
    rows = max((named.row + 1 for named in _placed(pen, series, service)), default=0)
    return 0.03 + rows * _MARK_ROW


def _marks(pen: _Pen, axes: Axes, series: ErrorSeries, service: str) -> None:
    """A line for each deploy and rollback, and names for the newest."""
    for mark in series.marks:
        is_back = mark.kind is MarkKind.ROLLBACK
        style: Any = "-" if is_back else (0, (4, 2))
        at = (mark.at - series.window.start) / series.step
        axes.axvline(at, color=_colour(mark.kind), linewidth=1.8, linestyle=style, zorder=4)
    top = axes.get_position().y1
    placed = _placed(pen, series, service)
    for named in placed:
        y = top + 0.008 + named.row * _MARK_ROW
        if all(other.row > named.row or not other.left < named.line < other.right for other in placed):
            pen.rectangle(named.line - 0.0008, top, 0.0016, y + 0.03 - top, named.colour)  # up to its text
        pen.write(named.left, y, named.said, colour=named.colour, size=12, weight="bold", va="bottom")


# --- the bars and their axes -----------------------------------------------------------------------------------------


def _layers(series: ErrorSeries, service: str) -> list[_Layer]:
    """The revisions with most errors in colours of their own, the rest together in grey."""
    named, rest = series.revisions[: len(_COLOURS)], series.revisions[len(_COLOURS) :]
    layers = [
        _Layer(name(each.revision, service), each.counts, colour) for each, colour in zip(named, _COLOURS, strict=False)
    ]
    if rest:
        together = tuple(map(sum, zip(*(each.counts for each in rest), strict=True)))
        layers.append(_Layer(count(len(rest), "other revision"), together, _REST))
    return layers


def _axes(pen: _Pen, series: ErrorSeries, top: float) -> Axes:
    axes = pen.figure.add_axes((_AXES_LEFT, _BOTTOM, _AXES_RIGHT - _AXES_LEFT, top - _BOTTOM))
    axes.patch.set_visible(False)
    axes.set_zorder(2)  # above the line of requests
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set(color=_QUIET, linewidth=1.0)
    axes.set_xlim(0, series.bars)
    return axes


def _bars(axes: Axes, series: ErrorSeries, layers: Sequence[_Layer]) -> int:
    """Stacked bars; returns the height of the highest."""
    bottoms = [0] * series.bars
    for layer in layers:
        bars = [bar for bar, errors in enumerate(layer.counts) if errors]
        heights, under = [layer.counts[bar] for bar in bars], [bottoms[bar] for bar in bars]
        axes.bar([bar + 0.5 for bar in bars], heights, 0.84, under, color=layer.colour, linewidth=0, zorder=3)
        bottoms = [below + more for below, more in zip(bottoms, layer.counts, strict=True)]
    return max(bottoms, default=0)


def _requests_line(pen: _Pen, axes: Axes, series: ErrorSeries) -> None:
    """How many requests there were, faint and on a scale of its own: for the shape; its peak is in the legend. Broken
    where nobody counted.
    """
    peak = _most_requests(series)
    if not peak:
        return
    behind = pen.figure.add_axes(axes.get_position().bounds, xlim=(0, series.bars), zorder=1)
    behind.set_axis_off()
    behind.set_ylim(0, peak * 1.08)
    counts = [math.nan if requests is None else requests for requests in series.requests]
    behind.plot([bar + 0.5 for bar in range(series.bars)], counts, color=_REST, linewidth=1.6, solid_capstyle="round")


def _most_requests(series: ErrorSeries) -> int:
    return max((requests for requests in series.requests if requests is not None), default=0)


def _time_axis(pen: _Pen, axes: Axes, series: ErrorSeries) -> None:
    length = series.window.end - series.window.start
    every = next((step for step in _TICKS if step >= series.step and length / step <= _TICKS_AT_MOST), _TICKS[-1])
    ticks = [bar for bar in range(series.bars + 1) if _is_round(series.at(bar), every)]
    style = "%d %b" if every >= timedelta(days=1) else "%H:%M"
    axes.set_xticks(ticks)
    axes.set_xticklabels([f"{series.at(bar):{style}}" for bar in ticks], family="DejaVu Sans")
    axes.tick_params(axis="x", length=4, width=1.0, color=_QUIET, labelcolor=_QUIET, labelsize=12, pad=4)
    pen.write(0.012, _BOTTOM - 0.0305, "UTC", colour=_QUIET, size=10, va="top")


def _is_round(at: datetime, every: timedelta) -> bool:
    return (at - at.replace(hour=0, minute=0, second=0, microsecond=0)) % every == timedelta()


def _counts_axis(axes: Axes, highest: int) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.set_ylim(0, highest * 1.06 if highest else 1)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True, min_n_ticks=2))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _compact(value)))
    axes.tick_params(axis="y", length=0, labelcolor=_QUIET, labelsize=12, pad=5, labelfontfamily="DejaVu Sans")
    axes.yaxis.grid(visible=True, color=_LINE, linewidth=1.0, zorder=0)
    axes.set_axisbelow(True)


def _compact(value: float) -> str:
    """20 → `20`, 15_000 → `15K`: there is room for four characters."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "K")):
        if value >= size:
            return f"{value / (1e3 if letter == 'K' else size):g}{letter}"
    return f"{value:,.0f}"

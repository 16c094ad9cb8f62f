"""What a measurement gives: rows of one table, and tables of their own."""

import operator
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    """One comparison, with what each round measured of both sides.

    target: a comparison with the ratio of ours to theirs, or with ours where `of_ours` is set
    """

    what: str
    against: str
    unit: str
    ours: list[float]
    theirs: list[float] = field(default_factory=list)
    target: str = ""
    of_ours: bool = False

    @property
    def ratios(self) -> list[float]:
        return [ours / theirs for ours, theirs in zip(self.ours, self.theirs, strict=False)]

    @property
    def met(self) -> bool | None:
        """Whether the median meets the target, None without one."""
        if not self.target:
            return None
        sign, number = self.target.split()[:2]
        compare = {"≤": operator.le, "≥": operator.ge}[sign]
        return compare(statistics.median(self.ours if self.of_ours else self.ratios), float(number))

    def cells(self) -> list[str]:
        return [
            self.what,
            self.against,
            self.unit,
            spread(self.ours),
            spread(self.theirs) if self.theirs else "",
            spread(self.ratios, ".2f") if self.theirs and not self.of_ours else "",
            self.target,
            {True: "yes", False: "**no**", None: ""}[self.met],
        ]


@dataclass(frozen=True)
class Table:
    """Numbers that are no comparison, by their headings."""

    title: str
    headings: list[str]
    rows: list[list[str | float]]
    text: str = ""

    def column(self, heading: str) -> list[str | float]:
        place = self.headings.index(heading)
        return [row[place] for row in self.rows]


Results = Iterator[Row | Table]


def take_turns(rounds: int, *sides: Callable[[], float]) -> list[list[float]]:
    """Measure the sides one after the other, round by round; return the measures of each."""
    measured: list[list[float]] = [[] for _ in sides]
    for _ in range(rounds):
        for side, measures in zip(sides, measured, strict=True):
            measures.append(side())
    return measured


def spread(values: list[float], form: str = "") -> str:
    """Return the median, and in brackets the quartiles, of few values the extremes."""
    low, high = min(values), max(values)
    if len(values) >= 5:
        low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    middle = statistics.median(values)
    if len(values) == 1:
        return number(middle, form)
    return f"{number(middle, form)} ({number(low, form)} to {number(high, form)})"


def number(value: float, form: str = "") -> str:
    if form:
        return format(value, form)
    if isinstance(value, int):
        return f"{value:,}"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:,.{digits}f}"

"""What is compared with what, and what each comparison is to reach."""

import operator
import statistics
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

# What one round measured of one side, by unit.
Sample = dict[str, float]


@dataclass(frozen=True)
class Comparison:
    """What is measured and against what, with a target for each unit.

    A target is one for the ratio of ours to theirs, or, with a unit, for ours alone. "" has none.
    """

    what: str
    against: str
    targets: dict[str, str]


RATE, CPU = "requests/s", "CPU µs per request"
FLOOR = "bare Flask"
COMPARISONS = {
    "bake": Comparison(
        "bake with the default answers",
        "cookiecutter on a template of one file",
        {"s": "≤ 1.9"},
    ),
    "start": Comparison("import and `create_app()`", "`Flask()` alone", {"ms": "≤ 3.7"}),
    "extension": Comparison(
        "the part of it that Flask-SQLAlchemy is: its import and `Flask()`",
        "`Flask()` alone",
        {"ms": ""},
    ),
    "same": Comparison(
        "`/hello`",
        "bare Flask that does the same: a secret key, and the log of the gateway server",
        {RATE: "≥ 1.0", CPU: ""},
    ),
    "bare": Comparison("`/hello`", FLOOR, {RATE: "≥ 0.75", CPU: ""}),
    "function": Comparison("`/hello`", "a WSGI function, the ceiling", {RATE: "", CPU: ""}),
    "row": Comparison(
        "a view that reads one row", f"{FLOOR} and SQLAlchemy's session", {RATE: "≥ 0.8", CPU: ""}
    ),
    "10 KB": Comparison("a static file of 10 KB", "Flask's own route", {CPU: "≤ 0.5", RATE: ""}),
    "1 MB": Comparison("a static file of 1 MB", "Flask's own route", {CPU: "≤ 0.5", RATE: ""}),
    "p99": Comparison("p99 of `/hello` at 70 % of the peak", FLOOR, {"ms": "≤ 1.3"}),
    "memory": Comparison(
        "memory of a worker: its share of all (PSS), and its own alone (USS)",
        FLOOR,
        {"MB of PSS": "≤ 1.5", "MB of USS": ""},
    ),
    "size": Comparison(
        "the largest image for what it needs: its size over the base image",
        "the locked dependencies and the application",
        {"MB": "≤ 1.15"},
    ),
    "rebuild": Comparison(
        "dependencies reinstalled after a change of the source", "", {"images": "≤ 0 images"}
    ),
    "first answer": Comparison("from `docker run` to the first 200", FLOOR, {"s": "≤ 1.5"}),
}
for storage, alone in {"S3": "boto3's `{}_fileobj`", "folder": "`shutil.copyfileobj`"}.items():
    for way in ("upload", "download"):
        COMPARISONS[f"{storage} {way}"] = Comparison(
            f"{way} of a large file, {storage}",
            alone.format(way),
            {"MB/s": "≥ 0.9", "MB grown": "≤ 20 MB"},
        )
HEADINGS = ["what", "against", "unit", "ours", "theirs", "ratio", "target", ""]


@dataclass(frozen=True)
class Table:
    """Numbers by their headings, and a text on how they were measured."""

    title: str
    text: str
    headings: list[str]
    rows: list[list[str]]


Row = list[str]
Results = Iterator[Row | Table]


def rows(name: str, label: str, ours: list[Sample], theirs: list[Sample] = ()) -> Iterator[Row]:
    """Compare what the rounds measured, a row for each unit.

    label: what is to stand behind the name of what was measured
    """
    comparison = COMPARISONS[name]
    for unit, target in comparison.targets.items():
        mine, others = ([sample[unit] for sample in side] for side in (ours, theirs))
        ratios = [one / other for one, other in zip(mine, others, strict=False) if other]
        of_ours = len(target.split()) > 2
        yield [
            f"{comparison.what}, {label}" if label else comparison.what,
            comparison.against,
            unit,
            spread(mine),
            spread(others),
            "" if of_ours else spread(ratios, ".2f"),
            target,
            verdict(target, statistics.median(mine if of_ours else ratios)) if target else "",
        ]


def verdict(target: str, value: float) -> str:
    sign, number = target.split()[:2]
    meets = {"≤": operator.le, "≥": operator.ge}[sign]
    return "met" if meets(value, float(number)) else "**missed**"


def take_turns(rounds: int, *sides: Callable[[], Sample]) -> list[list[Sample]]:
    """Measure the sides one after the other, round by round; return the samples of each.

    A round before them warms up, and does not count.
    """
    taken = [[side() for side in sides] for _ in range(1 + rounds)]
    return [list(samples) for samples in zip(*taken[1:], strict=True)]


def spread(values: list[float], form: str = "") -> str:
    """Return the median, and in brackets the quartiles, of few values the extremes."""
    if not values:
        return ""
    low, high = min(values), max(values)
    if len(values) >= 5:
        low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    if len(values) == 1:
        return number(low, form)
    return (
        f"{number(statistics.median(values), form)} ({number(low, form)} to {number(high, form)})"
    )


def number(value: float, form: str = "") -> str:
    digits = 0 if value >= 100 or value == int(value) else 1 if value >= 10 else 2
    return format(value, form or f",.{digits}f")


def markdown(headings: list[str], lines: Iterable[list[str]]) -> str:
    every = [headings, ["---"] * len(headings), *lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in every)

"""Versions, what is asked of them (pip's and Poetry's way of writing), and environment markers."""

import re

Numbers = tuple[int, ...]

PYTHONS = ["3.14", "3.13", "3.12"]  # of the image, the newest first

CLAUSE = re.compile(r"(===|==|~=|!=|<=|>=|<|>|\^|~|=)?\s*v?([\w*][\w.*+!-]*)")
COMPARISON = re.compile(
    r"""([\w.]+|'[^']*'|"[^"]*")\s*(===|==|~=|!=|<=|>=|<|>|\bnot\s+in\b|\bin\b)\s*"""
    r"""([\w.]+|'[^']*'|"[^"]*")"""
)


def numbers(version: str) -> Numbers:
    """Return the release of a version, such as (3, 14, 99)."""
    release = re.match(r"(?:\d+!)?(\d{1,9}(?:\.\d{1,9})*)", version)
    return tuple(map(int, release[1].split("."))) if release else ()


def compare(version: Numbers, other: Numbers) -> int:
    """Return a number below, equal to or above 0."""
    length = max(len(version), len(other))
    version, other = (each + (0,) * (length - len(each)) for each in (version, other))
    return (version > other) - (version < other)


def satisfies(version: str, specifiers: str) -> bool:
    """Tell whether a version is one that was asked for, such as `>=3.9,<4`, `^3.9` or `3.9.*`."""
    release = numbers(version)
    return any(
        all(fits(release, *clause) for clause in CLAUSE.findall(alternative))
        for alternative in re.split(r"\|\|?", specifiers)
    )


def fits(release: Numbers, operator: str, wanted: str) -> bool:
    if wanted.startswith("*"):
        return True
    least = numbers(wanted)
    if operator in ("", "=", "==", "===", "!=") and wanted.endswith("*"):
        return (release[: len(least)] == least) == (operator != "!=")
    order = compare(release, least)
    match operator:
        case "<":
            return order < 0
        case "<=":
            return order <= 0
        case ">":
            return order > 0
        case ">=":
            return order >= 0
        case "!=":
            return order != 0
        case "^" | "~" | "~=":
            return order >= 0 and compare(release, end(operator, least)) < 0
    return order == 0


def end(operator: str, least: Numbers) -> Numbers:
    """Return the first version that `^`, `~` or `~=` leaves out."""
    if operator == "^":
        keep = next((place for place, number in enumerate(least) if number), len(least) - 1) + 1
    elif operator == "~":
        keep = min(2, len(least))
    else:
        keep = max(1, len(least) - 1)
    return (*least[: keep - 1], least[keep - 1] + 1)


def exact(specifiers: str) -> str | None:
    """Return the one version that fits, or None."""
    clauses = CLAUSE.findall(specifiers)
    if len(clauses) == 1 and clauses[0][0] in ("==", "===") and "*" not in clauses[0][1]:
        return clauses[0][1]
    return None


def is_below(specifiers: str, limit: str) -> bool:
    """Tell whether only versions below a limit such as `2` fit."""
    for operator, wanted in CLAUSE.findall(specifiers):
        least = numbers(wanted)
        if not least:
            continue
        if operator == "<":
            highest = compare(least, numbers(limit)) <= 0
        elif operator in ("^", "~", "~="):
            highest = compare(end(operator, least), numbers(limit)) <= 0
        else:
            highest = operator not in (">", ">=", "!=") and compare(least, numbers(limit)) < 0
        if highest:
            return True
    return False


def holds(marker: str, python: str, **variables: str | list[str]) -> bool:
    """Tell whether a marker such as `sys_platform == "win32"` holds in the image."""
    if not marker:
        return True
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.99",
        "implementation_version": f"{python}.99",
        "os_name": "posix",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
        "extra": "",
        **variables,
    }

    def result(match: re.Match[str]) -> str:
        left, operator, right = match.groups()
        name = left if left in environment else right
        left, right = (environment.get(side, side.strip("'\"")) for side in (left, right))
        if operator.endswith("in"):
            return str((left in right) == (operator == "in"))
        if "version" in name and operator != "===":
            if name == match[3]:  # "3.9" <= python_version
                left, right = right, left
                operator = operator.translate(str.maketrans("<>", "><"))
            return str(satisfies(left, operator + right))
        return str({"==": left == right, "!=": left != right}.get(operator, True))

    # Only these words reach eval(); what else a marker may have is taken to hold.
    words = COMPARISON.sub(result, marker)
    if not re.fullmatch(r"(\s|[()]|True|False|and|or|not)+", words):
        return True
    try:
        return bool(eval(words))
    except (SyntaxError, RecursionError, MemoryError):
        return True

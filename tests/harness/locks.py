"""Locks, and what they have to meet."""

import re
from collections.abc import Iterable

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCKED = re.compile(r"^([\w-]+)==(\S+)", re.MULTILINE)

# A package of each extra, so that one can tell whether a lock has it.
EXTRAS = {
    "boto3-stubs[s3]": "mypy-boto3-s3",
    "moto[s3]": "py-partiql-parser",
    "psycopg[binary]": "psycopg-binary",
    "whitenoise[brotli]": "brotli",
}


def versions(lock: str) -> dict[str, str]:
    """Return the locked version of each package."""
    return dict(LOCKED.findall(lock))


def unmet(declared: Iterable[str], lock: str) -> list[str]:
    """Return a phrase for each requirement that a lock does not meet."""
    locked = versions(lock)
    found = []
    for line in declared:
        requirement = Requirement(line)
        name = canonicalize_name(requirement.name)
        if name not in locked:
            found.append(f"{line} is not locked")
        elif not requirement.specifier.contains(locked[name], prereleases=True):
            found.append(f"{line} is declared, but {name}=={locked[name]} is locked")
        for extra in requirement.extras:
            key = f"{name}[{extra}]"
            if EXTRAS.get(key) not in locked:
                found.append(f"{line}: {EXTRAS.get(key, f'{key} in EXTRAS')} is not locked")
    return found

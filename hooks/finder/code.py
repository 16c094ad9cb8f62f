"""What the code of an application tells about it, parsed and never run."""

from dataclasses import dataclass, field
from .applications import Candidate, applications, problem_of

__all__ = ["Candidate", "applications", "problem_of"]


@dataclass
class Code:
    words: list = field(default_factory=list)
    hints: list = field(default_factory=list)


def look(folder):
    return Code()

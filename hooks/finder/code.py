"""What the code of an application tells about it, parsed and never run."""

from .applications import Candidate, applications, problem_of

__all__ = ["Candidate", "applications", "problem_of"]

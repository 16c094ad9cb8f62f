"""What is known of a media file without opening it."""

from datetime import datetime
from typing import NamedTuple


class File(NamedTuple):
    """A file in a storage.

    size: in bytes
    saved: when it was saved, in UTC
    """

    name: str
    size: int
    saved: datetime

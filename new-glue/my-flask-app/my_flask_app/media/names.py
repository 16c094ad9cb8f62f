"""Names of media files: made safe where they are given, checked where they are used."""

import re
import secrets
import unicodedata
from pathlib import PurePosixPath

# Bytes. File systems allow 255 for a part, and a free name gets longer.
LONGEST_PART = 200
LONGEST_NAME = 800
# Characters.
LONGEST_SUFFIX = 19

# The name of a file that has no usable one.
STEM = "file"


def safe(name: str) -> str:
    """Return `name` as a relative path without anything special, such as "..", in it.

    Letters and digits of all scripts stay, as do "-", "_", "." and "+" inside a part. What is too
    long is cut. A file of whose own name nothing is left is called "file", and keeps its suffix.
    """
    name = unicodedata.normalize("NFC", name).replace("\\", "/")
    *folders, file = [safe_part(part) for part in name.split("/")]
    parts = [*filter(None, folders), file or STEM]
    while sum(len(part.encode()) + 1 for part in parts) > LONGEST_NAME:
        del parts[0]
    return "/".join(parts)


def safe_part(part: str) -> str:
    """Return a part of a name without anything special in it, "" where nothing is left."""
    stem, _, suffix = re.sub(r"[^\w.+-]+", "_", part).rstrip("._").rpartition(".")
    if not stem:  # .htaccess is hidden, not a suffix.
        return cut(suffix.lstrip("_"), LONGEST_PART).rstrip("_")
    suffix = "." + suffix.lstrip("_")[:LONGEST_SUFFIX].rstrip("_")
    return cut(stem.lstrip("._") or STEM, LONGEST_PART - len(suffix.encode())) + suffix


def cut(text: str, size: int) -> str:
    """Return as much of `text` as `size` bytes hold."""
    return text.encode()[:size].decode(errors="ignore")


def alternative(name: str) -> str:
    """Return another name for a file whose name is taken: cat.jpg becomes cat_5f0c9a1b.jpg."""
    path = PurePosixPath(name)
    return str(path.with_name(f"{path.stem}_{secrets.token_hex(4)}{path.suffix}"))


def checked(name: str) -> str:
    """Return `name` if it stays inside the storage. Raises ValueError if it does not."""
    if "\\" in name or "\0" in name or any(part in {"", ".", ".."} for part in name.split("/")):
        message = f"{name!r} is not the name of a media file."
        raise ValueError(message)
    return name

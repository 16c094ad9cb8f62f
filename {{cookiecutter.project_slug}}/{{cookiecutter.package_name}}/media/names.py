"""Names of media files: made safe where they are given, checked where they are used."""

import re
import secrets
import unicodedata
from pathlib import PurePosixPath

# Bytes. File systems allow 255 for a part, and a free name gets longer.
LONGEST_PART = 200
LONGEST_NAME = 800


def safe(name: str) -> str:
    """Return `name` as a relative path without anything special, such as "..", in it.

    Letters and digits of all scripts stay, as do "-", "_", "." and "+" inside a part. What is too
    long is cut. Raises ValueError where nothing is left behind the last slash.
    """
    name = unicodedata.normalize("NFC", name).replace("\\", "/")
    parts = [re.sub(r"[^\w.+-]+", "_", part).strip("._") for part in name.split("/")]
    if not parts[-1]:
        message = "A media file needs a name."
        raise ValueError(message)
    parts = [shortened(part) for part in parts if part]
    while sum(len(part.encode()) + 1 for part in parts) > LONGEST_NAME:
        del parts[0]
    return "/".join(parts)


def shortened(part: str) -> str:
    path = PurePosixPath(part)
    suffix, stem = path.suffix[:20], path.stem.encode()
    return stem[: LONGEST_PART - len(suffix.encode())].decode(errors="ignore") + suffix


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

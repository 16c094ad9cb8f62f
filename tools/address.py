"""Put the account on GitHub into all links to this repository: python -m tools.address [ACCOUNT].

Without one, it is the account of the remote origin.
"""

import re
import subprocess
import sys
from pathlib import Path

ACCOUNT = re.compile(r"(?=.{1,39}$)[a-z0-9]+(-[a-z0-9]+)*", re.IGNORECASE)
ORIGIN = re.compile(r"(?:.*[/@])?github\.com[:/]([^/]+)/.+")
LINK = re.compile(r"(gh:|github\.com/)[\w-]+(?=/flask-divio\b)")
EXPLANATION = re.compile(r"^For `OWNER`, .+\n\n", re.MULTILINE)


def main(account: str = "") -> None:
    if not account:
        origin = ORIGIN.fullmatch(git("remote", "get-url", "origin").strip())
        account = origin[1] if origin else ""
    if not ACCOUNT.fullmatch(account) or account == "OWNER":
        what = f"'{account}' is no account on GitHub" if account else "origin is not on GitHub"
        sys.exit(f"{what}. Name the account: make address OWNER=name")
    for name in git("grep", "-Ilz", "/flask-divio").split("\0")[:-1]:
        text = Path(name).read_text(encoding="utf-8")
        filled = EXPLANATION.sub("", LINK.sub(rf"\g<1>{account}", text))
        if filled != text:
            Path(name).write_text(filled, encoding="utf-8", newline="\n")
            print(name)
    print("On GitHub, have private vulnerability reporting and discussions on: forms link to them.")


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main(*sys.argv[1:])

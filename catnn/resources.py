"""Where the files beside the code are: the grammar and the pages of the errors.

In a checkout (or an editable install) they lie in `grammar/` and `tests/errors/` of the repository; a wheel carries
them as `catnn/_data/grammar` and `catnn/_data/errors`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _folder(installed: str, checkout: str) -> Path:
    """The folder inside the package where there is one, else the one of the repository.

    Raises: FileNotFoundError, where the installation is broken.
    """
    for folder in (_PACKAGE / "_data" / installed, _PACKAGE.parent / checkout):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"this installation of catnn lacks its {installed!r} files")


def grammar_path() -> Path:
    """The grammar: the one source of the syntax."""
    return _folder("grammar", "grammar") / "catnn.lark"


@cache
def error_titles() -> dict[str, str]:
    """The title of every code, in the order of the codes."""
    import tomllib

    text = (_folder("grammar", "grammar") / "errors.toml").read_text(encoding="utf-8")
    return {code: str(title) for code, title in sorted(tomllib.loads(text)["errors"].items())}


def error_page(code: str) -> str | None:
    """The page of a code, its example included; None where there is no such code.

    >>> error_page("E9999") is None
    True
    """
    if code not in error_titles():
        return None
    path = _folder("errors", "tests/errors") / f"{code}.catnn"
    return path.read_text(encoding="utf-8") if path.is_file() else None

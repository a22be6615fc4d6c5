"""Colours for editors that read TextMate grammars (VS Code, Sublime Text, GitHub): `grammar/catnn.tmLanguage.json`.

`python docs/generate.py` writes the file; a test compares it.
"""

from __future__ import annotations

import json
import re
from typing import Any

from catnn.activations import ACTIVATIONS
from catnn.editors.words import operators, statements
from catnn.elaborate.scopes import GENERATORS
from catnn.syntax.colours import LEARNED


def _any(found: tuple[str, ...]) -> str:
    return rf"\b(?:{'|'.join(sorted(found))})\b"


def grammar() -> dict[str, Any]:
    """The grammar as plain data.

    >>> grammar()["scopeName"]
    'source.catnn'
    """
    signs = "|".join(re.escape(sign) for sign in operators() if sign not in "()[]{},")
    defined = r"\b(space|let|layer|network|box|rule)\s+([^\W\d]\w*)"
    patterns: list[dict[str, Any]] = [
        {"name": "comment.line.number-sign.catnn", "match": "#.*$"},
        {"name": "string.quoted.double.catnn", "begin": '"', "end": '"|$'},
        {
            "match": defined,
            "captures": {"1": {"name": "keyword.other.catnn"}, "2": {"name": "entity.name.function.catnn"}},
        },
        {"name": "keyword.other.catnn", "match": _any(statements())},
        {"name": "constant.language.catnn", "match": _any(LEARNED)},
        {"name": "support.function.catnn", "match": _any(GENERATORS)},
        {"name": "support.function.activation.catnn", "match": _any(tuple(ACTIVATIONS))},
        {"name": "constant.numeric.catnn", "match": r"\b\d+(?:\.\d+)?\b"},
        {"name": "keyword.operator.catnn", "match": signs},
    ]
    return {"name": "catnn", "scopeName": "source.catnn", "fileTypes": ["catnn"], "patterns": patterns}


def text() -> str:
    """The file."""
    return json.dumps(grammar(), indent=2, ensure_ascii=False) + "\n"

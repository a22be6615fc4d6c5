"""Colours for Pygments: `pygmentize -l catnn`, Sphinx, and whatever else reads its lexers by entry point."""

from __future__ import annotations

from pygments.lexer import RegexLexer, words
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Text

from catnn.activations import ACTIVATIONS
from catnn.editors.words import operators, statements
from catnn.elaborate.scopes import GENERATORS
from catnn.syntax.colours import LEARNED

_SIGNS = tuple(sign for sign in operators() if sign not in "()[]{},")


class CatnnLexer(RegexLexer):  # type: ignore[misc]
    """The lexer of ``.catnn`` files.

    >>> from pygments.token import Keyword
    >>> [text for kind, text in CatnnLexer().get_tokens("layer f : V -> V = all") if kind in Keyword]
    ['layer', 'all']
    """

    name = "catnn"
    url = ""
    aliases = ("catnn",)
    filenames = ("*.catnn",)
    mimetypes = ("text/x-catnn",)
    tokens = {  # noqa: RUF012  (what RegexLexer asks for)
        "root": [
            (r"\s+", Text.Whitespace),
            (r"#[^\n]*", Comment.Single),
            (r'"[^"\n]*"?', String),
            (r"\d+(?:\.\d+)?", Number),
            (words(statements(), prefix=r"(?<!\w)", suffix=r"(?!\w)"), Keyword),
            (words(LEARNED, prefix=r"(?<!\w)", suffix=r"(?!\w)"), Keyword.Constant),
            (words(GENERATORS, prefix=r"(?<!\w)", suffix=r"(?!\w)"), Name.Builtin),
            (words(tuple(ACTIVATIONS), prefix=r"(?<!\w)", suffix=r"(?!\w)"), Name.Function),
            (r"[^\W\d]\w*", Name),
            (words(_SIGNS), Operator),
            (r"[()\[\]{},]", Punctuation),
            (r".", Text),
        ]
    }

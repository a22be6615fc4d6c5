"""The last look at generated source: it is parsed again, and whatever is not on the list is refused.

Names that users wrote reach the text only through `catnn.emit.writer`; this check does not trust that.
"""

from __future__ import annotations

import ast
from functools import lru_cache

ALLOWED: tuple[type[ast.AST], ...] = (
    ast.Module, ast.Expr, ast.Constant, ast.Import, ast.ImportFrom, ast.alias, ast.Assign, ast.AnnAssign, ast.AugAssign,
    ast.FunctionDef, ast.ClassDef, ast.arguments, ast.arg, ast.Return, ast.If, ast.For, ast.With, ast.withitem,
    ast.Raise, ast.Call, ast.keyword, ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.Tuple, ast.List, ast.Dict,
    ast.Load, ast.Store, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Starred, ast.JoinedStr,
    ast.FormattedValue, ast.GeneratorExp, ast.ListComp, ast.DictComp, ast.SetComp, ast.comprehension, ast.Pass,
    ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context, ast.Lambda,
)  # fmt: skip

MODULES = frozenset({"torch", "torch.nn.functional"})

FORBIDDEN = frozenset(
    "eval exec compile open __import__ globals locals vars setattr getattr delattr input breakpoint".split()
)


class UnsafeSourceError(AssertionError):
    """Generated source that holds what it must not: a defect of catnn, never of a spec."""


@lru_cache(maxsize=64)
def vet(text: str) -> None:
    """Raise: UnsafeSourceError unless the text is plain tensor code that imports torch alone."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if not isinstance(node, ALLOWED):
            raise UnsafeSourceError(f"line {getattr(node, 'lineno', '?')}: {type(node).__name__} is not allowed")
        match node:
            case ast.Import(names=names):
                bad = [alias.name for alias in names if alias.name not in MODULES]
            case ast.ImportFrom(module=module):
                bad = [] if module in MODULES else [str(module)]
            case ast.Name(id=name):
                bad = [name] if name in FORBIDDEN or name.startswith("__") else []
            case ast.Attribute(attr=name):
                bad = [name] if name.startswith("__") and name != "__init__" else []
            case _:
                bad = []
        if bad:
            raise UnsafeSourceError(f"line {getattr(node, 'lineno', '?')}: {bad[0]!r} is not allowed")

"""The last look at generated source: it is parsed again, and whatever is not on the lists is refused.

Names that users wrote reach the text only through `catnn.emit.writer`; this check does not trust that.  Nor does it
trust torch, which holds on to `os`, `pickle` and much else: only what the emitter writes may be had from it.
"""

from __future__ import annotations

import ast
import builtins
import gc
import re
from collections import deque
from collections.abc import Iterator
from functools import lru_cache

ALLOWED: tuple[type[ast.AST], ...] = (
    ast.Module, ast.Expr, ast.Constant, ast.Import, ast.ImportFrom, ast.alias, ast.Assign, ast.AnnAssign, ast.AugAssign,
    ast.FunctionDef, ast.ClassDef, ast.arguments, ast.arg, ast.Return, ast.If, ast.For, ast.With, ast.withitem,
    ast.Try, ast.ExceptHandler, ast.Delete, ast.Del,
    ast.Raise, ast.Call, ast.keyword, ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.Tuple, ast.List, ast.Dict,
    ast.Load, ast.Store, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Starred, ast.JoinedStr,
    ast.FormattedValue, ast.GeneratorExp, ast.ListComp, ast.DictComp, ast.SetComp, ast.comprehension, ast.Pass,
    ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context,
)  # fmt: skip

HARMLESS = frozenset(
    {ast.Load, ast.Store, ast.Constant, ast.Assign, ast.Expr, ast.Tuple, ast.Subscript, ast.Slice, ast.UnaryOp,
     ast.BinOp, ast.USub, ast.Add, ast.Sub, ast.Mult, ast.MatMult, ast.Return, ast.keyword}
)  # fmt: skip
"""Of those, what is allowed whatever is in it."""

IMPORTS = frozenset({"import torch", "from torch import Tensor, nn", "from torch.nn.functional import linear"})

TORCH = frozenset(
    """
    nn.Module nn.Parameter nn.modules.module._has_any_global_hook
    nn.functional.elu nn.functional.gelu nn.functional.hardtanh nn.functional.leaky_relu
    nn.functional.mish nn.functional.silu nn.functional.softplus nn.functional.softsign nn.init.normal_
    nn.init.zeros_ torch.abs torch.addmm torch.amp.is_autocast_available torch.arange torch.asinh torch.atan
    torch.autocast
    torch.autograd.Function torch.bfloat16 torch.bool torch.cat torch.compiler.is_compiling torch.contiguous_format
    torch.cos torch.diag_embed torch.empty torch.empty_like torch.equal torch.erf torch.exp torch.expm1 torch.eye
    torch.finfo torch.float16 torch.float32 torch.float64 torch.floor torch.get_autocast_dtype
    torch.get_default_dtype torch.inference_mode torch.int64 torch.is_autocast_enabled torch.is_grad_enabled
    torch.jit.is_tracing torch.log torch.log1p torch.minimum torch.no_grad torch.ones torch.ones_like
    torch.reciprocal torch.relu
    torch.rsqrt torch.sigmoid torch.sign torch.sin torch.sinh torch.softmax torch.sqrt torch.square torch.stack
    torch.tanh torch.tensor torch.vmap torch.where torch.zeros torch.zeros_like
    """.split()
)
"""All that generated source has from torch."""

ATTRIBUTES = frozenset(
    """
    T __init__ _apply _backward_hooks _backward_pre_hooks _forward_hooks _forward_pre_hooks _load_from_state_dict
    _parameters add_ addmm_ append apply baddbmm_ clamp clear clone conj contiguous data_ptr device diag diagonal
    dim draw dtype element_size enter even expand flatten flip forward fromkeys get index_put index_select inputs
    is_complex is_contiguous items join kinds label masked_fill min movedim mul_ needs_input_grad new_empty
    new_ones new_zeros numel parameters parts pays permute pow powers real register_buffer register_module
    reset_parameters reshape rest rsqrt save_for_backward save_for_forward saved_tensors scatter scatter_reduce
    select setdefault shape sizes sort space_sizes sqrt squeeze sub_ sum tensor_split to to_complex transpose type
    unflatten unique unsqueeze update values view whole
    """.split()
)
"""Attributes of tensors and other values; those of `self` may have any name without two underscores in front."""

BUILTINS = frozenset(
    """
    NotImplementedError RuntimeError ValueError abs all any bool dict divmod enumerate filter float int isinstance
    len list map max min next range reversed round set sorted staticmethod str sum super tuple type zip
    """.split()
)


PARAMETER = re.compile(r"(weight|bias)(_[0-9]+)*")
"""The parameters of layers, which those that are computed for them read."""


class UnsafeSourceError(AssertionError):
    """Generated source that holds what it must not: a defect of catnn, never of a spec."""


@lru_cache(maxsize=64)
def vet(text: str, imports: frozenset[str] = frozenset()) -> None:
    """Raise: UnsafeSourceError unless the text is plain tensor code that imports torch alone.

    imports: further lines ``from a.b import f as _imported_1`` that somebody has allowed; what they import is called.
    """
    collects = gc.isenabled()
    gc.disable()  # a tree has no cycles, and looking for some while it grows takes as long as all the rest
    try:
        for node, what in _faults(ast.parse(text), imports):
            raise UnsafeSourceError(f"line {getattr(node, 'lineno', '?')}: {what} is not allowed")
    finally:
        if collects:
            gc.enable()


def foreign(text: str) -> tuple[str, ...]:
    """The functions of other packages that generated source calls, by their import paths.

    >>> foreign("import torch\\nfrom a.b import f as _imported_1")
    ('a.b.f',)
    """
    found = [node for node in ast.parse(text).body if isinstance(node, ast.ImportFrom)]
    other = [node for node in found if ast.unparse(node) not in IMPORTS]
    return tuple(f"{node.module}.{alias.name}" for node in other for alias in node.names)


def _faults(tree: ast.Module, imports: frozenset[str]) -> Iterator[tuple[ast.AST, str]]:
    aliases = {line.rpartition(" as ")[2] for line in imports}
    nodes = list(_walk(tree))
    called: set[int] = set()
    inner: set[int] = set()
    released: set[int] = set()
    deletes = any(isinstance(node, ast.Delete) for node in nodes)
    for node in nodes:  # a node before its parts
        if type(node) in HARMLESS:
            continue
        if not isinstance(node, ALLOWED):
            yield node, type(node).__name__
        if isinstance(node, ast.Call):
            called.add(id(node.func))
        match node:
            case ast.Import() | ast.ImportFrom() if ast.unparse(node) not in IMPORTS | imports:
                yield node, f"`{ast.unparse(node)}`"
            case ast.FunctionDef(name=name, decorator_list=decorators):
                released |= _releases(node) if deletes else set()
                if name.startswith("__") and name != "__init__":
                    yield node, f"`{name}`"
                if any(not isinstance(d, ast.Name) or d.id != "staticmethod" for d in decorators):
                    yield node, "this decorator"
            case ast.Delete() if id(node) not in released:
                yield node, "`del` of what is no variable of the function"
            case ast.ClassDef(keywords=keywords, decorator_list=decorators) if keywords or decorators:
                yield node, "a metaclass or decorator"
            case ast.ExceptHandler(type=kind) if kind is None or ast.unparse(kind) != "RuntimeError":
                yield node, "catching this"
            case ast.Attribute(attr=name, value=value):
                chain, parts = _chain(node)
                if chain.split(".")[0] in ("torch", "nn"):
                    inner |= parts
                    if id(node) not in inner and chain not in TORCH:
                        yield node, f"`{chain}`"
                    inner.add(id(node))
                elif (
                    name not in ATTRIBUTES
                    and not PARAMETER.fullmatch(name)
                    and (chain != f"self.{name}" or name.startswith("__"))
                ):
                    yield value, f"`.{name}`"
            case ast.Name(id=name) if name in aliases and id(node) not in called:
                yield node, f"`{name}` without a call"
            case ast.Name(id=name):
                known = name in BUILTINS or name == "_" or not hasattr(builtins, name)  # a REPL sets builtins._
                if name.startswith("__") or not known or (name in ("torch", "nn") and id(node) not in inner):
                    yield node, f"`{name}`"
            case ast.Call(func=ast.Name(id="type"), args=args) if len(args) != 1:
                yield node, "making a type"


def _walk(tree: ast.AST) -> Iterator[ast.AST]:
    """A tree and all that is in it, each node before its parts, as `ast.walk`: in less than half the time."""
    pending = deque([tree])
    while pending:
        node = pending.popleft()
        yield node
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, ast.AST):
                pending.append(value)
            elif isinstance(value, list):
                pending.extend(item for item in value if isinstance(item, ast.AST))


def _releases(function: ast.FunctionDef) -> set[int]:
    """The `del` statements of a function that name nothing but variables which it has assigned."""
    nodes = list(_walk(function))
    own = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    deletes = [node for node in nodes if isinstance(node, ast.Delete)]
    return {id(d) for d in deletes if all(isinstance(target, ast.Name) and target.id in own for target in d.targets)}


def _chain(node: ast.Attribute) -> tuple[str, set[int]]:
    """``torch.nn.init`` for attributes of a name, else nothing; and the nodes below it."""
    names, below, top = [node.attr], set[int](), node.value
    while isinstance(top, ast.Attribute):
        names.append(top.attr)
        below.add(id(top))
        top = top.value
    if not isinstance(top, ast.Name):
        return "", below
    return ".".join([top.id, *reversed(names)]), below | {id(top)}

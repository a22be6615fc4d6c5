"""Equivariant layers in one line, without a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from catnn.api import parse
from catnn.compiler import compile_item
from catnn.diagnostics import check_type, fail
from catnn.syntax.parser import parse_arrow

if TYPE_CHECKING:
    from catnn.api import Compiled


def Equivariant(  # noqa: N802  (it makes a module, and reads as one)
    group: str | Mapping[str, str],
    arrow: str,
    *,
    bias: bool = True,
    reduce: str = "sum",
    init: str = "unit",
    device: Any = None,
    dtype: Any = None,
    max_diagrams: int | None = None,
    **sizes: int,
) -> Compiled:
    """Every equivariant linear map of a type, as a module.

    group: the group of the space V (``"S(n)"``), or groups by the names of their spaces; arrow: the type;
    bias, reduce, init: as in a `layer` statement; max_diagrams: as in `catnn.parse`; sizes: hints by name.
    Raises: CatnnError.

    >>> import torch
    >>> layer = Equivariant("S(n)", "V^2[3] -> V^2[16]")
    >>> layer(torch.zeros(4, 10, 10, 3)).shape
    torch.Size([4, 10, 10, 16])
    """
    check_type(group, (str, Mapping), "a group, or groups by the names of their spaces")
    check_type(arrow, str, "a type such as `V -> V`")
    if isinstance(group, str):
        _check_wires(group, arrow)
    groups = {"V": group} if isinstance(group, str) else dict(group)
    spaces = "\n".join(f"space {name} : {text}" for name, text in groups.items())
    term = "all + bias" if bias else "all"
    text = f"{spaces}\nlayer equivariant : {arrow} = {term} {{ reduce: {reduce}, init: {init} }}\n"
    spec = parse(text) if max_diagrams is None else parse(text, max_diagrams=max_diagrams)
    options: dict[str, Any] = {"device": device, "dtype": dtype, **sizes}
    return cast("Compiled", compile_item(spec["equivariant"], **options))


def _check_wires(group: str, arrow: str) -> None:
    """Raises: CatnnError (E0101) where the type has a wire that is not V, the one that a single group acts on."""
    written = parse_arrow(arrow)
    summands = (*written.source.summands, *written.target.summands)
    names = [factor.space.text for summand in summands for factor in summand.factors]
    other = next((name for name in names if name != "V"), None)
    if other is not None:
        raise fail(
            "E0101",
            f"there is no space `{other}`: a group alone acts on the space V",
            helps=(f"write V for the wire, or name the space: `Equivariant({{{other!r}: {group!r}}}, ...)`",),
        )

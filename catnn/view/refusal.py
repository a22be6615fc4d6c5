"""A document or a graph that is none of ours: one error for all of them, with a code, and a ValueError too."""

from __future__ import annotations

from catnn.diagnostics import CatnnError, Diagnostic


class DocumentError(CatnnError, ValueError):
    """What cannot be read as a diagram, a layer or a network (E1031)."""

    __str__ = CatnnError.__str__


def refuse(message: str, *notes: str) -> DocumentError:
    """The error, for the caller to raise."""
    return DocumentError(Diagnostic("E1031", message, (), notes))

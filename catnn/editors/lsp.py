"""The language server, `catnn lsp`: `catnn.editors.service` behind the protocol that editors speak."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse
from urllib.request import url2pathname

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

from catnn import __version__
from catnn.editors import service


def file_of(uri: str) -> Path | None:
    """The file of an address, None for one that is not saved.

    >>> file_of("untitled:Untitled-1") is None
    True
    """
    found = urlparse(uri)
    return Path(url2pathname(unquote(found.path))) if found.scheme == "file" else None


def _base(uri: str) -> Path | None:
    file = file_of(uri)
    return None if file is None else file.parent


def _range(start: service.Place, end: service.Place) -> lsp.Range:
    return lsp.Range(lsp.Position(*start), lsp.Position(*end))


def server() -> LanguageServer:
    """The server, with everything that it can do."""
    found = LanguageServer("catnn", __version__)

    def text_of(params: Any) -> str:
        return str(found.workspace.get_text_document(params.text_document.uri).source)

    def check(uri: str) -> None:
        text = str(found.workspace.get_text_document(uri).source)
        marks = [
            lsp.Diagnostic(
                _range(fault.start, fault.end), fault.message, lsp.DiagnosticSeverity.Error, fault.code, source="catnn"
            )
            for fault in service.faults(text, base=_base(uri))
        ]
        found.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, marks))

    @found.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: lsp.DidOpenTextDocumentParams) -> None:
        check(params.text_document.uri)

    @found.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: lsp.DidChangeTextDocumentParams) -> None:
        check(params.text_document.uri)

    @found.feature(lsp.TEXT_DOCUMENT_HOVER)
    def hover(params: lsp.HoverParams) -> lsp.Hover | None:
        at = (params.position.line, params.position.character)
        said = service.hover(text_of(params), at, _base(params.text_document.uri))
        if said is None:
            return None
        return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, f"```catnn\n{said}\n```"))

    @found.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    def definition(params: lsp.DefinitionParams) -> lsp.Location | None:
        uri = params.text_document.uri
        place = service.definition(text_of(params), (params.position.line, params.position.character), _base(uri))
        if place is None:
            return None
        file, start, end = place
        return lsp.Location(uri if file is None else file.as_uri(), _range(start, end))

    @found.feature(lsp.TEXT_DOCUMENT_FORMATTING)
    def formatting(params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit] | None:
        before = text_of(params)
        after = service.formatted(before)
        if after is None or after == before:
            return None
        return [lsp.TextEdit(_range((0, 0), (before.count("\n") + 1, 0)), after)]

    @found.feature(lsp.TEXT_DOCUMENT_COMPLETION)
    def completion(params: lsp.CompletionParams) -> list[lsp.CompletionItem]:
        return [lsp.CompletionItem(name) for name in service.names(text_of(params))]

    return found

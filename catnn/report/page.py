"""The report: one HTML file that holds a spec, its pictures, its plans, its costs and its code.

Nothing is fetched and nothing needs the script, which adds pointing, zoom, stepping and copying.  The policy in the
head allows this style sheet and this script, by their hashes, and nothing else.  The spec is embedded as it was
written, with the files that it names, and every command that reads a spec reads a report.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files

from catnn.model import Spec
from catnn.report.carried import carried
from catnn.report.listing import code_listing, spec_listing
from catnn.report.sections import Material, checks, column_sheet, material, section
from catnn.syntax import nodes
from catnn.syntax.declared import declared
from catnn.syntax.embedded import embed
from catnn.syntax.parser import make_source, parse_recovering
from catnn.view.svg import clean, sheet


@cache
def asset(name: str) -> str:
    """A file that lies beside this one."""
    return files("catnn.report").joinpath(name).read_text(encoding="utf-8")


@cache
def style() -> str:
    """The style sheet of every report, pictures included."""
    return asset("report.css") + column_sheet() + sheet()


def policy(*scripts: str) -> str:
    """A content-security policy that allows the style sheet and these scripts, and nothing else."""
    allowed = " ".join(_hash(script) for script in scripts) or "'none'"
    return f"default-src 'none'; style-src {_hash(style())}; script-src {allowed}; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def report(spec: Spec) -> str:
    """The report of a spec; the same spec is the same bytes.

    Raises: CatnnError (E1016) where two names would be one class.

    >>> import catnn
    >>> page = report(catnn.parse("space V : S(n)  layer f : V -> V = all"))
    >>> page.count("<figure"), "http:" in page
    (4, False)
    """
    source = make_source(spec.text, spec.path)
    module, _ = parse_recovering(source)
    found = material(spec, module)
    title, script = clean(spec.path), asset("report.js")
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy(script)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{title}</title>",
            embed(spec.path, spec.text, carried(spec, module)),
            f"<style>{style()}</style>",
            "</head>",
            "<body>",
            '<a class="skip" href="#spec">Skip to the spec</a>',
            f"<header><h1>{title}</h1>{contents(found)}</header>",
            '<div class="page">',
            f"<main>\n{sections(found)}</main>",
            f"<aside>\n{panes(found)}</aside>",
            "</div>",
            f"<script>{script}</script>",
            "</body>",
            "</html>",
            "",
        )
    )


def contents(found: Material) -> str:
    """Links to every definition, and a line that says what the spec holds."""
    items = "".join(f'<li><a href="#d-{clean(n)}">{clean(n)}</a></li>' for n in found.spec.shown)
    count = len(found.spec.checks)
    proved = f"<p>{count} check{'s' if count != 1 else ''} proved.</p>" if count else ""
    return f'<nav aria-label="Definitions"><ul>{items}</ul></nav>{proved}'


def sections(found: Material) -> str:
    """Every definition of this file, in its order."""
    pieces = [*(section(found, name) for name in found.spec.shown), checks(found)]
    return "".join(pieces) or "<p>This spec defines nothing to show.</p>\n"


def panes(found: Material) -> str:
    """The spec and the code, with line numbers."""
    code = code_listing(found.generated.text) if found.generated else ""
    spec = spec_listing(make_source(found.spec.text, found.spec.path), _links(found))
    pieces = [_pane("spec", "The spec", spec)]
    if code:
        pieces.append(_pane("code", "The code it compiles to", code))
    return "\n".join(pieces) + "\n"


def _pane(name: str, title: str, listing: str) -> str:
    return (
        f'<section class="pane" aria-labelledby="h-{name}"><h2 id="h-{name}">{title}</h2>'
        f'<pre id="{name}" tabindex="0" role="region" aria-labelledby="h-{name}">{listing}</pre></section>'
    )


def _links(found: Material) -> dict[int, tuple[int, str]]:
    """The defined names of the spec, linked to their sections."""
    places: dict[int, tuple[int, str]] = {}
    for statement in found.module.statements:
        if isinstance(
            statement, nodes.LetStatement | nodes.LayerStatement | nodes.NetworkStatement | nodes.RuleStatement
        ):
            name = declared(statement)[0]
            places[name.span.start] = (name.span.end, f"d-{name.text}")
    return places

"""The tables that ship are those of the grammar, Lark reads the language as we do, and starting takes no time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from catnn.resources import grammar_path
from catnn.syntax import lalr

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = Path(__file__).with_name("language.catnn")


def test_the_tables_are_those_of_the_grammar() -> None:
    """`python -m catnn.syntax.make_tables` after a change of the grammar; Lark's strict mode finds no conflict."""
    pytest.importorskip("lark")
    pytest.importorskip("interegular")
    from catnn.syntax.make_tables import dump, make_tables

    shipped = Path(lalr.__file__).with_name("_tables.json").read_text(encoding="utf-8")
    assert dump(make_tables()) == shipped
    assert dump(json.loads(shipped)) == shipped


def test_lark_itself_accepts_the_language() -> None:
    """The grammar stands alone: an editor or another tool may use it with Lark."""
    lark = pytest.importorskip("lark")
    parser = lark.Lark(grammar_path().read_text(encoding="utf-8"), parser="lalr", start="module")
    assert len(parser.parse(EXAMPLES.read_text(encoding="utf-8")).children) > 40


def test_every_rule_has_a_builder() -> None:
    from catnn.syntax.build import RULES

    used = {rule.name for rule in lalr.tables().rules if not rule.splices and not rule.alone}
    assert used - {"module"} == set(RULES)


def test_parsing_imports_neither_lark_nor_anything_heavy() -> None:
    code = (
        "import sys; from catnn.syntax.parser import parse; parse('space V : S(n)'); "
        "print(*sorted({'lark', 'torch', 'sympy', 'networkx', 'numpy', 'difflib', 'unicodedata'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == []


def test_what_may_follow() -> None:
    stack = lalr.stack_after("statement", ["SPACE", "NAME"])
    assert stack is not None
    assert lalr.expected(stack) == {"COLON", "COMMA"}
    assert lalr.stack_after("statement", ["SPACE", "COLON"]) is None
    assert lalr.accepts("type", ["NAME", "CIRCUMFLEX", "INT"])
    assert not lalr.accepts("type", ["NAME", "CIRCUMFLEX"])
    done = lalr.stack_after("type", ["NAME"])
    assert done is not None
    assert lalr.can_follow(done, lalr.END)
    assert not lalr.can_follow(done, "NAME")

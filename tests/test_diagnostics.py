"""What diagnostics look like: the shape of section 6 of the language, and everything that can disturb it."""

from __future__ import annotations

import io
import time

import pytest

from catnn.diagnostics import CatnnError, Diagnostic, Label, Source, Span, fail, render, wants_colour

GRAPH = """\
# graph.catnn
space V : S(n)

layer mix  : V^2[3]  -> V^2[16] = all + bias
layer pool : V^2[16] -> V[8]    = span { [i j -> i] }
network classify : V^2[3] -> V^2[16] = mix ; pool ; relu ; mix
"""

E0301 = """\
error[E0301]: `relu` does not compose with `mix`
 --> graph.catnn:6:60
  |
6 | network classify : V^2[3] -> V^2[16] = mix ; pool ; relu ; mix
  |                                                            ^^^ expects  V^2[3]
  |                                                     ---- produces V[8]
  = note: in `f ; g` the target of f is the source of g
  = help: insert `layer lift : V[8] -> V^2[3] = all` (5 diagrams)
"""


def span(source: Source, text: str, which: int = -1) -> Span:
    """The span of an occurrence of a text, the last one unless told otherwise."""
    starts = [at for at in range(len(source.text)) if source.text.startswith(text, at)]
    return Span(source, starts[which], starts[which] + len(text))


def test_the_example_of_the_language() -> None:
    source = Source("graph.catnn", GRAPH)
    diagnostic = Diagnostic(
        "E0301",
        "`relu` does not compose with `mix`",
        (Label(span(source, "mix"), "expects  V^2[3]"), Label(span(source, "relu"), "produces V[8]")),
        ("in `f ; g` the target of f is the source of g",),
        ("insert `layer lift : V[8] -> V^2[3] = all` (5 diagrams)",),
    )
    assert render([diagnostic]) == E0301
    assert str(CatnnError(diagnostic)) + "\n" == E0301


def shown(text: str, *labels: tuple[int, int, str], path: str = "a.catnn") -> list[str]:
    """The lines below the header."""
    source = Source(path, text)
    diagnostic = Diagnostic("E0010", "m", tuple(Label(Span(source, start, end), words) for start, end, words in labels))
    return render([diagnostic]).splitlines()[3:]


def test_the_line_of_the_first_label_comes_first() -> None:
    assert shown("aaa\nbbb\nccc", (8, 11, "one"), (0, 3, "two"), (4, 7, "three")) == [
        "3 | ccc",
        "  | ^^^ one",
        "1 | aaa",
        "  | --- two",
        "2 | bbb",
        "  | --- three",
    ]


def test_a_span_of_several_lines_says_where_it_ends() -> None:
    assert shown("let (a\nb\nc)", (4, 11, "open")) == ["1 | let (a", "  |     ^^ open (up to line 3)"]
    assert shown("let (a\nb)", (4, 9, "")) == ["1 | let (a", "  |     ^^ (up to line 2)"]


def test_tabs_wide_and_control_characters_keep_the_marks_in_place() -> None:
    assert shown("\tlet x", (5, 6, "")) == ["1 |     let x", "  |         ^"]
    assert shown("空間 V", (3, 4, "here")) == ["1 | 空間 V", "  |      ^ here"]
    assert shown("a\x07b\x1b[31m c", (2, 3, "")) == ["1 | a␇b␛[31m c", "  |   ^"]
    assert shown("a\u202eb", (2, 3, "")) == ["1 | a<U+202E>b", "  |          ^"]


def test_a_place_behind_the_last_character() -> None:
    assert shown("let", (3, 3, "a name")) == ["1 | let", "  |    ^ a name"]
    assert shown("", (0, 0, "nothing")) == ["1 |", "  | ^ nothing"]


def test_long_lines_are_cut_around_what_is_underlined() -> None:
    text = "a" * 500 + "CULPRIT" + "b" * 500
    line, marks = shown(text, (500, 507, "here"))
    assert line.startswith("1 | …")
    assert line.endswith("…")
    assert len(line) < 160
    assert line[marks.index("^") : marks.rindex("^") + 1] == "CULPRIT"
    both = shown("A" + " " * 500 + "B", (501, 502, "b"), (0, 1, "a"))
    assert len(both) == 4
    assert all(len(line) < 200 for line in both)
    assert len(max(shown("x" * 5000, (0, 5000, "all of it")), key=len)) < 200


def test_several_files() -> None:
    one, two = Source("one.catnn", "aaa"), Source("two.catnn", "bbb")
    labels = (Label(Span(one, 0, 3), "here"), Label(Span(two, 0, 3), "there"))
    assert render([Diagnostic("E0102", "m", labels)]).splitlines()[1:] == [
        " --> one.catnn:1:1",
        "  |",
        "1 | aaa",
        "  | ^^^ here",
        " ::: two.catnn",
        "1 | bbb",
        "  | --- there",
    ]


def test_without_a_place() -> None:
    error = fail("E1001", "no such file", notes=("n",), helps=("h",))
    assert str(error) == "error[E1001]: no such file\n = note: n\n = help: h"
    assert error.diagnostics[0].to_dict()["labels"] == []
    with pytest.raises(ValueError, match="at least one"):
        CatnnError()


def test_two_diagnostics_with_a_blank_line_between() -> None:
    assert render([Diagnostic("E0001", "a"), Diagnostic("E0002", "b")]) == "error[E0001]: a\n\nerror[E0002]: b\n"


def test_as_data() -> None:
    source = Source("a.catnn", "ab\ncd")
    data = Diagnostic("E0010", "m", (Label(Span(source, 1, 4), "x"),)).to_dict()
    place = {"file": "a.catnn", "line": 1, "column": 2, "end_line": 2, "end_column": 2, "text": "x"}
    assert data == {"code": "E0010", "message": "m", "labels": [place], "notes": [], "helps": []}


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_colour_only_on_a_terminal_and_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert wants_colour(Terminal())
    assert not wants_colour(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not wants_colour(Terminal())
    source = Source("a.catnn", "abc")
    diagnostic = Diagnostic("E0010", "m", (Label(Span(source, 0, 3)),), ("n",))
    assert "\x1b" not in render([diagnostic])
    assert "\x1b[1;31m^^^\x1b[0m" in render([diagnostic], colour=True)


def test_lines_and_columns() -> None:
    source = Source("a", "ab\n\ncd\n")
    assert [source.line_column(offset) for offset in (0, 2, 3, 4, 6, 7)] == [
        (1, 1), (1, 3), (2, 1), (3, 1), (3, 3), (4, 1),
    ]  # fmt: skip
    assert [source.line(number) for number in range(6)] == ["", "ab", "", "cd", "", ""]


def test_ten_thousand_diagnostics_of_a_big_file_take_no_time() -> None:
    source = Source("a", "layr x\n" * 20_000)
    began = time.process_time()
    render(Diagnostic("E0013", "m", (Label(Span(source, 7 * i, 7 * i + 4)),)) for i in range(10_000))
    assert time.process_time() - began < 3

"""`Perm` and `Aut` in specs: what their patterns mean, what is refused, and which files are read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import catnn
from catnn.diagnostics import CatnnError
from catnn.elaborate.graphs import GraphFault, from_edge_list, from_graphml

PENTAGON = "space V : Aut(5, 0-1 0-4 1-2 2-3 3-4)\n"

GRAPHML = """\
<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key id="c" for="node" attr.name="color" attr.type="string"><default>C</default></key>
  <key id="w" for="edge" attr.name="weight" attr.type="double"/>
  <graph edgedefault="undirected">
    <node id="a"/><node id="b"><data key="c">O</data></node><node id="d"/>
    <edge source="a" target="b"><data key="w">2</data></edge>
    <edge source="d" target="b" directed="true"/>
  </graph>
</graphml>
"""


def codes(text: str) -> list[str]:
    with pytest.raises(CatnnError) as caught:
        catnn.parse(text)
    return [fault.code for fault in caught.value.diagnostics]


@pytest.mark.parametrize(
    "check",
    [
        "adj = [i -> j | i j]",
        "adj' = adj",
        "adj ; adj = [i -> k | i j, j k]",
        "adj ; adj = 2 * id + [0 -> 2]",
        "copy ; adj @ adj ; merge = [i -> j | i j]",
        "copy ; adj @ id ; merge = 0 * id",
        "unit ; adj ; discard = 10 * [->]",
        "[-> | i j, j k, k i] = 0 * [->]",
        "[-> | i j] = 10 * [->]",
        "[i j -> j i] = swap",
        "[i -> j] = [0 -> 0] + [0 -> 1] + [0 -> 2]",
        "[3 -> 2] = [0 -> 1]",
        "[i i -> i] = merge",
        "[0 -> 1] @ [0 -> 0] ; swap ; swap = [0 -> 1] @ id",
        "spider[2,2] = merge ; copy",
        "perm[1,0] ; ev = ev",
        "[i -> i | i j] = 2 * id",
        "[i k -> i | i k] = id @ id ; [i k -> i | k i]",
    ],
)
def test_what_patterns_mean(check: str) -> None:
    assert len(catnn.parse(f"{PENTAGON}check {check}").checks) == 1


@pytest.mark.parametrize(
    "check", ["adj = id", "[0 -> 1] = [0 -> 2]", "[-> | i j] = 5 * [->]", "[i -> j | i j] = [i -> j]"]
)
def test_what_they_do_not(check: str) -> None:
    assert codes(f"{PENTAGON}check {check}") == ["E0701"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("space V : Perm(n)", "E0203"),
        ("space V : Perm", "E0010"),
        ("space V : Perm(0)", "E0202"),
        ("space V : Perm(301)", "E0202"),
        ("space V : Perm(3, (0 1)(1 2))", "E0208"),
        ("space V : Perm(3, (0 3))", "E0208"),
        ("space V : Perm(3, 0-1)", "E0208"),
        ("space V : Aut(3, (0 1))", "E0203"),
        ("space V : Aut(3, 0-3)", "E0208"),
        ("space V : Aut(3, {5})", "E0208"),
        ("space V : Aut(2, 0-1, n)", "E0203"),
        ('space V : Aut("a.graphml")', "E0805"),
        ('space V : Aut("a.graphml", 3)', "E0203"),
        ("space V : S((0 1))", "E0203"),
        ("space V : Perm(3)  let f : V -> V = [0 -> 3]", "E0408"),
        ("space V : S(n)  let f : V -> V = [0 -> 1]", "E0408"),
        ("space V : Perm(3)  let f : V -> V = [0 -> i]", "E0409"),
        ("space V : Perm(3)  let f : V -> V = [i -> j | i j]", "E0410"),
        ("space V : Perm(3)  let f : V -> V = adj", "E0403"),
        ("space V : Perm(3)  let f : V -> V = eps", "E0403"),
        ("space V, W : Aut(2, 0-1)  let f : V -> W = [i -> j | i j]", "E0410"),
        ("space V : Perm(30)  layer f : V^3 -> V^3 = all", "E0602"),
        ("space V : Perm(100, (0 1))  layer f : V^2 -> V^2 = span { [0 0 -> 0 0] }", "E0612"),
        ("space V : Perm(80)  layer f : V^2 -> V = span { [0 0 -> 0] }", "E0612"),
        ("space V : Perm(30)  let f : V^3 -> V^3 = [i j k -> l m p]", "E0405"),
    ],
)
def test_what_is_refused(text: str, code: str) -> None:
    assert codes(text) == [code]


def test_two_spaces_keep_their_points_apart() -> None:
    spec = catnn.parse(
        "space V : Perm(3, (0 1 2))  space W : Perm(2, (0 1))\n"
        "let f : V @ W -> W = [1 1 -> 0]\n"
        "check f = [2 0 -> 1] : V @ W -> W"
    )
    assert str(spec["f"]) == "[0 1 -> 0]"
    assert spec["f"].matrix().sum() == 6


def test_all_and_bias_are_the_orbits_in_order() -> None:
    spec = catnn.parse(PENTAGON + "layer f : V -> V = all + bias")
    assert [str(d) for d in spec["f"].diagrams] == ["[0 -> 0]", "[1 -> 0]", "[2 -> 0]"]
    assert [str(d) for d in spec["f"].bias_diagrams] == ["[-> 0]"]


def test_a_mean_is_over_the_inputs_that_an_output_meets() -> None:
    spec = catnn.parse(PENTAGON + "layer f : V -> V = span { adj } { reduce: mean }")
    assert (spec["f"].diagrams[0].matrix().sum(1) == 1).all()


# ----------------------------------------------------------------------------------------------------------- files


def test_graph_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "ring.edges").write_text("0 1\n1 2\n2 3\n3 4\n4 0\n")
    (tmp_path / "g.graphml").write_text(GRAPHML)
    (tmp_path / "a.catnn").write_text(
        'space V : Aut("sub/ring.edges")\nlayer f : V -> V = all\nspace W : Aut("g.graphml")'
    )
    spec = catnn.load(tmp_path / "a.catnn")
    assert str(spec.spaces["V"].group) == 'Aut("sub/ring.edges")'
    assert spec.spaces["V"].group.text == "Aut(5, 0-1 0-4 1-2 2-3 3-4)"
    assert spec.spaces["W"].group.text == "Aut(3, 0-1, 2->1, {0 2}, {1})"
    assert len(spec["f"].diagrams) == 3
    assert eval(repr(spec["f"].diagrams[1]), {"catnn": catnn}) == spec["f"].diagrams[1]


def load(tmp_path: Path, name: str) -> tuple[str, str]:
    spec = tmp_path / "a.catnn"
    spec.write_text(f'space V : Aut("{name}")')
    with pytest.raises(CatnnError) as caught:
        catnn.load(spec)
    (fault,) = caught.value.diagnostics
    assert fault.labels[0].span.source.path == str(spec)
    assert fault.helps or fault.notes
    return fault.code, fault.message


@pytest.mark.parametrize("name", ["../x.graphml", "/etc/passwd", "a\\\\b", "c:x", "sub/../../x", "", "."])
def test_nothing_outside_the_folder_is_read(tmp_path: Path, name: str) -> None:
    (tmp_path.parent / "x.graphml").write_text("0 1")
    assert load(tmp_path, name)[0] == "E0805"


def test_only_ordinary_small_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "big").write_text("0 1\n" * 300_000)
    (tmp_path / "link").symlink_to("/etc/hostname")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name in ("folder", "fifo", "big", "link", "loop", "missing"):
        assert load(tmp_path, name)[0] == "E0805", name
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    assert load(tmp_path, "bytes")[0] == "E0806"


BOMB = '<!DOCTYPE z [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;">]><graphml>&b;</graphml>'
XXE = (
    '<?xml version="1.0"?>\n<!DOCTYPE g [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n'
    '<graphml><graph><node id="&x;"/></graph></graphml>'
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "line 1: a document type"),
        (XXE, "line 2: a document type"),
        ("<graphml>", "line 1: this is no XML"),
        ("<svg/>", "line 1: the outermost element is `svg`"),
        ("<graphml><graph/></graphml>", "has no nodes"),
        ("<graphml><graph><node/></graph></graphml>", "line 1: a `node` without its `id`"),
        ("<graphml><graph>\n<node id='a'/><node id='a'/></graph></graphml>", "line 2: a second node `a`"),
        (
            "<graphml><graph><node id='a'/><edge source='a'/></graph></graphml>",
            "an `edge` without its `target`".replace("an", "a"),
        ),
        ("<graphml><graph><node id='a'/><edge source='a' target='b'/></graph></graphml>", "an edge to `b`"),
        ("<graphml><graph><node id='a'/></graph><graph/></graphml>", "a second graph"),
        ("<graphml><graph><hyperedge/></graph></graphml>", "`hyperedge` elements"),
        ("<graphml>" + "<a>" * 30, "nest too deep"),
        (
            "<graphml><graph>" + "".join(f"<node id='{i}'/>" for i in range(301)) + "</graph></graphml>",
            "more than 300 nodes",
        ),
        ("<graphml>&undefined;</graphml>", "this is no XML"),
    ],
)
def test_malformed_graphml_has_a_place(text: str, message: str) -> None:
    with pytest.raises(GraphFault) as caught:
        from_graphml(text, "g")
    assert caught.value.code == "E0806"
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no nodes"),
        ("0 1\n\n2 3 4 5", "line 3: 4 words"),
        ("\n".join(str(i) for i in range(301)), "line 301: more than 300 nodes"),
    ],
)
def test_malformed_edge_lists_have_a_place(text: str, message: str) -> None:
    with pytest.raises(GraphFault) as caught:
        from_edge_list(text, "g")
    assert message in caught.value.message


def test_what_files_say() -> None:
    assert str(from_graphml(GRAPHML)) == "3, 0-1 2->1, {0 2}, {1}"
    assert str(from_edge_list("b a # first\nc\n\na c red")) == "3, 0-1, 1-2"
    assert str(from_edge_list("10 2\n2 1")) == "3, 0-1 1-2"
    assert str(from_graphml("\ufeff" + GRAPHML.replace("\n", "\r\n"))) == "3, 0-1 2->1, {0 2}, {1}"

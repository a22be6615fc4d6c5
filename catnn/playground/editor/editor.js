// The editor of the playground: CodeMirror 6, put together for specs of catnn. Built by catnn/playground/editor/build.sh.
import {EditorState, StateEffect, StateField} from "@codemirror/state";
import {EditorView, keymap, lineNumbers, drawSelection, highlightActiveLine, Decoration} from "@codemirror/view";
import {defaultKeymap, history, historyKeymap, indentWithTab} from "@codemirror/commands";
import {StreamLanguage, HighlightStyle, syntaxHighlighting, bracketMatching} from "@codemirror/language";
import {tags} from "@lezer/highlight";
import {setDiagnostics, lintGutter, lintKeymap} from "@codemirror/lint";
import {autocompletion, completionKeymap, completeFromList} from "@codemirror/autocomplete";

const colours = HighlightStyle.define([
  {tag: tags.keyword, class: "tk"}, {tag: tags.atom, class: "tl"}, {tag: tags.comment, class: "tc"},
  {tag: tags.string, class: "ts"}, {tag: tags.number, class: "tn"},
]);

// words: {keywords, learned, names}, from the grammar.
function language(words) {
  const keywords = new Set(words.keywords), learned = new Set(words.learned);
  return StreamLanguage.define({
    name: "catnn",
    languageData: {commentTokens: {line: "#"}},
    token(stream) {
      if (stream.eatSpace()) return null;
      if (stream.match(/#.*/)) return "comment";
      if (stream.match(/"[^"]*"?/)) return "string";
      if (stream.match(/\d+(\.\d+)?/)) return "number";
      const word = stream.match(/[\p{L}_][\p{L}\p{N}_]*/u);
      if (word) return learned.has(word[0]) ? "atom" : keywords.has(word[0]) ? "keyword" : null;
      stream.next();
      return null;
    },
  });
}

const point = StateEffect.define();
const pointed = StateField.define({
  create: () => Decoration.none,
  update(marks, change) {
    marks = marks.map(change.changes);
    for (const effect of change.effects) if (effect.is(point)) {
      const line = effect.value;
      marks = line > 0 && line <= change.state.doc.lines
        ? Decoration.set([Decoration.line({class: "on"}).range(change.state.doc.line(line).from)]) : Decoration.none;
    }
    return marks;
  },
  provide: (field) => EditorView.decorations.from(field),
});

// options: {parent, text, words, changed(text)}; gives {text(), set(text), diagnose(list), mark(line)}.
export function editor(options) {
  const names = options.words.names;
  const view = new EditorView({
    parent: options.parent,
    state: EditorState.create({
      doc: options.text,
      extensions: [
        lineNumbers(), history(), drawSelection(), highlightActiveLine(), bracketMatching(), lintGutter(), pointed,
        language(options.words), syntaxHighlighting(colours), EditorView.lineWrapping,
        autocompletion({override: [completeFromList(names.map((label) => ({label})))]}),
        keymap.of([...defaultKeymap, ...historyKeymap, ...lintKeymap, ...completionKeymap]),
        EditorView.cspNonce.of(options.nonce),
        EditorView.contentAttributes.of({"aria-label": "The spec", spellcheck: "false"}),
        EditorView.updateListener.of((update) => { if (update.docChanged) options.changed(update.state.doc.toString()); }),
      ],
    }),
  });
  const offset = (line, column) => {
    const found = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines));
    return Math.min(found.from + Math.max(column - 1, 0), found.to);
  };
  return {
    text: () => view.state.doc.toString(),
    focus: () => view.focus(),
    set(text) { view.dispatch({changes: {from: 0, to: view.state.doc.length, insert: text}}); },
    mark(line) { view.dispatch({effects: point.of(line)}); },
    diagnose(found) {
      const marks = found.map((one) => {
        const from = offset(one.line, one.column), to = offset(one.end_line, one.end_column);
        return {from, to: Math.max(to, from), severity: "error", message: one.message};
      });
      view.dispatch(setDiagnostics(view.state, marks));
    },
  };
}

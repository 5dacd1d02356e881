// The editor of the next step's code.
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { python, pythonLanguage } from "@codemirror/lang-python";
import { bracketMatching, HighlightStyle, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorState, Prec } from "@codemirror/state";
import { drawSelection, EditorView, keymap, lineNumbers, placeholder } from "@codemirror/view";
import { highlightCode, tags } from "@lezer/highlight";

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: "light-dark(#7a1fa2, #d6a4ff)" },
  { tag: [tags.string, tags.special(tags.string)], color: "light-dark(#1b6b3a, #8ddb9f)" },
  { tag: [tags.number, tags.bool, tags.null], color: "light-dark(#9a4600, #ffb874)" },
  { tag: tags.comment, color: "light-dark(#666b73, #8d949e)", fontStyle: "italic" },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName)], color: "light-dark(#0b5cad, #7ab8ff)" },
  { tag: [tags.className, tags.definition(tags.className)], color: "light-dark(#005f66, #67d4dd)" },
  { tag: tags.self, fontStyle: "italic" },
]);

const look = EditorView.theme({
  "&": { backgroundColor: "transparent", color: "inherit" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.45" },
  ".cm-gutters": { backgroundColor: "var(--ground)", color: "var(--quiet)", border: "none" },
  ".cm-placeholder": { color: "var(--quiet)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "light-dark(#cfe2f7, #2f4a68) !important" },
});

export interface Keys {
  run(): void;
  older(): void;
  newer(): void;
}

export function editor(parent: HTMLElement, keys: Keys, changed: (code: string) => void): EditorView {
  const press = (act: () => void) => () => {
    act();
    return true;
  };
  return new EditorView({
    parent,
    state: EditorState.create({
      extensions: [
        Prec.highest(
          keymap.of([
            { key: "Mod-Enter", run: press(keys.run) },
            { key: "Ctrl-Enter", run: press(keys.run) },
            { key: "Alt-ArrowUp", run: press(keys.older) },
            { key: "Alt-ArrowDown", run: press(keys.newer) },
          ]),
        ),
        lineNumbers(),
        history(),
        drawSelection(),
        bracketMatching(),
        indentUnit.of("    "),
        python(),
        syntaxHighlighting(colours),
        placeholder("print('Hello, World!')"),
        // Escape, then Tab moves on: the keymap's own rule.
        keymap.of([...defaultKeymap, ...historyKeymap, indentWithTab]),
        EditorView.contentAttributes.of({ "aria-label": "Python code", "aria-describedby": "hint" }),
        EditorView.cspNonce.of(document.querySelector("script")?.nonce ?? ""),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) changed(update.state.doc.toString());
        }),
        look,
      ],
    }),
  });
}

export function setCode(view: EditorView, code: string): void {
  view.dispatch({
    changes: { from: 0, to: view.state.doc.length, insert: code },
    selection: { anchor: code.length },
    scrollIntoView: true,
  });
}

/** Code that was run, in the editor's colours. */
export function shownCode(code: string): HTMLPreElement {
  const shown = document.createElement("pre");
  shown.className = "source";
  highlightCode(
    code,
    pythonLanguage.parser.parse(code),
    colours,
    (text, classes) => {
      const part = document.createElement("span");
      part.className = classes;
      part.textContent = text;
      shown.append(part);
    },
    () => shown.append("\n"),
  );
  return shown;
}

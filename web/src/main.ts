// The page: episodes in tabs, an editor, and what is at a glance beside them.
import { editor, setCode } from "./editor";
import { Episode, type Watcher } from "./episode";
import { LANGUAGES, snippet, type Language } from "./snippets";

const TOKEN_KEY = "coding-env.token";
const THEME_KEY = "coding-env.theme";

function get<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`no element ${id}`);
  return found as T;
}

const [server, tabs, panel, runs, stateList] = ["server", "tabs", "panel", "runs", "state"].map((id) => get(id)) as [
  HTMLElement, HTMLElement, HTMLElement, HTMLElement, HTMLElement,
];
const runButton = get<HTMLButtonElement>("run");
const interruptButton = get<HTMLButtonElement>("interrupt");
const dialog = get<HTMLDialogElement>("ask");

// --- theme ---

const theme = localStorage.getItem(THEME_KEY);
if (theme === "light" || theme === "dark") document.documentElement.dataset["theme"] = theme;
get("theme").addEventListener("click", () => {
  const dark = document.documentElement.dataset["theme"] ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  const next = dark === "dark" ? "light" : "dark";
  document.documentElement.dataset["theme"] = next;
  localStorage.setItem(THEME_KEY, next);
});

// --- episodes ---

const episodes: Episode[] = [];
let selected: Episode | null = null;
let made = 0;
let pastAt: number | null = null;
let language: Language = "Python";

const watcher: Watcher = {
  changed(episode) {
    drawTabs();
    if (episode === selected) drawEpisode();
  },
  welcomed(event) {
    server.textContent = `CPython ${event.python} · isolation ${event.isolation} · server ${event.server_id} · version ${event.version}`;
  },
  tokenWanted() {
    if (dialog.open) return;
    if (sessionStorage.getItem(TOKEN_KEY) !== null) get("ask-why").textContent = "The server does not take that token: give another one.";
    dialog.showModal();
  },
};

function add(): void {
  const episode = new Episode(`Episode ${++made}`, () => sessionStorage.getItem(TOKEN_KEY), watcher);
  episodes.push(episode);
  episode.connect();
  episode.reset();
  select(episode);
  view.focus();
}

function select(episode: Episode): void {
  selected = episode;
  pastAt = null;
  if (view.state.doc.toString() !== episode.draft) setCode(view, episode.draft);
  runs.replaceChildren();
  drawTabs();
  drawEpisode();
}

function remove(episode: Episode): void {
  const at = episodes.indexOf(episode);
  episodes.splice(at, 1);
  episode.close();
  const next = episodes[Math.min(at, episodes.length - 1)];
  if (next === undefined) add();
  else if (episode === selected) select(next);
  else drawTabs();
}

/** Where an arrow key leads to from one of `count` tabs; -1 for any other key. */
function neighbour(event: KeyboardEvent, at: number, count: number): number {
  const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
  return step === 0 ? -1 : (at + step + count) % count;
}

function drawTabs(): void {
  const focused = document.activeElement?.id;
  tabs.replaceChildren(
    ...episodes.map((episode, at) => {
      const holder = document.createElement("div");
      holder.className = episode === selected ? "tab selected" : "tab";
      const tab = document.createElement("button");
      tab.type = "button";
      tab.id = `tab-${at}`;
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-selected", String(episode === selected));
      tab.setAttribute("aria-controls", "panel");
      tab.tabIndex = episode === selected ? 0 : -1;
      tab.textContent = episode.isRunning ? `${episode.name} …` : episode.name;
      tab.addEventListener("click", () => select(episode));
      tab.addEventListener("keydown", (event) => {
        const next = episodes[neighbour(event, at, episodes.length)];
        if (next === undefined) return;
        event.preventDefault();
        select(next);
        document.getElementById(`tab-${episodes.indexOf(next)}`)?.focus();
      });
      const close = document.createElement("button");
      close.type = "button";
      close.className = "close";
      close.textContent = "×";
      close.setAttribute("aria-label", `Close ${episode.name}`);
      close.addEventListener("click", () => remove(episode));
      holder.append(tab, close);
      if (episode === selected) panel.setAttribute("aria-labelledby", tab.id);
      return holder;
    }),
  );
  // A list of tabs may hold nothing else, and beside each there is a button that closes it.
  get("tablist").setAttribute("aria-owns", episodes.map((_, at) => `tab-${at}`).join(" "));
  if (focused?.startsWith("tab-")) document.getElementById(focused)?.focus();
}

function drawEpisode(): void {
  const episode = selected;
  if (episode === null) return;
  const atEnd = runs.scrollTop + runs.clientHeight >= runs.scrollHeight - 40;
  for (const run of episode.runs.slice(runs.children.length)) runs.append(run);
  if (atEnd) runs.scrollTop = runs.scrollHeight;
  interruptButton.disabled = !episode.isRunning;
  runButton.disabled = episode.isRunning;
  const facts: [string, string][] = [["status", episode.status]];
  if (episode.state !== null) {
    facts.push(["episode", episode.state.episode_id], ["steps", String(episode.state.step_count)]);
    facts.push(["last exit code", String(episode.state.last_exit_code)]);
  }
  if (episode.last?.reward !== undefined && episode.last.reward !== null) facts.push(["last reward", String(episode.last.reward)]);
  stateList.replaceChildren(
    ...facts.flatMap(([name, value]) => {
      const [term, detail] = [document.createElement("dt"), document.createElement("dd")];
      term.textContent = name;
      detail.textContent = value;
      return [term, detail];
    }),
  );
}

// A picture has its size once it is decoded.
runs.addEventListener("load", () => (runs.scrollTop = runs.scrollHeight), true);

// --- the next step ---

function run(): void {
  const code = view.state.doc.toString();
  if (selected === null || selected.isRunning || code.trim() === "") return;
  selected.run(code);
  pastAt = null;
  setCode(view, "");
}

function recall(step: number): void {
  const past = selected?.past ?? [];
  const at = Math.max(0, Math.min(past.length, (pastAt ?? past.length) + step));
  pastAt = at;
  setCode(view, past[at] ?? "");
}

function drawSnippet(code: string): void {
  get("snippet").textContent = snippet(language, code || "print('Hello, World!')", new URL(document.baseURI));
}

const view = editor(get("code"), { run, older: () => recall(-1), newer: () => recall(1) }, (code) => {
  if (selected !== null) selected.draft = code;
  drawSnippet(code || (selected?.past.at(-1) ?? ""));
});

get("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  run();
  view.focus();
});
interruptButton.addEventListener("click", () => selected?.interrupt());
get("reset").addEventListener("click", () => selected?.reset());
get("add").addEventListener("click", add);

// --- snippets ---

const languageTabs = LANGUAGES.map((name, at) => {
  const tab = document.createElement("button");
  tab.type = "button";
  tab.setAttribute("role", "tab");
  tab.setAttribute("aria-controls", "snippet");
  tab.textContent = name;
  tab.addEventListener("click", () => speak(name));
  tab.addEventListener("keydown", (event) => {
    const next = LANGUAGES[neighbour(event, at, LANGUAGES.length)];
    if (next === undefined) return;
    event.preventDefault();
    speak(next);
    languageTabs[LANGUAGES.indexOf(next)]?.focus();
  });
  return tab;
});
get("languages").append(...languageTabs);

function speak(name: Language): void {
  language = name;
  languageTabs.forEach((tab, at) => {
    tab.setAttribute("aria-selected", String(LANGUAGES[at] === name));
    tab.tabIndex = LANGUAGES[at] === name ? 0 : -1;
  });
  drawSnippet(view.state.doc.toString() || (selected?.past.at(-1) ?? ""));
}
const copy = get<HTMLButtonElement>("copy");
copy.addEventListener("click", async () => {
  await navigator.clipboard.writeText(get("snippet").textContent ?? "").then(
    () => (copy.textContent = "Copied"),
    () => (copy.textContent = "Select the text to copy it"),
  );
  setTimeout(() => (copy.textContent = "Copy"), 1500);
});

// --- token ---

dialog.addEventListener("close", () => {
  const token = get<HTMLInputElement>("token");
  const given = token.value.trim();
  token.value = "";
  if (given === "") return; // Reset asks again
  sessionStorage.setItem(TOKEN_KEY, given);
  for (const episode of episodes) {
    if (episode.state === null) episode.reset();
  }
});

speak(language);
add();

// One episode of the page: its connection, its runs, and what they showed.
import { displayed } from "./displays";
import { shownCode } from "./editor";
import { bytesOf, Connection, type End, type Event, type Reply, type State } from "./wire";

/** The most text of a stream that a run shows while it goes on, in UTF-16 units: the page stays quick. The reply has what the server keeps. */
const SHOWN_MAX = 400_000;
/** Codes that are remembered for Alt-Up. */
const HISTORY_MAX = 200;

function element<K extends keyof HTMLElementTagNameMap>(kind: K, name: string, text = ""): HTMLElementTagNameMap[K] {
  const made = document.createElement(kind);
  made.className = name;
  made.textContent = text;
  return made;
}

/** A text that grows by pieces of UTF-8. */
class Stream {
  readonly shown = document.createElement("pre");
  private readonly decoder = new TextDecoder();
  private length = 0;

  constructor(name: string) {
    this.shown.className = name;
    this.shown.hidden = true;
  }

  add(bytes: Uint8Array, dropped: number): void {
    if (dropped > 0) this.append(`\n[… ${dropped} bytes were not shown …]\n`);
    this.append(this.decoder.decode(bytes, { stream: true }));
  }

  set(text: string): void {
    this.shown.textContent = text;
    this.shown.hidden = text === "";
    this.length = text.length;
  }

  private append(text: string): void {
    if (text === "" || this.length > SHOWN_MAX) return;
    this.length += text.length;
    this.shown.append(text);
    if (this.length > SHOWN_MAX) this.shown.append("\n[… more follows; the whole is shown at the end …]\n");
    this.shown.hidden = false;
  }
}

class Run {
  readonly shown = element("article", "run running");
  private readonly stdout = new Stream("stdout");
  private readonly stderr = new Stream("stderr");
  private readonly end = element("div", "end");

  constructor(readonly id: number, code: string) {
    this.shown.append(shownCode(code), this.stdout.shown, this.stderr.shown, this.end);
  }

  piece(event: Event & { type: "piece" }): void {
    this[event.stream].add(bytesOf(event.data), event.dropped_bytes);
  }

  finish(reply: Reply): void {
    this.stdout.set(reply.stdout);
    this.stderr.set(reply.stderr);
    const failed = reply.exit_code !== 0;
    this.shown.className = failed ? "run failed" : "run";
    if (reply.result !== null) this.end.append(element("pre", "result", reply.result));
    for (const display of reply.displays) this.end.append(displayed(display));
    const facts = element("p", "facts");
    const fact = (text: string, kind = "") => facts.append(element("span", kind, text));
    fact(`exit code ${reply.exit_code}`, failed ? "bad" : "good");
    fact(reply.outcome);
    if (reply.reward !== null) fact(`reward ${reply.reward}`);
    fact(`${reply.wall_ms.toFixed(1)} ms`);
    if (reply.cpu_ms !== null) fact(`CPU ${reply.cpu_ms.toFixed(1)} ms`);
    if (reply.peak_memory_bytes !== null) fact(`${(reply.peak_memory_bytes / 1048576).toFixed(1)} MiB at most`);
    if (reply.stdout_truncated || reply.stderr_truncated) fact("output cut", "bad");
    for (const [label, value] of Object.entries(reply.metadata)) fact(`${label}: ${value}`, "bad");
    this.end.append(facts);
    if (reply.done) this.notice(`The interpreter is gone (state ${reply.state_after}): Reset starts a new one.`);
  }

  refuse(message: string): void {
    this.shown.className = "run failed";
    this.notice(message);
  }

  private notice(text: string): void {
    this.end.append(element("p", "notice", text));
  }
}

export interface Watcher {
  /** Something that is shown beside the runs has changed. */
  changed(episode: Episode): void;
  welcomed(event: Event & { type: "welcome" }): void;
  tokenWanted(): void;
}

export class Episode {
  readonly runs: HTMLElement[] = [];
  readonly past: string[] = [];
  draft = "";
  state: State | null = null;
  status = "connecting…";
  last: Reply | null = null;
  private connection: Connection | null = null;
  private current: Run | null = null;
  private waiting: (() => void)[] = [];
  private nextId = 1;

  constructor(
    readonly name: string,
    private readonly token: () => string | null,
    private readonly watcher: Watcher,
  ) {}

  get isRunning(): boolean {
    return this.current !== null;
  }

  connect(): void {
    this.status = "connecting…";
    const connection = new Connection(
      this.token(),
      (event) => {
        if (connection === this.connection) this.heard(event);
      },
      (end) => {
        if (connection === this.connection) this.ended(end);
      },
    );
    this.connection = connection;
    this.watcher.changed(this);
  }

  /** Runs code as the next step. */
  run(code: string): void {
    if (this.current !== null || code.trim() === "") return;
    if (this.past.at(-1) !== code) this.past.push(code);
    this.past.splice(0, this.past.length - HISTORY_MAX);
    const run = new Run(this.nextId++, code);
    this.current = run;
    this.runs.push(run.shown);
    this.status = "running";
    this.whenOpen(() => this.connection?.send({ type: "run", id: run.id, code }));
    this.watcher.changed(this);
  }

  interrupt(): void {
    this.connection?.send({ type: "interrupt" });
  }

  /** Starts afresh: what is there is ended. */
  reset(): void {
    const id = this.nextId++;
    this.status = "starting…";
    this.whenOpen(() => this.connection?.send({ type: "reset", id }));
    this.watcher.changed(this);
  }

  close(): void {
    const connection = this.connection;
    this.connection = null;
    connection?.close();
  }

  private whenOpen(act: () => void): void {
    if (this.connection?.isOpen) {
      act();
      return;
    }
    this.waiting.push(act);
    if (this.connection === null) this.connect();
  }

  private heard(event: Event): void {
    switch (event.type) {
      case "welcome":
        this.watcher.welcomed(event);
        this.status = "ready";
        for (const act of this.waiting.splice(0)) act();
        if (this.current !== null) this.status = "running";
        break;
      case "reset":
        this.state = event.state;
        this.last = null;
        this.status = "ready";
        this.runs.push(element("p", "notice", "A fresh interpreter."));
        break;
      case "piece":
        if (this.current?.id === event.id) this.current.piece(event);
        break;
      case "reply":
        if (this.current?.id === event.id) {
          this.current.finish(event.reply);
          this.current = null;
        }
        this.last = event.reply;
        this.state = event.reply.state;
        this.status = event.reply.done ? "lost" : "ready";
        break;
      case "refused":
        if (this.current !== null && event.id === this.current.id) {
          this.current.refuse(event.message);
          this.current = null;
        } else {
          this.runs.push(element("p", "notice", event.message));
        }
        this.status = event.reason === "EPISODE_LOST" ? "lost" : "ready";
        break;
    }
    this.watcher.changed(this);
  }

  private ended(end: End): void {
    this.connection = null;
    this.waiting = [];
    this.current?.refuse("The connection broke, and the episode ended with it.");
    this.current = null;
    this.state = null;
    this.status = end === "token" ? "token wanted" : "not connected";
    this.watcher.changed(this);
    if (end === "token") this.watcher.tokenWanted();
  }
}

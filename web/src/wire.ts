// What page and server say to each other on /web/socket, one JSON object a frame: src/openenv/page_socket.rs is the other end.

/** From the page. */
export type Request =
  | { type: "reset"; id: number }
  | { type: "run"; id: number; code: string }
  | { type: "interrupt" };

export interface State {
  episode_id: string;
  step_count: number;
  last_exit_code: number;
}

/** One thing that a step showed beside its text. `data` is base64. */
export interface Display {
  representations: { mime_type: string; data: string; total_bytes: number; path: string | null }[];
}

export interface Reply {
  stdout: string;
  stderr: string;
  result: string | null;
  exit_code: number;
  outcome: string;
  state_after: string;
  reward: number | null;
  done: boolean;
  metadata: Record<string, string>;
  displays: Display[];
  state: State;
  wall_ms: number;
  cpu_ms: number | null;
  peak_memory_bytes: number | null;
  stdout_truncated: boolean;
  stderr_truncated: boolean;
}

/** From the server. */
export type Event =
  | { type: "welcome"; version: string; server_id: string; python: string; isolation: string }
  | { type: "reset"; id: number; state: State }
  | { type: "piece"; id: number; stream: "stdout" | "stderr"; data: string; dropped_bytes: number }
  | { type: "reply"; id: number; reply: Reply }
  | { type: "refused"; id: number | null; reason: string; message: string };

/** How a socket to the server ends. */
export type End = "token" | "gone";

/** The protocol by which a browser can send a token: it can't set headers of a WebSocket. */
const PROTOCOL = "coding-env";
const TOKEN_PREFIX = "coding-env.token.";

function base64Url(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/** A browser does not tell why a WebSocket was refused: another request does. */
async function isTokenWanted(token: string | null): Promise<boolean> {
  const headers: HeadersInit = token === null ? {} : { authorization: `Bearer ${token}` };
  return fetch(new URL("state", document.baseURI), { headers }).then((answer) => answer.status === 401, () => false);
}

/** One connection: one episode at a time, which ends with it. */
export class Connection {
  private readonly socket: WebSocket;
  private isWelcome = false;

  constructor(token: string | null, heard: (event: Event) => void, ended: (end: End) => void) {
    const url = new URL("web/socket", document.baseURI);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.socket = new WebSocket(url, token === null ? [PROTOCOL] : [PROTOCOL, TOKEN_PREFIX + base64Url(token)]);
    this.socket.addEventListener("message", (message) => {
      this.isWelcome = true;
      if (typeof message.data === "string") heard(JSON.parse(message.data) as Event);
    });
    this.socket.addEventListener("close", () => {
      if (this.isWelcome) ended("gone");
      else void isTokenWanted(token).then((wanted) => ended(wanted ? "token" : "gone"));
    });
  }

  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  send(request: Request): void {
    if (this.isOpen) this.socket.send(JSON.stringify(request));
  }

  close(): void {
    this.socket.close();
  }
}

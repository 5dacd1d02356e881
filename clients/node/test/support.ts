import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import tls from "node:tls";

import { CodingEnvError, Connection, type Options, type Reason } from "coding-env";

/** How long anything that is waited for may take, in milliseconds; a test that needs it has failed. */
export const PATIENCE_MS = 30_000;

const ROOT = path.join(import.meta.dirname, "..", "..", "..", "..");
/** The table that the clients of all languages share. */
export const CASES = path.join(ROOT, "clients", "cases.json");
const PROGRAM = process.env["CODING_ENV_BIN"] ?? path.join(ROOT, "target", "release", "coding-env");

/** Starts a server on a free port, which ends with the test. Returns its address. */
export async function serve(t: TestContext, ...flags: string[]): Promise<string> {
  const state = await mkdtemp(path.join(tmpdir(), "coding-env-node"));
  const own = ["serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--drain-timeout", "0s", "--interrupt-grace", "5s", "--state-dir", state];
  const child = spawn(PROGRAM, [...own, ...flags], { stdio: ["ignore", "ignore", "pipe"] });
  t.after(async () => {
    await end(child);
    await rm(state, { recursive: true, force: true });
  });
  return new Promise((resolve, reject) => {
    const log: string[] = [];
    child.on("error", reject);
    createInterface(child.stderr).on("line", (line) => {
      log.push(line);
      const entry = JSON.parse(line) as { message?: string; address?: string };
      if (entry.message === "serving" && entry.address !== undefined) {
        resolve(entry.address);
      }
    });
    child.on("exit", () => reject(new Error(`the server ended:\n${log.join("\n")}`)));
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
    return;
  }
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await Promise.race([exited, setTimeout(PATIENCE_MS, undefined, { ref: false }).then(() => child.kill("SIGKILL"))]);
  await exited;
}

export function connection(t: TestContext, url: string, options: Options = {}): Connection {
  const made = new Connection(url, options);
  t.after(() => made.close());
  return made;
}

/** Asks again and again, until it is so. */
export async function waitUntil(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await setTimeout(5)) {
    if (await isSo()) {
      return;
    }
  }
  assert.fail(`not in ${PATIENCE_MS} ms: ${what}`);
}

/** The call fails for this reason. Returns the error. */
export async function refused(call: Promise<unknown>, reason: Reason): Promise<CodingEnvError> {
  const error = await call.then(
    () => assert.fail(`it succeeded, instead of ${reason}`),
    (error: unknown) => error,
  );
  assert(error instanceof CodingEnvError, String(error));
  assert.equal(error.reason, reason, error.message);
  return error;
}

/** Passes connections on, and fails as networks do. */
export class Proxy {
  /** What the server answers is thrown away. */
  isMuted = false;
  /** Connections are closed at once. */
  isDown = false;
  readonly #sockets = new Set<net.Socket>();
  #port = 0;

  private constructor(public target: string) {}

  static async start(t: TestContext, target: string, secure?: tls.TlsOptions): Promise<Proxy> {
    const proxy = new Proxy(target);
    const pass = (client: net.Socket): void => proxy.#pass(client);
    const server = secure ? tls.createServer(secure, pass) : net.createServer(pass);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    proxy.#port = (server.address() as net.AddressInfo).port;
    t.after(() => {
      server.close();
      proxy.cut();
    });
    return proxy;
  }

  #pass(client: net.Socket): void {
    client.on("error", () => undefined);
    if (this.isDown) {
      client.destroy();
      return;
    }
    const [host, port] = this.target.split(":");
    const server = net.connect(Number(port), host);
    server.on("error", () => undefined);
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.on("data", (bytes) => server.write(bytes));
    server.on("data", (bytes) => {
      if (!this.isMuted) {
        client.write(bytes);
      }
    });
  }

  /** Breaks every connection. */
  cut(): void {
    for (const socket of this.#sockets) {
      socket.destroy();
    }
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }
}

// What the tests share: a server, a browser, pages that are watched, and a web server of somebody else's.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

/** A bound on everything that is waited for, in milliseconds. */
export const WITHIN = 60_000;
/** Names that lead to loopback in the tests' browser; no other name leads anywhere. */
export const [PUBLIC_NAME, REBOUND_NAME] = ["code.example.org", "rebound.example"];

const REFUSED = /^Blocked script execution in 'about:srcdoc'|^Loading the image '[^']*' violates the following Content Security Policy/;
const program = process.env.CODING_ENV_BIN;

/** `coding-env serve` on ports of its own. Log lines of level ERROR fail the test that stops it. */
export async function serve(...flags) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "coding-env-browser-"));
  const own = ["--admin-listen", "127.0.0.1:0", "--log-format", "json", "--state-dir", folder, "--end-with-stdin"];
  if (!flags.includes("--listen")) own.push("--listen", "127.0.0.1:0");
  const python = process.env.CODING_ENV_TEST_NUMPY_PYTHON;
  if (python) own.push("--python", python);
  const child = spawn(program, ["serve", ...own, ...flags], {
    env: { PATH: process.env.PATH },
    // Its standard input is a pipe that ends with this process, however that ends.
    stdio: ["pipe", "ignore", "pipe"],
  });
  const log = [];
  const told = {};
  const ended = once(child, "exit");
  const lines = createInterface({ input: child.stderr });
  await new Promise((resolve, reject) => {
    lines.on("line", (line) => {
      log.push(line);
      const { message, address } = JSON.parse(line);
      told[message] ??= address;
      if (message === "serving") resolve();
    });
    ended.then(() => reject(new Error(`the server ended at its start:\n${log.join("\n")}`)));
  });
  return {
    address: told.serving,
    port: told.serving.split(":").at(-1),
    url: `http://${told.serving}`,
    log,
    /** How much it has run: steps and episodes, by its own count. */
    async counts() {
      const text = await (await fetch(`http://${told.admin}/metrics`)).text();
      const sum = (name) =>
        text.split("\n").filter((line) => line.startsWith(name)).reduce((all, line) => all + Number(line.split(" ").at(-1)), 0);
      return { steps: sum("coding_env_steps_total"), resets: sum("coding_env_resets_total") };
    },
    async kill() {
      child.kill("SIGKILL");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
    async stop() {
      // The second signal skips the drain.
      child.kill("SIGTERM");
      child.kill("SIGTERM");
      await ended;
      await rm(folder, { recursive: true, force: true });
      const bad = log.filter((line) => JSON.parse(line).level === "ERROR");
      assert.deepEqual(bad, []);
    },
  };
}

/** A web server that is not ours, with an empty page. */
export async function stranger() {
  const server = createServer((_, response) => {
    response.setHeader("content-type", "text/html");
    response.end("<!doctype html><title>stranger</title><body></body>");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    stop: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
}

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM,
    // Chromium's own sandbox does not work for root.
    chromiumSandbox: process.getuid() !== 0,
    args: [
      "--no-proxy-server",
      `--host-resolver-rules=MAP ${PUBLIC_NAME} 127.0.0.1, MAP ${REBOUND_NAME} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1`,
    ],
  });
}

/** A visitor: windows with cookies and storage of their own. `requests` has every address that its pages asked for, `faults` what went wrong in them. */
export async function visitor(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, colorScheme: "light", ...options });
  context.setDefaultTimeout(WITHIN);
  const [requests, faults] = [[], []];
  context.on("request", (request) => requests.push(request.url()));
  context.on("page", (page) => {
    page.on("websocket", (socket) => requests.push(socket.url()));
    page.on("pageerror", (error) => faults.push(String(error)));
    page.on("console", (message) => {
      // What the browser kept a program's page from doing is no fault of ours.
      if (message.type() === "error" && !REFUSED.test(message.text())) faults.push(message.text());
    });
  });
  return { context, requests, faults };
}

/** What a visitor sees of `/web`, by what assistive technology would find. */
export class Playground {
  constructor(page) {
    this.page = page;
    this.editor = page.getByRole("textbox", { name: "Python code" });
    this.steps = page.getByRole("log", { name: "Steps and their output" });
    this.state = page.getByRole("region", { name: "State" });
  }

  static async open(context, url) {
    const page = await context.newPage();
    await page.goto(url);
    const playground = new Playground(page);
    await playground.isReady();
    return playground;
  }

  button(name) {
    return this.page.getByRole("button", { name, exact: true });
  }

  async isReady() {
    await this.state.getByText("ready", { exact: true }).waitFor();
  }

  /** Gives code to the editor and runs it, without waiting for its end. */
  async start(code) {
    await this.editor.focus();
    await this.page.keyboard.insertText(code);
    await this.page.keyboard.press("Control+Enter");
  }

  /** Runs code to its end. Returns the step as it is shown. */
  async run(code) {
    const before = await this.steps.getByRole("article").count();
    await this.start(code);
    return this.ended(before);
  }

  /** The step of this number, once it has ended. */
  async ended(number) {
    const step = this.steps.getByRole("article").nth(number);
    await step.getByText(/^exit code /).waitFor();
    return step;
  }
}

/** What assistive technology would stumble over, as axe finds it: one line for each. */
export async function barriers(page) {
  const source = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  await page.evaluate(source);
  // What programs show is theirs.
  const found = await page.evaluate(() => globalThis.axe.run({ exclude: ["iframe"] }, { iframes: false }));
  return found.violations.map((one) => `${one.id}: ${one.help}: ${one.nodes.map((node) => node.html).join(" ")}`);
}

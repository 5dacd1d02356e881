// What a page of somebody else's tries, from inside the browser of a person whose machine runs the server.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, REBOUND_NAME, serve, stranger, visitor } from "./support.mjs";

const STEP = JSON.stringify({ action: { code: "print('ran')" } });
const MCP = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "execute_python", arguments: { code: "1" } } });
let browser, server, other;

before(async () => {
  [server, other, browser] = await Promise.all([serve(), stranger(), launch()]);
});
after(async () => {
  await browser?.close();
  await other?.stop();
  await server?.stop();
});

/** Lets `attempt` happen on a page at `url`. Nothing has run at the end, and no episode was made. */
async function attacked(url, attempt) {
  const { context } = await visitor(browser);
  const before = await server.counts();
  try {
    const page = await context.newPage();
    await page.goto(url);
    await attempt(page);
    assert.deepEqual(await server.counts(), before);
  } finally {
    await context.close();
  }
}

/** What fetch gives to the script of a page: a status, or the error's name. */
const fetched = (page, url, options = {}) =>
  page.evaluate(async ([url, options]) => {
    const answer = await fetch(url, options).catch((error) => error.name);
    return typeof answer === "string" ? answer : answer.status;
  }, [url, options]);

/** Whether a WebSocket opens for the script of a page. */
const opens = (page, url, protocols = []) =>
  page.evaluate(([url, protocols]) => new Promise((resolve) => {
    const socket = new WebSocket(url, protocols);
    socket.onopen = () => resolve(true);
    socket.onerror = () => resolve(false);
  }), [url, protocols]);

test("fetch: it is neither answered nor heeded, whatever it is made to look like", () =>
  attacked(other.url, async (page) => {
    for (const [path, options] of [
      ["/health", {}],
      ["/health", { mode: "no-cors" }],
      ["/web/app.js", { mode: "no-cors" }],
      ["/step", { method: "POST", body: STEP }],
      ["/step", { method: "POST", body: STEP, headers: { "content-type": "application/json" } }],
      ["/step", { method: "POST", body: STEP, mode: "no-cors" }],
      ["/step", { method: "POST", body: STEP, mode: "no-cors", credentials: "include", referrerPolicy: "no-referrer", keepalive: true }],
      ["/mcp", { method: "POST", body: MCP, mode: "no-cors" }],
      // gRPC would need HTTP/2 in plain text, which browsers do not speak; what looks like it is refused as well.
      ["/coding_env.v1.CodingEnv/Reset", { method: "POST", body: "\0\0\0\0\0", headers: { "content-type": "application/grpc" } }],
    ]) {
      assert.equal(await fetched(page, server.url + path, options), "TypeError", `${path} ${JSON.stringify(options)}`);
    }
    const sent = await page.evaluate(([url, body]) => navigator.sendBeacon(url, body), [`${server.url}/step`, STEP]);
    assert.ok(sent, "a beacon is sent, and its answer is not seen: what has run tells");
  }));

test("WebSockets: none opens", () =>
  attacked(other.url, async (page) => {
    const base = server.url.replace("http", "ws");
    for (const [path, protocols] of [["/ws"], ["/mcp"], ["/web/socket", ["coding-env"]]]) {
      assert.equal(await opens(page, base + path, protocols), false, path);
    }
  }));

test("a form: it is refused", () =>
  attacked(other.url, async (page) => {
    for (const [path, body] of [["/step", STEP], ["/mcp", MCP], ["/reset", "{}"]]) {
      await page.goto(other.url);
      // As text a form can send any JSON: the name of its one field is the first part, the value the rest.
      const [answer] = await Promise.all([
        page.waitForResponse(server.url + path),
        page.waitForURL(server.url + path),
        page.evaluate(([url, body]) => {
          const form = document.createElement("form");
          Object.assign(form, { method: "POST", action: url, enctype: "text/plain" });
          const field = document.createElement("input");
          [field.name, field.value] = [body.slice(0, 1), body.slice(1)];
          form.append(field);
          document.body.append(form);
          form.submit();
        }, [server.url + path, body]),
      ]);
      assert.equal(answer.status(), 403, path);
    }
  }));

test("the page is not shown in a stranger's frame, and its files are no scripts of theirs", () =>
  attacked(other.url, async (page) => {
    await page.evaluate((url) => new Promise((resolve) => {
      const frame = document.createElement("iframe");
      frame.onload = resolve;
      frame.src = url;
      document.body.append(frame);
    }), `${server.url}/web`);
    assert.equal(await page.frames()[1].locator("#run").count(), 0);
    const loaded = await page.evaluate((url) => new Promise((resolve) => {
      const script = document.createElement("script");
      script.onload = () => resolve(true);
      script.onerror = () => resolve(false);
      script.src = url;
      document.body.append(script);
    }), `${server.url}/web/app.js`);
    assert.equal(loaded, false);
  }));

test("DNS rebinding: a name that leads here by itself gives its pages no rights", () =>
  attacked(`http://${REBOUND_NAME}:${server.port}/web`, async (page) => {
    // As the browser sees it, a script of this page has the server's own origin. Even ours does nothing under that name.
    const base = `http://${REBOUND_NAME}:${server.port}`;
    assert.equal(await fetched(page, `${base}/step`, { method: "POST", body: STEP }), 403);
    assert.equal(await fetched(page, `${base}/mcp`, { method: "POST", body: MCP }), 403);
    for (const path of ["/ws", "/web/socket", "/mcp"]) assert.equal(await opens(page, base.replace("http", "ws") + path), false, path);
  }));

test("what an operator allows works", async () => {
  const open = await serve("--allow-origin", other.url);
  const { context } = await visitor(browser);
  try {
    const page = await context.newPage();
    await page.goto(other.url);
    assert.equal(await fetched(page, `${open.url}/step`, { method: "POST", body: STEP, headers: { "content-type": "application/json" } }), 200);
    assert.equal(await opens(page, `${open.url.replace("http", "ws")}/ws`), true);
  } finally {
    await context.close();
    await open.stop();
  }
});

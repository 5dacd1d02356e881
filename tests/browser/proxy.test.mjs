// The page below a path, behind a real proxy that ends TLS, under a name of the operator's: deploy/proxy/haproxy-web.cfg.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { launch, Playground, PUBLIC_NAME, serve, visitor, WITHIN } from "./support.mjs";

const haproxy = process.env.HAPROXY;
const skip = haproxy ? false : "HAPROXY is not set";
const config = new URL("../../deploy/proxy/haproxy-web.cfg", import.meta.url).pathname;
let browser, server, proxy, folder, origin;

before(async () => {
  if (skip) return;
  folder = await mkdtemp(path.join(os.tmpdir(), "coding-env-browser-proxy-"));
  const [key, certificate, both] = ["key.pem", "certificate.pem", "both.pem"].map((name) => path.join(folder, name));
  const command = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  execFileSync("openssl", [...command, "-subj", `/CN=${PUBLIC_NAME}`, "-keyout", key, "-out", certificate], { stdio: "ignore" });
  await writeFile(both, (await readFile(certificate, "utf8")) + (await readFile(key, "utf8")), { mode: 0o600 });
  [server, browser] = await Promise.all([serve("--allow-host", PUBLIC_NAME), launch()]);
  const port = await freePort();
  const environment = { PATH: process.env.PATH, LISTEN: `127.0.0.1:${port}`, CERTIFICATE: both, SERVER: server.address };
  proxy = spawn(haproxy, ["-db", "-f", config], { env: environment, stdio: "ignore" });
  await listens(port);
  origin = `https://${PUBLIC_NAME}:${port}`;
});
after(async () => {
  await browser?.close();
  if (proxy) {
    proxy.kill();
    await once(proxy, "exit");
  }
  await server?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

async function freePort() {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address();
  listener.close();
  await once(listener, "close");
  return port;
}

const answers = (port) =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => resolve(false));
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });

async function listens(port) {
  for (const end = Date.now() + WITHIN; !(await answers(port)); await pause(50)) {
    assert.ok(proxy.exitCode === null && Date.now() < end, "the proxy does not listen");
  }
}

test("the page works below a path, with TLS, over HTTP/2", { skip }, async () => {
  const { context, requests, faults } = await visitor(browser, { ignoreHTTPSErrors: true });
  try {
    // Its other names lead to it.
    const page = await Playground.open(context, `${origin}/coding/web/`);
    assert.equal(page.page.url(), `${origin}/coding/web`);
    await page.start("print('first')\nwhile True: pass");
    await page.steps.getByText("first", { exact: true }).waitFor();
    await page.button("Interrupt").click();
    assert.match(await (await page.ended(0)).innerText(), /KeyboardInterrupt/);
    assert.equal(await page.page.evaluate(() => performance.getEntriesByType("navigation")[0].nextHopProtocol), "h2");
    assert.match(await page.page.getByLabel("The same call as a program").innerText(), new RegExp(`CodingEnv\\("${origin}"\\)`));
    await page.page.getByRole("link", { name: "API" }).click();
    await page.page.getByRole("link", { name: "openapi.json" }).waitFor();
    assert.equal(page.page.url(), `${origin}/coding/docs`);
    assert.deepEqual(faults, []);
    const below = [`${origin}/coding/`, `${origin.replace("https", "wss")}/coding/`];
    const others = requests.filter((asked) => !/^(data|blob):/.test(asked) && !below.some((place) => asked.startsWith(place)));
    assert.deepEqual(others, []);
    assert.ok(requests.includes(`${below[1]}web/socket`), requests.join(" "));
  } finally {
    await context.close();
  }
});

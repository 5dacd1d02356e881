// What a person does with the page.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { barriers, launch, Playground, serve, visitor } from "./support.mjs";

const hasPlots = Boolean(process.env.CODING_ENV_TEST_NUMPY_PYTHON);
let browser, server;

before(async () => {
  server = await serve();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** A visitor's look at the page. At its end nothing has gone wrong in it, and it has asked no host but its own for anything. */
async function visit(look, options = {}, url = `${server.url}/web`) {
  const { context, requests, faults } = await visitor(browser, options);
  try {
    await look(await Playground.open(context, url), context);
    assert.deepEqual(faults, []);
    const own = new URL(url).host;
    const others = requests.filter((asked) => !/^(data|blob|about):/.test(asked) && new URL(asked).host !== own);
    assert.deepEqual(others, []);
    assert.ok(requests.some((asked) => asked.endsWith("/web/socket")), "the socket is among what was watched");
  } finally {
    await context.close();
  }
}

test("output is shown while the code runs, and Interrupt ends it with all variables kept", () =>
  visit(async (page) => {
    await page.start("x = 6\nprint('first')\nimport time\nwhile True: time.sleep(0.01)");
    await page.steps.getByText("first", { exact: true }).waitFor();
    await page.state.getByText("running", { exact: true }).waitFor();
    assert.equal(await page.button("Run").isEnabled(), false);
    await page.button("Interrupt").click();
    const step = await page.ended(0);
    const shown = await step.innerText();
    for (const part of ["first", "KeyboardInterrupt", "exit code 130", "interrupted"]) assert.ok(shown.includes(part), shown);
    assert.match(await (await page.run("x * 7")).innerText(), /\b42\b/);
    assert.match(await page.state.innerText(), /steps\s+2\s+last exit code\s+0\s+last reward\s+0\.1/);
  }));

test("an error keeps what was printed before it, and the episode goes on", () =>
  visit(async (page) => {
    await page.run("count = 1");
    const shown = await (await page.run("print('before')\n1 / 0")).innerText();
    assert.match(shown, /before\s[^]*Traceback[^]*1 \/ 0[^]*ZeroDivisionError: division by zero[^]*exit code 1/);
    assert.match(await page.state.innerText(), /last exit code\s+1/);
    assert.match(await (await page.run("count + 1")).innerText(), /\b2\b/);
  }));

test("a plot is shown as a picture", { skip: hasPlots ? false : "CODING_ENV_TEST_NUMPY_PYTHON is not set" }, () =>
  visit(async (page) => {
    const step = await page.run("import matplotlib.pyplot as plt\nplt.plot([1, 2, 4])\nplt.title('growth')");
    const picture = step.getByRole("img");
    await picture.evaluate((image) => image.decode());
    assert.ok((await picture.evaluate((image) => image.naturalWidth)) > 200);
    assert.ok(await picture.getAttribute("alt"), "it has a text for who does not see it");
  }));

test("what a program shows as a page runs no script and loads nothing", () =>
  visit(async (page) => {
    const step = await page.run(`class Page:
    def _repr_html_(self):
        return '''<b>bold</b><script>document.body.append("ran")</script>
            <img src="${server.url}/health" onerror="document.body.append('ran')"><img src="http://elsewhere.example/">'''
Page()`);
    const frame = step.frameLocator("iframe");
    await frame.getByText("bold").waitFor();
    assert.ok(!(await frame.locator("body").innerText()).includes("ran"));
    const svg = await page.run(`class Picture:
    def _repr_svg_(self):
        return '''<svg xmlns="http://www.w3.org/2000/svg" width="300" height="20"><script>top.document.title = "ran"</script>
            <image href="http://elsewhere.example/"/><rect width="300" height="20"/></svg>'''
Picture()`);
    await svg.getByRole("img").evaluate((image) => image.decode());
    assert.equal(await page.page.title(), "coding-env");
  }));

test("Reset starts a fresh interpreter, also when the old one is gone or busy", () =>
  visit(async (page) => {
    const fresh = page.steps.getByText("A fresh interpreter.");
    await page.run("x = 1");
    await page.button("Reset").click();
    await fresh.nth(1).waitFor();
    assert.match(await (await page.run("x")).innerText(), /NameError/);
    assert.match(await (await page.run("import os\nos._exit(3)")).innerText(), /exit code 3[^]*The interpreter is gone/);
    await page.state.getByText("lost", { exact: true }).waitFor();
    await page.button("Reset").click();
    await fresh.nth(2).waitFor();
    await page.start("print('busy')\nwhile True: pass");
    await page.steps.getByText("busy", { exact: true }).waitFor();
    await page.button("Reset").click();
    await fresh.nth(3).waitFor();
    assert.match(await (await page.run("6 * 7")).innerText(), /\b42\b/);
  }));

test("two windows, and two tabs of one, see nothing of each other", () =>
  visit(async (page, context) => {
    await page.run("secret = 'of the first'\nopen('file', 'w').close()");
    const asked = "import os\nprint('secret' in globals(), os.listdir())";
    const other = await Playground.open(context, `${server.url}/web`);
    assert.match(await (await other.run(asked)).innerText(), /False \[\]/);
    const [tabs, episodes] = [page.page.getByRole("tab", { name: /^Episode/ }), () => page.state.innerText()];
    const first = await episodes();
    await page.button("New episode").click();
    await page.isReady();
    assert.equal(await tabs.count(), 2);
    assert.notEqual(await episodes(), first);
    // One works while the other is looked at.
    await page.start("print('on')\nwhile True: pass");
    await page.steps.getByText("on", { exact: true }).waitFor();
    await tabs.nth(0).click();
    assert.match(await (await page.run(asked)).innerText(), /True \['file'\]/);
    await tabs.nth(1).click();
    await page.button("Interrupt").click();
    assert.match(await (await page.ended(0)).innerText(), /KeyboardInterrupt/);
    await page.button("Close Episode 2").click();
    assert.equal(await tabs.count(), 1);
    assert.match(await (await page.run("secret")).innerText(), /of the first/);
  }));

test("everything is done by the keyboard alone", () =>
  visit(async (page) => {
    const { keyboard } = page.page;
    const press = async (...keys) => {
      for (const key of keys) await keyboard.press(key);
    };
    const focused = () => page.page.evaluate(() => document.activeElement?.getAttribute("aria-label") || document.activeElement?.textContent);
    assert.equal(await focused(), "Python code", "the page opens with the focus in the editor");
    await keyboard.type("total = 40 + 2");
    await press("Control+Enter");
    await page.ended(0);
    await keyboard.type("total");
    await press("Control+Enter");
    assert.match(await (await page.ended(1)).innerText(), /\b42\b/);
    // What was run before comes back, and goes again.
    await press("Alt+ArrowUp", "Alt+ArrowUp");
    assert.equal(await page.editor.innerText(), "total = 40 + 2");
    await press("Alt+ArrowDown", "Alt+ArrowDown");
    await keyboard.type("for n in range(2):");
    await press("Enter", "Tab", "Backspace");
    assert.equal(await focused(), "Python code", "Tab indents");
    await keyboard.type("print(n)");
    await press("Escape", "Tab");
    assert.equal(await focused(), "Run", "after Escape it leaves the editor");
    await press("Enter");
    assert.match(await (await page.ended(2)).innerText(), /0\s+1\s+exit code 0/);
    assert.equal(await focused(), "Python code", "the next step can be written at once");
    // To a new tab and back.
    await page.button("New episode").focus();
    await press("Enter");
    await page.isReady();
    assert.equal(await focused(), "Python code");
    await page.page.getByRole("tab", { name: "Episode 2" }).focus();
    await press("ArrowLeft");
    assert.equal(await focused(), "Episode 1");
    assert.equal(await page.steps.getByRole("article").count(), 3);
    // The languages of the snippet are tabs as well.
    await page.page.getByRole("tab", { name: "Python", exact: true }).focus();
    await press("ArrowRight");
    assert.equal(await focused(), "Rust");
    assert.match(await page.page.getByLabel("The same call as a program").innerText(), /CodingEnv::connect/);
    // Once around, from the top: everything that can be pressed is reached, and shows where the focus is.
    await page.page.getByRole("link", { name: "Skip to the code" }).focus();
    const reached = [];
    for (let count = 0; count < 40 && reached.at(-1) !== "Copy"; count++) {
      await press("Escape", "Tab");
      reached.push(await focused());
    }
    for (const name of ["Switch between light and dark", "Episode 1", "New episode", "Steps and their output", "Python code", "Run", "Reset", "Rust", "Copy"]) {
      assert.ok(reached.includes(name), `${name} is not among ${reached.join(", ")}`);
    }
  }));

for (const colorScheme of ["light", "dark"]) {
  test(`assistive technology finds its way, ${colorScheme}`, () =>
    visit(async (page) => {
      assert.deepEqual(await barriers(page.page), []);
      await page.run("print('out')\nlist(range(3))");
      await page.run("import sys\nprint('bad', file=sys.stderr)\n1 / 0");
      await page.run("class Table:\n    def _repr_html_(self): return '<table><tr><td>1</td></tr></table>'\nTable()");
      await page.start("while True: pass");
      await page.editor.focus();
      await page.page.keyboard.insertText("@decorated\nclass A(int):\n    '''text'''\n    def f(self): return None if self > 1.5 else True  # why");
      await page.button("New episode").click();
      await page.isReady();
      await page.page.getByRole("tab", { name: "Episode 1" }).click();
      assert.deepEqual(await barriers(page.page), []);
      await page.button("Interrupt").click();
      await page.ended(3);
    }, { colorScheme }));
}

test("the switch between light and dark is remembered", () =>
  visit(async (page) => {
    const ground = () => page.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.button("Switch between light and dark").click();
    const dark = await ground();
    assert.notEqual(dark, light);
    await page.page.reload();
    await page.isReady();
    assert.equal(await ground(), dark);
  }));

test("a server with tokens is asked with the one that the person gives, which stays in the window", async () => {
  const file = path.join(os.tmpdir(), `coding-env-browser-tokens-${process.pid}`);
  const token = "anna-0123456789abcdefghijklmnopqrstuv";
  await writeFile(file, `anna ${token}\n`, { mode: 0o600 });
  const guarded = await serve("--tokens-file", file);
  const { context } = await visitor(browser);
  try {
    const page = await context.newPage();
    await page.goto(`${guarded.url}/web`);
    const dialog = page.getByRole("dialog", { name: "This server wants a token" });
    await dialog.waitFor();
    assert.deepEqual(await barriers(page), []);
    const give = async (text) => {
      await dialog.getByLabel("Token").fill(text);
      await dialog.getByLabel("Token").press("Enter");
    };
    await give("wrong");
    await dialog.getByText("The server does not take that token").waitFor();
    await give(token);
    const playground = new Playground(page);
    await playground.isReady();
    assert.match(await (await playground.run("6 * 7")).innerText(), /\b42\b/);
    await page.reload();
    await playground.isReady();
    const other = await context.newPage();
    await other.goto(`${guarded.url}/web`);
    await other.getByRole("dialog", { name: "This server wants a token" }).waitFor();
    assert.ok(!guarded.log.join("\n").includes(token));
  } finally {
    await context.close();
    await guarded.stop();
  }
});

test("a server that is gone is told, and one that is back is found again", async () => {
  const first = await serve();
  const { context } = await visitor(browser);
  const page = await Playground.open(context, `${first.url}/web`);
  await page.start("print('on')\nwhile True: pass");
  await page.steps.getByText("on", { exact: true }).waitFor();
  await first.kill();
  await page.steps.getByText("The connection broke, and the episode ended with it.").waitFor();
  await page.state.getByText("not connected", { exact: true }).waitFor();
  const second = await serve("--listen", first.address);
  try {
    await page.button("Reset").click();
    await page.isReady();
    assert.match(await (await page.run("6 * 7")).innerText(), /\b42\b/);
  } finally {
    await context.close();
    await second.stop();
  }
});

const pictures = process.env.CODING_ENV_SCREENSHOTS;
test("it looks as it should", { skip: pictures ? false : "CODING_ENV_SCREENSHOTS names no folder" }, async () => {
  for (const [name, options] of [
    ["light", { colorScheme: "light" }],
    ["dark", { colorScheme: "dark" }],
    ["narrow", { colorScheme: "light", viewport: { width: 420, height: 900 } }],
  ]) {
    await visit(async (page) => {
      await page.run("def fib(n):\n    a, b = 0, 1\n    for _ in range(n):\n        yield a\n        a, b = b, a + b\n\nprint('Fibonacci')\nlist(fib(12))");
      await page.run("print('before the error')\n1 / 0");
      if (hasPlots) {
        const plot = await page.run("import matplotlib.pyplot as plt\nfig, axes = plt.subplots(figsize=(6, 2.2))\naxes.plot(list(fib(12)), marker='o')\naxes.set_yscale('log')");
        await plot.getByRole("img").evaluate((image) => image.decode());
      }
      await page.editor.focus();
      await page.page.keyboard.insertText("sum(n for n in fib(30) if n % 2 == 0)  # the even ones");
      await page.steps.evaluate((steps) => (steps.scrollTop = steps.scrollHeight));
      await page.page.screenshot({ path: path.join(pictures, `${name}.png`) });
    }, options);
  }
});

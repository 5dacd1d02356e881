import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

import { PATIENCE_MS, serve } from "./support.js";

test("the example of the README", async (t) => {
  const folder = path.join(import.meta.dirname, "..", "..");
  const address = await serve(t);
  const run = promisify(execFile);
  const example = path.join(folder, "dist", "examples", "usage.js");
  const { stdout } = await run(process.execPath, [example, `http://${address}`], { timeout: PATIENCE_MS });
  assert.match(stdout, /^Reset complete: exit_code=0\n/);
  assert.match(stdout, / {2}→ stdout: Hello, World!\n {2}→ exit_code: 0\n/);
  assert.match(stdout, / {2}→ stdout: Result: 8\n/);
  assert.match(stdout, / {2}→ stdout: 3\.141592653589793\n/);
  assert.match(stdout, /Steps: 3\n$/);
  const source = readFileSync(path.join(folder, "examples", "usage.ts"), "utf8");
  const [first, ...others] = snippets(folder);
  assert(first && source.endsWith(first), "README.md and examples/usage.ts differ");

  const more = await run(process.execPath, [path.join(folder, "dist", "examples", "more.js"), `http://${address}`], { timeout: PATIENCE_MS });
  assert.equal(more.stdout, "0\n1\n2\nexit_code: 0\ninterrupted: 130\nb.csv: 3,4\n");
  const rest = readFileSync(path.join(folder, "examples", "more.ts"), "utf8");
  assert.equal(others.length, 3);
  for (const snippet of others) {
    assert(rest.includes(snippet), `README.md and examples/more.ts differ: ${snippet}`);
  }
});

function snippets(folder: string): string[] {
  const readme = readFileSync(path.join(folder, "README.md"), "utf8");
  return [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map((found) => found[1] ?? "");
}

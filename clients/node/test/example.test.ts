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
  const snippet = /```ts\n([\s\S]*?)```/.exec(readFileSync(path.join(folder, "README.md"), "utf8"))?.[1];
  assert(snippet && source.endsWith(snippet), "README.md and examples/usage.ts differ");
});

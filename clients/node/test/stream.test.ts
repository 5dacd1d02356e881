import assert from "node:assert/strict";
import { test } from "node:test";

import { CodingEnvError, Reason, v1 } from "coding-env";

import { connection, Proxy, refused, serve } from "./support.js";

const { OUTPUT_STREAM_STDOUT, OUTPUT_STREAM_STDERR } = v1.OutputStream;

test("output is told once while the code runs, also when the connection breaks", async (t) => {
  const address = await serve(t);
  const proxy = await Proxy.start(t, address);
  const env = connection(t, proxy.address).env();
  await env.reset();
  const code =
    "import os, sys, time\nprint('first')\nprint('error', file=sys.stderr)\n" +
    "while not os.path.exists('go'): time.sleep(0.01)\nprint('last')\n'end'";
  const told = { [OUTPUT_STREAM_STDOUT]: "", [OUTPUT_STREAM_STDERR]: "" };
  const step = env.stepStream(code);
  for await (const piece of step) {
    assert(piece.stream === OUTPUT_STREAM_STDOUT || piece.stream === OUTPUT_STREAM_STDERR);
    assert.deepEqual([piece.offset, piece.droppedBytes], [BigInt(told[piece.stream].length), 0n]);
    told[piece.stream] += String(piece.data);
    if (piece.stream === OUTPUT_STREAM_STDERR) {
      // The code runs yet, and goes on without a reader.
      proxy.cut();
      await env.files.write({ go: "" });
    }
  }
  assert.deepEqual(told, { [OUTPUT_STREAM_STDOUT]: "first\nlast\n", [OUTPUT_STREAM_STDERR]: "error\n" });
  assert.equal((await step.result()).observation?.result, "'end'");
  assert.equal((await env.step("6 * 7")).observation?.result, "42");
  await env.close();
  await refused(env.stepStream("1").result(), Reason.NO_EPISODE);
  await refused(env.stepStream("1")[Symbol.asyncIterator]().next(), Reason.NO_EPISODE);
});

test("who does not want the output gets the result, and who gives up leaves the step to the next one", async (t) => {
  const env = connection(t, await serve(t)).env();
  await env.reset();
  const much = "for n in range(100_000): print(n)\n'end'";
  assert.equal((await env.stepStream(much).result()).observation?.result, "'end'");
  const left = env.stepStream(much);
  for await (const piece of left) {
    assert.equal(piece.offset, 0n);
    break;
  }
  assert.equal((await left.result()).observation?.result, "'end'");
  const giving = new AbortController();
  const counting = "import time\nruns = globals().get('runs', 0) + 1\nprint(f'run {runs}\\n', end='')\ntime.sleep(0.5)\nruns";
  const given = env.stepStream(counting, { signal: giving.signal });
  const reading = (async () => {
    for await (const piece of given) {
      assert.equal(String(piece.data), "run 1\n");
      giving.abort();
    }
  })();
  await refused(reading, Reason.CANCELLED);
  assert.equal((await env.step(counting)).observation?.result, "1", "it ran once");
});

test("files go in and out", async (t) => {
  const env = connection(t, await serve(t)).env();
  await refused(env.files.write({ a: "1" }), Reason.NO_EPISODE);
  await env.reset();
  // Empty, in one message, in many, and many.
  const files: Record<string, string | Buffer> = {
    empty: "",
    "deep/er/small": "1",
    large: Buffer.alloc(1_600_000, "0123456789abcdef"),
  };
  for (let number = 0; number < 1500; number += 1) {
    files[`many/${number}`] = "x".repeat(number % 7);
  }
  await env.files.write(files);
  const told = await env.step("import os; print(os.path.getsize('large'), len(os.listdir('many')))");
  assert.equal(told.observation?.stdout, "1600000 1500\n");
  const found = await env.files.read(["**"]);
  assert.equal(Object.keys(found).length, Object.keys(files).length);
  for (const [path, data] of Object.entries(files)) {
    assert(found[path]?.equals(Buffer.from(data)), path);
  }
});

test("what is wrong with some files is told", async (t) => {
  const env = connection(t, await serve(t)).env();
  await env.reset();
  const error = await refused(env.files.write({ a: "1", "a/b": "2", c: "3" }), Reason.FILES);
  assert(error instanceof CodingEnvError);
  assert.deepEqual(error.failures.map((failure) => failure.path), ["a/b"]);
  assert.equal(String((await env.files.read("c"))["c"]), "3");
  assert.match((await refused(env.files.read(["none", "c"]), Reason.FILES)).message, /none/);
  await refused(env.files.read("/etc/passwd"), Reason.INVALID_FIELD);
});

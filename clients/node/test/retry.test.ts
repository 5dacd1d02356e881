import { status } from "@grpc/grpc-js";
import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";

import { CodingEnv, type Connection, Reason, v1 } from "coding-env";

import { connection, Proxy, refused, serve, waitUntil } from "./support.js";

/** Counts how often it ran, and takes its time. */
const COUNTING = "import time\nn = globals().get('n', 0) + 1\ntime.sleep(0.5)\nprint(n)";
const RUNNING = v1.EpisodeStatus.EPISODE_STATUS_RUNNING;

/** Asks the server past the proxy. */
async function stateOf(direct: Connection, env: CodingEnv): Promise<v1.GetStateResponse> {
  return direct.send(v1.CodingEnvDefinition.methods.getState, { episodeId: env.episodeId ?? "" });
}

/** A step that has to complete and to print this. */
async function prints(env: CodingEnv, code: string, text: string): Promise<v1.StepResponse> {
  const reply = await env.step(code);
  assert.equal(reply.observation?.stdout, text, reply.observation?.stderr);
  assert.equal(reply.outcome, v1.Outcome.OUTCOME_COMPLETED);
  return reply;
}

for (const isBackAtOnce of [true, false]) {
  const when = isBackAtOnce ? "while it runs" : "after it has run";
  test(`a step runs once when the connection breaks in it and is back ${when}`, async (t) => {
    const address = await serve(t);
    const direct = connection(t, address);
    const proxy = await Proxy.start(t, address);
    const env = connection(t, proxy.address).env();
    await env.reset();
    const reply = env.step(COUNTING);
    await waitUntil("the step runs", async () => (await stateOf(direct, env)).status === RUNNING);
    proxy.isDown = !isBackAtOnce;
    proxy.cut();
    if (!isBackAtOnce) {
      await waitUntil("the step has run", async () => (await stateOf(direct, env)).state?.stepCount === 1);
      proxy.isDown = false;
    }
    assert.equal((await reply).observation?.stdout, "1\n");
    await prints(env, "print(n)", "1\n");
    assert.equal((await stateOf(direct, env)).state?.stepCount, 2);
  });
}

test("a reset whose reply was lost leaves one episode", async (t) => {
  const address = await serve(t);
  const direct = connection(t, address);
  const episodes = async (): Promise<number | undefined> => (await direct.serverInfo()).capacity?.episodes;
  const proxy = await Proxy.start(t, address);
  const shared = connection(t, proxy.address);
  await shared.ready();
  const env = shared.env();

  // Tried again: the same episode.
  proxy.isMuted = true;
  const reset = env.reset();
  await waitUntil("the episode is there", async () => (await episodes()) === 1);
  proxy.isMuted = false;
  proxy.cut();
  await reset;
  assert.equal(await episodes(), 1);
  await prints(env, "print('here')", "here\n");

  // Given up: ended with the next one.
  proxy.isMuted = true;
  const other = shared.env();
  const giveUp = new AbortController();
  const given = refused(other.reset({ signal: giveUp.signal }), Reason.CANCELLED);
  await waitUntil("the episode is there", async () => (await episodes()) === 2);
  giveUp.abort();
  await given;
  proxy.isMuted = false;
  proxy.cut();
  await other.reset();
  assert.equal(await episodes(), 2);
  await other.close();
  assert.equal(await episodes(), 1);
});

test("after a step was given up the same code gets its reply and other code runs after it", async (t) => {
  const env = connection(t, await serve(t)).env();
  await env.reset();
  const giveUp = async (code: string): Promise<void> => {
    await refused(env.step(code, { timeoutMs: 10_000, signal: AbortSignal.timeout(100) }), Reason.CANCELLED);
  };
  await giveUp(COUNTING);
  await prints(env, COUNTING, "1\n");

  await giveUp(COUNTING);
  // A refusal between them settles nothing.
  await refused(env.step("1", { limits: { outputBytes: 2 ** 30 } }), Reason.INVALID_FIELD);
  await prints(env, "print('then', n)", "then 2\n");
  await prints(env, "print(n)", "2\n");
});

test("a server that does not answer", async (t) => {
  const proxy = await Proxy.start(t, await serve(t));
  const shared = connection(t, proxy.address, { deadlineMs: 2000 });
  await shared.ready();
  proxy.isMuted = true;
  assert.equal((await refused(shared.serverInfo(), Reason.DEADLINE)).code, status.DEADLINE_EXCEEDED);
});

test("a refusal with a time to try again is tried again", async (t) => {
  const address = await serve(t, "--max-running-steps", "1", "--max-waiting-steps", "0");
  const shared = connection(t, address);
  const [busy, env] = [shared.env(), shared.env()];
  await busy.reset();
  await env.reset();
  const ended = busy.step("import time\ntime.sleep(60)");
  await waitUntil("the step runs", async () => (await busy.state()).status === RUNNING);

  const hasty = connection(t, address, { deadlineMs: 400 }).env();
  await hasty.reset();
  const error = await refused(hasty.step("1"), Reason.STEP_LIMIT);
  assert.equal(error.code, status.RESOURCE_EXHAUSTED);
  assert(error.retryAfterMs !== undefined && error.retryAfterMs > 0);

  const reply = env.step("1 + 1");
  await waitUntil("it is interrupted", async () => busy.interrupt());
  assert.equal((await ended).outcome, v1.Outcome.OUTCOME_INTERRUPTED);
  assert.equal((await reply).observation?.result, "2");
});

test("nobody there", async (t) => {
  const listener = net.createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as net.AddressInfo;
  listener.close();
  await once(listener, "close");
  const options = { deadlineMs: 400 };
  await refused(CodingEnv.connect(`127.0.0.1:${port}`, options), Reason.CONNECT);
  await refused(connection(t, `127.0.0.1:${port}`, options).serverInfo(), Reason.CONNECT);
  for (const url of ["", "ftp://127.0.0.1:1", "http://", "http://127.0.0.1:1/path"]) {
    await refused(CodingEnv.connect(url), Reason.URL);
  }
});

test("another server in its place", async (t) => {
  const proxy = await Proxy.start(t, await serve(t, "--server-id", "first"));
  const env = connection(t, proxy.address).env();
  await env.reset();
  proxy.target = await serve(t, "--server-id", "second");
  proxy.cut();
  await refused(env.step("1"), Reason.EPISODE_SERVER_GONE);
  await env.reset();
  assert.equal((await prints(env, "print(1)", "1\n")).serverId, "second");
});

test("many episodes over one connection", async (t) => {
  const shared = connection(t, await serve(t));
  const episode = async (number: number): Promise<void> => {
    const env = shared.env();
    await env.reset();
    for (let step = 1; step <= 3; step += 1) {
      await prints(env, `x = ${number} + globals().get('x', 0)\nprint(x)`, `${number * step}\n`);
    }
    await env.close();
  };
  await Promise.all(Array.from({ length: 200 }, (_, number) => episode(number)));
  assert.equal((await shared.serverInfo()).capacity?.episodes, 0);
});

test("calls of one environment wait for their turn", async (t) => {
  const env = connection(t, await serve(t)).env();
  const reset = env.reset();
  const steps = Array.from({ length: 20 }, () => env.step("n = globals().get('n', 0) + 1\nn"));
  await reset;
  const results = (await Promise.all(steps)).map((reply) => reply.observation?.result);
  assert.deepEqual(
    results,
    results.map((_, at) => String(at + 1)),
  );
});

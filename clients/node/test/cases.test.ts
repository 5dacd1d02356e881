// The table that the clients of all languages share: ../../README.md.
import { status } from "@grpc/grpc-js";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";

import { type CodingEnv, CodingEnvError, type Connection, type ResetOptions, type StepOptions, v1 } from "coding-env";

import { CASES, connection, serve } from "./support.js";

type Values = Record<string, unknown>;

interface Call {
  step?: Values & { code: string };
  interrupt?: boolean;
  reset?: Values;
  state?: Values;
  close?: Values;
  end?: Values;
  expect?: Values;
  expect_error?: { code?: string; reason: string; fields?: string[] };
}

interface Case {
  name: string;
  reset?: Values;
  calls: Call[];
}

/** "0.2s" as milliseconds. */
function milliseconds(text: unknown): number {
  assert(typeof text === "string" && /^[\d.]+s$/.test(text), String(text));
  return Number(text.slice(0, -1)) * 1000;
}

/** The contract's JSON with its durations as the generated code reads them. */
function withDurations(values: Values): Values {
  const entries = Object.entries(values).map(([name, value]): [string, unknown] => {
    if (typeof value === "string" && /^[\d.]+s$/.test(value)) {
      return [name, { seconds: Math.floor(milliseconds(value) / 1000), nanos: (milliseconds(value) % 1000) * 1e6 }];
    }
    return [name, value];
  });
  return Object.fromEntries(entries);
}

function resetOptions({ limits, ...rest }: Values): ResetOptions {
  const request = v1.ResetRequest.fromJSON({ ...rest, limits: withDurations((limits ?? {}) as Values) });
  return { ...request, seed: request.seed };
}

function stepOptions({ timeout, limits, code: _, ...rest }: Values): StepOptions {
  const request = v1.StepRequest.fromJSON({ ...rest, limits: withDurations((limits ?? {}) as Values) });
  return {
    timeoutMs: timeout === undefined ? undefined : milliseconds(timeout),
    limits: request.limits,
    maxReplyBytes: request.maxReplyBytes,
  };
}

/** Interrupts the running step, again and again until an interrupt has hit. */
async function interrupt(env: CodingEnv, step: Promise<unknown>): Promise<void> {
  let hasEnded = false;
  void step.catch(() => undefined).then(() => (hasEnded = true));
  while (!hasEnded) {
    if (await env.interrupt()) {
      return;
    }
    await setTimeout(5);
  }
  assert.fail("no interrupt has hit before the step ended");
}

/** Makes one call and returns what there is to compare. */
async function run(shared: Connection, env: CodingEnv, call: Call): Promise<Values> {
  if (call.step) {
    const step = env.step(call.step.code, stepOptions(call.step));
    if (call.interrupt) {
      await interrupt(env, step);
    }
    const reply = await step;
    return {
      stdout: reply.observation?.stdout,
      stderr: reply.observation?.stderr,
      exit_code: reply.observation?.exitCode,
      result: reply.observation?.result ?? null,
      outcome: reply.outcome,
      state_after: reply.stateAfter,
      done: reply.done,
      reward: reply.reward ?? null,
      metadata: reply.metadata,
      exception: reply.reported?.exception?.type ?? "",
      stdout_truncated: reply.observed?.stdoutTruncated,
    };
  }
  if (call.reset) {
    const reply = await env.reset(resetOptions(call.reset));
    return {
      stdout: reply.observation?.stdout,
      stderr: reply.observation?.stderr,
      exit_code: reply.observation?.exitCode,
      done: reply.done,
      reward: reply.reward ?? null,
      metadata: reply.metadata,
    };
  }
  if (call.state) {
    const { state, status } = await env.state();
    return { step_count: state?.stepCount, last_exit_code: state?.lastExitCode, status };
  }
  if (call.close) {
    await env.close();
  } else if (call.end) {
    await shared.send(v1.CodingEnvDefinition.methods.close, { episodeId: env.episodeId ?? "" });
  } else {
    assert.fail(`no such call: ${JSON.stringify(call)}`);
  }
  return {};
}

function compare(got: Values, expect: Values, where: string): void {
  for (const [key, want] of Object.entries(expect)) {
    const name = key.replace(/_contains$/, "");
    assert(name in got, `${where}: no such key: ${key}`);
    const value = got[name];
    if (name !== key) {
      assert(String(value).includes(String(want)), `${where}: ${key}: ${String(value).slice(0, 300)}`);
    } else if (name === "reward" && typeof want === "number") {
      assert(typeof value === "number" && Math.abs(value - want) < 1e-9, `${where}: reward ${value} instead of ${want}`);
    } else {
      assert.deepEqual(value, want, `${where}: ${key}`);
    }
  }
}

test("cases", async (t) => {
  const { cases } = JSON.parse(readFileSync(CASES, "utf8")) as { cases: Case[] };
  assert(cases.length >= 30);
  const shared = connection(t, await serve(t));
  for (const { name, reset, calls } of cases) {
    await t.test(name, async () => {
      const env = shared.env();
      await env.reset(resetOptions(reset ?? {}));
      for (const [at, call] of calls.entries()) {
        const where = `call ${at}`;
        const want = call.expect_error;
        if (!want) {
          compare(await run(shared, env, call), call.expect ?? {}, where);
          continue;
        }
        const error = await run(shared, env, call).then(
          () => assert.fail(`${where}: it succeeded`),
          (error: unknown) => error,
        );
        assert(error instanceof CodingEnvError, String(error));
        assert.equal(error.reason, want.reason, `${where}: ${error.message}`);
        assert.equal(status[error.code], want.code ?? "OK", where);
        if (want.fields) {
          assert.deepEqual(error.fields.map(({ field }) => field).sort(), want.fields, where);
        }
      }
      await env.close();
    });
  }
});

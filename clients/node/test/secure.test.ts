import * as grpc from "@grpc/grpc-js";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

import { CodingEnvError, Connection, type Options, Reason, v1 } from "coding-env";

import { connection, Proxy, serve } from "./support.js";

/** A certificate for 127.0.0.1 that signs itself, and its key. */
function certificate(): { cert: Buffer; key: Buffer } {
  const folder = mkdtempSync(path.join(tmpdir(), "coding-env-node"));
  try {
    const [cert, key] = [path.join(folder, "cert.pem"), path.join(folder, "key.pem")];
    const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=test"];
    execFileSync("openssl", ["req", "-x509", ...kind, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert], {
      stdio: "pipe",
    });
    return { cert: readFileSync(cert), key: readFileSync(key) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("TLS with a certificate of the client's own", async (t) => {
  const { cert, key } = certificate();
  const secure = { cert, key, ca: [cert], requestCert: true, rejectUnauthorized: true, ALPNProtocols: ["h2"] };
  const proxy = await Proxy.start(t, await serve(t), secure);
  const url = `https://${proxy.address}`;
  const env = connection(t, url, { tls: { ca: cert, cert, key } }).env();
  await env.reset();
  assert.equal((await env.step("print('over TLS')")).observation?.stdout, "over TLS\n");

  const wrong: Record<string, NonNullable<Options["tls"]>> = {
    "an unknown authority": {},
    "without a certificate": { ca: cert },
    "a name that it has not": { ca: cert, cert, key, serverName: "else" },
  };
  for (const [name, tls] of Object.entries(wrong)) {
    const error = await connection(t, url, { deadlineMs: 1500, tls })
      .env()
      .reset()
      .then(() => assert.fail(name), (error: unknown) => error);
    assert(error instanceof CodingEnvError && error.message.includes(Reason.CONNECT), `${name}: ${error}`);
  }
  assert.throws(() => new Connection(proxy.address, { tls: { ca: cert } }), { reason: Reason.URL });
});

test("headers", async (t) => {
  const kept: grpc.Metadata[] = [];
  const method = <Q, R>(name: string, request: { decode(bytes: Uint8Array): Q }, response: v1.MessageFns<R>) => ({
    path: `/coding_env.v1.CodingEnv/${name}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: () => Buffer.alloc(0),
    requestDeserialize: (bytes: Buffer) => request.decode(bytes),
    responseSerialize: (message: R) => Buffer.from(response.encode(message).finish()),
    responseDeserialize: (bytes: Buffer) => response.decode(bytes),
  });
  const server = new grpc.Server();
  const answer = <R>(response: v1.MessageFns<R>): grpc.handleUnaryCall<unknown, R> => {
    return (call, callback) => {
      kept.push(call.metadata);
      const headers = new grpc.Metadata();
      headers.set("x-coding-env-server", "lab");
      call.sendMetadata(headers);
      callback(null, response.decode(new Uint8Array()));
    };
  };
  server.addService(
    {
      reset: method("Reset", v1.ResetRequest, v1.ResetResponse),
      step: method("Step", v1.StepRequest, v1.StepResponse),
    },
    { reset: answer(v1.ResetResponse), step: answer(v1.StepResponse) },
  );
  const port = await promisify(server.bindAsync.bind(server))("127.0.0.1:0", grpc.ServerCredentials.createInsecure());
  t.after(() => server.forceShutdown());

  const env = connection(t, `127.0.0.1:${port}`, { token: "secret" }).env();
  await env.reset();
  await env.step("1");
  assert.equal(kept.length, 2);
  for (const [at, name] of [undefined, "lab"].entries()) {
    assert.deepEqual(kept[at]?.get("authorization"), ["Bearer secret"]);
    assert.deepEqual(kept[at]?.get("x-episode-id"), [env.episodeId]);
    assert.deepEqual(kept[at]?.get("x-coding-env-server"), name === undefined ? [] : [name]);
  }
});

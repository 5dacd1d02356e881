import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  credentials,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import { once } from "node:events";

import { CodingEnv } from "./env.js";
import { CodingEnvError, Reason } from "./errors.js";
import { CodingEnvDefinition, type GetServerInfoResponse, type MessageFns } from "./gen/coding_env/v1/coding_env.js";
import { Retry } from "./retry.js";

/** The headers of "Routing" in the contract. */
const SERVER_HEADER = "x-coding-env-server";
const EPISODE_HEADER = "x-episode-id";
/** The largest reply that this client decodes; a server sends less unless a step asks for more. */
const REPLY_BYTES_MAX = 64 << 20;

/** How a client behaves. */
export interface Options {
  /**
   * How long a call may take in all, retries included, in milliseconds. Default 5 min. A step whose timeout is longer gets that and a
   * minute.
   */
  deadlineMs?: number;
  /** The first pause before a retry, in milliseconds; it doubles each time and is spread at random. Default 20. */
  retryFirstMs?: number;
  /** The longest pause before a retry, in milliseconds, unless the server asks for a longer one. Default 2000. */
  retryMaxMs?: number;
  /** How often an idle connection is checked, in milliseconds. Default 20000. */
  keepaliveMs?: number;
  /** Sent as `authorization: Bearer TOKEN`. Over http:// it travels in the clear. */
  token?: string;
  /** For https://, in PEM: own roots, a client certificate with its key, the name that the server's certificate has to bear. */
  tls?: { ca?: string | Buffer; cert?: string | Buffer; key?: string | Buffer; serverName?: string };
  /** Given to gRPC after this client's own. */
  channelOptions?: ChannelOptions;
}

/** For every call. */
export interface CallLimits {
  /** Ends the wait for the reply. A step that runs goes on. */
  signal?: AbortSignal | undefined;
}

/** What a call needs to know of an episode. @internal */
export interface Route {
  readonly id: string;
  readonly server: string | undefined;
}

/** A method of the contract: one of `v1.CodingEnvDefinition.methods`. */
export interface Method<Q, R> {
  readonly name: string;
  readonly requestType: MessageFns<Q>;
  readonly responseType: MessageFns<R>;
}

/** A connection to one server. Thousands of environments can share it. */
export class Connection {
  readonly #client: Client;
  /** @internal */
  readonly deadlineMs: number;
  readonly #options: Options;

  /** Prepares a connection to a server, `http://HOST:PORT` or `https://HOST:PORT`. It connects with the first call; see `ready`. */
  constructor(url: string, options: Options = {}) {
    const { target, isSecure } = parse(url);
    if (options.tls && !isSecure) {
      throw new CodingEnvError(Reason.URL, `tls is set and \`${url}\` is not https://`);
    }
    this.#options = options;
    this.deadlineMs = options.deadlineMs ?? 300_000;
    const keepaliveMs = options.keepaliveMs ?? 20_000;
    this.#client = new Client(target, isSecure ? secure(options.tls) : credentials.createInsecure(), {
      "grpc.max_receive_message_length": REPLY_BYTES_MAX,
      "grpc.max_send_message_length": -1,
      "grpc.keepalive_time_ms": keepaliveMs,
      "grpc.keepalive_timeout_ms": 20_000,
      "grpc.keepalive_permit_without_calls": 1,
      "grpc.initial_reconnect_backoff_ms": options.retryFirstMs ?? 20,
      "grpc.max_reconnect_backoff_ms": options.retryMaxMs ?? 2000,
      "grpc.service_config_disable_resolution": 1,
      "grpc-node.flow_control_window": 1 << 20,
      ...(options.tls?.serverName === undefined ? {} : { "grpc.ssl_target_name_override": options.tls.serverName }),
      ...options.channelOptions,
    });
  }

  /** Connects. CONNECT when nobody answers within the deadline. */
  async ready(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#client.waitForReady(Date.now() + this.deadlineMs, (error) => {
        if (error) {
          const target = this.#client.getChannel().getTarget();
          reject(new CodingEnvError(Reason.CONNECT, `nobody answers at ${target}`, { cause: error }));
        } else {
          resolve();
        }
      });
    });
  }

  /** An environment without an episode. */
  env(): CodingEnv {
    return new CodingEnv(this);
  }

  /** What the server is, what it allows, and what it is doing. */
  async serverInfo(limits: CallLimits = {}): Promise<GetServerInfoResponse> {
    return this.send(CodingEnvDefinition.methods.getServerInfo, {}, limits);
  }

  /** Calls a method of the contract by itself, with the same retries: for what `CodingEnv` does not cover. */
  async send<Q, R>(method: Method<Q, R>, request: Q, limits: CallLimits = {}): Promise<R> {
    return (await this.call(method, request, undefined, this.deadlineMs, limits.signal)).response;
  }

  /** Closes the connection. Its episodes are left to the server's idle timeout, unless they were closed before. */
  close(): void {
    this.#client.close();
  }

  /**
   * Sends a request until it is answered, refused, or the deadline has passed. Every request can be sent again: a Reset bears its request
   * id, a Step its index, and the others do the same again.
   * @internal
   */
  async call<Q, R>(
    method: Method<Q, R>,
    request: Q,
    route: Route | undefined,
    deadlineMs: number,
    signal: AbortSignal | undefined,
  ): Promise<{ response: R; server: string | undefined }> {
    const end = Date.now() + deadlineMs;
    return this.retrying(end, signal, (before) => this.#try(method, request, route, end, signal, before));
  }

  /**
   * Tries until it succeeds, is refused, or the end has come. `before` is how the last try failed.
   * @internal
   */
  async retrying<T>(
    end: number,
    signal: AbortSignal | undefined,
    run: (before: CodingEnvError | undefined) => Promise<T>,
  ): Promise<T> {
    const retry = new Retry(this.#options.retryFirstMs ?? 20, this.#options.retryMaxMs ?? 2000, end);
    let before: CodingEnvError | undefined;
    for (;;) {
      try {
        return await run(before);
      } catch (error) {
        if (!(error instanceof CodingEnvError) || !error.isRetryable || !(await retry.pause(error, signal))) {
          throw error;
        }
        before = error;
      }
    }
  }

  /**
   * One try of a method whose requests or responses are many: yields the responses. Who leaves it early ends the call.
   * @internal
   */
  async *open<Q, R>(
    method: Method<Q, R>,
    requests: Iterable<Q>,
    route: Route,
    end: number,
    signal: AbortSignal | undefined,
    before: CodingEnvError | undefined,
  ): AsyncGenerator<R, void, void> {
    if (signal?.aborted) {
      throw aborted(signal, before);
    }
    const call = this.#client.makeBidiStreamRequest(
      `/${CodingEnvDefinition.fullName}/${method.name}`,
      (message: Q) => Buffer.from(method.requestType.encode(message).finish()),
      (bytes) => method.responseType.decode(bytes),
      this.#metadata(route),
      { deadline: end },
    );
    const abort = (): void => call.cancel();
    signal?.addEventListener("abort", abort, { once: true });
    // How it went is told by the responses: a call that has ended takes no more requests.
    call.on("error", () => undefined);
    void (async () => {
      for (const request of requests) {
        if (!call.write(request) && !call.destroyed) {
          await Promise.race([once(call, "drain"), once(call, "close")]);
        }
        if (call.destroyed) {
          return;
        }
      }
      call.end();
    })().catch(() => undefined);
    try {
      for await (const response of call as AsyncIterable<R>) {
        yield response;
      }
    } catch (error) {
      throw signal?.aborted ? aborted(signal, before) : CodingEnvError.from(error as ServiceError, before);
    } finally {
      signal?.removeEventListener("abort", abort);
      call.cancel();
    }
  }

  #metadata(route: Route | undefined): Metadata {
    const metadata = new Metadata();
    if (this.#options.token !== undefined) {
      metadata.set("authorization", `Bearer ${this.#options.token}`);
    }
    if (route) {
      metadata.set(EPISODE_HEADER, route.id);
      if (route.server !== undefined) {
        metadata.set(SERVER_HEADER, route.server);
      }
    }
    return metadata;
  }

  async #try<Q, R>(
    method: Method<Q, R>,
    request: Q,
    route: Route | undefined,
    end: number,
    signal: AbortSignal | undefined,
    before: CodingEnvError | undefined,
  ): Promise<{ response: R; server: string | undefined }> {
    if (signal?.aborted) {
      throw aborted(signal, before);
    }
    let server: string | undefined;
    let abort: (() => void) | undefined;
    try {
      const response = await new Promise<R>((resolve, reject) => {
        const call = this.#client.makeUnaryRequest(
          `/${CodingEnvDefinition.fullName}/${method.name}`,
          (message: Q) => Buffer.from(method.requestType.encode(message).finish()),
          (bytes) => method.responseType.decode(bytes),
          request,
          this.#metadata(route),
          { deadline: end },
          (error, response) => {
            if (!error) {
              resolve(response as R);
            } else {
              reject(signal?.aborted ? aborted(signal, before) : CodingEnvError.from(error, before));
            }
          },
        );
        call.on("metadata", (headers: Metadata) => {
          server = headers.get(SERVER_HEADER)[0]?.toString();
        });
        abort = () => call.cancel();
        signal?.addEventListener("abort", abort, { once: true });
      });
      return { response, server };
    } finally {
      if (abort) {
        signal?.removeEventListener("abort", abort);
      }
    }
  }
}

function aborted(signal: AbortSignal, before: CodingEnvError | undefined): CodingEnvError {
  return new CodingEnvError(Reason.CANCELLED, "the call was aborted", { before, cause: signal.reason });
}

function parse(url: string): { target: string; isSecure: boolean } {
  const refused = new CodingEnvError(Reason.URL, `\`${url}\` is no URL of a server: it has to be like http://127.0.0.1:8000`);
  let parsed: URL;
  try {
    parsed = new URL(url.includes("://") ? url : `http://${url}`);
  } catch (cause) {
    throw new CodingEnvError(Reason.URL, refused.message, { cause });
  }
  const ports: Record<string, string> = { "http:": "80", "https:": "443" };
  const port = ports[parsed.protocol];
  if (port === undefined || parsed.hostname === "" || parsed.pathname !== "/") {
    throw refused;
  }
  return { target: `${parsed.hostname}:${parsed.port || port}`, isSecure: parsed.protocol === "https:" };
}

function secure(tls: Options["tls"]): ChannelCredentials {
  const buffer = (pem: string | Buffer | undefined): Buffer | null => (pem === undefined ? null : Buffer.from(pem));
  return credentials.createSsl(buffer(tls?.ca), buffer(tls?.key), buffer(tls?.cert));
}

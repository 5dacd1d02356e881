import { type CallLimits, Connection, type Options, type Route } from "./connection.js";
import { CodingEnvError, Reason } from "./errors.js";
import {
  CodingEnvDefinition,
  type DeepPartial,
  type GetServerInfoResponse,
  type GetStateResponse,
  type Limits,
  Network,
  OutputStream,
  ResetRequest,
  type ResetResponse,
  type StepLimits,
  StepRequest,
  type StepResponse,
  StepStreamRequest,
} from "./gen/coding_env/v1/coding_env.js";
import type { Duration } from "./gen/google/protobuf/duration.js";
import { Files } from "./files.js";
import { StepStream } from "./stream.js";
import { uuidv7 } from "./uuid.js";

const { methods } = CodingEnvDefinition;
/** How long a call may wait beyond the step's own timeout, in milliseconds: for its turn, for the grace and for the network. */
const CALL_SLACK_MS = 60_000;

/** What a Reset may ask for. */
export interface ResetOptions extends CallLimits {
  /** Makes the episode's random numbers reproducible. Absent: every episode differs. */
  seed?: bigint | number | undefined;
  /** The runtime's name. Absent: the default. */
  runtime?: string | undefined;
  /** Lowers limits for this episode. */
  limits?: DeepPartial<Limits> | undefined;
  /** Environment variables to add. */
  environment?: Record<string, string> | undefined;
  /** The network that the episode has. */
  network?: Network | undefined;
}

/** What a Step may ask for. */
export interface StepOptions extends CallLimits {
  /** How long the code may run, in milliseconds. Absent: the server's default. */
  timeoutMs?: number | undefined;
  /** Lowers limits for this step. */
  limits?: DeepPartial<StepLimits> | undefined;
  /** The largest reply, in bytes. Absent: the server's default. */
  maxReplyBytes?: number | undefined;
}

interface Episode extends Route {
  /** How many steps have run, as far as this client knows. */
  steps: number;
  /** One more may have run, or may be running: its reply never came. */
  isUnsure: boolean;
}

/** Milliseconds as the contract's duration. */
export function duration(ms: number): Duration {
  const seconds = Math.floor(ms / 1000);
  return { seconds: BigInt(seconds), nanos: Math.round((ms - seconds * 1000) * 1e6) };
}

/**
 * One environment: at most one episode at a time, on one server. Calls of `reset`, `step` and `close` wait for their turn; `state` and
 * `interrupt` go beside them. An episode that is not closed is left to the server's idle timeout.
 */
export class CodingEnv {
  readonly #connection: Connection;
  #ownsConnection = false;
  #turn: Promise<void> = Promise.resolve();
  #episode: Episode | undefined;
  /** Episodes that a Reset may have made whose reply never came: ended with the next one, so that none is left over. */
  readonly #unsure: Route[] = [];

  /** See `Connection.env`. @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Connects to a server, `http://HOST:PORT`. The environment has a connection of its own, which `close` closes too.
   * CONNECT when nobody answers within the deadline.
   */
  static async connect(url: string, options: Options = {}): Promise<CodingEnv> {
    const connection = new Connection(url, options);
    try {
      await connection.ready();
    } catch (error) {
      connection.close();
      throw error;
    }
    const env = connection.env();
    env.#ownsConnection = true;
    return env;
  }

  /** The id of the episode, once there is one. */
  get episodeId(): string | undefined {
    return this.#episode?.id;
  }

  /** Starts a fresh episode and ends the one before. */
  async reset(options: ResetOptions = {}): Promise<ResetResponse> {
    return this.#inTurn(async () => {
      const request = ResetRequest.fromPartial({
        episodeId: uuidv7(),
        requestId: uuidv7(),
        previousEpisodeId: this.#episode?.id ?? "",
        seed: options.seed === undefined ? undefined : BigInt(options.seed),
        runtime: options.runtime ?? "",
        limits: options.limits,
        environment: options.environment ?? {},
        network: options.network ?? Network.NETWORK_UNSPECIFIED,
      });
      let route: Route = { id: request.episodeId, server: this.#episode?.server };
      let reply;
      try {
        reply = await this.#reset(request, route, options.signal);
      } catch (error) {
        if (!(error instanceof CodingEnvError) || error.reason !== Reason.EPISODE_SERVER_GONE || route.server === undefined) {
          throw error;
        }
        // The server of the episode before is gone, and so is that episode: any server will do.
        route = { id: request.episodeId, server: undefined };
        reply = await this.#reset({ ...request, previousEpisodeId: "" }, route, options.signal);
      }
      this.#episode = { id: route.id, server: reply.server ?? route.server, steps: 0, isUnsure: false };
      await this.#endUnsure();
      return reply.response;
    });
  }

  async #reset(request: ResetRequest, route: Route, signal: AbortSignal | undefined) {
    const { deadlineMs } = this.#connection;
    try {
      return await this.#connection.call(methods.reset, request, route, deadlineMs, signal);
    } catch (error) {
      if (error instanceof CodingEnvError && error.isUnsure) {
        this.#unsure.push(route);
      }
      throw error;
    }
  }

  /**
   * Runs code in the episode.
   *
   * After an error that leaves open whether a step ran (DEADLINE, CONNECT, CANCELLED), the same code again gets the reply of that step;
   * other code runs after it.
   */
  async step(code: string, options: StepOptions = {}): Promise<StepResponse> {
    return this.#run(code, options, async (request, episode, end) => {
      return (await this.#connection.call(methods.step, request, episode, end - Date.now(), options.signal)).response;
    });
  }

  /**
   * Runs code in the episode, and tells what it prints while it runs: `for await (const piece of env.stepStream(code))`, and then
   * `await step.result()`. The step begins at once. See `StepStream`.
   */
  stepStream(code: string, options: StepOptions = {}): StepStream {
    return new StepStream((take) => {
      // Kept from try to try, so that one that follows goes on where the one before broke.
      const stream = StepStreamRequest.fromPartial({});
      return this.#run(code, options, (request, episode, end) =>
        this.#connection.retrying(end, options.signal, async (before) => {
          stream.step = request;
          const responses = this.#connection.open(methods.stepStream, [stream], episode, end, options.signal, before);
          for await (const { event } of responses) {
            if (event?.$case === "reply") {
              return event.reply;
            }
            if (event?.$case === "piece") {
              const { piece } = event;
              const offset = piece.offset + BigInt(piece.data.length);
              if (piece.stream === OutputStream.OUTPUT_STREAM_STDERR) {
                stream.stderrOffset = offset;
              } else {
                stream.stdoutOffset = offset;
              }
              await take(piece);
            }
          }
          throw new CodingEnvError(Reason.CONNECT, "the stream ended before the reply", { before });
        }),
      );
    });
  }

  /** The files of whichever episode there is. They may be moved while a step runs. */
  get files(): Files {
    return new Files(this.#connection, () => this.#current());
  }

  /** Runs a step, with whatever carries it. */
  async #run(
    code: string,
    options: StepOptions,
    send: (request: StepRequest, episode: Episode, end: number) => Promise<StepResponse>,
  ): Promise<StepResponse> {
    return this.#inTurn(async () => {
      const episode = this.#current();
      const begun = { steps: episode.steps, isUnsure: episode.isUnsure };
      let { deadlineMs } = this.#connection;
      if (options.timeoutMs !== undefined) {
        deadlineMs = Math.max(deadlineMs, options.timeoutMs + CALL_SLACK_MS);
      }
      const end = Date.now() + deadlineMs;
      const request = StepRequest.fromPartial({
        episodeId: episode.id,
        action: { code },
        stepIndex: begun.steps,
        timeout: options.timeoutMs === undefined ? undefined : duration(options.timeoutMs),
        limits: options.limits,
        maxReplyBytes: options.maxReplyBytes,
      });
      // The server tells where a step stands that this client knows nothing about: it was admitted, or dropped since.
      let corrections = begun.isUnsure ? 2 : 0;
      let index = begun.steps;
      for (;;) {
        try {
          const message = { ...request, stepIndex: index };
          const response = await send(message, episode, end);
          episode.steps = response.stepIndex + 1;
          episode.isUnsure = false;
          return response;
        } catch (error) {
          if (!(error instanceof CodingEnvError)) {
            throw error;
          }
          const expected = error.expectedStep;
          if (corrections > 0 && (expected === begun.steps || expected === begun.steps + 1)) {
            corrections -= 1;
            index = expected;
            continue;
          }
          if (error.reason === Reason.STEP_REPLY_DROPPED) {
            episode.steps = index + 1;
            episode.isUnsure = false;
          } else if (error.isUnsure) {
            episode.steps = index;
            episode.isUnsure = true;
          }
          // Any other refusal tells nothing about a step before it whose reply never came.
          throw error;
        }
      }
    });
  }

  /** The state and life-cycle facts of the episode. */
  async state(limits: CallLimits = {}): Promise<GetStateResponse> {
    const episode = this.#current();
    const { deadlineMs } = this.#connection;
    return (await this.#connection.call(methods.getState, { episodeId: episode.id }, episode, deadlineMs, limits.signal)).response;
  }

  /** Interrupts whichever step of the episode runs, while `step` waits for it. False when none did. */
  async interrupt(limits: CallLimits = {}): Promise<boolean> {
    const episode = this.#current();
    const { deadlineMs } = this.#connection;
    const request = { episodeId: episode.id };
    const reply = await this.#connection.call(methods.interrupt, request, episode, deadlineMs, limits.signal);
    return reply.response.interrupted;
  }

  /** What the server is, what it allows, and what it is doing. */
  async serverInfo(limits: CallLimits = {}): Promise<GetServerInfoResponse> {
    return this.#connection.serverInfo(limits);
  }

  /** Ends the episode, if there is one, and the connection if `CodingEnv.connect` made it. It does not stop the server. */
  async close(): Promise<void> {
    return this.#inTurn(async () => {
      try {
        await this.#endUnsure();
        const episode = this.#episode;
        this.#episode = undefined;
        if (episode) {
          await this.#end(episode);
        }
      } finally {
        if (this.#ownsConnection) {
          this.#connection.close();
        }
      }
    });
  }

  /** As `close`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #current(): Episode {
    if (!this.#episode) {
      throw new CodingEnvError(Reason.NO_EPISODE, "there is no episode: reset first");
    }
    return this.#episode;
  }

  /** Runs one after another, in the order of the calls. */
  async #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const before = this.#turn;
    let done!: () => void;
    this.#turn = new Promise((resolve) => (done = resolve));
    await before;
    try {
      return await run();
    } finally {
      done();
    }
  }

  /** Ends what lost Resets may have made. What can't be ended now is left to the next time, or to the server's idle timeout. */
  async #endUnsure(): Promise<void> {
    for (let route = this.#unsure.at(-1); route; route = this.#unsure.at(-1)) {
      try {
        await this.#end(route);
      } catch (error) {
        if (!(error instanceof CodingEnvError) || error.isUnsure) {
          return;
        }
      }
      this.#unsure.pop();
    }
  }

  async #end(route: Route): Promise<void> {
    const { deadlineMs } = this.#connection;
    await this.#connection.call(methods.close, { episodeId: route.id }, route, deadlineMs, undefined);
  }
}

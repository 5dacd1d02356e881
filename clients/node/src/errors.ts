import { type ServiceError, status } from "@grpc/grpc-js";

import { type FieldViolation, readDetails } from "./details.js";
import type { FileFailure } from "./gen/coding_env/v1/coding_env.js";

/** The reasons of the contract, and the client's own. */
export const Reason = {
  /** The request does not make sense; `fields` tells what. */
  INVALID_FIELD: "INVALID_FIELD",
  /** There is no such episode. */
  EPISODE_NOT_FOUND: "EPISODE_NOT_FOUND",
  /** It was closed. */
  EPISODE_CLOSED: "EPISODE_CLOSED",
  /** It was idle for too long. */
  EPISODE_EXPIRED: "EPISODE_EXPIRED",
  /** It is held by another server. */
  EPISODE_SERVER_GONE: "EPISODE_SERVER_GONE",
  /** The id is in use. */
  EPISODE_EXISTS: "EPISODE_EXISTS",
  /** Its interpreter is gone. */
  EPISODE_LOST: "EPISODE_LOST",
  /** The step's index does not fit. */
  STEP_OUT_OF_ORDER: "STEP_OUT_OF_ORDER",
  /** The step has run, and its reply was dropped. */
  STEP_REPLY_DROPPED: "STEP_REPLY_DROPPED",
  /** The episode ended while the step ran or was queued. */
  EPISODE_ENDED: "EPISODE_ENDED",
  /** As many episodes as the server holds. */
  EPISODE_LIMIT: "EPISODE_LIMIT",
  /** As many steps as may wait for a turn. */
  STEP_LIMIT: "STEP_LIMIT",
  /** As many steps as may be queued in an episode. */
  STEP_QUEUE_FULL: "STEP_QUEUE_FULL",
  /** As many calls that move files as may wait for a turn. */
  FILES_LIMIT: "FILES_LIMIT",
  /** Nothing was sent or taken for too long in a call that moves files. */
  FILES_STALLED: "FILES_STALLED",
  /** Files can't be worked with, or one of a Reset can't be written. */
  FILES_REFUSED: "FILES_REFUSED",
  /** The episode has something that can't be copied, or the host can't do it. */
  FORK_UNSUPPORTED: "FORK_UNSUPPORTED",
  /** The episode's files are more than are copied. */
  FORK_TOO_LARGE: "FORK_TOO_LARGE",
  /** A copy of a copy too many. */
  FORK_DEPTH_LIMIT: "FORK_DEPTH_LIMIT",
  /** The host was short of something for a copy, or copies break as they are made. */
  FORK_FAILED: "FORK_FAILED",
  /** There is no such checkpoint. */
  CHECKPOINT_NOT_FOUND: "CHECKPOINT_NOT_FOUND",
  /** There is a checkpoint of this name. */
  CHECKPOINT_EXISTS: "CHECKPOINT_EXISTS",
  /** No room for a checkpoint. */
  CHECKPOINT_LIMIT: "CHECKPOINT_LIMIT",
  /** No interpreter became ready in time. */
  NO_WORKER: "NO_WORKER",
  /** The server is shutting down. */
  SHUTTING_DOWN: "SHUTTING_DOWN",
  /** A fault of the server. */
  INTERNAL: "INTERNAL",
  /**
   * The deadline passed, here or at the server. A step may have run, or run still: the same code again gets its reply, and other code runs
   * after it.
   */
  DEADLINE: "DEADLINE",
  /** Of the client: the connection broke, and stayed broken until the deadline. */
  CONNECT: "CONNECT",
  /** Of the client: the URL is none that can be connected to. */
  URL: "URL",
  /** Of the client: there is no episode, reset first. */
  NO_EPISODE: "NO_EPISODE",
  /** Of the client: the call's `signal` was aborted. As with DEADLINE, a step may have run. */
  CANCELLED: "CANCELLED",
  /** Of the client: something is wrong with some files of a call; the others are done. `failures` tells which. */
  FILES: "FILES",
} as const;

/** A reason, or one that this client does not know: then it is the name of the gRPC code. */
export type Reason = (typeof Reason)[keyof typeof Reason] | (string & {});

/** Why a call failed. What user code does is never an error. */
export class CodingEnvError extends Error {
  override readonly name = "CodingEnvError";
  /** That of the server's ErrorInfo, or the client's own. */
  readonly reason: Reason;
  /** gRPC's code; `status.OK` for the client's own errors. */
  readonly code: status;
  /** The values in the message: `expected`, `episode_id`, … */
  readonly metadata: Readonly<Record<string, string>>;
  /** What was wrong with the request: INVALID_FIELD. */
  readonly fields: readonly FieldViolation[];
  /** When to try again, in milliseconds, if the server said so. */
  readonly retryAfterMs: number | undefined;
  /** The first files of FILES, and what is wrong with them. */
  readonly failures: readonly FileFailure[];
  /** An earlier try of the same call left open whether it was done. */
  readonly #unsureBefore: boolean;

  /** @internal */
  constructor(
    reason: Reason,
    message: string,
    more: {
      code?: status;
      metadata?: Record<string, string>;
      fields?: FieldViolation[];
      retryAfterMs?: number | undefined;
      failures?: FileFailure[];
      before?: CodingEnvError | undefined;
      cause?: unknown;
    } = {},
  ) {
    const before = reason === Reason.DEADLINE && more.before ? ` (the try before: ${more.before.message})` : "";
    super(`${reason}: ${message}${before}`, { cause: more.cause });
    this.reason = reason;
    this.code = more.code ?? status.OK;
    this.metadata = more.metadata ?? {};
    this.fields = more.fields ?? [];
    this.retryAfterMs = more.retryAfterMs;
    this.failures = more.failures ?? [];
    this.#unsureBefore = more.before?.isUnsure ?? false;
  }

  /** @internal */
  static from(error: ServiceError, before: CodingEnvError | undefined): CodingEnvError {
    const details = readDetails(error.metadata?.get("grpc-status-details-bin")[0]);
    let reason: Reason = details.reason ?? "";
    if (reason === "") {
      if (error.code === status.DEADLINE_EXCEEDED) {
        reason = Reason.DEADLINE;
      } else if (error.code === status.UNAVAILABLE || isBrokenStream(error)) {
        reason = Reason.CONNECT;
      } else {
        reason = status[error.code] ?? `CODE_${error.code}`;
      }
    }
    return new CodingEnvError(reason, error.details, { ...details, code: error.code, before, cause: error });
  }

  /** @internal */
  get isRetryable(): boolean {
    return this.reason === Reason.CONNECT || this.retryAfterMs !== undefined;
  }

  /**
   * Whether what was asked for may have been done, or be done yet.
   * @internal
   */
  get isUnsure(): boolean {
    const unsure: Reason[] = [Reason.DEADLINE, Reason.CONNECT, Reason.CANCELLED, Reason.INTERNAL];
    return unsure.includes(this.reason) || this.#unsureBefore;
  }

  /**
   * The index that the server expects, when a step was out of order.
   * @internal
   */
  get expectedStep(): number | undefined {
    const expected = this.reason === Reason.STEP_OUT_OF_ORDER ? Number(this.metadata["expected"]) : NaN;
    return Number.isSafeInteger(expected) ? expected : undefined;
  }
}

/** A stream that the other side reset without an answer: gRPC's own words, no refusal. */
function isBrokenStream(error: ServiceError): boolean {
  return (
    (error.code === status.INTERNAL || error.code === status.UNKNOWN || error.code === status.CANCELLED) &&
    /^(Received RST_STREAM|Stream closed|Call cancelled)/.test(error.details)
  );
}

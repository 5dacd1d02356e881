/**
 * The client of coding-env: Python episodes for reinforcement learning and agents.
 *
 * Calls are retried when the connection breaks or the server says to try again, and a retry never runs code twice: every Reset bears an id
 * and a request id, every Step its index.
 */
export { type CallLimits, Connection, type Method, type Options } from "./connection.js";
export type { FieldViolation } from "./details.js";
export { CodingEnv, duration, type ResetOptions, type StepOptions } from "./env.js";
export { CodingEnvError, Reason } from "./errors.js";
export type { Files, NewFiles } from "./files.js";
export type { StepStream } from "./stream.js";
export * as v1 from "./gen/coding_env/v1/coding_env.js";

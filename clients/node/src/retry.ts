import { setTimeout } from "node:timers/promises";

import type { CodingEnvError } from "./errors.js";

/** The pauses between the tries of one call. */
export class Retry {
  #nextMs: number;

  constructor(
    firstMs: number,
    private readonly maxMs: number,
    private readonly endMs: number,
  ) {
    this.#nextMs = firstMs;
  }

  /**
   * Waits before the next try: as long as the server asked, or twice as long as before; spread at random, so that many clients don't come
   * back at once. False when there is no time for another try.
   */
  async pause(error: CodingEnvError, signal: AbortSignal | undefined): Promise<boolean> {
    const pause = (error.retryAfterMs ?? this.#nextMs) * (0.5 + Math.random());
    this.#nextMs = Math.min(2 * this.#nextMs, this.maxMs);
    if (Date.now() + pause >= this.endMs) {
      return false;
    }
    // An abort shows at the next try.
    await setTimeout(pause, undefined, { signal }).catch(() => undefined);
    return true;
  }
}

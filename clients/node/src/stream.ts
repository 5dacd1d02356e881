import type { OutputPiece, StepResponse } from "./gen/coding_env/v1/coding_env.js";

/**
 * A step and what it prints: pieces of output as they are printed, those of stdout and those of stderr each in the order in which they were written.
 * A connection that breaks is made again, and each byte comes once. While nobody takes a piece no more are read, and the program may be made to wait.
 * Whoever leaves the loop gets no more pieces; the step goes on, and `result` tells how it went.
 */
export class StepStream implements AsyncIterable<OutputPiece> {
  readonly #result: Promise<StepResponse>;
  /** The piece that waits to be taken. */
  #piece: OutputPiece | undefined;
  /** Nobody wants pieces any more, or there are none. */
  #isOver = false;
  /** Resolved when something of these has changed; then there is another one. */
  #resolve: () => void = () => undefined;
  #changed = this.#change();

  /** @internal */
  constructor(run: (take: (piece: OutputPiece) => Promise<void>) => Promise<StepResponse>) {
    this.#result = run(async (piece) => {
      this.#piece = piece;
      this.#wake();
      while (this.#piece && !this.#isOver) {
        await this.#changed;
      }
    }).finally(() => {
      this.#isOver = true;
      this.#wake();
    });
    // Who takes pieces alone is told there.
    this.#result.catch(() => undefined);
  }

  /** What `step` would have returned; passes over pieces that were not taken. Fails as that. */
  async result(): Promise<StepResponse> {
    this.#isOver = true;
    this.#wake();
    return this.#result;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<OutputPiece, void, void> {
    try {
      for (;;) {
        const piece = this.#piece;
        if (piece) {
          this.#piece = undefined;
          this.#wake();
          yield piece;
        } else if (this.#isOver) {
          await this.#result;
          return;
        } else {
          await this.#changed;
        }
      }
    } finally {
      this.#isOver = true;
      this.#wake();
    }
  }

  #wake(): void {
    const wake = this.#resolve;
    this.#changed = this.#change();
    wake();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => (this.#resolve = resolve));
  }
}

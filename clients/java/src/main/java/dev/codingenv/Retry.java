package dev.codingenv;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/** The pauses between the tries of one call. */
final class Retry {
  private final long endNanos;
  private final long maxNanos;
  private long nextNanos;

  Retry(Options options, Duration deadline) {
    endNanos = System.nanoTime() + deadline.toNanos();
    maxNanos = options.retryMax().toNanos();
    nextNanos = options.retryFirst().toNanos();
  }

  /** What is left until the deadline. */
  long leftNanos() {
    return Math.max(0, endNanos - System.nanoTime());
  }

  /**
   * Waits before the next try: as long as the server asked, or twice as long as before; spread at random, so that many clients don't come
   * back at once. False when there is no time for another try, or the thread is interrupted.
   */
  boolean pause(CodingEnvException error) {
    long pause = error.retryAfter().map(Duration::toNanos).orElse(nextNanos);
    nextNanos = Math.min(2 * nextNanos, maxNanos);
    pause = pause / 2 + (long) (pause * ThreadLocalRandom.current().nextDouble());
    if (pause >= leftNanos()) {
      return false;
    }
    try {
      Thread.sleep(pause / 1_000_000, (int) (pause % 1_000_000));
      return true;
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}

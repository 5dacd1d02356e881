package dev.codingenv;

import dev.codingenv.v1.StepLimits;
import java.time.Duration;

/**
 * What a Step asks for. Start from {@link #none()}.
 *
 * @param timeout how long the code may run; null for the server's default
 * @param limits lower limits for this step; null for the episode's
 * @param maxReplyBytes the largest reply; null for the server's default
 */
public record StepOptions(Duration timeout, StepLimits limits, Integer maxReplyBytes) {

  /** Asks for nothing. */
  public static StepOptions none() {
    return new StepOptions(null, null, null);
  }

  /** With a timeout. */
  public StepOptions withTimeout(Duration timeout) {
    return new StepOptions(timeout, limits, maxReplyBytes);
  }

  /** With lower limits. */
  public StepOptions withLimits(StepLimits limits) {
    return new StepOptions(timeout, limits, maxReplyBytes);
  }

  /** With another bound of the reply. */
  public StepOptions withMaxReplyBytes(int maxReplyBytes) {
    return new StepOptions(timeout, limits, maxReplyBytes);
  }
}

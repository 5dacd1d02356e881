package dev.codingenv;

import io.grpc.ChannelCredentials;
import java.time.Duration;

/**
 * How a client behaves. Start from {@link #defaults()}.
 *
 * @param deadline how long a call may take in all, retries included. Default 5 min. A step whose timeout is longer gets that and a minute.
 * @param retryFirst the first pause before a retry; it doubles each time and is spread at random. Default 20 ms.
 * @param retryMax the longest pause before a retry, unless the server asks for a longer one. Default 2 s.
 * @param keepalive how often an idle connection is checked. Default 20 s; gRPC takes less than 10 s as 10 s.
 * @param token sent as "authorization: Bearer TOKEN"; null for none. Over http:// it travels in the clear.
 * @param credentials for https://: own roots, a client certificate. Null for the system's roots.
 */
public record Options(
    Duration deadline,
    Duration retryFirst,
    Duration retryMax,
    Duration keepalive,
    String token,
    ChannelCredentials credentials) {

  /** The defaults. */
  public static Options defaults() {
    return new Options(Duration.ofMinutes(5), Duration.ofMillis(20), Duration.ofSeconds(2), Duration.ofSeconds(20), null, null);
  }

  /** With another deadline. */
  public Options withDeadline(Duration deadline) {
    return new Options(deadline, retryFirst, retryMax, keepalive, token, credentials);
  }

  /** With other pauses between tries. */
  public Options withRetry(Duration first, Duration max) {
    return new Options(deadline, first, max, keepalive, token, credentials);
  }

  /** With another time between checks of an idle connection. */
  public Options withKeepalive(Duration keepalive) {
    return new Options(deadline, retryFirst, retryMax, keepalive, token, credentials);
  }

  /** With a bearer token. */
  public Options withToken(String token) {
    return new Options(deadline, retryFirst, retryMax, keepalive, token, credentials);
  }

  /** With roots or a client certificate of its own: see {@link io.grpc.TlsChannelCredentials}. */
  public Options withCredentials(ChannelCredentials credentials) {
    return new Options(deadline, retryFirst, retryMax, keepalive, token, credentials);
  }

  /** Leaves the token out, so that a log of it does no harm. */
  @Override
  public String toString() {
    return "Options[deadline=" + deadline + ", token=" + (token == null ? "none" : "set") + "]";
  }
}

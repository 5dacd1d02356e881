package dev.codingenv;

import dev.codingenv.v1.Limits;
import dev.codingenv.v1.Network;
import java.util.Map;

/**
 * What a Reset asks for. Start from {@link #none()}.
 *
 * @param seed makes the episode's random numbers reproducible, as an unsigned number; null: every episode differs
 * @param runtime the runtime's name; empty for the default
 * @param limits lower limits for this episode; null for the server's
 * @param environment environment variables to add
 * @param network the network that the episode has
 */
public record ResetOptions(Long seed, String runtime, Limits limits, Map<String, String> environment, Network network) {

  /** Asks for nothing. */
  public static ResetOptions none() {
    return new ResetOptions(null, "", null, Map.of(), Network.NETWORK_UNSPECIFIED);
  }

  /** With a seed. */
  public ResetOptions withSeed(long seed) {
    return new ResetOptions(seed, runtime, limits, environment, network);
  }

  /** In another runtime. */
  public ResetOptions withRuntime(String runtime) {
    return new ResetOptions(seed, runtime, limits, environment, network);
  }

  /** With lower limits. */
  public ResetOptions withLimits(Limits limits) {
    return new ResetOptions(seed, runtime, limits, environment, network);
  }

  /** With environment variables. */
  public ResetOptions withEnvironment(Map<String, String> environment) {
    return new ResetOptions(seed, runtime, limits, environment, network);
  }

  /** With another network. */
  public ResetOptions withNetwork(Network network) {
    return new ResetOptions(seed, runtime, limits, environment, network);
  }
}

package dev.codingenv;

import dev.codingenv.v1.CloseRequest;
import dev.codingenv.v1.CodeAction;
import dev.codingenv.v1.CodingEnvGrpc;
import dev.codingenv.v1.GetStateRequest;
import dev.codingenv.v1.GetStateResponse;
import dev.codingenv.v1.InterruptRequest;
import dev.codingenv.v1.OutputPiece;
import dev.codingenv.v1.ResetRequest;
import dev.codingenv.v1.ResetResponse;
import dev.codingenv.v1.StepRequest;
import dev.codingenv.v1.StepResponse;
import dev.codingenv.v1.StepStreamRequest;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.OptionalInt;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * One environment: at most one episode at a time, on one server.
 *
 * <p>Calls are retried when the connection breaks or the server says to try again, and a retry never runs code twice: every Reset bears an
 * id and a request id, every Step its index. What user code does is never an error; each error is a {@link CodingEnvException}.
 *
 * <p>It can be used from any thread: {@code reset}, {@code step} and {@code close} wait for their turn; {@code state} and {@code interrupt}
 * go beside them. An episode that is not closed is left to the server's idle timeout.
 */
public final class CodingEnv implements AutoCloseable {
  // How long a call may wait beyond the step's own timeout: for its turn, for the grace and for the network.
  private static final Duration CALL_SLACK = Duration.ofSeconds(60);

  private final Connection connection;
  private final boolean ownsConnection;
  // Held while a reset, step or close runs.
  private final ReentrantLock turn = new ReentrantLock(true);
  private volatile Episode episode;
  // Episodes that a Reset may have made whose reply never came: ended with the next one, so that none is left over. Under `turn`.
  private final Deque<Connection.Route> unsure = new ArrayDeque<>();

  /**
   * An episode, as far as this client knows.
   *
   * @param steps how many steps have run
   * @param unsure one more may have run, or may be running: its reply never came
   */
  private record Episode(Connection.Route route, int steps, boolean unsure) {}

  CodingEnv(Connection connection, boolean ownsConnection) {
    this.connection = connection;
    this.ownsConnection = ownsConnection;
  }

  /**
   * Connects to a server, http://HOST:PORT. The environment has a connection of its own, which {@link #close()} closes too.
   *
   * @throws CodingEnvException {@link Reason#URL}, or {@link Reason#CONNECT} when nobody answers within the deadline
   */
  public static CodingEnv connect(String url) {
    return connect(url, Options.defaults());
  }

  /** As {@link #connect(String)}, with options. */
  public static CodingEnv connect(String url, Options options) {
    Connection connection = new Connection(url, options);
    try {
      connection.ready();
    } catch (CodingEnvException error) {
      connection.close();
      throw error;
    }
    return new CodingEnv(connection, true);
  }

  /** The id of the episode; null when there is none. */
  public String episodeId() {
    Episode current = episode;
    return current == null ? null : current.route().id();
  }

  /** Starts a fresh episode and ends the one before. */
  public ResetResponse reset() {
    return reset(ResetOptions.none());
  }

  /** Starts a fresh episode with options. */
  public ResetResponse reset(ResetOptions options) {
    enter();
    try {
      Episode previous = episode;
      ResetRequest.Builder request =
          ResetRequest.newBuilder()
              .setEpisodeId(Uuid7.make())
              .setRequestId(Uuid7.make())
              .setRuntime(options.runtime())
              .putAllEnvironment(options.environment())
              .setNetwork(options.network());
      if (options.seed() != null) {
        request.setSeed(options.seed());
      }
      if (options.limits() != null) {
        request.setLimits(options.limits());
      }
      if (previous != null) {
        request.setPreviousEpisodeId(previous.route().id());
      }
      Connection.Route route =
          new Connection.Route(request.getEpisodeId(), previous == null ? null : previous.route().server());
      Connection.Reply<ResetResponse> reply;
      try {
        reply = reset(request.build(), route);
      } catch (CodingEnvException error) {
        if (error.reason() != Reason.EPISODE_SERVER_GONE || route.server() == null) {
          throw error;
        }
        // The server of the episode before is gone, and so is that episode: any server will do.
        route = new Connection.Route(route.id(), null);
        reply = reset(request.clearPreviousEpisodeId().build(), route);
      }
      String server = reply.server() == null ? route.server() : reply.server();
      episode = new Episode(new Connection.Route(route.id(), server), 0, false);
      endUnsure();
      return reply.message();
    } finally {
      turn.unlock();
    }
  }

  private Connection.Reply<ResetResponse> reset(ResetRequest request, Connection.Route route) {
    try {
      return connection.call(CodingEnvGrpc.getResetMethod(), request, route, connection.options().deadline());
    } catch (CodingEnvException error) {
      if (error.isUnsure()) {
        unsure.push(route);
      }
      throw error;
    }
  }

  /**
   * Runs code in the episode.
   *
   * <p>After an error that leaves open whether a step ran ({@link Reason#DEADLINE}, {@link Reason#CONNECT}, {@link Reason#CANCELLED}), the
   * same code again gets the reply of that step; other code runs after it.
   */
  public StepResponse step(String code) {
    return step(code, StepOptions.none());
  }

  /** Runs code with options. */
  public StepResponse step(String code, StepOptions options) {
    return run(
        code,
        options,
        (request, route, left) -> connection.call(CodingEnvGrpc.getStepMethod(), request, route, left).message());
  }

  /**
   * Runs code in the episode, and gives what it prints to {@code take} as it is printed; then it returns what {@link #step(String)} would have
   * returned.
   *
   * <p>Pieces of stdout come in the order in which they were written, as do those of stderr. A connection that breaks is made again, and each byte
   * comes once. {@code take} is called by the thread that waits; while it does not return the program may be made to wait.
   */
  public StepResponse stepStream(String code, Consumer<OutputPiece> take) {
    return stepStream(code, StepOptions.none(), take);
  }

  /** As {@link #stepStream(String, Consumer)}, with options. */
  public StepResponse stepStream(String code, StepOptions options, Consumer<OutputPiece> take) {
    // Kept from try to try, so that one that follows goes on where the one before broke.
    StepStreamRequest.Builder stream = StepStreamRequest.newBuilder();
    return run(
        code,
        options,
        (request, route, left) ->
            connection.retrying(
                route,
                left,
                (channel, call) -> Streams.read(channel, call, stream.setStep(request), take)));
  }

  /** The files of whichever episode there is. They may be moved while a step runs, from other threads. */
  public EpisodeFiles files() {
    return new EpisodeFiles(connection, () -> current().route());
  }

  /** Sends a step, and waits for its reply. */
  private interface Send {
    StepResponse send(StepRequest request, Connection.Route route, Duration left);
  }

  private StepResponse run(String code, StepOptions options, Send send) {
    enter();
    try {
      Episode begun = current();
      Duration deadline = connection.options().deadline();
      StepRequest.Builder request =
          StepRequest.newBuilder()
              .setEpisodeId(begun.route().id())
              .setAction(CodeAction.newBuilder().setCode(code))
              .setStepIndex(begun.steps());
      if (options.timeout() != null) {
        Duration timeout = options.timeout();
        request.setTimeout(
            com.google.protobuf.Duration.newBuilder().setSeconds(timeout.getSeconds()).setNanos(timeout.getNano()));
        Duration least = timeout.plus(CALL_SLACK);
        deadline = deadline.compareTo(least) < 0 ? least : deadline;
      }
      if (options.limits() != null) {
        request.setLimits(options.limits());
      }
      if (options.maxReplyBytes() != null) {
        request.setMaxReplyBytes(options.maxReplyBytes());
      }
      return run(begun, request, System.nanoTime() + deadline.toNanos(), send);
    } finally {
      turn.unlock();
    }
  }

  private StepResponse run(Episode begun, StepRequest.Builder request, long endNanos, Send send) {
    // The server tells where a step stands that this client knows nothing about: it was admitted, or dropped since.
    int corrections = begun.unsure() ? 2 : 0;
    while (true) {
      try {
        Duration left = Duration.ofNanos(Math.max(0, endNanos - System.nanoTime()));
        StepResponse response = send.send(request.build(), begun.route(), left);
        episode = new Episode(begun.route(), response.getStepIndex() + 1, false);
        return response;
      } catch (CodingEnvException error) {
        OptionalInt expected = error.expectedStep();
        int ahead = expected.isPresent() ? expected.getAsInt() - begun.steps() : -1;
        if (corrections > 0 && (ahead == 0 || ahead == 1)) {
          corrections -= 1;
          request.setStepIndex(expected.getAsInt());
          continue;
        }
        if (error.reason() == Reason.STEP_REPLY_DROPPED) {
          episode = new Episode(begun.route(), request.getStepIndex() + 1, false);
        } else if (error.isUnsure()) {
          episode = new Episode(begun.route(), request.getStepIndex(), true);
        }
        // Any other refusal tells nothing about a step before it whose reply never came.
        throw error;
      } catch (RuntimeException thrown) {
        // By whoever takes the output: the step goes on.
        episode = new Episode(begun.route(), request.getStepIndex(), true);
        throw thrown;
      }
    }
  }

  /** The state and life-cycle facts of the episode. */
  public GetStateResponse state() {
    Connection.Route route = current().route();
    GetStateRequest request = GetStateRequest.newBuilder().setEpisodeId(route.id()).build();
    return connection.call(CodingEnvGrpc.getGetStateMethod(), request, route, connection.options().deadline()).message();
  }

  /** Interrupts whichever step of the episode runs, from another thread than the one that waits for it. False when none did. */
  public boolean interrupt() {
    Connection.Route route = current().route();
    InterruptRequest request = InterruptRequest.newBuilder().setEpisodeId(route.id()).build();
    Duration deadline = connection.options().deadline();
    return connection.call(CodingEnvGrpc.getInterruptMethod(), request, route, deadline).message().getInterrupted();
  }

  /** Ends the episode, if there is one, and the connection if {@link #connect} made it. It does not stop the server. */
  @Override
  public void close() {
    enter();
    try {
      endUnsure();
      Episode last = episode;
      episode = null;
      if (last != null) {
        end(last.route());
      }
    } finally {
      if (ownsConnection) {
        connection.close();
      }
      turn.unlock();
    }
  }

  private void enter() {
    try {
      turn.lockInterruptibly();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw CodingEnvException.own(Reason.CANCELLED, "the thread was interrupted", null, interrupted);
    }
  }

  private Episode current() {
    Episode current = episode;
    if (current == null) {
      throw CodingEnvException.own(Reason.NO_EPISODE, "there is no episode: reset first", null, null);
    }
    return current;
  }

  /** Ends what lost Resets may have made. What can't be ended now is left to the next time, or to the server's idle timeout. */
  private void endUnsure() {
    while (!unsure.isEmpty()) {
      try {
        end(unsure.peek());
      } catch (CodingEnvException error) {
        if (error.isUnsure()) {
          return;
        }
      }
      unsure.pop();
    }
  }

  private void end(Connection.Route route) {
    CloseRequest request = CloseRequest.newBuilder().setEpisodeId(route.id()).build();
    connection.call(CodingEnvGrpc.getCloseMethod(), request, route, connection.options().deadline());
  }
}

package dev.codingenv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.codingenv.v1.CodingEnvGrpc;
import dev.codingenv.v1.EpisodeStatus;
import dev.codingenv.v1.GetStateRequest;
import dev.codingenv.v1.GetStateResponse;
import dev.codingenv.v1.Outcome;
import dev.codingenv.v1.StepLimits;
import dev.codingenv.v1.StepResponse;
import io.grpc.Status;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class RetryTest {
  /** Counts how often it ran, and takes its time. */
  private static final String COUNTING = "import time\nn = globals().get('n', 0) + 1\ntime.sleep(0.5)\nprint(n)";

  private final ExecutorService threads = Executors.newCachedThreadPool();

  @AfterEach
  void end() {
    threads.shutdownNow();
  }

  private static <T> T get(Future<T> future) throws Exception {
    return future.get(Support.PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  /** Asks the server past the proxy. */
  private static GetStateResponse stateOf(Connection direct, CodingEnv env) {
    GetStateRequest request = GetStateRequest.newBuilder().setEpisodeId(env.episodeId()).build();
    return direct.send(CodingEnvGrpc.getGetStateMethod(), request);
  }

  private static boolean isRunning(Connection direct, CodingEnv env) {
    return stateOf(direct, env).getStatus() == EpisodeStatus.EPISODE_STATUS_RUNNING;
  }

  /** A step that has to complete and to print this. */
  private static StepResponse prints(CodingEnv env, String code, String text) {
    StepResponse reply = env.step(code);
    assertEquals(text, reply.getObservation().getStdout(), reply.getObservation().getStderr());
    assertEquals(Outcome.OUTCOME_COMPLETED, reply.getOutcome());
    return reply;
  }

  @ParameterizedTest(name = "the connection is back while the step runs: {0}")
  @ValueSource(booleans = {true, false})
  void aStepRunsOnceWhenTheConnectionBreaksInIt(boolean atOnce) throws Exception {
    try (Support.Server server = new Support.Server();
        Connection direct = new Connection(server.address);
        Support.Proxy proxy = new Support.Proxy(server.address);
        Connection connection = new Connection(proxy.address())) {
      CodingEnv env = connection.env();
      env.reset();
      Future<StepResponse> reply = threads.submit(() -> env.step(COUNTING));
      Support.waitUntil("the step runs", () -> isRunning(direct, env));
      proxy.down = !atOnce;
      proxy.cut();
      if (!atOnce) {
        Support.waitUntil("the step has run", () -> stateOf(direct, env).getState().getStepCount() == 1);
        proxy.down = false;
      }
      assertEquals("1\n", get(reply).getObservation().getStdout());
      prints(env, "print(n)", "1\n");
      assertEquals(2, stateOf(direct, env).getState().getStepCount());
    }
  }

  @Test
  void aResetWhoseReplyWasLostLeavesOneEpisode() throws Exception {
    try (Support.Server server = new Support.Server();
        Connection direct = new Connection(server.address);
        Support.Proxy proxy = new Support.Proxy(server.address);
        Connection connection = new Connection(proxy.address())) {
      connection.ready();
      CodingEnv env = connection.env();

      // Tried again: the same episode.
      proxy.muted = true;
      Future<?> reset = threads.submit(() -> env.reset());
      Support.waitUntil("the episode is there", () -> direct.serverInfo().getCapacity().getEpisodes() == 1);
      proxy.muted = false;
      proxy.cut();
      get(reset);
      assertEquals(1, direct.serverInfo().getCapacity().getEpisodes());
      prints(env, "print('here')", "here\n");

      // Given up: ended with the next one.
      proxy.muted = true;
      CodingEnv other = connection.env();
      CompletableFuture<CodingEnvException> given = new CompletableFuture<>();
      Thread thread =
          new Thread(
              () -> {
                try {
                  given.complete(Support.refused(Reason.CANCELLED, other::reset));
                } catch (Throwable error) {
                  given.completeExceptionally(error);
                }
              });
      thread.start();
      Support.waitUntil("the episode is there", () -> direct.serverInfo().getCapacity().getEpisodes() == 2);
      thread.interrupt();
      get(given);
      proxy.muted = false;
      proxy.cut();
      other.reset();
      assertEquals(2, direct.serverInfo().getCapacity().getEpisodes());
      other.close();
      assertEquals(1, direct.serverInfo().getCapacity().getEpisodes());
    }
  }

  @Test
  void afterAStepWasGivenUpTheSameCodeGetsItsReplyAndOtherCodeRunsAfterIt() throws Exception {
    try (Support.Server server = new Support.Server();
        Connection connection = new Connection(server.address)) {
      CodingEnv env = connection.env();
      env.reset();
      Callable<Void> giveUp =
          () -> {
            Thread waiting = Thread.currentThread();
            threads.submit(
                () -> {
                  Support.waitUntil("the step runs", () -> isRunning(connection, env));
                  waiting.interrupt();
                });
            Support.refused(Reason.CANCELLED, () -> env.step(COUNTING));
            assertTrue(Thread.interrupted());
            return null;
          };
      giveUp.call();
      prints(env, COUNTING, "1\n");

      giveUp.call();
      // A refusal between them settles nothing.
      StepOptions huge = StepOptions.none().withLimits(StepLimits.newBuilder().setOutputBytes(1 << 30).build());
      Support.refused(Reason.INVALID_FIELD, () -> env.step("1", huge));
      prints(env, "print('then', n)", "then 2\n");
      prints(env, "print(n)", "2\n");
    }
  }

  @Test
  void aServerThatDoesNotAnswer() {
    try (Support.Server server = new Support.Server();
        Support.Proxy proxy = new Support.Proxy(server.address);
        Connection connection = new Connection(proxy.address(), Options.defaults().withDeadline(Duration.ofSeconds(3)))) {
      connection.ready();
      proxy.muted = true;
      assertEquals(Status.Code.DEADLINE_EXCEEDED, Support.refused(Reason.DEADLINE, connection::serverInfo).code());
    }
  }

  @Test
  void aRefusalWithATimeToTryAgainIsTriedAgain() throws Exception {
    Options hasty = Options.defaults().withDeadline(Duration.ofMillis(800));
    try (Support.Server server = new Support.Server("--max-running-steps", "1", "--max-waiting-steps", "0");
        Connection connection = new Connection(server.address);
        Connection soon = new Connection(server.address, hasty)) {
      CodingEnv busy = connection.env();
      busy.reset();
      CodingEnv env = connection.env();
      env.reset();
      soon.ready();
      CodingEnv hurried = soon.env();
      hurried.reset();
      Future<StepResponse> ended = threads.submit(() -> busy.step("import time\ntime.sleep(60)"));
      Support.waitUntil("the step runs", () -> isRunning(connection, busy));
      CodingEnvException error = Support.refused(Reason.STEP_LIMIT, () -> hurried.step("1"));
      assertEquals(Status.Code.RESOURCE_EXHAUSTED, error.code());
      assertTrue(error.retryAfter().isPresent());

      Future<StepResponse> reply = threads.submit(() -> env.step("1 + 1"));
      Support.waitUntil("it is interrupted", busy::interrupt);
      assertEquals(Outcome.OUTCOME_INTERRUPTED, get(ended).getOutcome());
      assertEquals("2", get(reply).getObservation().getResult());
    }
  }

  @Test
  void nobodyThere() throws Exception {
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    Options hasty = Options.defaults().withDeadline(Duration.ofMillis(1500));
    String address = "127.0.0.1:" + port;
    Support.refused(Reason.CONNECT, () -> CodingEnv.connect(address, hasty));
    try (Connection connection = new Connection(address, hasty)) {
      Support.refused(Reason.CONNECT, connection::serverInfo);
    }
    for (String url : List.of("", "ftp://127.0.0.1:1", "http://", "http://127.0.0.1:1/path")) {
      Support.refused(Reason.URL, () -> new Connection(url));
    }
  }

  @Test
  void anotherServerInItsPlace() {
    try (Support.Server first = new Support.Server("--server-id", "first");
        Support.Server second = new Support.Server("--server-id", "second");
        Support.Proxy proxy = new Support.Proxy(first.address);
        Connection connection = new Connection(proxy.address())) {
      CodingEnv env = connection.env();
      env.reset();
      proxy.target = second.address;
      proxy.cut();
      Support.refused(Reason.EPISODE_SERVER_GONE, () -> env.step("1"));
      env.reset();
      assertEquals("second", prints(env, "print(1)", "1\n").getServerId());
    }
  }

  @Test
  void manyEpisodesOverOneConnection() throws Exception {
    try (Support.Server server = new Support.Server();
        Connection connection = new Connection(server.address)) {
      List<Future<Object>> episodes =
          IntStream.range(0, 200)
              .mapToObj(
                  number ->
                      threads.submit(
                          () -> {
                            try (CodingEnv env = connection.env()) {
                              env.reset();
                              for (int step = 1; step <= 3; step++) {
                                String code = "x = " + number + " + globals().get('x', 0)\nprint(x)";
                                prints(env, code, number * step + "\n");
                              }
                            }
                            return null;
                          }))
              .toList();
      for (Future<Object> episode : episodes) {
        episode.get(90, TimeUnit.SECONDS);
      }
      assertEquals(0, connection.serverInfo().getCapacity().getEpisodes());
    }
  }

  @Test
  void callsOfOneEnvironmentWaitForTheirTurn() throws Exception {
    try (Support.Server server = new Support.Server();
        Connection connection = new Connection(server.address)) {
      CodingEnv env = connection.env();
      env.reset();
      List<Future<StepResponse>> steps =
          IntStream.range(0, 20).mapToObj(step -> threads.submit(() -> env.step("n = globals().get('n', 0) + 1"))).toList();
      for (Future<StepResponse> step : steps) {
        get(step);
      }
      prints(env, "print(n)", "20\n");
    }
  }
}

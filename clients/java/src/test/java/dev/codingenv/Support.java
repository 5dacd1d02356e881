package dev.codingenv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.function.Executable;

/** A server under test, and a network that fails. */
final class Support {
  /** How long anything that is waited for may take; a test that needs it has failed. */
  static final Duration PATIENCE = Duration.ofSeconds(30);

  private Support() {}

  /** A running server: the program that CODING_ENV_BIN names, on a free port. */
  static final class Server implements AutoCloseable {
    private final Process process;
    private final Path state;
    final String address;

    Server(String... flags) {
      try {
        String program = System.getenv().getOrDefault("CODING_ENV_BIN", "../../target/release/coding-env");
        state = Files.createTempDirectory("coding-env-java");
        List<String> command = new ArrayList<>(List.of(program, "serve", "--listen", "127.0.0.1:0", "--log-format", "json"));
        // An interrupt has to be served in time on a busy machine, too.
        command.addAll(List.of("--drain-timeout", "0s", "--interrupt-grace", "5s", "--state-dir", state.toString()));
        command.addAll(List.of(flags));
        process = new ProcessBuilder(command).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
        CompletableFuture<String> serving = new CompletableFuture<>();
        daemon(() -> read(process.errorReader(StandardCharsets.UTF_8), serving));
        address = serving.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
      } catch (Exception error) {
        throw new AssertionError("the server does not start", error);
      }
    }

    private static void read(BufferedReader log, CompletableFuture<String> serving) {
      StringBuilder all = new StringBuilder();
      try {
        for (String line = log.readLine(); line != null; line = log.readLine()) {
          all.append(line).append('\n');
          JsonObject entry = JsonParser.parseString(line).getAsJsonObject();
          if (entry.get("message").getAsString().equals("serving")) {
            serving.complete(entry.get("address").getAsString());
          }
        }
        serving.completeExceptionally(new AssertionError("the server ended:\n" + all));
      } catch (IOException error) {
        serving.completeExceptionally(error);
      }
    }

    @Override
    public void close() {
      process.destroy();
      try {
        if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
          process.destroyForcibly().waitFor();
        }
        try (Stream<Path> left = Files.walk(state)) {
          for (Path path : left.sorted(Comparator.reverseOrder()).toList()) {
            Files.deleteIfExists(path);
          }
        }
      } catch (IOException | InterruptedException error) {
        throw new AssertionError(error);
      }
    }
  }

  /** Passes connections on, and fails as networks do. */
  static final class Proxy implements AutoCloseable {
    /** Makes what is passed on readable: TLS, or nothing. */
    interface Wrap {
      Socket wrap(Socket socket) throws IOException;
    }

    private final ServerSocket listener;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final Wrap wrap;
    volatile String target;
    /** What the server answers is thrown away. */
    volatile boolean muted;
    /** Connections are closed at once. */
    volatile boolean down;

    Proxy(String target) {
      this(target, socket -> socket);
    }

    Proxy(String target, Wrap wrap) {
      this.target = target;
      this.wrap = wrap;
      try {
        listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
      } catch (IOException error) {
        throw new AssertionError(error);
      }
      daemon(this::accept);
    }

    String address() {
      return "127.0.0.1:" + listener.getLocalPort();
    }

    private void accept() {
      try {
        while (true) {
          Socket client = listener.accept();
          daemon(() -> pass(client));
        }
      } catch (IOException closed) {
        cut();
      }
    }

    private void pass(Socket raw) {
      sockets.add(raw);
      try (raw) {
        if (down) {
          return;
        }
        String[] parts = target.split(":");
        try (Socket client = wrap.wrap(raw);
            Socket server = new Socket(parts[0], Integer.parseInt(parts[1]))) {
          client.setTcpNoDelay(true);
          server.setTcpNoDelay(true);
          sockets.add(server);
          daemon(() -> copy(client, server, false));
          copy(server, client, true);
        }
      } catch (IOException broken) {
        // As networks do.
      } finally {
        sockets.remove(raw);
      }
    }

    private void copy(Socket from, Socket to, boolean answers) {
      byte[] buffer = new byte[64 << 10];
      try (from;
          to) {
        InputStream in = from.getInputStream();
        for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
          if (!answers || !muted) {
            to.getOutputStream().write(buffer, 0, read);
            to.getOutputStream().flush();
          }
        }
      } catch (IOException broken) {
        // As networks do.
      }
    }

    /** Breaks every connection. */
    void cut() {
      sockets.forEach(Support::shut);
    }

    @Override
    public void close() {
      shut(listener);
      cut();
    }
  }

  private static void shut(Closeable socket) {
    try {
      socket.close();
    } catch (IOException broken) {
      // It is closed.
    }
  }

  private static void daemon(Runnable run) {
    Thread thread = new Thread(run);
    thread.setDaemon(true);
    thread.start();
  }

  /** Asks again and again, until it is so. */
  static void waitUntil(String what, BooleanSupplier isSo) {
    for (long end = System.nanoTime() + PATIENCE.toNanos(); System.nanoTime() < end; ) {
      if (isSo.getAsBoolean()) {
        return;
      }
      try {
        Thread.sleep(5);
      } catch (InterruptedException interrupted) {
        throw new AssertionError(interrupted);
      }
    }
    fail("not in " + PATIENCE + ": " + what);
  }

  /** The call fails for this reason. Returns the error. */
  static CodingEnvException refused(Reason reason, Executable call) {
    CodingEnvException error = assertThrows(CodingEnvException.class, call);
    assertEquals(reason, error.reason(), error.getMessage());
    assertTrue(error.getMessage().startsWith(reason.name()), error.getMessage());
    return error;
  }
}

package dev.codingenv;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.codingenv.v1.OutputStream;
import java.util.EnumMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class StreamTest {
  private static CodingEnvException refused(Reason reason, Runnable call) {
    CodingEnvException error = assertThrows(CodingEnvException.class, call::run);
    assertEquals(reason, error.reason(), error.getMessage());
    return error;
  }

  @Test
  void outputIsToldOnceWhileTheCodeRunsAlsoWhenTheConnectionBreaks() {
    String code =
        "import os, sys, time\nprint('first')\nprint('error', file=sys.stderr)\n"
            + "while not os.path.exists('go'): time.sleep(0.01)\nprint('last')\n'end'";
    try (Support.Server server = new Support.Server();
        Support.Proxy proxy = new Support.Proxy(server.address);
        Connection connection = new Connection(proxy.address())) {
      CodingEnv env = connection.env();
      env.reset();
      Map<OutputStream, String> told = new EnumMap<>(OutputStream.class);
      var reply =
          env.stepStream(
              code,
              piece -> {
                String before = told.getOrDefault(piece.getStream(), "");
                assertEquals(before.length(), piece.getOffset());
                assertEquals(0, piece.getDroppedBytes());
                told.put(piece.getStream(), before + piece.getData().toStringUtf8());
                if (piece.getStream() == OutputStream.OUTPUT_STREAM_STDERR) {
                  // The code runs yet, and goes on without a reader.
                  proxy.cut();
                  env.files().write(Map.of("go", new byte[0]));
                }
              });
      assertEquals("first\nlast\n", told.get(OutputStream.OUTPUT_STREAM_STDOUT));
      assertEquals("error\n", told.get(OutputStream.OUTPUT_STREAM_STDERR));
      assertEquals("'end'", reply.getObservation().getResult());
      assertEquals("42", env.step("6 * 7").getObservation().getResult());
      env.close();
      refused(Reason.NO_EPISODE, () -> env.stepStream("1", piece -> {}));
    }
  }

  @Test
  void whoThrowsLeavesTheStepRunningAndOtherCodeRunsAfterIt() {
    try (Support.Server server = new Support.Server();
        Connection connection = new Connection(server.address)) {
      CodingEnv env = connection.env();
      env.reset();
      String code = "import time\nruns = globals().get('runs', 0) + 1\nprint('begun')\ntime.sleep(0.5)\nruns";
      assertThrows(
          IllegalStateException.class,
          () ->
              env.stepStream(
                  code,
                  piece -> {
                    throw new IllegalStateException("enough");
                  }));
      assertEquals("1", env.step("runs").getObservation().getResult(), "it ran once");
    }
  }

  @Test
  void filesGoInAndOut() {
    try (Support.Server server = new Support.Server();
        Connection connection = new Connection(server.address)) {
      CodingEnv env = connection.env();
      refused(Reason.NO_EPISODE, () -> env.files().read("*"));
      env.reset();
      // Empty, in one message, in many, and many.
      Map<String, byte[]> files = new TreeMap<>();
      files.put("empty", new byte[0]);
      files.put("deep/er/small", "1".getBytes());
      byte[] large = new byte[1_600_000];
      for (int at = 0; at < large.length; at += 1) {
        large[at] = (byte) (at * 31);
      }
      files.put("large", large);
      for (int number = 0; number < 1500; number += 1) {
        files.put("many/" + number, "x".repeat(number % 7).getBytes());
      }
      env.files().write(files);
      var told = env.step("import os; print(os.path.getsize('large'), len(os.listdir('many')))");
      assertEquals("1600000 1500\n", told.getObservation().getStdout());
      SortedMap<String, byte[]> found = env.files().read("**");
      assertEquals(files.keySet(), found.keySet());
      files.forEach((path, data) -> assertArrayEquals(data, found.get(path), path));
    }
  }

  @Test
  void whatIsWrongWithSomeFilesIsTold() {
    try (Support.Server server = new Support.Server();
        Connection connection = new Connection(server.address)) {
      CodingEnv env = connection.env();
      env.reset();
      Map<String, byte[]> files = new TreeMap<>();
      for (String path : new String[] {"a", "a/b", "c"}) {
        files.put(path, path.getBytes());
      }
      CodingEnvException error = refused(Reason.FILES, () -> env.files().write(files));
      assertEquals(1, error.failures().size());
      assertEquals("a/b", error.failures().get(0).getPath());
      assertEquals("c", new String(env.files().read("c").get("c")));
      CodingEnvException none = refused(Reason.FILES, () -> env.files().read("none", "c"));
      assertTrue(none.getMessage().contains("none"), none.getMessage());
      refused(Reason.INVALID_FIELD, () -> env.files().read("/etc/passwd"));
    }
  }
}

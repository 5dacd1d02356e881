package dev.codingenv;

import dev.codingenv.v1.StepResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** The flow of the README: reset, a few steps, the state, close. Its argument is the server's URL. */
public final class ExampleUsage {
  private ExampleUsage() {}

  /** Runs it. */
  public static void main(String[] arguments) {
    String url = arguments.length > 0 ? arguments[0] : "http://127.0.0.1:8000";
    // Closing ends the episode; it does not stop the server.
    try (CodingEnv env = CodingEnv.connect(url)) {
      int exitCode = env.reset().getObservation().getExitCode();
      System.out.println("Reset complete: exit_code=" + exitCode);

      for (String code :
          List.of("print('Hello, World!')", "x = 5 + 3\nprint(f'Result: {x}')", "import math\nprint(math.pi)")) {
        StepResponse reply = env.step(code);
        System.out.println("Code: " + code);
        System.out.println("  → stdout: " + reply.getObservation().getStdout().strip());
        System.out.println("  → exit_code: " + reply.getObservation().getExitCode());
      }
      System.out.println("Steps: " + env.state().getState().getStepCount());
    }
    more(url);
  }

  private static void more(String url) {
    try (CodingEnv env = CodingEnv.connect(url)) {
      env.reset();

      StepResponse reply =
          env.stepStream("for n in range(3): print(n)", piece -> System.out.print(piece.getData().toStringUtf8()));
      System.out.println("exit_code: " + reply.getObservation().getExitCode());

      StepResponse endless =
          env.stepStream(
              "import time\nprint('begun')\ntime.sleep(600)",
              piece -> env.interrupt()); // from any thread
      System.out.println("interrupted: " + endless.getObservation().getExitCode());

      env.files().write(Map.of("data/a.csv", "1,2".getBytes(), "data/b.csv", "3,4".getBytes()));
      Map<String, byte[]> found = env.files().read("data/*.csv");
      System.out.println("b.csv: " + new String(found.get("data/b.csv"), StandardCharsets.UTF_8));
    }
  }
}

package dev.codingenv;

import java.lang.management.ManagementFactory;

/** What a step costs the client's process: arguments URL and STEPS. The first round warms the virtual machine up. */
public final class Cost {
  private Cost() {}

  /** Measures. */
  public static void main(String[] arguments) {
    int steps = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 5000;
    var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    try (CodingEnv env = CodingEnv.connect(arguments.length > 0 ? arguments[0] : "http://127.0.0.1:8000")) {
      env.reset();
      for (String round : new String[] {"cold", "warm"}) {
        long cpu = system.getProcessCpuTime();
        long wall = System.nanoTime();
        for (int step = 0; step < steps; step++) {
          env.step("x = 1");
        }
        System.out.printf(
            "%s: %d µs of CPU and %d µs a step, %d steps%n",
            round,
            (system.getProcessCpuTime() - cpu) / 1000 / steps,
            (System.nanoTime() - wall) / 1000 / steps,
            steps);
      }
    }
  }
}

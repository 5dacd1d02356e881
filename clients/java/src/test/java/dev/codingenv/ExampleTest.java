package dev.codingenv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ExampleTest {
  @Test
  void theExampleOfTheReadme() throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    PrintStream before = System.out;
    try (Support.Server server = new Support.Server()) {
      System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
      ExampleUsage.main(new String[] {"http://" + server.address});
    } finally {
      System.setOut(before);
    }
    assertEquals(
        """
        Reset complete: exit_code=0
        Code: print('Hello, World!')
          → stdout: Hello, World!
          → exit_code: 0
        Code: x = 5 + 3
        print(f'Result: {x}')
          → stdout: Result: 8
          → exit_code: 0
        Code: import math
        print(math.pi)
          → stdout: 3.141592653589793
          → exit_code: 0
        Steps: 3
        0
        1
        2
        exit_code: 0
        interrupted: 130
        b.csv: 3,4
        """,
        out.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n"));
    String readme = Files.readString(Path.of("README.md"));
    String source = Files.readString(Path.of("src/test/java/dev/codingenv/ExampleUsage.java")).replaceAll("(?m)^ +", "");
    String[] parts = readme.split("```java\n");
    assertEquals(5, parts.length);
    for (int at = 1; at < parts.length; at += 1) {
      String snippet = parts[at].split("```", 2)[0].replaceAll("(?m)^ +", "");
      assertTrue(source.contains(snippet), "README.md and ExampleUsage.java differ: " + snippet);
    }
  }
}

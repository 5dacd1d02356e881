// The flow of the README: reset, a few steps, the state, close.
//
//   node dist/examples/usage.js http://127.0.0.1:8000
import { CodingEnv } from "coding-env";

const env = await CodingEnv.connect(process.argv[2] ?? "http://127.0.0.1:8000");
try {
  const reset = await env.reset();
  console.log(`Reset complete: exit_code=${reset.observation?.exitCode}`);

  const samples = ["print('Hello, World!')", "x = 5 + 3\nprint(f'Result: {x}')", "import math\nprint(math.pi)"];
  for (const code of samples) {
    const { observation } = await env.step(code);
    console.log(`Code: ${code}`);
    console.log(`  → stdout: ${observation?.stdout.trim()}`);
    console.log(`  → exit_code: ${observation?.exitCode}`);
  }

  const { state } = await env.state();
  console.log(`Steps: ${state?.stepCount}`);
} finally {
  // Always clean up. This ends the episode; it does not stop the server.
  await env.close();
}

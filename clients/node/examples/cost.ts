// What a step costs the client's process: node dist/examples/cost.js URL [STEPS]
import { CodingEnv } from "coding-env";

const steps = Number(process.argv[3] ?? 5000);
const env = await CodingEnv.connect(process.argv[2] ?? "http://127.0.0.1:8000");
try {
  await env.reset();
  const before = process.cpuUsage();
  const start = performance.now();
  for (let step = 0; step < steps; step += 1) {
    await env.step("x = 1");
  }
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(before);
  console.log(`${((user + system) / steps).toFixed(0)} µs of CPU and ${((1000 * wall) / steps).toFixed(0)} µs a step, ${steps} steps`);
} finally {
  await env.close();
}

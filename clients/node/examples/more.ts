// Output while it is printed, an interrupt, and files.
//
//   node dist/examples/more.js http://127.0.0.1:8000
import { CodingEnv } from "coding-env";

const env = await CodingEnv.connect(process.argv[2] ?? "http://127.0.0.1:8000");
await env.reset();

const step = env.stepStream("for n in range(3): print(n)");
for await (const piece of step) {
  process.stdout.write(piece.data);
}
console.log(`exit_code: ${(await step.result()).observation?.exitCode}`);

const endless = env.stepStream("import time\nprint('begun')\ntime.sleep(600)");
for await (const piece of endless) {
  if (piece.offset === 0n) await env.interrupt(); // from anywhere
}
console.log(`interrupted: ${(await endless.result()).observation?.exitCode}`);

await env.files.write({ "data/a.csv": "1,2", "data/b.csv": Buffer.from("3,4") });
const found = await env.files.read("data/*.csv");
console.log(`b.csv: ${found["data/b.csv"]}`);

await env.close();

// The same call, as programs.

export const LANGUAGES = ["Python", "Rust", "grpcurl"] as const;
export type Language = (typeof LANGUAGES)[number];

function pythonText(code: string): string {
  if (!code.includes("\n")) return JSON.stringify(code).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
  return '"""\\\n' + code.replaceAll("\\", "\\\\").replaceAll('"""', '\\"\\"\\"') + '\n"""';
}

function rustText(code: string): string {
  let hashes = "#";
  while (code.includes('"' + hashes)) hashes += "#";
  return `r${hashes}"${code}"${hashes}`;
}

export function snippet(language: Language, code: string, url: URL): string {
  const base = url.origin;
  switch (language) {
    case "Python":
      return `from coding_env import CodingEnv

with CodingEnv("${base}") as env:
    env.reset()
    result = env.step(${pythonText(code)})
    print(result.observation.stdout)`;
    case "Rust":
      return `let mut env = CodingEnv::connect("${base}").await?;
env.reset().await?;
let reply = env.step(${rustText(code)}).await?;
println!("{}", reply.stdout());
env.close().await?;`;
    case "grpcurl": {
      const port = url.port || (url.protocol === "https:" ? "443" : "80");
      const plain = url.protocol === "https:" ? "" : " -plaintext";
      const call = (method: string, request: unknown) =>
        `grpcurl${plain} -d '${JSON.stringify(request).replaceAll("'", "'\\''")}' \\\n  ${url.hostname}:${port} coding_env.v1.CodingEnv/${method}`;
      return [
        call("Reset", { episode_id: "mine" }),
        call("Step", { episode_id: "mine", action: { code } }),
      ].join("\n");
    }
  }
}

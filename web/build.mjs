// Bundles the page into src/openenv/web/, which the binary embeds. `--check` compares instead, and fails where the two differ.
import { build } from "esbuild";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import path from "node:path";

const here = path.dirname(fileURLToPath(import.meta.url));
const target = path.join(here, "../src/openenv/web");
const check = process.argv.includes("--check");

const bundled = await build({
  absWorkingDir: here,
  entryPoints: { app: "src/main.ts" },
  bundle: true,
  minify: true,
  charset: "utf8",
  format: "esm",
  target: ["es2022"],
  legalComments: "none",
  outdir: "out",
  write: false,
});

const files = new Map();
for (const file of bundled.outputFiles) files.set(path.basename(file.path), file.text);
for (const name of ["index.html", "app.css"]) files.set(name, await readFile(path.join(here, "src", name), "utf8"));
files.set("licenses.txt", await licenses());

// What the bundle contains of others' work, with its licences.
async function licenses() {
  const lock = JSON.parse(await readFile(path.join(here, "package-lock.json"), "utf8"));
  const parts = [];
  for (const [place, { version }] of Object.entries(lock.packages)) {
    const name = place.replace(/^node_modules\//, "");
    if (!/^(@codemirror\/|@lezer\/|@marijn\/|crelt$|style-mod$|w3c-keyname$)/.test(name)) continue;
    const folder = path.join(here, place);
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
    parts.push(`${name} ${version}\n\n${(await readFile(path.join(folder, file), "utf8")).trim()}\n`);
  }
  return parts.sort().join(`\n${"-".repeat(80)}\n\n`);
}

let differs = false;
await mkdir(target, { recursive: true });
for (const [name, text] of files) {
  const file = path.join(target, name);
  if (check) {
    const there = await readFile(file, "utf8").catch(() => null);
    if (there !== text) {
      console.error(`${path.relative(process.cwd(), file)} is not what its sources give: npm run build`);
      differs = true;
    }
  } else {
    await writeFile(file, text);
    console.log(`${path.relative(process.cwd(), file)}: ${Buffer.byteLength(text)} bytes`);
  }
}
process.exit(differs ? 1 : 0);

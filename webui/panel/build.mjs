// Bundles the panel: node build.mjs OUT.  The same sources give the same bytes.
// OUT gets index.html, the hashed files under assets/, the icon, and the texts of the licences.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "dist");

function short_hash(bytes) {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 8);
}

// MIT asks that the text travels with the program: one for each package whose code is in the bundle.
function licences(inputs) {
  const names = new Set();
  for (const path of inputs) {
    const inside = path.split("node_modules/").pop();
    if (inside !== path) names.add(inside.split("/").slice(0, inside.startsWith("@") ? 2 : 1).join("/"));
  }
  return [...names].sort().map((name) => {
    const folder = join(here, "node_modules", name);
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    return `${name} ${version} (${license})\n\n${readFileSync(join(folder, "LICENSE"), "utf8").trim()}\n`;
  }).join(`\n${"-".repeat(72)}\n\n`);
}

// English goes into the bundles as two texts, what comes first and the rest, a group to a line ("order" and
// then "retry=Try now"): its keys pack a third better than as an object's.  The other languages need not name
// their keys again: values in the order of the English keys, the first ones first.
const catalogues = {
  name: "catalogues",
  setup({ onLoad }) {
    onLoad({ filter: /i18n[/\\](first|late|it)\.ts$/ }, async ({ path }) => {
      const words = await evaluate(["first", "late", "it"].map((name) => `export * from "./${name}";`).join(" "), dirname(path));
      const name = basename(path, ".ts");
      const values = [words.first, words.late].flatMap((part) => in_order(part).map((key) => words.italian[key]));
      const text = name === "it" ? `export const italian = ${JSON.stringify(values)};`
        : `import { unpacked } from "./packed"; export const ${name} = unpacked(${JSON.stringify(packed(words[name]))});`;
      return { contents: text, loader: "js" };
    });
  },
};

function grouped(keys) {
  const groups = new Map();
  for (const key of keys) {
    const name = key.slice(0, key.indexOf("."));
    groups.set(name, [...groups.get(name) ?? [], key]);
  }
  return groups;
}

/** The keys as unpacked() makes them. */
function in_order(words) {
  return [...grouped(Object.keys(words)).values()].flat();
}

function packed(words) {
  const line = (name, key) => {
    if (/[\n=]/.test(key) || words[key].includes("\n")) throw new Error(`${key} cannot be packed`);
    return `${key.slice(name.length + 1)}=${words[key]}`;
  };
  return [...grouped(Object.keys(words))].map(([name, keys]) => [name, ...keys.map((key) => line(name, key))].join("\n")).join("\n\n");
}

async function evaluate(contents, resolveDir) {
  const { outputFiles } = await build({ stdin: { contents, resolveDir, loader: "ts" }, bundle: true, write: false, format: "esm" });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}

async function main() {
  rmSync(join(out, "assets"), { recursive: true, force: true });
  mkdirSync(join(out, "assets"), { recursive: true });
  const result = await build({
    absWorkingDir: here,
    entryPoints: { panel: "src/main.tsx" },
    outdir: join(out, "assets"),
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    minify: true,
    legalComments: "none", // licences.txt has the whole texts
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    jsx: "automatic",
    jsxImportSource: "preact",
    plugins: [catalogues],
    metafile: true,
    logLevel: "warning",
  });
  const made = Object.keys(result.metafile.outputs).map((path) => relative(out, join(here, path)));
  const entry = (suffix) => `/${made.find((path) => /^assets\/panel-/.test(path) && path.endsWith(suffix))}`;
  const icon = readFileSync(join(here, "src/icon.svg"));
  const icon_name = `assets/icon-${short_hash(icon)}.svg`;
  const page = readFileSync(join(here, "src/index.html"), "utf8")
    .replace("{script}", entry(".js")).replace("{style}", entry(".css")).replace("{icon}", `/${icon_name}`);

  writeFileSync(join(out, icon_name), icon);
  writeFileSync(join(out, "licences.txt"), licences(Object.keys(result.metafile.inputs)));
  writeFileSync(join(out, "index.html"), page); // last: it is what the build waits for
}

await main();

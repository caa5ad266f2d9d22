// The panel's TypeScript, bundled for node: units are tried as they are built.
import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

const TOP = fileURLToPath(new URL('../../../', import.meta.url));
export const PANEL = path.join(TOP, 'webui/panel');
export const SOURCES = path.join(PANEL, 'src');

/* The packages that the build installed: beside the sources, or where CMake put them. */
export function packages() {
  const places = [process.env.PANEL_PACKAGES, PANEL, path.join(TOP, 'build/release/panel'),
    path.join(TOP, 'build/release/webui/panel')];
  const found = places.find((place) => place && existsSync(path.join(place, 'node_modules/esbuild')));
  if (!found) throw new Error('esbuild is not installed: build the panel first');
  return found;
}

/* What modules touch of a browser while they are loaded; timers must not keep node alive. */
const BROWSER = `
const nothing = () => {};
const kept = new Map();
Object.assign(globalThis, {
  document: globalThis.document ?? { hidden: false, documentElement: { style: {}, dataset: {} }, addEventListener: nothing },
  localStorage: { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) },
  matchMedia: () => ({ matches: false, addEventListener: nothing }),
  location: { pathname: "/", search: "", origin: "http://panel" },
  history: { pushState: nothing, replaceState: nothing },
  addEventListener: nothing, window: globalThis, scrollTo: nothing,
  setInterval: (run, ms) => { const timer = setTimeout(nothing, 0); clearTimeout(timer); return timer; },
});
`;

/* The module of that file under webui/panel/src, and all that it needs; with the words of every bundle. */
export async function load(file) {
  const from = packages();
  const esbuild = createRequire(path.join(from, 'package.json'))('esbuild');
  const result = await esbuild.build({
    stdin: { contents: `import './bundles/words'; export * from './${file}';`, resolveDir: SOURCES, loader: 'ts' }, bundle: true, write: false, format: 'esm', platform: 'node', banner: { js: BROWSER },
    target: 'node18', jsx: 'automatic', jsxImportSource: 'preact',
    nodePaths: [path.join(from, 'node_modules')], loader: { '.css': 'empty', '.svg': 'text' },
  });
  return import('data:text/javascript;base64,' + Buffer.from(result.outputFiles[0].contents).toString('base64'));
}

// What comes first must not ask for words that come with another bundle: it would show their keys.
import test from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { load, packages, PANEL } from '../lib/source.mjs';

const { first } = await load('i18n/first.ts');
const { late } = await load('i18n/late.ts');

/* The sources of these bundles, without those that they load with the rest of the words. */
async function sourcesOf(bundles) {
  const esbuild = createRequire(path.join(packages(), 'package.json'))('esbuild');
  const { metafile } = await esbuild.build({
    absWorkingDir: PANEL, entryPoints: bundles, bundle: true, splitting: true, format: 'esm', outdir: 'nowhere', write: false,
    metafile: true, jsx: 'automatic', jsxImportSource: 'preact', nodePaths: [path.join(packages(), 'node_modules')],
  });
  const found = new Set(), brings_late = (name) => metafile.inputs[name].imports.some((one) => one.path === 'src/bundles/words.ts');
  const visit = (name) => {
    if (found.has(name) || !/^src\/(?!i18n).*\.tsx?$/.test(name) || brings_late(name)) return;
    found.add(name);
    for (const one of metafile.inputs[name].imports) visit(one.path);
  };
  bundles.forEach(visit);
  return [...found];
}

/* Keys, and prefixes of words that the server names. */
function lateIn(text) {
  const asked = [...text.matchAll(/["`]([a-z_]+\.[\w.]+?)["`]/g)].map(([, key]) => key);
  const prefixes = [...text.matchAll(/(?:\b(?:word|tr)\("([\w.]+)"|`([a-z_.]+)\.\$\{)/g)].map(([, one, other]) => one ?? other);
  const has = (words, test_key) => Object.keys(words).some(test_key);
  return [...asked.filter((key) => has(late, (one) => one.replace(/\.(one|other)$/, '') === key) && !(key in first)),
    ...prefixes.filter((prefix) => has(late, (one) => one.startsWith(`${prefix}.`)))];
}

test('what comes first asks for the first words only', async () => {
  const names = await sourcesOf(['main', 'bundles/entrance', 'bundles/mine', 'bundles/overview'].map((name) => `src/${name}.ts${name === 'main' ? 'x' : ''}`));
  assert.ok(names.length > 50 && names.includes('src/pages/overview.tsx') && names.includes('src/ui/palette_field.tsx'));
  assert.deepEqual(names.flatMap((name) => lateIn(readFileSync(path.join(PANEL, name), 'utf8')).map((key) => `${name}: ${key}`)), []);
});

test('the rule finds what it is for, and no word stands in both parts', () => {
  assert.deepEqual(lateIn('t("queue.about"); tn("bulk.count", n); word("verdict", x); t(`past.${y}`); t("do.save")'),
    ['queue.about', 'bulk.count', 'verdict', 'past']);
  assert.deepEqual(Object.keys(late).filter((key) => key in first), []);
});

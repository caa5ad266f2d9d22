// Rules that the compiler does not know: no markup from strings, no prose outside the catalogues,
// no long files.
import test from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { packages, SOURCES } from '../lib/source.mjs';

const ts = createRequire(path.join(packages(), 'package.json'))('typescript');
const files = readdirSync(SOURCES, { recursive: true }).filter((name) => /\.tsx?$/.test(name));

const MARKUP = new Set(['dangerouslySetInnerHTML', 'innerHTML', 'outerHTML', 'insertAdjacentHTML', 'srcdoc',
  'createContextualFragment', 'setHTMLUnsafe', 'eval', 'Function', 'setHTML']);
const SPOKEN = new Set(['title', 'alt', 'placeholder', 'label', 'aria-label', 'aria-description', 'aria-roledescription']);
/* Names of products and signs are the same in every language. */
const NO_PROSE = /^(?:[^\p{L}]*|Staffetta|English|Italiano|DKIM ·|SPF|DMARC|staffetta admin reset|relay\.example\.org:587|postmaster@example\.org)$/u;

function complaintsOf(name, text) {
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true, name.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS);
  const found = [];
  const complain = (node, what) => found.push(
    `${name}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${what}`);
  const visit = (node) => {
    if (ts.isIdentifier(node) && MARKUP.has(node.text)) complain(node, `${node.text} makes markup or code of a string`);
    if (ts.isJsxText(node) && !NO_PROSE.test(node.text.trim()))
      complain(node, `text outside the catalogues: ${node.text.trim()}`);
    if (ts.isJsxAttribute(node) && node.initializer && ts.isStringLiteral(node.initializer)) {
      const attribute = node.name.getText();
      if (attribute === 'style') complain(node, 'style as a string');
      if (SPOKEN.has(attribute) && !NO_PROSE.test(node.initializer.text))
        complain(node, `text outside the catalogues: ${attribute}="${node.initializer.text}"`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

test('no markup from strings and no prose in the sources', () => {
  assert.ok(files.length > 20);
  assert.deepEqual(files.flatMap((name) => complaintsOf(name, readFileSync(path.join(SOURCES, name), 'utf8'))), []);
});

test('the rules find what they are for', () => {
  const bad = '<p title="Hello" style="a:b" dangerouslySetInnerHTML={{__html: x}}>Good day {n}</p>; e.innerHTML = x;';
  assert.equal(complaintsOf('bad.tsx', bad).length, 5);
  assert.deepEqual(complaintsOf('good.tsx', '<p class="x" title={t("a")}>{n} · {m} %</p>'), []);
});

test('no file but a catalogue is longer than 300 lines', () => {
  const long = files.filter((name) => !name.startsWith('i18n') && readFileSync(path.join(SOURCES, name), 'utf8').split('\n').length > 301);
  assert.deepEqual(long, []);
});

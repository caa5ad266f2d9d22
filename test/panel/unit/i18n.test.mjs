import test from 'node:test';
import assert from 'node:assert/strict';
import { load } from '../lib/source.mjs';

const { english } = await load('i18n/en.ts').catch(() => load('i18n/en/index.ts'));
const { italian } = await load('i18n/it.ts').catch(() => load('i18n/it/index.ts'));

const holes = (text) => [...text.matchAll(/\{(\w+)\}/g)].map((hole) => hole[1]).sort().join();
/* Right in both languages as they stand: names, technical words, and what is spelt alike. */
const ALIKE = /^[\s\p{P}\p{S}\d]*(\{\w+\}[\s\p{P}\p{S}\d]*)*$|^(Password|Staffetta|Ed25519|RSA 2048|API|DNS|Server|Bulk|Browser|SPF|DKIM|DMARC|Host|PHP|No|file|Log|CSV|Provider|Account|Token|TLS|SMTP|IP|MX|Firewall|Email|E-mail|Online|Menu|Ctrl-?K|Esc|Info|Debug|Message-ID|24 h|\{n\}\/min|(?:\w+: ?)+…)$/u;

test('both catalogues have the same keys', () => {
  assert.deepEqual(Object.keys(italian).filter((key) => !(key in english)), []);
  assert.deepEqual(Object.keys(english).filter((key) => !(key in italian)), []);
});

test('what is filled in is filled in by both', () => {
  const differing = Object.keys(english).filter((key) => {
    const one = holes(english[key]), other = holes(italian[key]);
    return /\.(one|other)$/.test(key) ? !one.split(',').concat('n').includes(other.split(',')[0] || 'n') : one !== other;
  });
  assert.deepEqual(differing, []);
});

test('nothing was left in English', () => {
  const same = Object.keys(english).filter((key) => english[key] === italian[key] && !ALIKE.test(english[key]));
  assert.deepEqual(same.map((key) => `${key}: ${english[key]}`), []);
});

test('Italian addresses nobody', () => {
  const addressed = Object.keys(italian).filter((key) =>
    /\b(Lei|Suo|Sua|Suoi|Sue|tuo|tua|tuoi|tue|clicca|inserisci|inserisca|vai)\b/u.test(italian[key]));
  assert.deepEqual(addressed.map((key) => `${key}: ${italian[key]}`), []);
});

test('plurals have both forms in both languages', () => {
  for (const words of [english, italian])
    for (const key of Object.keys(words).filter((name) => name.endsWith('.other')))
      assert.ok(key.replace(/other$/, 'one') in words, key);
});

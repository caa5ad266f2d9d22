import test from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { load } from '../lib/source.mjs';

const { PROGRAMS, recipe } = await load('lib/programs.ts');
const account = { host: 'relay.example', user: "o'neil@shop.example", sender: 'news@shop.example', starttls: 587, implicit: 465 };
const hostile = { ...account, password: `a'b"c$d\\e@:/` };

test('every program gets fields or lines, and each names host, port and user', () => {
  for (const program of PROGRAMS) {
    const { fields, code } = recipe(program, account);
    const text = decodeURIComponent(code ?? fields.flat().join(' ')).replaceAll("'\\''", "'").replaceAll("\\'", "'");
    assert.ok(text.includes('relay.example') && /587|465/.test(text), program);
    assert.ok(text.includes("o'neil@shop.example"), program);
    assert.ok(text.includes('PASSWORD'), program);
  }
});

test('without STARTTLS the implicit port is told', () => {
  for (const program of PROGRAMS) {
    const { fields, code } = recipe(program, { ...account, starttls: null });
    assert.match(code ?? fields.flat().join(' '), /465/, program);
  }
});

test('a shell reads back the password as it was', () => {
  const { code } = recipe('curl', hostile);
  const words = execFileSync('sh', ['-c', code.replace(/^curl/, 'printf %s\\\\n')], { encoding: 'utf8' }).split('\n');
  assert.ok(words.includes(`${hostile.user}:${hostile.password}`), words.join('|'));
});

test('a DSN reads back as a URL', () => {
  const url = new URL(recipe('Mautic', hostile).code);
  assert.equal(decodeURIComponent(url.password), hostile.password);
  assert.equal(decodeURIComponent(url.username), hostile.user);
  assert.equal(url.port, '587');
});

test('PHP reads back the password as it was', () => {
  const line = recipe('phpList', hostile).code.split('\n').find((text) => text.startsWith('$phpmailer_smtppassword'));
  const said = execFileSync('php', ['-r', line + ' echo $phpmailer_smtppassword;'], { encoding: 'utf8' });
  assert.equal(said, hostile.password);
});

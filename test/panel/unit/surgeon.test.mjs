import test from 'node:test';
import assert from 'node:assert/strict';
import { load } from '../lib/source.mjs';

const { compared, fault_of } = await load('lib/surgeon.ts');
const WANTED = 'v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A';
const said = (pieces) => pieces.map(({ kind, text }) => ({ same: text, extra: `-${text}-`, lacks: `+${text}+` })[kind]).join('');

test('the published text with what must go and what must come', () => {
  assert.equal(said(compared('abc', 'abc')), 'abc');
  assert.equal(said(compared('p=MII', 'p=MIJ')), 'p=MI-J-+I+');
  assert.equal(said(compared('one two', '"one" two')), '-"-one-"- two');
  assert.equal(said(compared(WANTED, WANTED.slice(0, 30))), `${WANTED.slice(0, 30)}+${WANTED.slice(30)}+`);
  assert.equal(said(compared('', 'x')), '-x-');
});

test('taken together, the pieces are either text', () => {
  for (const [wanted, found] of [['aXbYc', 'ZaYcX'], ['aaaa', 'aa'], ['q'.repeat(3000), 'r'.repeat(3000)], ['', '']]) {
    const pieces = compared(wanted, found);
    const join = (skip) => pieces.filter(({ kind }) => kind !== skip).map(({ text }) => text).join('');
    assert.equal(join('extra'), wanted);
    assert.equal(join('lacks'), found);
  }
});

test('usual mistakes have names', () => {
  assert.equal(fault_of(WANTED, [`"${WANTED.slice(0, 20)}" "${WANTED.slice(20)}"`]), 'quotes');
  assert.equal(fault_of(WANTED, [WANTED.slice(0, 40)]), 'cut');
  assert.equal(fault_of(WANTED, [WANTED, 'v=DKIM1; p=']), 'several');
  assert.equal(fault_of(WANTED, [WANTED.replace('MIIB', 'MII B')]), 'spaces');
  assert.equal(fault_of(WANTED, ['v=DKIM1; k=rsa; p=AAAA']), 'other_key');
  assert.equal(fault_of(WANTED, ['verification=1']), null);
});

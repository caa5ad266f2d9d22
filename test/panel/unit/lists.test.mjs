import test from 'node:test';
import assert from 'node:assert/strict';
import { load } from '../lib/source.mjs';

const { changed, lines_of, matches, options_of, state_of } = await load('lib/users.ts');
const { host_bits, is_wide } = await load('lib/cidr.ts');
const { browser_of, differences } = await load('lib/access.ts');
const { new_selector } = await load('lib/domains.ts');
const { listeners_of, port_for } = await load('lib/listeners.ts');
const { reply_text } = await load('core/mail.ts');
const { fits, grouped } = await load('lib/settings.ts');

const user = {
  name: 'shop', enabled: true, senders: ['a@b.example'], networks: [], limits: { messages_per_day: 'none', sessions: 3 }, trace: 'full',
  bounces: 'dsn', class: false, must_sign: true, default_class: 'bulk', refuse_over_quota: false, brake: true, braked: null, contact: '',
};

test('a code of the service is put into words', () => {
  assert.equal(reply_text('to_be_deleted: two words'), 'To be deleted: two words');
  assert.equal(reply_text('450 4.2.1 to_be_deleted: no'), '450 4.2.1 to_be_deleted: no');
});

test('only what was changed is sent', () => {
  const before = options_of(user);
  assert.equal(before.messages_per_day, 'none');
  assert.equal(before.sessions, '3');
  assert.deepEqual(changed(before, before), {});
  assert.deepEqual(changed(before, { ...before, sessions: ' ', brake: 'no', contact: 'x@y.example ' }),
    { sessions: '0', brake: 'no', contact: 'x@y.example' });
  assert.deepEqual(changed({ ...before, contact: 'x@y.example' }, { ...before, contact: '' }), { contact: '' });
});

test('users: lines, search, state', () => {
  assert.deepEqual(lines_of(' a@b.example,\n\n c.example;d.example '), ['a@b.example', 'c.example', 'd.example']);
  assert.ok(matches(user, 'B.EXAMPLE') && !matches(user, 'gmail'));
  assert.equal(state_of({ ...user, braked: '2026-01-01T00:00:00Z' }), 'braked');
  assert.equal(state_of({ ...user, enabled: false }), 'disabled');
});

test('wide networks are known', () => {
  assert.equal(host_bits('192.0.2.1'), 0);
  assert.equal(host_bits('2001:db8::/32'), 96);
  for (const text of ['', 'host', '192.0.2.0/33', '1.2.3.4/']) assert.equal(host_bits(text), null, text);
  assert.ok(is_wide('10.0.0.0/8') && !is_wide('192.0.2.0/24') && is_wide('2001:db8::/48') && !is_wide('2001:db8::/64'));
});

test('differences name only what differs', () => {
  assert.deepEqual(differences({ a: 1, b: 2 }, { a: 1, b: 3 }), ['b: 2 → 3']);
  assert.deepEqual(differences(null, { role: 'owner' }), ['role: — → owner']);
  assert.deepEqual(differences(null, null), []);
  assert.deepEqual(differences({ list: [1] }, { list: [1] }), []);
});

test('browsers in a word', () => {
  assert.equal(browser_of('Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0'), 'Firefox 130');
  assert.equal(browser_of('Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36 Edg/126.0'), 'Edge 126');
  assert.equal(browser_of('Mozilla/5.0 (Macintosh) AppleWebKit/605 (KHTML, like Gecko) Version/17.4 Safari/605'), 'Safari 17');
  assert.equal(browser_of('curl/8.0'), 'curl/8.0');
});

test('a selector was never used before', () => {
  const today = new Date(2026, 10, 23), key = (selector) => ({ selector });
  assert.equal(new_selector([], today), 's202611');
  assert.equal(new_selector([key('s202611')], today), 's202611a');
  assert.equal(new_selector([key('s202611'), key('s202611a-rsa')], today), 's202611b');
});

test('listeners and their ports', () => {
  const row = (title, name, value) => ({ section: 'listen', title, name, value });
  const found = listeners_of([row('a', 'address', '0.0.0.0:2525 [::]:587'), row('a', 'tls', 'starttls'), row('a', 'auth', 'required'),
    row('b', 'address', '[::1]:0'), row('b', 'tls', 'implicit'), row('b', 'auth', 'required'),
    row('c', 'address', '0.0.0.0:25'), row('c', 'tls', 'starttls'), row('c', 'auth', 'none')]);
  assert.equal(port_for(found, 'starttls', 587), 587);
  assert.equal(port_for(found, 'implicit', 465), 465);
  assert.equal(port_for(found, 'none', 25), null);
});

test('settings: every word must fit', () => {
  const row = { section: 'delivery', title: null, name: 'retry', value: '5m', help: 'waits between attempts' };
  assert.ok(fits(row, 'RETRY waits') && !fits(row, 'retry tls') && fits(row, ''));
  assert.deepEqual(grouped([{ ...row, section: null }, row, { ...row, name: 'expire' }], 'General').map(({ name, rows }) => [name, rows.length]),
    [['General', 1], ['delivery', 2]]);
});

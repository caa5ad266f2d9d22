import test from 'node:test';
import assert from 'node:assert/strict';
import { load } from '../lib/source.mjs';

const { cause_of } = await load('lib/causes.ts');
const { alone, arranged, by_provider } = await load('lib/destinations.ts');
const { bounces_badly, fullest, sorted } = await load('lib/users.ts');

test('a reply is understood by its code or its words', () => {
  const cases = [
    ['550 5.1.1 The email account that you tried to reach does not exist.', 'bad_mailbox'],
    ['452 4.2.2 The email account that you tried to reach is over quota', 'mailbox_full'],
    ['421 4.7.28 Gmail has detected an unusual rate of mail', 'slow_down'],
    ['451 4.7.1 Greylisting in action, please come back later', 'slow_down'],
    ['554 5.7.1 Service unavailable; Client host blocked using Spamhaus', 'blocked_address'],
    ['550 5.7.26 This mail has been blocked because the sender is unauthenticated.', 'authentication'],
    ['552 5.3.4 Message too big', 'too_big'],
    ['connection timed out', 'network'],
    ['451 4.3.0 internal error', 'server'],
  ];
  for (const [reply, cause] of cases) assert.equal(cause_of(reply), cause, reply);
  assert.equal(cause_of('250 2.0.0 OK'), null);
  assert.equal(cause_of('550 anything', 'mailbox_closed'), 'mailbox_closed', 'what the service says goes first');
  assert.equal(cause_of('', 'other'), null);
});

const destination = (name, more) => ({ name, ready: 1, waiting: 2, sending: 3, held: 4, connections: 5, busy: 1, state: 'next_in_line', until: null,
  reason: '', provider: null, oldest_seconds: 10, rate: 1.5, hour: null, day: { delivered: 3, deferred: 1, bounced: 0, percent: 75 }, last_reply: null,
  drain_forecast: null, ...more });

test('those of a provider are one row, and unknown is not nothing', () => {
  const rows = by_provider([destination('a.example', { provider: 'P' }), destination('b.example'),
    destination('c.example', { provider: 'P', state: 'resting', waiting: 0, rate: null, oldest_seconds: 70, day: { delivered: 1, deferred: 3, bounced: 0, percent: 25 },
      last_reply: { at: '2026-01-02', text: 'late' } })]);
  assert.deepEqual(rows.map(({ key }) => key), ['provider:P', 'b.example']);
  const [group] = rows;
  assert.equal(group.state, 'resting', 'the one that wants attention stands for all');
  assert.deepEqual([group.waiting, group.rate, group.oldest_seconds, group.day.percent, group.hour], [2, 1.5, 70, 50, null]);
  assert.equal(group.last_reply.text, 'late');
});

test('found by domain too, in trouble only, in the wished order', () => {
  const places = [destination('mx.one.example', { domains: ['shop.example'] }), destination('two.example', { waiting: 9, state: 'suspended' })].map(alone);
  const names = (...how) => arranged(places, ...how).map(({ name }) => name);
  assert.deepEqual(names('', false, '-queued'), ['two.example', 'mx.one.example']);
  assert.deepEqual(names('SHOP', false, '-queued'), ['mx.one.example']);
  assert.deepEqual(names('', true, 'name'), ['two.example']);
});

test('users: what is full, who bounces badly, unknown last', () => {
  const user = (name, more) => ({ name, used: {}, quotas: {}, day: null, ...more });
  const full = user('a', { used: { messages_per_hour: 5 }, quotas: { messages_per_hour: 5, messages_per_day: 100 } });
  assert.equal(fullest(full), 1);
  assert.equal(fullest(user('b')), null);
  assert.ok(bounces_badly(user('c', { day: { delivered: 18, bounced: 2, bounce_percent: 10 } })));
  assert.ok(!bounces_badly(user('d', { day: { delivered: 1, bounced: 1, bounce_percent: 50 } })), 'two are no share');
  assert.deepEqual(sorted([user('b'), full], '-quota').map(({ name }) => name), ['a', 'b']);
});

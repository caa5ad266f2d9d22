import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/* A program of somebody else signs in; wrong: its password is. */
const swaks = ({ host, port }, [user, password]) => run('swaks', ['--server', host, '--port', String(port), '--tls', '--auth-user', user,
  '--auth-password', password, '--from', user, '--to', 'ann@dest.example', '--silent', '2']).catch(() => undefined);

export const mail = {
  /* The card of a user shows a sign-in as it happens, wrong ones too. */
  async firstConnection(me, { owner, user, smtp }) {
    await me.signIn(...owner);
    await me.at(`users/${encodeURIComponent(user[0])}`);
    await me.reads('card.waiting');
    await swaks(smtp, [user[0], 'not the password']);
    await me.sees(me.t('card.seen_wrong').split('{')[0]);
    await swaks(smtp, user);
    await me.sees(me.t('card.seen_ok').split('{')[0]);
    return {};
  },

  async destination(me, { owner, site }) {
    await me.signIn(...owner);
    await me.at('destinations');
    const row = me.page.locator('.row').filter({ hasText: site }).first();
    await me.pick(row);
    await me.press('order.suspend');
    await me.type(me.dialog().getByLabel(me.t('field.reason')), 'lavori in corso');
    await me.choose(me.dialog().getByLabel(me.t('order.span')), 'h1');
    await me.answer('order.suspend');
    await me.dialog().waitFor({ state: 'detached' });
    await row.filter({ hasText: 'lavori in corso' }).waitFor();
    await me.open(row);
    await me.dialog().getByText(me.t('order.until').split('{')[0].trim()).first().waitFor();
    await me.answer('do.close');
    await me.pick(row);
    await me.press('order.resume');
    await me.answer('order.resume');
    await row.filter({ hasNotText: 'lavori in corso' }).waitFor();
    return {};
  },

  /* A quota in the user's form. */
  async limit(me, { owner, user, limit, value }) {
    await me.signIn(...owner);
    await me.at(`users/${encodeURIComponent(user)}`);
    await me.type(me.page.getByLabel(me.t(`limit.${limit}`), { exact: true }), value);
    await me.press('users.save');
    await me.reads('users.saved');
    return {};
  },

  /* Whoever is over a quota reads that mail is held, and how much of the quota is used. */
  async overQuota(me, { user, used }) {
    await me.signIn(...user);
    await me.reads('me.held');
    await me.sees(me.t('users.used_of', { used, of: used }));
    return {};
  },

  /* Why it is held stands on the message; released, it leaves the queue. */
  async release(me, { owner, message, to }) {
    await me.signIn(...owner);
    await me.at(`messages/${message}`);
    await me.reads('why.quota');
    await me.at('queue?filter=state:held');
    const row = me.page.locator('.body > .row').filter({ hasText: to });
    await me.pick(row);
    await me.press('verb.release');
    await me.dialog().getByText(me.t('bulk.count.one')).waitFor();
    await me.answer('verb.release');
    await me.reads('job.release.one');
    await row.waitFor({ state: 'detached' });
    return {};
  },

  /* A preview counts; what was deleted waits in a bin for a minute, and comes back. */
  async bulkDelete(me, { owner, filter, n }) {
    await me.signIn(...owner);
    await me.at(`queue?filter=${encodeURIComponent(filter)}`);
    const rows = me.page.locator('.body > .row');
    await rows.nth(n - 1).waitFor();
    await me.pickAll();
    await me.press('verb.delete');
    await me.dialog().getByText(me.t('bulk.count.other', { n })).waitFor();
    await me.type(me.dialog().getByLabel(me.t('field.reason')), 'sent by mistake');
    await me.answer('verb.delete');
    await rows.filter({ hasText: 'sent by mistake' }).nth(n - 1).waitFor();
    await me.undo();
    await me.reads('toast.undone');
    await rows.filter({ hasNotText: 'sent by mistake' }).nth(n - 1).waitFor();
    return {};
  },

  /* What came by mail is text wherever it is shown. */
  async hostile(me, { who, pages }) {
    await me.signIn(...who);
    const met = [];
    me.page.on('dialog', (dialog) => { met.push(dialog.message()); void dialog.dismiss(); });
    for (const [path, expected] of pages) {
      await me.at(path);
      await me.page.locator('h1').waitFor();
      await me.sees(expected).catch((error) => { throw new Error(`${path}: ${error.message}`); });
    }
    assert.deepEqual(met, []);
    assert.equal(await me.page.evaluate(() => globalThis.hit ?? 0), 0);
    return {};
  },
};

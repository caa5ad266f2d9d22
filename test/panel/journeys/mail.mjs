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
    await row.locator('[type=checkbox]').check();
    await me.press('order.suspend');
    await me.dialog().getByLabel(me.t('field.reason')).fill('lavori in corso');
    await me.answer('order.suspend');
    await me.dialog().waitFor({ state: 'detached' });
    await row.filter({ hasText: 'lavori in corso' }).waitFor();
    await row.locator('[type=checkbox]').check();
    await me.press('order.resume');
    await me.answer('order.resume');
    await row.filter({ hasNotText: 'lavori in corso' }).waitFor();
    return {};
  },

  /* A preview counts; what was deleted waits in a bin for a minute, and comes back. */
  async bulkDelete(me, { owner, filter, n }) {
    await me.signIn(...owner);
    await me.at(`queue?filter=${encodeURIComponent(filter)}`);
    const rows = me.page.locator('.body > .row');
    await rows.nth(n - 1).waitFor();
    await me.page.getByRole('checkbox', { name: me.t('table.all') }).check();
    await me.press('verb.delete');
    await me.dialog().getByText(me.t('bulk.count.other', { n })).waitFor();
    await me.dialog().getByLabel(me.t('field.reason')).fill('sent by mistake');
    await me.answer('verb.delete');
    await rows.filter({ hasText: 'sent by mistake' }).nth(n - 1).waitFor();
    await me.page.locator('.toast').getByRole('button', { name: me.t('do.undo') }).click();
    await me.reads('toast.undone');
    await rows.filter({ hasNotText: 'sent by mistake' }).nth(n - 1).waitFor();
    return {};
  },

  /* What came by mail is text wherever it is shown. */
  async hostile(me, { owner, paths, expected }) {
    await me.signIn(...owner);
    const met = [];
    me.page.on('dialog', (dialog) => { met.push(dialog.message()); void dialog.dismiss(); });
    for (const path of paths) {
      await me.at(path);
      await me.page.locator('h1').waitFor();
      await me.sees(expected);
    }
    assert.deepEqual(met, []);
    assert.equal(await me.page.evaluate(() => globalThis.hit ?? 0), 0);
    return {};
  },
};

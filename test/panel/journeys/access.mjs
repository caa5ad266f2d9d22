import assert from 'node:assert/strict';
import { timeCode } from '../lib/person.mjs';

export const access = {
  async admin(me, { owner }) {
    await me.signIn(...owner);
    await me.at('access');
    await me.press('access.add_admin');
    await me.type(me.dialog().locator('[name=name]'), 'luca');
    await me.choose(me.dialog().locator('select'), 'viewer');
    await me.type(me.dialog().locator('[name=new-password]'), 'a viewer reads and reads');
    await me.answer('access.add_admin');
    await me.page.locator('.row').filter({ hasText: 'luca' }).waitFor();
    await me.signOut();
    await me.signIn('luca', 'a viewer reads and reads');
    await me.at('users');
    await me.heading(me.t('users.title'));
    assert.equal(await me.button('users.add').count(), 0);
    await me.at('access');
    await me.page.locator('.notice').waitFor();
    return {};
  },

  /* A token for one thing is refused everything else. */
  async token(me, { owner }) {
    await me.signIn(...owner);
    await me.at('access?part=tokens');
    await me.press('access.add_token');
    await me.type(me.dialog().locator('[name=name]'), 'monitor');
    await me.choose(me.dialog().getByLabel(me.t('access.area.users'), { exact: true }), 'read');
    await me.answer('access.add_token');
    await me.reads('access.token_once');
    const secret = await me.takeSecret();
    const ask = async (method, path) => (await fetch(`${me.url}api/v1${path}`, {
      method, headers: { Authorization: `Bearer ${secret}`, 'X-Staffetta': '1' } })).status;
    const statuses = {
      read: await ask('GET', '/users'), other: await ask('GET', '/domains'), write: await ask('POST', '/users/a:disable'),
      admins: await ask('GET', '/admins'),
    };
    await me.hit(me.page.locator('.row').filter({ hasText: 'monitor' }).getByRole('button'));
    await me.answer('access.revoke');
    await me.reads('access.revoked', { name: 'monitor' });
    return { ...statuses, revoked: await ask('GET', '/users') };
  },

  async secondFactor(me, { owner }) {
    await me.signIn(...owner);
    await me.at('account');
    await me.press('account.totp_begin');
    const secret = await me.dialog().locator('.copy code').innerText();
    await me.type(me.dialog().locator('[name=code]'), timeCode(secret));
    await me.answer('account.totp_enable');
    await me.reads('account.recovery');
    const codes = (await me.takeSecret()).split('\n');
    await me.signOut();
    await me.signIn(...owner, () => codes[0]);
    await me.at('account');
    await me.press('account.totp_disable');
    await me.reads('account.totp_disabled');
    return { n_codes: codes.length };
  },

  /* Each change is in the list, and nothing that is secret. */
  async audit(me, { owner }) {
    await me.signIn(...owner);
    await me.at('audit');
    await me.page.locator('.row').nth(3).waitFor();
    return { text: await me.page.locator('main').innerText() };
  },
};

import assert from 'node:assert/strict';

export const self = {
  /* An SMTP user sees what is theirs, and changes what they sign in with. */
  async selfService(me, { user, fresh }) {
    await me.signIn(...user);
    await me.heading(me.t('me.sending'));
    assert.equal(await me.page.locator('nav.side li').count(), 5);
    await me.at('users');
    await me.heading(me.t('page.missing'));
    const refused = await me.page.evaluate(() => Promise.all(['/users', '/deliveries', '/logs', '/queue', '/overview', '/audit', '/config',
      '/events?topics=logs', '/events?topics=queue', '/events?topics=auth,logs'].map((path) => fetch('/api/v1' + path).then(({ status }) => status))));
    assert.deepEqual([...new Set(refused)], [403]);
    await me.at('me/program');
    await me.choose(me.page.getByLabel(me.t('card.program')), 'Mautic');
    await me.sees('smtp://');
    await me.at('account');
    await me.put('old', user[1]);
    await me.put('new', fresh);
    await me.press('account.change');
    await me.reads('account.changed');
    await me.press('account.app_add');
    await me.type(me.dialog().locator('[name=label]'), 'WordPress');
    await me.answer('account.app_add');
    await me.reads('users.password_once');
    return { app: await me.takeSecret() };
  },
};

import assert from 'node:assert/strict';

const row = (me, text) => me.page.locator('.row, .card-row').filter({ hasText: text }).first();

export const senders = {
  async user(me, { owner }) {
    await me.signIn(...owner);
    await me.at('users');
    await me.press('users.add');
    await me.type(me.dialog().locator('[name=user]'), 'shop@shop.example');
    await me.answer('users.add');
    await me.reads('users.password_once');
    const password = await me.takeSecret();
    await me.hit(row(me, 'shop@shop.example').getByRole('link').first());
    await me.heading('shop@shop.example');
    await me.sees('shop@shop.example');

    await me.type(me.page.getByLabel(me.t('limit.messages_per_day'), { exact: true }), '500');
    await me.press('users.save');
    await me.reads('users.saved');
    await me.page.reload();
    await me.page.locator('form .fields').first().waitFor();
    assert.equal(await me.page.getByLabel(me.t('limit.messages_per_day'), { exact: true }).inputValue(), '500');

    await me.press('users.disable');
    await me.reads('users.state.disabled');
    await me.undo();
    await me.reads('users.state.enabled');

    await me.press('users.delete');
    await me.answer('do.cancel');
    await me.press('users.delete');
    await me.answer('users.delete');
    await me.page.waitForURL(/\/users$/);
    await me.reads('users.deleted', { name: 'shop@shop.example' });
    assert.equal(await row(me, 'shop@shop.example').count(), 0);
    return { password };
  },

  async domain(me, { owner }) {
    await me.signIn(...owner);
    await me.at('domains');
    await me.press('domains.add');
    await me.type(me.dialog().locator('[name=domain]'), 'eventi.example');
    await me.answer('domains.add');
    await me.heading('eventi.example');
    await me.reads('domains.records');
    const value = me.page.locator('.record').filter({ hasText: 'RSA' }).locator('code').last();
    const plain = await value.innerText();
    await me.choose(me.page.getByLabel(me.t('domains.form')).first(), 'route53');
    const split = await value.innerText();
    assert.match(split, /^"[^"]{255}" "[^"]+"$/);
    assert.equal(split.replaceAll('" "', '').replaceAll('"', ''), plain);
    await me.choose(me.page.getByLabel(me.t('domains.form')).first(), 'plain');
    await me.press('domains.check');
    await me.page.getByText(/^(Not found in DNS|Non trovato nel DNS|DNS did not answer|Il DNS non ha risposto)$/).first().waitFor();

    await me.press('domains.delete');
    await me.answer('domains.delete');
    await me.page.waitForURL(/\/domains$/);
    await me.reads('domains.deleted', { name: 'eventi.example' });
    return { plain };
  },

  async network(me, { owner }) {
    await me.signIn(...owner);
    await me.at('networks');
    await me.press('networks.add');
    await me.type(me.dialog().locator('[name=network]'), '0.0.0.0/0');
    await me.dialog().getByText(/4[.,]294[.,]967[.,]296/).waitFor();
    await me.answer('networks.add');
    await me.dialog().getByRole('alert').waitFor();
    await me.type(me.dialog().locator('[name=network]'), '192.0.2.0/28');
    await me.answer('networks.add');
    await me.reads('networks.added', { network: '192.0.2.0/28' });
    await me.hit(row(me, '192.0.2.0/28').getByRole('button'));
    await me.answer('networks.remove');
    await me.reads('networks.empty');
    await me.undo();
    await row(me, '192.0.2.0/28').waitFor();
    return {};
  },
};

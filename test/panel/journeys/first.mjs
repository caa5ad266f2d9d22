import assert from 'node:assert/strict';

const PASSWORD = 'five quiet horses by the river';

export const first = {
  /* From the code of the log to the first SMTP user. */
  async wizard(me, { code }) {
    await me.at('');
    await me.heading(me.t('setup.title'));
    await me.fill('setup.code.label', 'wrong-code');
    await me.put('username', 'anna');
    await me.put('password', 'too short');
    await me.put('again', 'too short');
    await me.press('setup.next');
    await me.reads('setup.admin.short', { n: 15 });
    await me.put('password', PASSWORD);
    await me.put('again', PASSWORD);
    await me.press('setup.next');
    await me.page.getByRole('alert').waitFor();
    await me.put('code', code.toUpperCase().replaceAll('-', ' '));
    await me.press('setup.next');

    await me.reads('setup.service.intro');
    await me.press('setup.next');
    await me.put('domain', 'shop.example');
    await me.press('setup.domain.make');
    await me.reads('setup.domain.made');
    const records = await me.page.locator('.record').count();
    await me.press('setup.next');
    await me.put('user', 'news@shop.example');
    await me.press('users.add');
    await me.reads('users.password_once');
    const password = await me.page.locator('.copy code').first().innerText();
    await me.press('setup.next');
    await me.reads('card.intro');
    await me.press('setup.done');
    await me.page.waitForURL(me.url);
    assert.equal(await me.page.locator('html').getAttribute('lang'), me.language);
    await me.signOut();
    return { owner: ['anna', PASSWORD], user: ['news@shop.example', password], records };
  },

  /* The same words for an unknown user and a wrong password; then the countdown. */
  async guesses(me) {
    await me.at('login');
    const texts = new Set();
    for (let i = 0; i < 30; i++) {
      await me.put('username', i % 2 ? 'nobody' : 'anna');
      await me.put('password', `guess number ${i} is long`);
      await me.press('login.button');
      await me.page.getByRole('alert').waitFor();
      const text = await me.page.getByRole('alert').innerText();
      if (await me.button('login.button').isDisabled()) return { texts: [...texts], tries: i, counted: /\d/.test(text) };
      texts.add(text);
    }
    return { texts: [...texts], tries: 30, counted: false };
  },
};

// What the panel bears: a service that restarts, a list that changes, a disk that is full, a database that is busy.
import assert from 'node:assert/strict';

const NO_SERVICE = /^Failed to load resource: (net::|the server responded with a status of 50\d)|EventSource/;

const rows = (me) => me.page.locator('.body > .row');
const row = (me, text) => rows(me).filter({ hasText: text }).first();

/* The words of a key up to what is filled in. */
const before = (me, key) => me.t(key).split('{')[0].trim();

export const trouble = {
  /* Somebody reads a list; the test goes on with the page. */
  async reads(me, { owner, path, seen }) {
    await me.signIn(...owner);
    await me.at(path);
    await me.sees(seen);
    return {};
  },

  /* The service is gone: the bar says so, what was read stays, and a new question says what to do. */
  async serviceGone(me, { seen }) {
    me.page.forgiven = NO_SERVICE;
    await me.page.locator('.stale').filter({ hasText: before(me, 'page.stale') }).waitFor();
    await me.sees(seen);
    await me.hit(me.page.locator('nav.side').getByRole('link', { name: me.t('nav.users'), exact: true }));
    const alert = me.page.locator('main').getByRole('alert');
    await alert.filter({ hasText: me.t('error.unreachable') }).waitFor();
    await alert.getByRole('button', { name: me.t('do.retry') }).waitFor();
    await me.page.goBack();
    return {};
  },

  /* It is back: nobody presses anything, and what came meanwhile is there. */
  async serviceBack(me, { fresh }) {
    await me.page.locator('.stale').waitFor({ state: 'detached' });
    await me.sees(fresh);
    return {};
  },

  async picks(me, { text }) {
    await me.pick(row(me, text));
    return { first: await rows(me).first().innerText() };
  },

  /* New mail came while rows were picked: nothing moved; the reader decides when. */
  async listMoved(me, { first, fresh }) {
    await me.reads('list.changed');
    assert.equal(await rows(me).first().innerText(), first);
    assert.equal(await row(me, fresh).count(), 0);
    await me.press('list.renew');
    await row(me, fresh).waitFor();
    return {};
  },

  /* Much is deleted, and the password was given too long ago: asked for above the dialogue, which keeps its words. */
  async confirmOverOrder(me, { owner, filter, n, reason }) {
    await me.at(`queue?filter=${encodeURIComponent(filter)}`);
    await rows(me).nth(n - 1).waitFor();
    await me.pickAll();
    await me.press('verb.delete');
    await me.type(me.dialog().getByLabel(me.t('field.reason')), reason);
    await me.answer('verb.delete');

    const above = me.page.getByRole('dialog', { name: me.t('confirm.title') });
    const below = me.page.locator('dialog').filter({ hasText: me.t('bulk.delete') });
    const press = (dialog, key) => me.hit(dialog.getByRole('button', { name: me.t(key), exact: true }));
    await above.waitFor();
    await press(above, 'do.cancel');
    await above.waitFor({ state: 'detached' });
    await below.getByText(me.t('error.confirm_first')).waitFor();
    assert.equal(await below.getByLabel(me.t('field.reason')).inputValue(), reason);

    await press(below, 'verb.delete');
    await me.type(above.locator('[type=password]'), 'not the password');
    await press(above, 'do.confirm');
    await above.getByText(me.t('error.wrong_password')).waitFor();
    await me.type(above.locator('[type=password]'), owner[1]);
    await press(above, 'do.confirm');
    await me.dialog().waitFor({ state: 'detached' });
    await rows(me).filter({ hasText: reason }).nth(n - 1).waitFor();
    await me.undo();
    await me.reads('toast.undone');
    return {};
  },

  async fullDisk(me, { cause }) {
    await me.reads(cause);
    assert.equal(await me.page.locator('.top a.pill.delivered').count(), 0);
    return {};
  },

  async diskHasRoom(me, { cause }) {
    await me.page.getByText(me.t(cause)).waitFor({ state: 'detached' });
    await me.page.locator('.top a.pill').waitFor();
    return {};
  },

  /* A change that cannot be stored says why, and is still in the form for another try. */
  async changeRefused(me, { user, code }) {
    me.page.forgiven = NO_SERVICE;
    await me.press('users.add');
    await me.type(me.dialog().locator('[name=user]'), user);
    await me.answer('users.add');
    const alert = me.dialog().getByRole('alert');
    await alert.waitFor();
    assert.ok((await alert.innerText()).includes(me.t(`error.${code}`)), await alert.innerText());
    return {};
  },

  async changeTakenThen(me, { user }) {
    await me.answer('users.add');
    await me.reads('users.password_once');
    await me.takeSecret();
    await row(me, user).waitFor();
    return {};
  },

  async isSuspended(me, { site, reason }) {
    await row(me, site).filter({ hasText: me.t('standing.suspended') }).filter({ hasText: reason }).waitFor();
    return {};
  },

  async flowsAgain(me, { site, reason }) {
    await row(me, site).filter({ hasNotText: reason }).waitFor();
    assert.equal(await row(me, site).filter({ hasText: me.t('standing.suspended') }).count(), 0);
    return {};
  },
};

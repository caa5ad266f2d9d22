// What the panel bears: a service that restarts, a list that changes.
import assert from 'node:assert/strict';

const NO_SERVICE = /^Failed to load resource: (net::|the server responded with a status of 50\d)|EventSource/;

const rows = (me) => me.page.locator('.body > .row');
const row = (me, text) => rows(me).filter({ hasText: text }).first();

/* The words of a key up to what is filled in. */
const before = (me, key) => me.t(key).split('{')[0].trim();

export const trouble = {
  /* Somebody reads a list; the test goes on with the page.  stops: the service is about to, and its last
   * answers may be refusals. */
  async reads(me, { owner, path, seen, stops = false }) {
    await me.signIn(...owner);
    await me.at(path);
    await me.sees(seen);
    if (stops) me.page.forgiven = NO_SERVICE;
    return {};
  },

  /* The service is gone: the bar says so, what was read stays, and a new question says what to do. */
  async serviceGone(me, { seen }) {
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
};

// What a person does in the panel, in the words of the language it speaks.
import { createHmac } from 'node:crypto';
import { words } from './words.mjs';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/* RFC 6238 with its usual numbers: SHA-1, 30 s, six digits. */
export function timeCode(secret, seconds = Date.now() / 1000) {
  let bits = '';
  for (const letter of secret.replace(/[\s=]/g, '').toUpperCase()) bits += BASE32.indexOf(letter).toString(2).padStart(5, '0');
  const key = Buffer.from(bits.match(/.{8}/g).map((octet) => parseInt(octet, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(seconds / 30)));
  const hash = createHmac('sha1', key).update(counter).digest();
  const at = hash[19] & 15;
  return String((hash.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

export class Person {
  constructor(page, url, language) {
    Object.assign(this, { page, url, language, t: words(language) });
  }

  /* How a hand does it; somebody without a mouse does it by keys, see keyboard.mjs. */
  hit = (target) => target.click();
  type = (target, text) => target.fill(text);
  choose = (target, value) => target.selectOption(value);
  pick = (row) => row.locator('[type=checkbox]').check();
  open = (row) => row.click();
  pickAll = () => this.page.getByRole('checkbox', { name: this.t('table.all') }).check();

  at = (path) => this.page.goto(this.url + path);
  button = (key, values) => this.page.getByRole('button', { name: this.t(key, values), exact: true });
  press = (key, values) => this.hit(this.button(key, values).last());
  /* Required fields have a mark after their name. */
  field = (key) => this.page.getByLabel(this.t(key), { exact: false });
  fill = (key, text) => this.type(this.field(key).first(), text);
  put = (name, text) => this.type(this.page.locator(`[name=${name}]`), text);
  sees = (text) => this.page.getByText(text).first().waitFor();
  reads = (key, values) => this.sees(this.t(key, values));
  heading = (text) => this.page.getByRole('heading', { level: 1, name: text }).waitFor();
  dialog = () => this.page.getByRole('dialog');

  /* Inside the open dialogue, whose button may be named as the one that opened it. */
  async answer(key) {
    await this.hit(this.dialog().getByRole('button', { name: this.t(key), exact: true }));
  }

  /* What is shown once, then its dialogue is closed. */
  async takeSecret() {
    await this.page.keyboard.press('Escape'); // must not lose it
    const secret = await this.dialog().locator('.copy > :first-child').first().innerText();
    await this.answer('do.close');
    return secret.trim();
  }

  async signIn(user, password, code) {
    await this.at('login');
    await this.heading(this.t('login.title'));
    await this.put('username', user);
    await this.put('password', password);
    await this.press('login.button');
    if (code) {
      await this.put('code', code());
      await this.press('login.button');
    }
    await this.page.locator('.menu > button').waitFor();
    await this.speak();
  }

  /* An account keeps the language that was chosen last. */
  async speak() {
    if (await this.page.locator('html').getAttribute('lang') === this.language) return;
    await this.hit(this.page.locator('.menu > button'));
    await this.hit(this.page.getByRole('button', { name: this.language === 'it' ? 'Italiano' : 'English', exact: true }));
    await this.page.locator(`html[lang=${this.language}]`).waitFor();
    await this.page.keyboard.press('Escape');
  }

  /* The toast's way back. */
  undo = () => this.hit(this.page.locator('.toast').getByRole('button', { name: this.t('do.undo') }));

  async signOut() {
    await this.hit(this.page.locator('.menu > button'));
    await this.press('menu.leave');
    await this.heading(this.t('login.title'));
  }
}

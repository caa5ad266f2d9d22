// A person without a mouse: everything is reached by Tab and arrows, and the focus is never lost.
import assert from 'node:assert/strict';
import { Person } from './person.mjs';

const MOST_TABS = 250;

export class KeyboardPerson extends Person {
  keys = this.page.keyboard;

  hit = async (target) => {
    await this.reach(target);
    await this.keys.press('Enter');
  };

  type = async (target, text) => {
    await this.reach(target);
    await this.keys.press('Control+A');
    await this.keys.insertText(text);
  };

  choose = async (target, value) => {
    await this.reach(target);
    await this.keys.press('Home');
    const n = await target.evaluate((select) => select.options.length);
    for (let i = 0; i < n && await target.inputValue() !== value; i++) await this.keys.press('ArrowDown');
    assert.equal(await target.inputValue(), value);
  };

  /* Rows are walked by arrows; the grid is one stop of Tab. */
  walk = async (row) => {
    await this.reach(this.page.getByRole('grid'));
    await this.keys.press('Home');
    for (let i = 0; i < 50 && !await row.evaluate((one) => one.classList.contains('current')); i++) await this.keys.press('ArrowDown');
  };

  pick = async (row) => {
    await this.walk(row);
    await this.keys.press('Space');
    await row.and(this.page.locator('[aria-selected=true]')).waitFor();
  };

  open = async (row) => {
    await this.walk(row);
    await this.keys.press('Enter');
  };

  pickAll = async () => {
    const box = this.page.getByRole('checkbox', { name: this.t('table.all') });
    await this.reach(box);
    await this.keys.press('Space');
    assert.ok(await box.isChecked());
  };

  /* Whoever cannot see the page knows it by where the focus is: never nowhere, and always on what is seen. */
  async reach(target) {
    await target.waitFor();
    await this.holdsFocus();
    for (let i = 0; i < MOST_TABS; i++) {
      if (await target.evaluate((element) => element === document.activeElement)) return this.focusIsSeen(target);
      await this.keys.press('Tab');
    }
    throw new Error(`Tab never comes to ${target}`);
  }

  async holdsFocus() {
    await this.page.waitForFunction(() => document.activeElement !== document.body && document.activeElement !== null);
  }

  async focusIsSeen(target) {
    const look = await target.evaluate((element) => {
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
      const inside = element.querySelector('.current');
      return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 || boxShadow !== 'none' ||
        inside !== null && getComputedStyle(inside).outlineStyle !== 'none';
    });
    assert.ok(look, `the focus on ${target} cannot be seen`);
  }
}

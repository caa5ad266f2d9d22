// Each journey: (page, url, input) -> what the test wants to know.  Faults of the page end it.
import { KeyboardPerson } from '../lib/keyboard.mjs';
import { Person } from '../lib/person.mjs';
import { first } from './first.mjs';
import { access } from './access.mjs';
import { mail } from './mail.mjs';
import { senders } from './senders.mjs';
import { self } from './self.mjs';
import { trouble } from './trouble.mjs';

const all = { ...first, ...senders, ...access, ...self, ...mail, ...trouble };

/* keyboard: by somebody who has no mouse. */
export const journeys = Object.fromEntries(Object.entries(all).map(([name, run]) => [name, (page, url, { keyboard, ...input }) =>
  run(new (keyboard ? KeyboardPerson : Person)(page, url, input.language), input)]));

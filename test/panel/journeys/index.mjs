// Each journey: (page, url, input) -> what the test wants to know.  Faults of the page end it.
import { Person } from '../lib/person.mjs';
import { first } from './first.mjs';
import { access } from './access.mjs';
import { mail } from './mail.mjs';
import { senders } from './senders.mjs';
import { self } from './self.mjs';

const all = { ...first, ...senders, ...access, ...self, ...mail };

export const journeys = Object.fromEntries(Object.entries(all).map(([name, run]) =>
  [name, (page, url, input) => run(new Person(page, url, input.language), input)]));

// The panel's own words, by which journeys find what they press: the same journey in each language.
import { load } from './source.mjs';

const { english } = await load('i18n/en.ts');
const { italian } = await load('i18n/it.ts');
const catalogues = { en: english, it: italian };

/* words('it')('users.deleted', { name: 'a' }) */
export const words = (language) => (key, values = {}) => {
  const text = catalogues[language][key];
  if (text === undefined) throw new Error(`no words for ${key}`);
  return text.replace(/\{(\w+)\}/g, (hole, name) => values[name] ?? hole);
};

// Every page that is looked at and audited: who sees it, where, and what is opened on it.
const open = (name) => (page) => page.getByRole('button', { name }).first().click();

export const PAGES = [
  { name: 'login', path: '/login', who: 'stranger' },
  { name: 'setup', path: '/', who: 'first' },
  { name: 'overview', path: '/', who: 'owner' },
  { name: 'destinations', path: '/destinations', who: 'owner' },
  { name: 'queue', path: '/queue', who: 'owner' },
  { name: 'message', path: '/messages/A0ZQX1', who: 'owner' },
  { name: 'deliveries', path: '/deliveries', who: 'owner' },
  { name: 'logs', path: '/logs', who: 'owner' },
  { name: 'graphs', path: '/graphs', who: 'owner' },
  { name: 'users', path: '/users', who: 'owner' },
  { name: 'user', path: '/users/newsletter', who: 'owner' },
  { name: 'user-braked', path: '/users/crm', who: 'owner' },
  { name: 'networks', path: '/networks', who: 'owner' },
  { name: 'domains', path: '/domains', who: 'owner' },
  { name: 'domain', path: '/domains/shop.example', who: 'owner' },
  { name: 'setup-service', path: '/setup', who: 'owner' },
  { name: 'setup-user', path: '/setup?step=user', who: 'owner' },
  { name: 'diagnostics', path: '/diagnostics?address=postmaster@example.org', who: 'owner' },
  { name: 'settings', path: '/settings', who: 'owner' },
  { name: 'access', path: '/access', who: 'owner' },
  { name: 'tokens', path: '/access?part=tokens', who: 'owner' },
  { name: 'sessions', path: '/access?part=sessions', who: 'owner' },
  { name: 'audit', path: '/audit', who: 'owner' },
  { name: 'about', path: '/about', who: 'owner' },
  { name: 'account', path: '/account', who: 'owner' },
  { name: 'me', path: '/me', who: 'user' },
  { name: 'me-deliveries', path: '/me/deliveries', who: 'user' },
  { name: 'me-program', path: '/me/program', who: 'user' },
  { name: 'me-dns', path: '/me/dns', who: 'user' },
  { name: 'me-account', path: '/account', who: 'user' },
];

/* Dialogues, looked at in pictures and audited once. */
export const DIALOGUES = [
  { name: 'add-user', path: '/users', who: 'owner', act: open(/^(Add user|Aggiungi utente)$/) },
  { name: 'add-token', path: '/access?part=tokens', who: 'owner', act: open(/^(New token|Nuovo token)$/) },
  { name: 'delete-domain', path: '/domains/shop.example', who: 'owner', act: open(/^(Delete domain|Elimina dominio)$/) },
  { name: 'path-test', path: '/diagnostics?address=anna.rossi@outlook.com', who: 'owner', act: async (page) => {
    await open(/^(Run|Avvia)$/)(page);
    await page.waitForSelector('.timeline li:nth-child(5)');
  } },
  { name: 'add-network', path: '/networks', who: 'owner', act: open(/^(Add network|Aggiungi rete)$/) },
];

/* Until the page stands and waits for nothing. */
export async function settle(page) {
  await page.waitForSelector('h1');
  await page.waitForFunction(() => !document.querySelector('.skeleton, [aria-busy="true"]'));
  await page.evaluate(() => document.fonts.ready.then(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))));
}

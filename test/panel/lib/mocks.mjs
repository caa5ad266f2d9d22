// The mock server of webui/panel/dev, one process for each person and state that is asked for.
import { mkdtempSync, rmSync } from 'node:fs';
import { execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PANEL } from './source.mjs';

const people = { owner: [], user: ['--role', 'user'], stranger: ['--signed-out'], first: ['--signed-out', '--setup', 'yes'] };

/* given: pages that were built already. */
export async function startMocks(given) {
  const dist = given ?? mkdtempSync(path.join(tmpdir(), 'panel-'));
  if (!given) execFileSync('node', [path.join(PANEL, 'build.mjs'), dist], { stdio: 'inherit' });
  const running = new Map();

  async function start(who, state) {
    const process_ = spawn('node', [path.join(PANEL, 'dev/mock.mjs'), '--port', '0', '--dist', dist, '--case', state,
      ...people[who]], { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: process_.stdout })) return { process_, url: line };
    throw new Error('the mock server ended');
  }
  return {
    dist,
    url: async (who, state) => {
      const name = `${who} ${state}`;
      if (!running.has(name)) running.set(name, start(who, state));
      return (await running.get(name)).url;
    },
    stop: async () => {
      for (const one of running.values()) (await one).process_.kill();
      if (!given) rmSync(dist, { recursive: true });
    },
  };
}

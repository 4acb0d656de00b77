// Asks the program. The cookie goes by itself; what changes something carries a header that no other site can send.
import { store } from './store.js';

async function ask(path, options) {
  const answer = await fetch(path, { credentials: 'same-origin', ...options });
  if (answer.status === 401) throw new Error('This page has no access any more: open the address that the program printed.');
  if (!answer.ok) throw new Error((await answer.text()).trim() || `${answer.status} ${answer.statusText}`);
  return answer;
}

const query = (parameters) => new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== undefined && value !== ''));

export const getState = async () => (await ask('api/state')).json();

export const getRows = async (parameters, signal) => (await ask(`api/rows?${query(parameters)}`, { signal })).json();

export const getLine = async (n) => (await ask(`api/line?n=${n}`)).json();

export const getTimeline = async (parameters) => (await ask(`api/timeline?${query(parameters)}`)).json();

export const post = (path, body) => ask(path, {
  method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Finesse-Tap': '1' }, body: JSON.stringify(body),
});

// Says when there is more to ask for. Without a connection it says so, and tries again; nothing is missed, as what is
// there is asked for by number.
export function listen(changed, link) {
  const source = new EventSource('api/events');
  source.addEventListener('message', (event) => {
    link(true);
    changed(JSON.parse(event.data));
  });
  source.addEventListener('open', () => link(true));
  source.addEventListener('error', () => link(false));
  store.source = source;
}

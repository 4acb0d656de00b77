// Asks the program. The cookie goes by itself; what changes something carries a header that no other site can send.
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

const SILENCE = 12_000; // the program says every 5 seconds that it is there

// Says when there is more to ask for. Without a connection it says so, and tries again; nothing is missed, as what is
// there is asked for by number.
export function listen(changed, link) {
  let source;
  let heard = Date.now();
  const here = () => { heard = Date.now(); link(true); };
  const connect = () => {
    source?.close();
    source = new EventSource('api/events');
    source.addEventListener('message', (event) => { here(); changed(JSON.parse(event.data)); });
    source.addEventListener('beat', here);
    source.addEventListener('open', here);
    source.addEventListener('error', () => link(false));
  };
  connect();
  setInterval(() => {
    if (Date.now() - heard < SILENCE) return;
    link(false);
    heard = Date.now();
    connect();
  }, 1_000);
}

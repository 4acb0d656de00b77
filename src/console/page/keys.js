// Everything by keyboard, and the two dialogs that say how.
import { byId, el, fill } from './dom.js';
import { changed, expression, store, writeAddress } from './store.js';
import { move, more, refilter, reveal, select, toEnd, toStart } from './list.js';
import { addToFilter } from './filter.js';
import { post } from './net.js';

const dialog = byId('dialog');

const KEYS = [
  ['j k ↑ ↓', 'next, previous message'], ['g G', 'first, last (follows what comes)'], ['Enter', 'into the message'], ['b', 'back to where a jump began'],
  ['f', 'filter'], ['/', 'search'], ['+ -', 'add the selected text to the filter, or exclude it'], ['p', 'pings'], ['Space', 'pause, go on'], ['m', 'mark this moment'],
  ['e', 'export'], ['?', 'this help'], ['Esc', 'close, then the list'],
];
const TERMS = [
  ['agent 1001', 'all that belongs to an agent, by any of its names'], ['kind update', 'update http xmpp auth ws tls conn finding'], ['errors', 'warnings, errors, findings'],
  ['slow 500ms', 'took so long or longer'], ['node User/1001', 'events of a node'], ['text "READY"', 'holds the text'], ['since 10:02', 'a time, or 1h'], ['and or not ( )', 'combine'],
];

function show(title, ...content) {
  fill(dialog, el('h2', { id: 'dialog-title' }, title), ...content);
  dialog.showModal();
}

const closing = () => el('button', { type: 'button', onclick: () => dialog.close() }, 'Close');

function help() {
  const table = (rows) => el('table', el('tbody', rows.map(([key, says]) => el('tr', el('th', { scope: 'row' }, el('kbd', key)), el('td', says)))));
  show('Keys and filter', table(KEYS), el('h3', 'Filter'), table(TERMS), closing());
}

function mark() {
  if (!store.state?.live) { show('Mark', el('p', 'A note can be written only while the proxy runs: this is a stored capture, opened read-only.'), closing()); return; }
  const input = el('input', { type: 'text', maxlength: 200, 'aria-label': 'Note', placeholder: 'agent says: it hangs now' });
  const said = el('p', { role: 'status' });
  const form = el('form', input, ' ', el('button', { type: 'submit' }, 'Write'), ' ', closing(), said);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    try { await post('api/mark', { text: input.value }); dialog.close(); } catch (error) { said.textContent = error.message; }
  });
  show('Mark this moment', el('p', 'Your words become a line of the capture; redaction treats them as free text.'), form);
  input.focus();
}

// Two agents side by side: one for whom it works, one for whom it does not.
function compared(button) {
  const agents = store.state?.agents || [];
  if (agents.length < 2) return null;
  const choice = (label, at) => el('label', `${label} `, el('select', agents.map((one, number) => el('option', { value: one.name, selected: number === at }, one.names.slice(0, 2).join(' ')))));
  const calm = agents.findIndex((one) => !one.problems);
  const troubled = agents.findIndex((one) => one.problems);
  const good = choice('works', Math.max(0, calm));
  const bad = choice('does not', troubled < 0 ? 1 : troubled);
  return el('p', el('strong', 'Compare two agents: '), good, ' ', bad, ' ', button(() => [good, bad].map((label) => label.querySelector('select').value).join(' ')));
}

// What is shown, its time included.
function shown() {
  if (!store.zoom) return expression();
  const [from, to] = store.zoom.map((us) => new Date(us / 1000).toISOString());
  return [expression(), `since ${from} until ${to}`].filter(Boolean).join(' and ');
}

function exporting() {
  const said = el('p', { role: 'status' });
  const one = (form, label, q = shown) => el('button', {
    type: 'button',
    onclick: async () => {
      said.textContent = 'Making it …';
      try {
        const answer = await post('api/export', { form, q: q() });
        const name = /filename="([^"]+)"/.exec(answer.headers.get('Content-Disposition') || '')?.[1] || form;
        const address = URL.createObjectURL(await answer.blob());
        el('a', { href: address, download: name }).click();
        setTimeout(() => URL.revokeObjectURL(address), 10_000);
        said.textContent = `${name} is in your downloads.`;
      } catch (error) { said.textContent = error.message; }
    },
  }, label);
  show('Export what the filter shows', el('p', shown() ? `Filter: ${shown()}` : 'No filter: everything.'),
    el('p.forms', (store.state?.exports || []).filter((form) => form.name !== 'compare').map((form) => one(form.name, form.title))),
    compared((two) => one('compare', 'Compare', () => two())), said, closing());
}

export function pause() {
  store.paused = !store.paused;
  store.pausedAt = store.paused ? store.total : null;
  byId('pause').setAttribute('aria-pressed', String(store.paused));
  byId('pause').textContent = store.paused ? 'Go on' : 'Pause';
  if (!store.paused) more();
  changed('facts');
}

function back() {
  const n = store.trail.pop();
  if (n !== undefined) { select(n); reveal(n); }
}

const actions = {
  j: () => move(1), ArrowDown: () => move(1), k: () => move(-1), ArrowUp: () => move(-1), PageDown: () => move(20), PageUp: () => move(-20),
  g: toStart, Home: toStart, G: () => { toEnd(); more(); }, End: () => { toEnd(); more(); },
  Enter: () => byId('detail').focus(), b: back, f: () => byId('query').focus(), '/': () => byId('search').focus(),
  p: () => { store.pings = !store.pings; changed('filter'); refilter(); }, ' ': pause, m: mark, e: exporting, '?': help,
  Escape: () => { store.selected = null; store.line = null; writeAddress(); changed('selected', 'line'); byId('list').focus(); },
};
for (const [key, without] of [['+', false], ['-', true]]) {
  actions[key] = () => { const text = String(getSelection()).trim(); if (text) addToFilter(text, without); };
}

document.addEventListener('keydown', (event) => {
  if (event.altKey && event.key === 'ArrowLeft') { event.preventDefault(); back(); return; }
  const typing = event.target.closest('input, textarea, dialog[open]');
  const pressing = event.key === ' ' || event.key === 'Enter' ? event.target.closest('button, summary, [role=tab]') : null;
  if (typing || pressing || event.ctrlKey || event.metaKey || event.altKey || dialog.open) return;
  const inDetail = event.target.closest('#detail') && event.key.startsWith('Arrow');
  const action = actions[event.key];
  if (!action || inDetail) return;
  event.preventDefault();
  action();
});

byId('pause').addEventListener('click', pause);
byId('mark').addEventListener('click', mark);
byId('export').addEventListener('click', exporting);
byId('help').addEventListener('click', help);
byId('back').addEventListener('click', () => actions.Escape());
byId('detail').addEventListener('contextmenu', (event) => {
  const value = event.target.closest('[data-value]')?.dataset.value;
  if (!value) return;
  event.preventDefault();
  show('Filter by this value', el('p', value), el('button', { type: 'button', onclick: () => { addToFilter(value, false); dialog.close(); } }, 'Only with it'), ' ',
    el('button', { type: 'button', onclick: () => { addToFilter(value, true); dialog.close(); } }, 'Without it'), ' ', closing());
});

// The filter: an expression with completion, chips for the common ones, and a search of plain text as one types.
import { byId, el, fill } from './dom.js';
import { CHIPS, changed, on, store } from './store.js';
import { refilter } from './list.js';
import { counted } from './words.js';

const query = byId('query');
const search = byId('search');
const choices = byId('completions');
const WORDS = ['agent', 'session', 'kind', 'node', 'errors', 'slow 500ms', 'text "', 'since 1h', 'until', 'conn', 'run', 'and', 'or', 'not'];
const KINDS = ['update', 'request', 'stanza', 'login', 'socket', 'connection', 'finding', 'gap', 'ping', 'error'];
let at = -1;
let offered = [];

// What may stand where the caret is.
function completions() {
  const before = query.value.slice(0, query.selectionStart);
  const [, head, word] = /^(.*?)(\S*)$/s.exec(before);
  const last = head.trim().split(/\s+/).pop();
  const agents = (store.state?.agents || []).flatMap((one) => one.names);
  const pool = last === 'agent' ? agents : last === 'kind' ? KINDS : last === 'node' ? store.state?.nodes || [] : WORDS;
  return pool.filter((one) => one.startsWith(word) && one !== word).slice(0, 10).map((one) => ({ text: one, whole: head + one }));
}

function offer(list) {
  offered = list;
  at = -1;
  choices.hidden = !list.length;
  query.setAttribute('aria-expanded', String(!!list.length));
  query.removeAttribute('aria-activedescendant');
  fill(choices, list.map((one, number) => el('li', { role: 'option', id: `choice-${number}`, 'aria-selected': 'false', onpointerdown: (event) => { event.preventDefault(); take(one); } }, one.text)));
}

function take(one) {
  const rest = query.value.slice(query.selectionStart);
  query.value = one.whole + (one.whole.endsWith('"') ? '' : ' ') + rest.trimStart();
  offer([]);
  typed();
}

function mark(by) {
  if (!offered.length) return;
  at = (at + by + offered.length) % offered.length;
  [...choices.children].forEach((choice, number) => choice.setAttribute('aria-selected', String(number === at)));
  query.setAttribute('aria-activedescendant', `choice-${at}`);
}

let waiting;
function typed() {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    store.query = query.value.trim();
    store.search = search.value;
    refilter();
  }, 120);
}

query.addEventListener('input', () => { offer(completions()); typed(); });
query.addEventListener('focus', () => offer(query.value ? [] : completions()));
query.addEventListener('blur', () => offer([]));
query.addEventListener('keydown', (event) => {
  if (event.key === 'ArrowDown' || event.key === 'ArrowUp') { event.preventDefault(); mark(event.key === 'ArrowDown' ? 1 : -1); }
  if ((event.key === 'Enter' || event.key === 'Tab') && at >= 0) { event.preventDefault(); take(offered[at]); }
  if (event.key === 'Escape') { if (offered.length) { event.stopPropagation(); offer([]); } else byId('list').focus(); }
});
search.addEventListener('input', typed);
search.addEventListener('keydown', (event) => { if (event.key === 'Escape' && !search.value) byId('list').focus(); });
byId('filter').addEventListener('submit', (event) => { event.preventDefault(); byId('list').focus(); });

function chip(name, title, pressed, toggle) {
  return el('button.chip', { type: 'button', title, 'aria-pressed': String(pressed), onclick: toggle }, name);
}

function draw() {
  fill(byId('chips'),
    CHIPS.map(({ name, title }) => chip(name, title, store.chips.has(name), () => {
      if (!store.chips.delete(name)) store.chips.add(name);
      draw();
      refilter();
    })),
    chip('pings', 'Show pings, pongs and other keep-alives', store.pings, () => { store.pings = !store.pings; draw(); refilter(); }));
}

// A value from a message: with it, or without.
export function addToFilter(value, without) {
  const term = `${without ? 'not ' : ''}text "${value.replace(/["\\]/g, '\\$&')}"`;
  query.value = query.value.trim() ? `${query.value.trim()} and ${term}` : term;
  typed();
}

on('count', () => {
  const looking = store.scanned < store.total ? `, looked at ${Math.floor((100 * store.scanned) / Math.max(1, store.total))} %` : '';
  byId('count').textContent = `${store.matched.toLocaleString('en')} of ${counted(store.total, 'line')}${looking}`;
});
on('filter', () => { query.value = store.query; search.value = store.search; draw(); });

// The messages: a grid that draws only what is seen. Rows have one height; what a window of them says is asked for.
import { byId, el, fill } from './dom.js';
import { changed, expression, on, store, writeAddress } from './store.js';
import { getRows } from './net.js';
import { counted, kindOf, lasted, timeOf } from './words.js';

const HEIGHT = 24; // pixels a row
const CHUNK = 100; // rows an answer
const MAX_PIXELS = 12_000_000; // what browsers scroll exactly
const AHEAD = 20; // rows drawn beyond the window

const list = byId('list');
const rows = byId('rows');
const pill = byId('new');
let chunks = new Map(); // number of a chunk → its rows
let asked = new AbortController();
let generation = 0;
let epoch; // places among the matches are of one epoch; with the next, what was kept is wrong
let seen = 0; // matches when the reader last followed, or when everything was read first
let settled = false; // everything was
let drawn = false;

const scale = () => Math.max(1, (store.matched * HEIGHT) / MAX_PIXELS);
const firstVisible = () => Math.floor((list.scrollTop * scale()) / HEIGHT);

function row(at) {
  return chunks.get(Math.floor(at / CHUNK))?.[at % CHUNK];
}

// A new filter: what was drawn is gone, the selection stays where it passes.
export async function refilter() {
  generation += 1;
  asked.abort();
  asked = new AbortController();
  chunks = new Map();
  epoch = undefined;
  settled = false;
  store.matched = 0;
  store.scanned = 0;
  writeAddress();
  const mine = generation;
  await load(store.follow ? 'last' : 0);
  if (mine !== generation) return;
  if (store.selected !== null) await reveal(store.selected);
  // The answer was one window; the rest is looked at behind it.
  more();
}

function parameters(from, extra) {
  return { q: expression(), pings: store.pings ? 1 : 0, from, count: CHUNK, since: store.zoom?.[0], until: store.zoom?.[1], upto: store.pausedAt ?? undefined, ...extra };
}

// Asks for the rows from `from` on (a match's number, or 'last'), again until the program has looked at everything.
async function load(from, extra) {
  const mine = generation;
  try {
    for (;;) {
      const answer = await getRows(parameters(from === 'last' ? undefined : from, { ...extra, last: from === 'last' ? 1 : undefined }), asked.signal);
      if (mine !== generation) return null;
      byId('query-error').hidden = true;
      if (answer.epoch !== epoch) { epoch = answer.epoch; chunks = new Map(); }
      const wasAtEnd = store.follow && !store.paused;
      store.matched = answer.matched;
      store.scanned = answer.scanned;
      store.total = answer.total;
      for (let at = 0; at < answer.rows.length; at += CHUNK - ((answer.from + at) % CHUNK)) keep(answer, at);
      changed('count');
      draw();
      settled ||= answer.done;
      if (wasAtEnd) toEnd();
      if (answer.done || answer.at !== undefined || (from !== 'last' && answer.rows.length >= CHUNK)) return answer;
    }
  } catch (error) {
    if (error.name === 'AbortError') return null;
    byId('query-error').hidden = false;
    byId('query-error').textContent = error.message;
    return null;
  }
}

function keep(answer, at) {
  const number = Math.floor((answer.from + at) / CHUNK);
  const offset = (answer.from + at) % CHUNK;
  const chunk = chunks.get(number) || [];
  for (let i = 0; offset + i < CHUNK && at + i < answer.rows.length; i += 1) chunk[offset + i] = answer.rows[at + i];
  chunks.delete(number);
  chunks.set(number, chunk);
  while (chunks.size > 50) chunks.delete(chunks.keys().next().value);
}

const wanted = new Set();
function want(at) {
  const number = Math.floor(at / CHUNK);
  if (wanted.has(number)) return;
  wanted.add(number);
  load(number * CHUNK).finally(() => wanted.delete(number));
}

function draw() {
  const total = store.matched;
  rows.style.height = `${Math.min(total * HEIGHT, MAX_PIXELS)}px`;
  list.setAttribute('aria-rowcount', String(total));
  const visible = Math.ceil(list.clientHeight / HEIGHT);
  const first = Math.max(0, Math.min(firstVisible(), total - visible) - AHEAD);
  const last = Math.min(total, first + visible + 2 * AHEAD);
  const shift = list.scrollTop - (firstVisible() - first) * HEIGHT;
  const made = [];
  for (let at = first; at < last; at += 1) {
    const data = row(at);
    if (!data) want(at);
    made.push(rowElement(at, data, scale() === 1 ? at * HEIGHT : shift + (at - first) * HEIGHT));
  }
  fill(rows, made);
  const current = made.find((element) => element.getAttribute('aria-selected') === 'true');
  if (current) list.setAttribute('aria-activedescendant', current.id);
  else list.removeAttribute('aria-activedescendant');
  drawn = true;
  tellNew();
}

const ARROWS = [['→', 'to the server'], ['←', 'from the server'], ['·', '']];

function rowElement(at, data, top) {
  if (!data) {
    const empty = el('div.row', { role: 'row', 'aria-rowindex': at + 1 }, el('span', { role: 'gridcell' }, '…'));
    empty.style.top = `${top}px`;
    return empty;
  }
  const { n, t, agent, dir, action, level, gist, ms, keepalive } = data;
  const [arrow, direction] = ARROWS[dir];
  const isFinding = action === 'finding';
  const symbol = level === 'error' || level === 'warn' ? '▲ ' : '';
  const cell = (name, text, title) => el(`span.${name}`, { role: 'gridcell', title }, text);
  const made = el(`div.row.${level}${isFinding ? '.finding' : ''}${keepalive ? '.keepalive' : ''}`, {
    role: 'row', id: `row-${n}`, 'aria-rowindex': at + 1, 'aria-selected': n === store.selected ? 'true' : 'false',
    onclick: () => select(n),
  },
  cell('time', timeOf(t)), cell('agent', agent || ''), cell('arrow', arrow, direction || undefined), cell('kind', kindOf(action)),
  cell('gist', symbol + gist, gist), cell('ms', ms === undefined ? '' : lasted(ms)));
  made.style.top = `${top}px`;
  return made;
}

export function select(n, jump) {
  if (jump && store.selected !== null && store.selected !== n) store.trail.push(store.selected);
  store.selected = n;
  store.follow = false;
  writeAddress();
  changed('selected');
  draw();
}

// Shows the line `n` without moving the list if it is seen already.
export async function reveal(n, jump) {
  if (jump) select(n, true);
  const answer = await load(undefined, { around: n });
  if (!answer || answer.at === undefined) return;
  const top = (answer.at * HEIGHT) / scale();
  if (top < list.scrollTop || top + HEIGHT > list.scrollTop + list.clientHeight) {
    list.scrollTop = Math.max(0, top - list.clientHeight / 2);
  }
  draw();
}

export function move(by) {
  const at = [...chunks].flatMap(([number, chunk]) => {
    const found = chunk.findIndex((data) => data && data.n === store.selected);
    return found < 0 ? [] : [number * CHUNK + found];
  })[0];
  const next = at === undefined ? firstVisible() : Math.max(0, Math.min(store.matched - 1, at + by));
  const data = row(next);
  if (!data) { want(next); return; }
  select(data.n);
  const top = (next * HEIGHT) / scale();
  if (top < list.scrollTop) list.scrollTop = top;
  if (top + HEIGHT > list.scrollTop + list.clientHeight) list.scrollTop = top + HEIGHT - list.clientHeight;
}

export function toEnd() {
  store.follow = true;
  list.scrollTop = list.scrollHeight;
  seen = store.matched;
  tellNew();
}

export function toStart() {
  store.follow = false;
  list.scrollTop = 0;
  draw();
}

function tellNew() {
  const isRead = store.state && store.state.indexed_bytes >= store.state.total_bytes;
  if (store.follow || !settled || !isRead) seen = store.matched;
  const fresh = store.matched - seen;
  pill.hidden = fresh <= 0;
  pill.textContent = `${counted(fresh, 'new message')} ↓`;
}

// There are more lines than before.
let catching = false;
let again = false;
export async function more() {
  again = catching;
  if (store.paused || catching) return;
  catching = true;
  await load('last', { count: store.follow ? CHUNK : 0 });
  catching = false;
  if (again) more();
}

list.addEventListener('scroll', () => {
  const atEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - HEIGHT / 2;
  if (drawn && atEnd !== store.follow && !store.paused) store.follow = atEnd;
  requestAnimationFrame(draw);
}, { passive: true });
pill.addEventListener('click', () => { toEnd(); more(); list.focus(); });
new ResizeObserver(() => { draw(); if (store.follow) toEnd(); }).observe(list);
on('selected', draw);

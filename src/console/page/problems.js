// What is wrong, for whom, since when, and what to do. A healthy day says so in one line.
import { byId, el, fill } from './dom.js';
import { on, store } from './store.js';
import { reveal } from './list.js';
import { facts } from './detail.js';
import { counted, timeOf } from './words.js';

const pane = byId('problems');
const open = new Set();

function problem(one) {
  const times = one.count > 1 ? `, ${one.count} times until ${timeOf(one.until)}` : '';
  const made = el(`details.${one.level}`, { open: open.has(one.key) },
    el('summary', el('span.symbol', { role: 'img', 'aria-label': one.level }, '▲'), ' ', el('strong', one.agent || one.server || ''), ' ', one.title,
      el('small', ` ${timeOf(one.since)}${times}`)),
    facts(one.facts), el('p', el('strong', 'What to do: '), one.advice),
    el('p.links', el('button.link', { type: 'button', onclick: () => reveal(one.n, true) }, 'show it in the list'),
      one.evidence.map((proof) => el('button.link', { type: 'button', onclick: () => reveal(proof.n, true) }, `evidence #${proof.sequence}`))));
  made.addEventListener('toggle', () => { if (made.open) open.add(one.key); else open.delete(one.key); });
  return made;
}

function draw() {
  const { state } = store;
  if (!state) return;
  const { problems } = state;
  if (!problems.length) {
    fill(pane, el('p.healthy', state.total > 1 ? '● No problems found.' : 'Waiting for traffic.'));
    return;
  }
  fill(pane, el('h2', counted(problems.length, 'problem')), problems.map(problem));
}

on('state', draw);

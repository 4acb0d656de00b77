// Left: agents with state, socket and problems, and servers. Picking one is a filter.
import { byId, el, fill } from './dom.js';
import { changed, on, store } from './store.js';
import { counted, lasted } from './words.js';
import { refilter } from './list.js';

const pane = byId('agents');
let wanted = '';

function agent(one, now) {
  const [symbol, says] = one.problems ? ['▲', counted(one.problems, 'problem')] : one.online ? ['●', 'connected'] : ['○', 'no socket'];
  const since = one.state_since && store.state.live ? ` ${lasted((now - one.state_since) / 1000)}` : '';
  return el(`button.agent${one.problems ? '.troubled' : one.online ? '' : '.away'}`, {
    type: 'button', 'aria-pressed': String(store.agent === one.name), title: one.names.join(', '),
    onclick: () => { store.agent = store.agent === one.name ? null : one.name; changed('agents'); refilter(); },
  }, el('span.symbol', { title: says, 'aria-label': says, role: 'img' }, symbol), ' ', one.names.slice(0, 2).join(' '),
  el('small', [one.state ? `${one.state}${since}` : '', one.problems ? says : ''].filter(Boolean).join(' · ')));
}

function draw() {
  const { state } = store;
  if (!state) return;
  const now = Date.now() * 1000;
  const typed = wanted.toLowerCase();
  const shown = state.agents.filter((one) => one.names.some((name) => name.toLowerCase().includes(typed)));
  const had = document.activeElement?.id === 'find-agent';
  fill(pane,
    el('h2', `Agents${state.agents.length > 1 ? ` ${state.agents.length}` : ''}`),
    state.agents.length > 8 ? el('input', {
      id: 'find-agent', type: 'search', placeholder: 'any of their names', 'aria-label': 'Find an agent', value: wanted,
      oninput: (event) => { wanted = event.target.value; draw(); },
    }) : null,
    shown.slice(0, 500).map((one) => agent(one, now)),
    shown.length > 500 ? el('p.hint', `${shown.length - 500} more: type a name`) : null,
    state.agents.length ? null : el('p.hint', 'Nobody has signed in yet.'),
    el('h2', 'Servers'),
    state.servers.map((server) => el('p.server', el('span.symbol', { role: 'img', 'aria-label': server.status || 'seen' }, server.trouble ? '▲' : '●'), ' ', server.name,
      el('small', server.status || ''))));
  if (had) { const input = byId('find-agent'); input.focus(); input.setSelectionRange(wanted.length, wanted.length); }
}

on('state agents', draw);

// What the page knows, in one place. Panes redraw when what they read has changed; the address mirrors filter and selection.

export const store = {
  state: null, // the last answer of api/state
  query: '', // the filter, as typed
  search: '', // plain text to look for
  chips: new Set(), // of CHIPS
  pings: false,
  agent: null, // the name of the agent that is picked
  selected: null, // the number of the selected line
  line: null, // its detail
  total: 0, // lines there are
  matched: 0, // lines that pass, as far as looked
  scanned: 0, // lines looked at
  paused: false,
  pausedAt: null, // how many lines there were
  follow: true,
  zoom: null, // [from, to] in microseconds
  online: true,
  trail: [], // where jumps came from
};

export const CHIPS = [
  { name: 'errors', expression: 'errors', title: 'Warnings, errors and findings' },
  { name: 'updates', expression: 'kind update', title: 'Finesse events' },
  { name: 'REST', expression: 'kind request', title: 'REST and other HTTP' },
  { name: 'slow', expression: 'slow 500ms', title: 'Took 500 ms or longer' },
];

const listeners = new Map();

export function on(topics, redraw) {
  for (const topic of topics.split(' ')) listeners.set(topic, [...(listeners.get(topic) || []), redraw]);
}

export function changed(...topics) {
  for (const redraw of new Set(topics.flatMap((topic) => listeners.get(topic) || []))) redraw();
}

const quoted = (text) => `"${text.replace(/["\\]/g, '\\$&')}"`;

// The filter as the program takes it: what was typed, the chips, the agent, the search.
export function expression() {
  const parts = [];
  const typed = store.query.trim();
  if (store.agent) parts.push(`agent ${quoted(store.agent)}`);
  const chips = CHIPS.filter((chip) => store.chips.has(chip.name)).map((chip) => chip.expression);
  if (chips.length) parts.push(chips.length > 1 ? `(${chips.join(' or ')})` : chips[0]);
  if (store.search.trim()) parts.push(`text ${quoted(store.search.trim())}`);
  // By itself it stands as it was typed, so that what is wrong with it is told by its own words.
  if (typed) parts.unshift(parts.length ? `(${typed})` : typed);
  return parts.join(' and ');
}

export function readAddress() {
  const said = new URLSearchParams(location.hash.slice(1));
  store.query = said.get('q') || '';
  store.search = said.get('find') || '';
  store.agent = said.get('agent') || null;
  store.pings = said.get('pings') === '1';
  store.chips = new Set((said.get('only') || '').split(',').filter((name) => CHIPS.some((chip) => chip.name === name)));
  store.selected = said.has('n') ? Number(said.get('n')) : null;
  const zoom = (said.get('time') || '').split('-').map(Number);
  store.zoom = zoom.length === 2 && zoom.every(Number.isFinite) ? zoom : null;
}

export function writeAddress() {
  const said = new URLSearchParams();
  if (store.query) said.set('q', store.query);
  if (store.search) said.set('find', store.search);
  if (store.agent) said.set('agent', store.agent);
  if (store.chips.size) said.set('only', [...store.chips].join(','));
  if (store.pings) said.set('pings', '1');
  if (store.selected !== null) said.set('n', String(store.selected));
  if (store.zoom) said.set('time', store.zoom.join('-'));
  history.replaceState(null, '', `#${said}`);
}

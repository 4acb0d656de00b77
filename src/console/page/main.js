// Starts the page: the address says what to show, the program says what there is.
import { byId } from './dom.js';
import { changed, on, readAddress, store } from './store.js';
import { getState, listen } from './net.js';
import { more, refilter } from './list.js';
import './agents.js';
import './detail.js';
import './filter.js';
import './keys.js';
import './problems.js';
import './timeline.js';

function facts() {
  const { state } = store;
  if (!state) return;
  byId('title').textContent = state.title;
  byId('title').title = `finesse-tap: ${state.title}`;
  document.title = `${state.problems.length ? `(${state.problems.length}) ` : ''}${state.title} – finesse-tap`;
  const indexed = state.indexed_bytes < state.total_bytes ? `reading ${Math.floor((100 * state.indexed_bytes) / state.total_bytes)} %` : '';
  const waiting = store.paused && store.state.total > store.pausedAt ? `${store.state.total - store.pausedAt} waiting` : '';
  byId('facts').textContent = [state.live ? '● live' : 'stored', `redaction ${state.level}`, indexed, waiting].filter(Boolean).join(' · ');
  byId('mark').disabled = !state.live;
}

let asking = false;
let again = false;
async function update() {
  if (asking) { again = true; return; }
  asking = true;
  try {
    store.state = await getState();
    changed('state');
  } catch (error) { link(false, error.message); } finally { asking = false; }
  if (again) { again = false; setTimeout(update, 250); }
}

function link(online, why) {
  const was = store.online;
  store.online = online;
  byId('offline').hidden = online;
  byId('offline').textContent = why || 'No connection to finesse-tap. What came before is here; the rest follows when it is back.';
  if (online && !was) { update(); more(); }
}

on('state facts', facts);
readAddress();
changed('filter');
await update();
// Of what is over one wants to see the beginning, of what goes on the end.
store.follow = Boolean(store.state?.live);
await refilter();
changed('selected');
listen(() => { update(); more(); }, link);
byId('list').focus({ preventScroll: true });

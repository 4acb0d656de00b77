// Sockets, states, calls, pings and problems over time. A click jumps, a drag zooms, a double click shows everything again.
import { byId, el, fill, svg } from './dom.js';
import { on, store, writeAddress } from './store.js';
import { getTimeline } from './net.js';
import { refilter, reveal } from './list.js';
import { timeOf } from './words.js';

const pane = byId('timeline');
const LANE = 14;
let data = null;
let drag = null;
let asking = false;

async function load() {
  if (asking || pane.clientWidth === 0) return;
  asking = true;
  try {
    data = await getTimeline({ buckets: Math.max(40, Math.min(400, Math.floor(pane.clientWidth / 4))), agent: store.agent || undefined, since: store.zoom?.[0], until: store.zoom?.[1] });
    draw();
  } catch { /* the next change asks again */ } finally { asking = false; }
}

const x = (t) => ((t - data.from) / Math.max(1, data.to - data.from)) * pane.clientWidth;
const time = (pixel) => data.from + (pixel / pane.clientWidth) * (data.to - data.from);

function bars(lane, at) {
  const highest = Math.max(1, ...lane.counts);
  return lane.counts.map((count, bucket) => count && svg('rect', {
    class: `lane-${lane.name}`, x: (bucket / lane.counts.length) * pane.clientWidth, width: Math.max(1.5, pane.clientWidth / lane.counts.length - 1),
    y: at * LANE + LANE - 2 - (LANE - 3) * Math.max(0.25, count / highest), height: (LANE - 3) * Math.max(0.25, count / highest),
  }));
}

function spans(lane, at) {
  return lane.spans.map((span) => svg('rect', {
    class: `span state-${span.name}`, x: x(span.from), width: Math.max(1, x(span.to) - x(span.from)), y: at * LANE + 2, height: LANE - 4,
  }, svg('title', {}, document.createTextNode(`${span.agent ? `${span.agent} ` : ''}${span.name} ${timeOf(span.from)}–${timeOf(span.to)}`))));
}

function draw() {
  if (!data) return;
  const lanes = data.lanes.filter((lane) => (lane.counts || lane.spans).some(Boolean));
  const height = Math.max(1, lanes.length) * LANE;
  const drawing = svg('svg', { width: pane.clientWidth, height, role: 'img', 'aria-label': `${timeOf(data.from)} to ${timeOf(data.to)}: ${lanes.map((lane) => lane.name).join(', ')}` },
    ...lanes.flatMap((lane, at) => lane.counts ? bars(lane, at) : spans(lane, at)),
    ...lanes.map((lane, at) => { const text = svg('text', { x: 2, y: at * LANE + LANE - 3, class: 'lane-name' }); text.textContent = lane.name; return text; }));
  fill(pane, drawing, el('p.ends', el('span', timeOf(data.from)), store.zoom ? el('button.link', { type: 'button', onclick: () => zoom(null) }, 'show all') : null, el('span', timeOf(data.to))));
}

function zoom(range) {
  store.zoom = range;
  writeAddress();
  load();
  refilter();
}

pane.addEventListener('pointerdown', (event) => { if (data && event.target.closest('svg')) drag = event.offsetX; });
pane.addEventListener('pointerup', async (event) => {
  if (drag === null) return;
  const [from, to] = [Math.min(drag, event.offsetX), Math.max(drag, event.offsetX)];
  drag = null;
  if (to - from > 6) { zoom([Math.floor(time(from)), Math.ceil(time(to))]); return; }
  const answer = await getTimeline({ nearest: Math.round(time(from)) });
  if (answer.n !== undefined) reveal(answer.n, true);
});
pane.addEventListener('dblclick', () => zoom(null));
new ResizeObserver(load).observe(pane);
on('state agents', load);

// The selected message: what it is, what caused it and what it caused, and its text in four forms.
import { byId, el, fill } from './dom.js';
import { changed, on, store } from './store.js';
import { getLine } from './net.js';
import { reveal } from './list.js';
import { indented, jsonTree, updateOf, xmlTree } from './xml.js';
import { dateOf, kindOf, lasted, utcOf } from './words.js';

const pane = byId('detail');
let tab = 'Update';

async function load() {
  const n = store.selected;
  if (n === null) return nothing();
  if (store.line?.n === n) return;
  const line = await getLine(n).catch((error) => ({ n, error: error.message }));
  if (store.selected !== n) return;
  store.line = line;
  changed('line');
}

function nothing() {
  document.body.classList.remove('reading');
  fill(pane, el('p.hint', 'Select a message to see what it holds, what caused it and what it caused.'));
}

function draw() {
  const { line } = store;
  if (!line) return nothing();
  if (line.error) { fill(pane, el('p.hint', line.error)); return; }
  document.body.classList.add('reading');
  const event = line.line;
  const { finesse = {} } = event;
  fill(pane,
    el('header',
      el('h2', `${event.event.sequence ? `#${event.event.sequence} ` : ''}${event.message}`),
      el('p.facts', `${kindOf(event.event.action)} · ${dateOf(line.t)} · ${utcOf(line.t)}`,
        event.event.duration ? ` · took ${lasted(event.event.duration / 1e6)}` : '',
        finesse.stage ? ` · login step ${finesse.stage}` : '')),
    links(line),
    finesse.finding ? finding(finesse.finding, line) : null,
    tabs(event),
    line.ladder ? ladder(line.ladder, finesse.stage) : null);
}

function link(text, n) {
  return el('button.link', { type: 'button', onclick: () => reveal(n, true) }, text);
}

function links(line) {
  const rows = [];
  if (line.cause) rows.push(el('p', 'Caused by ', link(`#${line.cause.sequence} ${line.cause.gist}`, line.cause.n)));
  for (const effect of line.effects || []) rows.push(el('p', 'Caused ', link(`#${effect.sequence} ${effect.gist}`, effect.n)));
  return rows.length ? el('div.links', rows) : null;
}

export function facts(list) {
  return el('dl.fact-list', (list || []).flatMap((fact) => [el('dt', fact.name.replaceAll('_', ' ')), el('dd', String(fact.value))]));
}

function finding(found, line) {
  return el('section.advice', el('h3', found.title), facts(found.facts), el('p', el('strong', 'What to do: '), found.advice),
    el('p.links', (line.evidence || []).map((proof) => link(`evidence #${proof.sequence}`, proof.n))));
}

function forms(event) {
  const { finesse = {}, http } = event;
  const forms = {};
  const update = finesse.xml ? updateOf(finesse.xml) : null;
  if (update) forms.Update = { text: indented(update), show: () => xmlTree(update) };
  if (finesse.xml) forms.Stanza = { text: indented(finesse.xml), show: () => xmlTree(finesse.xml) };
  const body = (side) => finesse.http?.[`${side}_body`] ?? http?.[side]?.body?.content;
  for (const side of ['request', 'response']) {
    const text = body(side);
    if (text) forms[side === 'request' ? 'Request' : 'Response'] = { text, show: () => bodyTree(text) };
  }
  const headers = finesse.http && ['request', 'response'].filter((side) => finesse.http[`${side}_headers`]);
  if (headers?.length) forms.Headers = { text: headerText(finesse.http), show: () => headerTable(finesse.http, headers) };
  const { xml, ...rest } = finesse;
  forms.JSON = { text: JSON.stringify(event, null, 2), show: () => jsonTree({ ...event, finesse: rest }) };
  forms.Raw = { text: JSON.stringify(event), show: () => el('pre', JSON.stringify(event)) };
  return forms;
}

function bodyTree(text) {
  if (text.trimStart().startsWith('<')) return xmlTree(text);
  try { return jsonTree(JSON.parse(text)); } catch { return el('pre', text); }
}

const headerText = (http) => ['request', 'response'].map((side) => (http[`${side}_headers`] || []).map((h) => `${h.name}: ${h.value}`).join('\n')).join('\n\n');

function headerTable(http, sides) {
  return el('div', sides.map((side) => el('table', el('caption', side), el('tbody',
    http[`${side}_headers`].map((header) => el('tr', el('th', { scope: 'row' }, header.name), el('td', header.value)))))));
}

// A request as a command line, without what opens anything.
function curl(event) {
  const { http, url, server, finesse } = event;
  const shell = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const parts = ['curl', '-X', http.request.method];
  for (const header of finesse.http?.request_headers || []) {
    const name = header.name.toLowerCase();
    if (['host', 'authorization', 'cookie', 'content-length', 'connection'].includes(name) || header.value.includes('[cred:')) continue;
    parts.push('-H', shell(`${header.name}: ${header.value}`));
  }
  parts.push('-u', "'USER:PASSWORD'");
  const body = finesse.http?.request_body ?? http.request.body?.content;
  if (body) parts.push('--data', shell(body));
  parts.push(shell(`https://${server?.domain || 'SERVER'}:${server?.port || 8445}${url?.path || '/'}${url?.query ? `?${url.query}` : ''}`));
  return parts.join(' ');
}

// The login on this socket, step by step; the one that is missing is where to look.
function ladder({ socket, rungs, stopped_at: stopped, last }, current) {
  const rung = ({ stage, meaning, required, n, after }, at) => {
    const reached = n !== null;
    const symbol = reached ? '✓' : required && at <= last ? '✕' : '○';
    return el(`li${reached ? '' : required ? '.missing' : '.unneeded'}`, { 'aria-current': stage === current ? 'step' : undefined },
      el('span', { role: 'img', 'aria-label': reached ? 'reached' : 'not reached' }, symbol), reached ? link(stage, n) : stage, reached ? `+${lasted(after / 1000)}` : '', meaning);
  };
  return el('details.login', { open: Boolean(current || stopped) },
    el('summary', `Login on ${socket}: ${stopped ? `stopped before ${stopped}` : 'complete'}`), el('ol.ladder', rungs.map(rung)));
}

function tabs(event) {
  const all = forms(event);
  const names = Object.keys(all);
  if (!all[tab]) [tab] = names;
  const choose = (name) => { tab = name; draw(); byId(`tab-${name}`)?.focus(); };
  const copy = (text, button) => navigator.clipboard.writeText(text).then(
    () => { button.textContent = 'Copied'; }, () => { button.textContent = 'The browser refused'; });
  const copier = (label, text) => {
    const button = el('button', { type: 'button' }, label);
    button.addEventListener('click', () => copy(text(), button));
    return button;
  };
  return el('section',
    el('div.tabs', { role: 'tablist', 'aria-label': 'Forms' }, names.map((name, at) => el('button', {
      type: 'button', role: 'tab', id: `tab-${name}`, 'aria-selected': String(name === tab), 'aria-controls': 'form', tabindex: name === tab ? 0 : -1,
      onclick: () => choose(name),
      onkeydown: (key) => {
        const by = { ArrowRight: 1, ArrowLeft: -1 }[key.key];
        if (by) { key.preventDefault(); choose(names[(at + by + names.length) % names.length]); }
      },
    }, name))),
    el('div#form', { role: 'tabpanel', id: 'form', tabindex: 0, 'aria-labelledby': `tab-${tab}` }, all[tab].show()),
    el('div.copy', copier(`Copy ${tab}`, () => all[tab].text), event.event.action === 'http-exchange' ? copier('Copy curl', () => curl(event)) : null));
}

on('selected', load);
on('line', draw);
nothing();

// The page: signs in, shows state and calls, does what is clicked, and switches faults.
import { Stream } from './stream.js';

const byId = (id) => document.getElementById(id);
const make = (tag, text, attributes = {}) => {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value); else made.setAttribute(key, value);
  }
  return made;
};
const session = { stream: null, state: 'LOGOUT', calls: new Map(), wants: false };
const RECONNECT = 3_000;

function log(text) {
  const list = byId('log');
  list.append(make('li', `${new Date().toLocaleTimeString()} ${text}`));
  list.lastChild.scrollIntoView({ block: 'nearest' });
}

async function rest(method, path, body) {
  const headers = { Accept: 'application/xml' };
  if (!path.endsWith('/SystemInfo')) headers.Authorization = `Basic ${btoa(`${session.agent}:${session.password}`)}`;
  if (body) Object.assign(headers, { 'Content-Type': 'application/xml', requestId: crypto.randomUUID() });
  const answer = await fetch(path, { method, headers, body });
  log(`${method} ${path.replace('/finesse/api/', '')} ${answer.status}`);
  if (!answer.ok) throw new Error(`${method} ${path} was answered ${answer.status}`);
  const text = await answer.text();
  return text ? new DOMParser().parseFromString(text, 'application/xml').documentElement : null;
}

const text = (element, name) => element?.getElementsByTagName(name)[0]?.textContent || '';
const user = () => `/finesse/api/User/${session.agent}`;
const put = (fields) => rest('PUT', user(), `<User>${fields}</User>`).catch((error) => banner(error.message));
const act = (call, action, fields = '') => rest('PUT', `/finesse/api/Dialog/${call}`,
  `<Dialog><targetMediaAddress>${session.extension}</targetMediaAddress><requestedAction>${action}</requestedAction>${fields}</Dialog>`).catch((error) => banner(error.message));

function banner(why) {
  byId('banner').hidden = !why;
  byId('banner').textContent = why || '';
}

function connect() {
  session.stream = new Stream(session.agent, session.password, session.domain, (kind, value) => {
    if (kind === 'step') log(value);
    if (kind === 'event') event(value);
    if (kind === 'connected') connected();
    if (kind === 'refused') { session.wants = false; byId('sign-in-error').textContent = value; show(false); }
    if (kind === 'lost') {
      log(value);
      if (!session.wants) return;
      banner(`Lost the connection: ${value}. Trying again …`);
      setTimeout(() => { if (session.wants) connect(); }, RECONNECT);
    }
  });
}

async function connected() {
  banner('');
  log('connected');
  const object = await rest('GET', user());
  session.extension ||= `2${session.agent.slice(1)}`;
  session.state = text(object, 'state');
  await session.stream.subscribe(`/finesse/api/Team/${text(object, 'teamId')}/Users`);
  await rest('GET', `${user()}/Dialogs`);
  draw();
  if (session.state === 'LOGOUT') put(`<state>LOGIN</state><extension>${session.extension}</extension>`);
}

function event(update) {
  const source = text(update, 'source');
  const data = update.getElementsByTagName('data')[0]?.firstElementChild;
  const name = data?.localName.toLowerCase();
  if (name === 'user' && source === user()) session.state = text(data, 'state');
  if (name === 'apierrors') log(`refused: ${text(data, 'errorType')}`);
  if (name === 'dialog' || name === 'dialogs') {
    const call = name === 'dialog' ? data : data.firstElementChild;
    const id = text(call, 'id');
    if (/delete/i.test(text(update, 'event'))) session.calls.delete(id); else session.calls.set(id, call);
  }
  log(`event ${name} ${text(data, 'state')}`);
  draw();
}

const button = (label, onclick) => make('button', label, { type: 'button', onclick });

function draw() {
  byId('state').textContent = session.state;
  byId('states').replaceChildren(
    button('Ready', () => put('<state>READY</state>')),
    button('Not ready: paperwork', () => put('<state>NOT_READY</state><reasonCodeId>12</reasonCodeId>')),
    button('Sign out', signOut));
  byId('calls').replaceChildren(...[...session.calls].map(([id, call]) => {
    const box = make('div', '', { class: 'call' });
    const own = [...call.getElementsByTagName('Participant')].find((one) => text(one, 'mediaAddress') === session.extension);
    const actions = [...(own?.getElementsByTagName('action') || [])].map((one) => one.textContent);
    const does = {
      ANSWER: ['Take', () => act(id, 'ANSWER')], HOLD: ['Hold', () => act(id, 'HOLD')], RETRIEVE: ['Retrieve', () => act(id, 'RETRIEVE')], DROP: ['Hang up', () => act(id, 'DROP')],
      TRANSFER_SST: ['Transfer to the other agent', () => act(id, 'TRANSFER_SST', `<toAddress>${session.extension === '2001' ? '2002' : '2001'}</toAddress>`)],
      UPDATE_CALL_DATA: ['Wrap up', () => act(id, 'UPDATE_CALL_DATA', '<mediaProperties><wrapUpReason>Refund promised</wrapUpReason></mediaProperties>')],
    };
    box.append(make('strong', `${text(call, 'fromAddress')} ${text(own, 'state')}`), document.createElement('br'),
      ...Object.entries(does).filter(([action]) => actions.includes(action)).map(([, [label, does]]) => button(label, does)));
    return box;
  }));
}

async function signOut() {
  session.wants = false;
  await put('<state>LOGOUT</state><reasonCodeId>21</reasonCodeId>');
  session.stream.close();
  show(false);
}

function show(working) {
  byId('sign-in').hidden = working;
  byId('work').hidden = !working;
  byId('who').textContent = working ? `agent ${session.agent}` : '';
  banner('');
}

byId('sign-in').addEventListener('submit', async (submitted) => {
  submitted.preventDefault();
  session.agent = byId('agent').value.trim();
  session.password = byId('password').value;
  byId('sign-in-error').textContent = '';
  try {
    const info = await rest('GET', '/finesse/api/SystemInfo');
    session.domain = text(info, 'xmppDomain');
    await rest('GET', user());
  } catch (error) { byId('sign-in-error').textContent = error.message; return; }
  session.wants = true;
  session.calls.clear();
  show(true);
  draw();
  connect();
});

async function switches(answer) {
  const all = await (answer || await fetch('/demo/troubles')).json();
  byId('switches').replaceChildren(...all.map(({ name, title, once, on }) => {
    const state = once ? {} : { 'aria-pressed': String(on) };
    return make('button', title, { type: 'button', ...state, onclick: async () => switches(await fetch(`/demo/troubles/${name}${!once && on ? '?off' : ''}`, { method: 'PUT' })) });
  }));
}

const wanted = new URLSearchParams(location.search).get('agent');
if (wanted) byId('agent').value = wanted;
const password = () => `Demo-Secret-${byId('agent').value.trim()}!`;
const fillIn = () => { byId('shown').textContent = password(); byId('password').value = password(); };
byId('agent').addEventListener('input', fillIn);
fillIn();
switches();

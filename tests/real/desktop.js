// What a Finesse agent desktop does on its socket, for Node and for a browser page alike.
//
//   recorded(Socket, see, ...options)   the WebSocket class given, telling `see` of every message both ways, in order
//   login(desktop)                      the reference login with Strophe: open, PLAIN, bind, session, presence, subscribe,
//                                       one event, ping, unsubscribe, presence unavailable, close
//   settle(desktop)                     the same login, then nothing but pings until the socket ends
//   failover(desktop)                   settles, and when the socket is lost asks both nodes how they are, as a page of one of them
//   talk(socket, …)                     no XMPP library: a paced exchange of many stanzas of all sizes, for compression
//
// Each thing seen is one flat object: {seen:'frame',direction,text} · {seen:'opened',protocol,extensions} ·
// {seen:'closed',code,reason,clean}. Ids a client makes up are counted, not random, so that two runs compare equal;
// what the server makes up is the reader's to normalise.

const DEADLINE_MS = 30_000;

/** `Socket` (the browser's WebSocket or ws) that reports what passes through it; `closed` resolves when its one socket is. */
export function recorded(Socket, see, ...options) {
  let ended;
  return class extends Socket {
    static closed = new Promise((resolve) => { ended = resolve; });

    constructor(url, protocols) {
      super(url, protocols, ...options);
      this.addEventListener('open', () => see({ seen: 'opened', protocol: this.protocol, extensions: this.extensions }));
      this.addEventListener('message', ({ data }) => see({ seen: 'frame', direction: 's2c', text: String(data) }));
      this.addEventListener('close', ({ code, reason, wasClean }) => {
        see({ seen: 'closed', code, reason: String(reason), clean: wasClean });
        ended();
      });
    }

    send(data, ...rest) {
      see({ seen: 'frame', direction: 'c2s', text: String(data) });
      return super.send(data, ...rest);
    }
  };
}

/**
 * Logs in, sees one event, logs out. Resolves when the socket is closed; rejects with the step that did not come about.
 * `strophe` is the library's exports, `Socket` a recorded class (over BOSH what `watched` gives), `publish` makes the server send
 * the event (called once, after the subscription).
 */
export async function login({ strophe, Socket, url, user, host, password, publish }) {
  const { Strophe, $iq, $pres } = strophe;
  const connection = connectionTo(strophe, Socket, url);
  const node = `/finesse/api/User/${user}`;
  const pubsub = `pubsub.${host}`;
  const status = statusOf(connection, Strophe);
  const open = whileOpen(Socket);
  const answer = (iq) => new Promise((resolve, reject) => connection.sendIQ(iq, resolve, () => reject(new Error('an error came back'))));
  const arrival = (matches, ...filter) => new Promise((resolve) => {
    connection.addHandler((stanza) => !matches(stanza) || (resolve(stanza), false), ...filter);
  });
  const subscription = (verb) => $iq({ from: connection.jid, to: pubsub, type: 'set', id: connection.getUniqueId(`${verb}node`) })
    .c('pubsub', { xmlns: 'http://jabber.org/protocol/pubsub' })
    .c(verb, { node, jid: connection.jid });

  connection.connect(`${user}@${host}/desktop`, password, status.changed);
  await open('the login', status.reached(Strophe.Status.CONNECTED));

  // The desktop holds itself connected only once this presence is there.
  const finesse = arrival((stanza) => Strophe.getNodeFromJid(stanza.getAttribute('from')) === 'finesse', null, 'presence');
  connection.send($pres());
  await open('the presence of finesse@', finesse);

  await open('the subscription', answer(subscription('subscribe')));
  const event = arrival(() => true, null, 'message', null, null, pubsub);
  await publish();
  await open('the event', event);

  const ping = $iq({ to: host, type: 'get', id: connection.getUniqueId('ping') }).c('ping', { xmlns: 'urn:xmpp:ping' });
  await open('the pong', answer(ping));
  await open('the end of the subscription', answer(subscription('unsubscribe')));

  // Sends presence unavailable and <close/>. Then the old library closes the socket at once, the new one when the server has answered.
  connection.disconnect('logout');
  await within('the close', Socket.closed);
}

/**
 * Over BOSH there is no socket to record: bodies are seen as Strophe gives and takes them, each stanza in them once, the body
 * itself as `<open/>` or `<close/>` where it stands for that. `closed` resolves when the session is over.
 */
export function watched(Strophe, see) {
  let ended;
  const told = new Set();
  const bodies = (direction) => (body) => {
    const attribute = (name) => body.getAttribute(name);
    const own = attribute('rid') ?? body;
    if (told.has(own)) return;
    told.add(own);
    const frame = (text) => see({ seen: 'frame', direction, text });
    const opens = direction === 'c2s' ? !attribute('sid') || attribute('xmpp:restart') === 'true' : attribute('wait');
    if (opens) frame('<open/>');
    for (const child of body.childNodes) if (child.nodeType === 1) frame(Strophe.serialize(child));
    if (attribute('type') === 'terminate') frame('<close/>');
  };
  return {
    closed: new Promise((resolve) => { ended = resolve; }),
    watch(connection) {
      // Without this Strophe shows only a body's first child.
      connection._proto.strip = null;
      connection.xmlOutput = bodies('c2s');
      connection.xmlInput = bodies('s2c');
      const changed = connection._changeConnectStatus;
      connection._changeConnectStatus = function change(status, ...rest) {
        changed.call(this, status, ...rest);
        if (status === Strophe.Status.DISCONNECTED) ended();
      };
    },
  };
}

/**
 * Logs in and stays, pinging every `pingSeconds` (0: never). Tells `started` its connection and `settled` that it is logged in;
 * resolves when the socket is closed, whyever, and says nothing of refusals: what was seen tells.
 */
export async function settle({ strophe, Socket, url, user, host, password, pingSeconds, started, settled }) {
  const { Strophe, $iq, $pres } = strophe;
  const connection = connectionTo(strophe, Socket, url);
  let timer;
  const ping = () => connection.sendIQ($iq({ to: host, type: 'get', id: connection.getUniqueId('ping') }).c('ping', { xmlns: 'urn:xmpp:ping' }));
  const subscribe = () => {
    const iq = $iq({ to: `pubsub.${host}`, type: 'set', id: connection.getUniqueId('subscribenode') })
      .c('pubsub', { xmlns: 'http://jabber.org/protocol/pubsub' })
      .c('subscribe', { node: `/finesse/api/User/${user}`, jid: connection.jid });
    connection.sendIQ(iq, settled, settled);
    if (pingSeconds > 0) timer = setInterval(ping, pingSeconds * 1_000);
  };
  connection.connect(`${user}@${host}/desktop`, password, (status) => {
    if (status === Strophe.Status.AUTHFAIL) connection.disconnect('refused');
    if (status !== Strophe.Status.CONNECTED) return;
    const isFinesse = (stanza) => Strophe.getNodeFromJid(stanza.getAttribute('from')) === 'finesse';
    connection.addHandler((stanza) => !isFinesse(stanza) || (subscribe(), false), null, 'presence');
    connection.send($pres());
  });
  started(connection);
  await Socket.closed;
  clearInterval(timer);
}

/**
 * Settles on the node that the page is from until the socket is lost; then asks that node and the other one how they are. Resolves
 * with the origin of the other, which is in service.
 */
export async function failover(desktop) {
  const { nodes } = await systemOf(location.origin);
  await settle(desktop);
  const others = nodes.filter((node) => node !== location.hostname).map((node) => `https://${node}:${location.port}`);
  for (const origin of [location.origin, ...others]) {
    const { status } = await systemOf(origin);
    desktop.see({ seen: 'system', origin, status });
    if (status === 'IN_SERVICE') return origin;
  }
  throw new Error('no node is in service');
}

/** A node's SystemInfo: the hosts of all nodes, and its status. */
async function systemOf(origin) {
  const text = await fetch(`${origin}/finesse/api/SystemInfo`).then((answer) => answer.text());
  const document = new DOMParser().parseFromString(text, 'text/xml');
  const nodes = [...document.querySelectorAll('host')].map((host) => host.textContent).filter(Boolean);
  return { nodes, status: document.querySelector('status').textContent };
}

/**
 * Sends `count` stanzas, each once the answer to the last has come, and closes. Sizes run from a few bytes to beyond the
 * deflate window; part of each text repeats, part of it does not. Resolves when the socket is closed.
 */
export async function talk({ Socket, url, host, count }) {
  const socket = new Socket(url, 'xmpp');
  const queue = [];
  let wake = () => {};
  socket.addEventListener('message', ({ data }) => { queue.push(String(data)); wake(); });
  const received = async () => {
    while (queue.length === 0) await new Promise((resolve) => { wake = resolve; });
    return queue.shift();
  };

  const open = whileOpen(Socket);
  await within('the upgrade', new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', () => reject(new Error('refused')));
  }));
  socket.send(`<open to='${host}' version='1.0' xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>`);
  await open('<open/>', received());
  for (let index = 0; index < count; index += 1) {
    socket.send(stanza(`c${index}`, host, index));
    await open(`answer ${index}`, received());
  }
  socket.send("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
  await open('<close/>', received());
  socket.close(1000);
  await within('the close', Socket.closed);
}

/** The stanza number `index` of an exchange: the same on every run. */
export function stanza(id, to, index) {
  const body = text(index, [3, 126, 700, 2_000, 9_000, 40_000, 70_000][index % 7]);
  return `<message xmlns='jabber:client' to='${to}' id='${id}'><body>${body}</body></message>`;
}

/** Half prose that compresses, half noise that does not, with letters beyond ASCII. */
function text(seed, length) {
  let state = (seed + 1) * 2_654_435_761 >>> 0;
  let out = '';
  while (out.length < length) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    out += state & 0x10000 ? 'Agent 1001 is not ready — Büro. ' : state.toString(36);
  }
  return out.slice(0, length);
}

/** A connection that counts its ids. */
function connectionTo({ Strophe }, Socket, url) {
  globalThis.WebSocket = Socket;
  const connection = new Strophe.Connection(url);
  Socket.watch?.(connection);
  let ids = 0;
  connection.getUniqueId = (suffix) => `${++ids}${suffix === undefined ? '' : `:${suffix}`}`;
  return connection;
}

/** Strophe's one status callback, as promises. A failure rejects whoever waits. */
function statusOf(connection, Strophe) {
  const failures = [Strophe.Status.ERROR, Strophe.Status.CONNFAIL, Strophe.Status.AUTHFAIL, Strophe.Status.CONNTIMEOUT];
  let waiting;
  return {
    reached: (status) => new Promise((resolve, reject) => { waiting = { status, resolve, reject }; }),
    changed: (status, condition) => {
      if (status === waiting?.status) waiting.resolve();
      else if (failures.includes(status)) waiting?.reject(new Error(`status ${status} ${condition ?? ''}`));
    },
  };
}

/** `within` for what cannot come any more once the socket is closed. */
function whileOpen(Socket) {
  const closed = Socket.closed.then(() => { throw new Error('the socket was closed'); });
  closed.catch(() => {});
  return (what, promise) => within(what, Promise.race([promise, closed]));
}

/** `promise`, or an error that names what was waited for. */
function within(what, promise) {
  let timer;
  const deadline = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error('did not come in time')), DEADLINE_MS); });
  return Promise.race([promise, deadline])
    .catch((error) => { throw new Error(`${what}: ${error.message}`); })
    .finally(() => clearTimeout(timer));
}

// The desktop's XMPP stream: the login that Cisco documents, pings, and events. Knows nothing of the page.

const PING_EVERY = 10_000;
const PATIENCE = 10_000;
const RETRIES = 2;
const escape = (text) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

export class Stream {
  // tell(kind, value): 'step' text, 'event' Element, 'connected', 'lost' why, 'refused' why.
  constructor(agent, password, domain, tell) {
    Object.assign(this, { agent, password, domain, tell, waiting: new Map(), ids: 0, ended: false });
    this.socket = new WebSocket(`wss://${location.host}/ws/`, 'xmpp');
    this.socket.onopen = () => this.open();
    this.socket.onmessage = (message) => this.hear(message.data);
    this.socket.onclose = (event) => this.end(`the socket ended (${event.code})`);
  }

  say(text) { if (this.socket.readyState === WebSocket.OPEN) this.socket.send(text); }

  open() { this.say(`<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='${this.domain}' version='1.0'/>`); }

  end(why) {
    if (this.ended) return;
    this.ended = true;
    clearInterval(this.pinging);
    this.tell('lost', why);
  }

  ask(inner, to, type = 'set', suffix = '') {
    this.ids += 1;
    const id = `${crypto.randomUUID()}${suffix}`;
    const address = to ? ` to='${to}'` : '';
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.say(`<iq type='${type}'${address} id='${id}' xmlns='jabber:client'>${inner}</iq>`);
    });
  }

  hear(text) {
    const document = new DOMParser().parseFromString(text.replace(/^<stream:(\w+)(?![^>]*xmlns:stream)/, '<stream:$1 xmlns:stream="s"'), 'application/xml');
    const stanza = document.documentElement;
    const handler = this[`on_${stanza.localName}`];
    if (handler) handler.call(this, stanza);
  }

  on_features(features) {
    if (features.getElementsByTagName('mechanisms').length) {
      const plain = [`${this.agent}@${this.domain}`, this.agent, this.password].join('\0');
      this.say(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${btoa(plain)}</auth>`);
    } else this.bind();
  }

  on_success() { this.open(); }

  on_failure() {
    this.tell('refused', 'The server refused agent or password.');
    this.close();
  }

  on_error(error) {
    const why = error.firstElementChild?.localName || 'no reason';
    this.end(why === 'conflict' ? 'you signed in somewhere else' : `the server ended the stream: ${why}`);
    this.socket.close();
  }

  on_close() { this.end('the server closed the stream'); this.socket.close(); }

  async bind() {
    const bound = await this.ask("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>desktop</resource></bind>");
    this.jid = bound.getElementsByTagName('jid')[0].textContent;
    await this.ask("<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>");
    this.tell('step', 'waiting for the server to say that it is there');
    this.say("<presence xmlns='jabber:client'/>");
    this.pinging = setInterval(() => this.ping(), PING_EVERY);
  }

  on_presence(presence) {
    if (presence.getAttribute('from')?.startsWith('finesse@') && !presence.hasAttribute('type') && !this.connected) {
      this.connected = true;
      this.tell('connected');
    }
  }

  subscribe(node) {
    const inner = `<pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='${escape(node)}' jid='${this.jid}'/></pubsub>`;
    // As the real library does, an error is taken for a success.
    return this.ask(inner, `pubsub.${this.domain}`, 'set', ':subscribenode').catch(() => {});
  }

  async ping(tries = 0) {
    if (tries === 0 && this.asking) return;
    this.asking = true;
    const late = new Promise((_, reject) => setTimeout(reject, PATIENCE));
    try {
      await Promise.race([this.ask("<ping xmlns='urn:xmpp:ping'/>", this.domain, 'get', ':ping'), late]);
      this.asking = false;
    } catch {
      if (this.ended) return;
      if (tries < RETRIES) { this.ping(tries + 1); return; }
      this.end('the server does not answer');
      this.socket.close();
    }
  }

  on_iq(iq) {
    if (iq.getAttribute('type') === 'get') {
      this.say(`<iq type='result' to='${iq.getAttribute('from')}' id='${iq.getAttribute('id')}' xmlns='jabber:client'/>`);
      return;
    }
    const waiting = this.waiting.get(iq.getAttribute('id'));
    this.waiting.delete(iq.getAttribute('id'));
    if (iq.getAttribute('type') === 'result') waiting?.resolve(iq); else waiting?.reject(iq);
  }

  on_message(message) {
    const notification = message.getElementsByTagName('notification')[0];
    if (!notification) return;
    this.tell('event', new DOMParser().parseFromString(notification.textContent, 'application/xml').documentElement);
  }

  close() {
    this.ended = true;
    clearInterval(this.pinging);
    this.say("<presence xmlns='jabber:client' type='unavailable'/>");
    this.say("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
    this.socket.close();
  }
}

// The server's own client, as Finesse's Tomcat is one: user `finesse`, present for the agents, owner of their nodes.
// Raw text over a WebSocket, straight to the server and never through the proxy, without any XMPP library: a second opinion.

import WebSocket from 'ws';
import { dialing } from './wire.js';

const DEADLINE_MS = 30_000;
const PUBSUB = 'http://jabber.org/protocol/pubsub';

/** Logs in, creates the nodes of `users` open to all, shows itself present. */
export async function tomcat({ host, users, port, ca, password }) {
  const socket = new WebSocket(`wss://${host}:${port}/ws/`, 'xmpp', dialing({ port, ca, name: host }));
  const inbox = [];
  let wake = () => {};
  socket.on('message', (data) => { inbox.push(String(data)); wake(); });
  socket.on('error', (error) => { inbox.push(`<!-- ${error.message} -->`); wake(); });
  const seen = async (pattern) => {
    let timer;
    const deadline = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`tomcat: no ${pattern}`)), DEADLINE_MS); });
    try {
      while (!inbox.some((text) => pattern.test(text))) await Promise.race([deadline, new Promise((resolve) => { wake = resolve; })]);
      return inbox.splice(0, inbox.findIndex((text) => pattern.test(text)) + 1).at(-1);
    } finally {
      clearTimeout(timer);
    }
  };
  const iq = async (id, payload, to = '') => {
    socket.send(`<iq xmlns='jabber:client' type='set' id='${id}'${to && ` to='${to}'`}>${payload}</iq>`);
    const answer = await seen(new RegExp(`^<iq [^>]*id=['"]${id}['"]`));
    if (!/^<iq [^>]*type=['"]result['"]/.test(answer)) throw new Error(`tomcat: ${id} refused: ${answer}`);
  };
  const open = async () => {
    socket.send(`<open to='${host}' version='1.0' xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>`);
    await seen(/features/);
  };

  const nodes = users.map((user) => `/finesse/api/User/${user}`);
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  await open();
  const plain = Buffer.from(`\0finesse\0${password}`).toString('base64');
  socket.send(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${plain}</auth>`);
  await seen(/^<success/);
  await open();
  await iq('bind', "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>User</resource></bind>");
  for (const [index, node] of nodes.entries()) {
    await iq(`create${index}`, `<pubsub xmlns='${PUBSUB}'><create node='${node}'/></pubsub>`, `pubsub.${host}`);
  }
  socket.send("<presence xmlns='jabber:client'/>");

  return {
    /** Publishes one Update to the first agent as Finesse does: a whole XML document, escaped once, in a notification. */
    async publish(update, item) {
      const escaped = update.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
      const notification = `<item id='${item}'><notification xmlns='${PUBSUB}'>${escaped}</notification></item>`;
      await iq('publish', `<pubsub xmlns='${PUBSUB}'><publish node='${nodes[0]}'>${notification}</publish></pubsub>`, `pubsub.${host}`);
    },
    /** Takes the nodes back, so that the next one finds the server as this one did, and drops the connection. */
    async end() {
      for (const [index, node] of nodes.entries()) {
        await iq(`delete${index}`, `<pubsub xmlns='${PUBSUB}#owner'><delete node='${node}'/></pubsub>`, `pubsub.${host}`);
      }
      socket.terminate();
    },
  };
}

/** The Update of an agent who becomes ready, with values that are themselves escaped and letters beyond ASCII. */
export const READY = '<Update><data><user><dialogs>/finesse/api/User/1001/Dialogs</dialogs><extension>2001</extension>'
  + '<firstName>Zo&#235; &amp; Co</firstName><loginId>1001</loginId><pendingState></pendingState><state>READY</state>'
  + '<stateChangeTime>2026-01-15T09:12:40.559Z</stateChangeTime><teamName>Büro &lt;1&gt;</teamName>'
  + '<uri>/finesse/api/User/1001</uri></user></data><event>PUT</event>'
  + '<requestId>6f1c2a2e-7a53-4b0e-9a1c-0d2f54f1a001</requestId><source>/finesse/api/User/1001</source></Update>';

/** Its item id: a process's UUID and a counter, as Finesse numbers them. */
export const READY_ITEM = 'a6ca891f-8b34-443f-8c7d-dac020d41838330';

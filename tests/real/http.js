// XMLHttpRequest for Node, as much of it as Strophe's BOSH uses, on kept-alive connections that dial 127.0.0.1 whatever the URL says.

import https from 'node:https';
import { readFileSync } from 'node:fs';

/** An XMLHttpRequest class that dials `port` and trusts the certificates in `ca` only; at most two connections, as in a browser's BOSH. */
export function requests({ port, ca, name }) {
  const agent = new https.Agent({ keepAlive: true, maxSockets: 2, host: '127.0.0.1', port, servername: name, ca: readFileSync(ca), ALPNProtocols: ['http/1.1'] });
  return class {
    readyState = 0;

    status = 0;

    responseText = '';

    responseXML = null;

    open(method, url) {
      const { host, pathname } = new URL(url);
      this.request = https.request({ agent, host: '127.0.0.1', port, method, path: pathname, headers: { Host: host } });
      this.change(1);
    }

    setRequestHeader(header, value) {
      this.request.setHeader(header, value);
    }

    send(body) {
      this.request.on('error', () => this.change(4));
      this.request.on('response', (response) => {
        const parts = [];
        response.on('data', (part) => parts.push(part));
        response.on('end', () => {
          this.status = response.statusCode;
          this.responseText = Buffer.concat(parts).toString();
          this.responseXML = this.responseText ? new DOMParser().parseFromString(this.responseText, 'text/xml') : null;
          this.change(4);
        });
      });
      this.request.end(body);
    }

    getAllResponseHeaders() {
      return '';
    }

    abort() {
      this.request.destroy();
    }

    change(state) {
      this.readyState = state;
      this.onreadystatechange?.();
    }
  };
}

// Times, counts and kinds as a person reads them.

const two = (n) => String(n).padStart(2, '0');

// Microseconds since 1970 as local time of day with milliseconds.
export function timeOf(us) {
  const at = new Date(us / 1000);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}

// The same with its day, and in UTC.
export function dateOf(us) {
  const at = new Date(us / 1000);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${timeOf(us)}`;
}

export const utcOf = (us) => new Date(us / 1000).toISOString();

export function lasted(ms) {
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  return minutes < 120 ? `${minutes} min ${Math.round((ms % 60_000) / 1000)} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export const counted = (n, one, many) => `${n.toLocaleString('en')} ${n === 1 ? one : many || `${one}s`}`;

const KINDS = {
  'connection-opened': 'conn', 'connection-closed': 'conn', 'tls-handshake': 'tls', 'http-exchange': 'http',
  'websocket-opened': 'ws', 'websocket-closed': 'ws', 'websocket-control': 'ws', 'websocket-message': 'ws',
  'stream-opened': 'stream', 'stream-closed': 'stream', 'xmpp-stanza': 'xmpp', 'sasl-auth-sent': 'auth',
  'sasl-auth-result': 'auth', 'finesse-update': 'update', 'decode-error': 'decode', 'capture-gap': 'gap',
  'redaction-blocked': 'blocked', 'session-summary': 'session', 'log-opened': 'log', note: 'note',
};
export const kindOf = (action) => KINDS[action] || action;

// Symbols beside colours, never colours alone.
export const SYMBOL = { error: '▲', warn: '▲', up: '●', down: '✕', idle: '○' };

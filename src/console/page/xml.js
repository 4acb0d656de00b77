// XML and JSON as trees that fold. XML in a text (an escaped Update) is unfolded where it stands.
import { el } from './dom.js';

const MAX_DEPTH = 40;

// Only XML goes through it, into a document that is never shown: its elements are made anew as text.
const policy = globalThis.trustedTypes?.createPolicy('xml', { createHTML: (text) => text });

function parse(text) {
  const found = new DOMParser().parseFromString(policy ? policy.createHTML(text) : text, 'application/xml');
  return found.getElementsByTagName('parsererror').length ? null : found;
}

// The Update in a notification, or null.
export function updateOf(xml) {
  const stanza = parse(xml);
  if (!stanza) return null;
  const notification = [...stanza.getElementsByTagName('*')].find((element) => element.localName === 'notification');
  const text = notification?.textContent.trim();
  return text && text.startsWith('<') ? text : null;
}

export function xmlTree(text) {
  const found = parse(text);
  if (!found) return el('pre', text);
  return el('div.tree', node(found.documentElement, 0));
}

function attributes(element) {
  return [...element.attributes].flatMap((attribute) => [
    ' ', el('span.name', attribute.name), '=', el('span.value', { 'data-value': attribute.value }, `"${attribute.value}"`)]);
}

function node(element, depth) {
  const children = [...element.childNodes].filter((child) => child.nodeType === 1 || child.textContent.trim());
  const head = [el('span.tag', element.nodeName), ...attributes(element)];
  const only = children.length === 1 && children[0].nodeType !== 1 ? children[0].textContent : null;
  if (!children.length) return el('div.leaf', ...head);
  if (only !== null && !(only.trim().startsWith('<') && parse(only.trim()))) {
    return el('div.leaf', ...head, ' ', el('span.value', { 'data-value': only }, only));
  }
  const inner = only !== null ? [node(parse(only.trim()).documentElement, depth + 1)]
    : children.map((child) => child.nodeType === 1 ? node(child, depth + 1) : el('div.leaf', child.textContent));
  if (depth > MAX_DEPTH) return el('div.leaf', '…');
  return folding(head, inner, depth < 12, only !== null ? 'unescaped' : undefined);
}

function folding(head, inner, open, note) {
  return el('details', { open }, el('summary', ...head, note ? el('small', ` ${note}`) : null), el('div', inner));
}

export function jsonTree(value) {
  return el('div.tree', members(value, 0));
}

function members(value, depth) {
  return Object.entries(value).map(([name, inner]) => {
    if (inner === null || typeof inner !== 'object') {
      return el('div.leaf', el('span.name', name), ' ', el('span.value', { 'data-value': String(inner) }, String(inner)));
    }
    return folding([el('span.name', name), Array.isArray(inner) ? el('small', ` ${inner.length}`) : null], members(inner, depth + 1), depth < 6);
  });
}

// A document indented as a person pastes it.
export function indented(text) {
  const found = parse(text);
  if (!found) return text;
  const lines = [];
  const write = (element, depth) => {
    const pad = '  '.repeat(depth);
    const attributes = [...element.attributes].map((a) => ` ${a.name}="${escape(a.value).replaceAll('"', '&quot;')}"`).join('');
    const inner = [...element.children];
    if (inner.length) {
      lines.push(`${pad}<${element.nodeName}${attributes}>`);
      inner.forEach((child) => write(child, depth + 1));
      lines.push(`${pad}</${element.nodeName}>`);
    } else if (element.textContent) {
      lines.push(`${pad}<${element.nodeName}${attributes}>${escape(element.textContent)}</${element.nodeName}>`);
    } else lines.push(`${pad}<${element.nodeName}${attributes}/>`);
  };
  write(found.documentElement, 0);
  return lines.join('\n');
}

const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

// Talks to the real yaml-language-server as an editor does: hover and completion in a spec show what the schema says.
// Usage: node hover.mjs SERVER SPEC   where the spec's first line names the schema. Prints JSON.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { dirname, resolve } from 'node:path';

const [server, spec] = process.argv.slice(2);
const uri = pathToFileURL(resolve(spec)).href;
// A `#name` marks where something is completed, and is not in the file that the server sees.
const marked = readFileSync(spec, 'utf8');
const text = marked.replace(/#[a-z]+$/gm, '');
const child = spawn(process.execPath, [server, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
const waiting = new Map();
const diagnostics = [];
let buffer = Buffer.alloc(0), next = 1;

function send(message) {
  const body = JSON.stringify({ jsonrpc: '2.0', ...message });
  child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}
function request(method, params) {
  return new Promise((done, fail) => {
    const id = next++;
    waiting.set(id, { done, fail });
    send({ id, method, params });
  });
}
function received(message) {
  if (message.method && message.id !== undefined) {
    // The server asks for settings; whatever else it asks, there is nothing to say.
    const yaml = { hover: true, completion: true, validate: true, schemaStore: { enable: false } };
    const result = message.method === 'workspace/configuration'
      ? message.params.items.map((item) => (item.section === 'yaml' ? yaml : null)) : null;
    send({ id: message.id, result });
  } else if (message.method === 'textDocument/publishDiagnostics') {
    if (message.params.uri === uri) diagnostics.push(message.params.diagnostics);
  } else if (message.id !== undefined) {
    const { done, fail } = waiting.get(message.id);
    message.error ? fail(new Error(JSON.stringify(message.error))) : done(message.result);
  }
}
child.stdout.on('data', (data) => {
  buffer = Buffer.concat([buffer, data]);
  for (;;) {
    const end = buffer.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = Number(/Content-Length: (\d+)/i.exec(buffer.subarray(0, end).toString())[1]);
    if (buffer.length < end + 4 + length) return;
    const body = buffer.subarray(end + 4, end + 4 + length).toString();
    buffer = buffer.subarray(end + 4 + length);
    received(JSON.parse(body));
  }
});

// The place of the first `word`, from which an offset counts in characters of the line.
function place(word, offset = 0) {
  const before = marked.slice(0, marked.indexOf(word)).split('\n');
  return { line: before.length - 1, character: before.at(-1).length + offset };
}
const folder = pathToFileURL(dirname(resolve(spec))).href;
await request('initialize', {
  processId: process.pid, rootUri: folder, workspaceFolders: [{ uri: folder, name: 'specs' }],
  capabilities: { workspace: { configuration: true }, textDocument: { hover: { contentFormat: ['markdown'] },
    completion: { completionItem: { documentationFormat: ['markdown'], snippetSupport: true } } } },
});
send({ method: 'initialized', params: {} });
send({ method: 'textDocument/didOpen', params: { textDocument: { uri, languageId: 'yaml', version: 1, text } } });
const hover = async (word) => {
  const found = await request('textDocument/hover', { textDocument: { uri }, position: place(word, 1) });
  return found ? (found.contents.value ?? JSON.stringify(found.contents)) : '';
};
const complete = async (word) => {
  const found = await request('textDocument/completion', { textDocument: { uri }, position: place(word) });
  const items = Array.isArray(found) ? found : (found?.items ?? []);
  const words = (item) => item.documentation?.value ?? item.documentation ?? '';
  return Object.fromEntries(items.map((item) => [item.label, words(item)]));
};
const answers = {
  hover: { prerequisites: await hover('prerequisites'), restart: await hover('restart:'), type: await hover('type:') },
  completion: { top: await complete('#top'), value: await complete('#value'), type: await complete('#type') },
};
// Findings come some time after the file was opened.
for (let tries = 0; tries < 50 && diagnostics.length === 0; tries++) await new Promise((r) => setTimeout(r, 100));
answers.diagnostics = (diagnostics.at(-1) ?? []).map((d) => `${d.range.start.line + 1}: ${d.message}`);
process.stdout.write(JSON.stringify(answers));
child.kill();

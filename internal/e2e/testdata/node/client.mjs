// Uses a server with the official TypeScript SDK and prints what came of it.
//
//   node client.mjs '{"sdk": "v1" | "v2", "version": "2025-11-25", "demo": server, "slow": server}'
//
// A server is {"url"} or {"command", "args", "env"}. The first search of the slow
// one does not answer in time.
import process from 'node:process';

const { sdk, version, demo, slow } = JSON.parse(process.argv[2]);

async function load() {
  if (sdk === 'v1') {
    const [{ Client }, { StdioClientTransport }, { StreamableHTTPClientTransport }, { ElicitRequestSchema }] = await Promise.all([
      import('@modelcontextprotocol/sdk/client/index.js'),
      import('@modelcontextprotocol/sdk/client/stdio.js'),
      import('@modelcontextprotocol/sdk/client/streamableHttp.js'),
      import('@modelcontextprotocol/sdk/types.js'),
    ]);
    return {
      StdioClientTransport, StreamableHTTPClientTransport, elicit: ElicitRequestSchema, options: {}, make: Client,
      call: (client, request, options) => client.callTool(request, undefined, options),
    };
  }
  const [{ Client, StreamableHTTPClientTransport }, { StdioClientTransport }] = await Promise.all([
    import('@modelcontextprotocol/client'), import('@modelcontextprotocol/client/stdio'),
  ]);
  const options = version >= '2026-07-28'
    ? { versionNegotiation: { mode: { pin: version } } }
    : { supportedProtocolVersions: [version] };
  return {
    StdioClientTransport, StreamableHTTPClientTransport, elicit: 'elicitation/create', options, make: Client,
    call: (client, request, options) => client.callTool(request, options),
  };
}

const { StdioClientTransport, StreamableHTTPClientTransport, elicit, options, make: Client, call } = await load();
let asked = 0;
let negotiated;

async function connect(server) {
  const transport = server.url
    ? new StreamableHTTPClientTransport(new URL(server.url))
    : new StdioClientTransport({ ...server, stderr: 'ignore' });
  const client = new Client({ name: 'e2e', version: '1' }, { capabilities: { elicitation: {} }, ...options });
  client.setRequestHandler(elicit, async () => {
    asked++;
    return { action: 'accept', content: { confirm: true } };
  });
  await client.connect(transport);
  negotiated = client.getNegotiatedProtocolVersion?.() ?? transport.protocolVersion ?? '';
  return client;
}

const text = (result) => result.content.map((part) => part.text ?? '').join('');
const report = {};

let client = await connect(demo);
report.version = negotiated;
// callTool validates structured content against the listed output schemas.
report.tools = (await client.listTools()).tools.length;
let result = await call(client, { name: 'm365_mail_search', arguments: { unread: true } });
report.search = { error: !!result.isError, text: text(result), structured: !!result.structuredContent };
result = await call(client, { name: 'halo_tickets_search', arguments: { agnet: 'me', limit: 1000 } });
report.mistakes = { error: !!result.isError, text: text(result) };
result = await call(client, { name: 'm365_mail_send', arguments: { to: ['anna.berg@hafenlogistik.example'], subject: 'Test', body: 'Hello' } });
report.confirmed = { error: !!result.isError, text: text(result) };
report.asked = asked;
await client.close();

client = await connect(slow);
const abort = new AbortController();
setTimeout(() => abort.abort('changed my mind'), 700);
report.cancelled = await call(client, { name: 'm365_mail_search', arguments: {} }, { signal: abort.signal }).then(() => 'answered', () => '');
result = await call(client, { name: 'm365_mail_search', arguments: {} });
report.after = { error: !!result.isError, text: text(result) };
await client.close();

console.log(JSON.stringify(report));
process.exit(0);

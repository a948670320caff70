// Runs oidc-provider on a free loopback port and prints its issuer. Its only
// argument is a JSON object: {resources: bool, jwks: {keys: [...]}, site: redirect URI}.
// It ends with its standard input.
import http from 'node:http';
import { Provider } from 'oidc-provider';

const options = JSON.parse(process.argv[2]);
const server = http.createServer();
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const issuer = `http://127.0.0.1:${server.address().port}`;

const app = { redirect_uris: [], response_types: [], grant_types: ['client_credentials'] };
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'desktop', application_type: 'native', token_endpoint_auth_method: 'none',
      redirect_uris: ['http://localhost/', 'http://127.0.0.1/callback'],
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    },
    {
      client_id: 'web', client_secret: 'web+secret/with signs&more', token_endpoint_auth_method: 'client_secret_basic',
      redirect_uris: ['http://localhost/'], application_type: 'native', grant_types: ['authorization_code', 'refresh_token'],
    },
    { ...app, client_id: 'app-post', client_secret: 'post-secret', token_endpoint_auth_method: 'client_secret_post' },
    { ...app, client_id: 'app-basic', client_secret: 'basic+secret/&%', token_endpoint_auth_method: 'client_secret_basic' },
    ...(options.site ? [{
      client_id: 'site', client_secret: 'site-secret', token_endpoint_auth_method: 'client_secret_post',
      redirect_uris: [options.site], grant_types: ['authorization_code'],
    }] : []),
    ...(options.jwks ? [['app-rsa', 'PS256'], ['app-ec', 'ES256']] : []).map(([client_id, alg]) => ({
      ...app, client_id, token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: alg, jwks: options.jwks,
    })),
  ],
  scopes: ['openid', 'offline_access', 'tickets:read', 'tickets:write'],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async (ctx, client) => client.grantTypeAllowed('refresh_token'),
  ttl: { AccessToken: 3600, ClientCredentials: 600, RefreshToken: 3600, Grant: 3600, Session: 3600, Interaction: 3600 },
  features: {
    devInteractions: { enabled: true },
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    revocation: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    resourceIndicators: {
      enabled: options.resources === true,
      defaultResource: () => 'https://default.example',
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource) => ({
        scope: 'openid tickets:read tickets:write', audience: resource, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
});
provider.on('server_error', (ctx, err) => console.error(err));
server.on('request', provider.callback());
console.log(JSON.stringify({ issuer }));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));

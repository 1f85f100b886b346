// An OpenID provider for the tests: node provider.mjs MILLISECONDS PRODUCT
//
// It listens on a port of the system's choice, prints it, and ends when its standard input does. Its clock stands at that moment, and it
// sends browsers back to that address of the product.
// Everybody may sign in with any password; whoever is called ada, or ada+anything, has the address ada@fleet.example, which is verified
// unless the name begins with "unverified". POST /test/rotate gives it another key, and forgets the old one.

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

const now = Number(process.argv[2]);
const product = process.argv[3];
globalThis.Date = class extends Date {
  constructor(...given) {
    if (given.length === 0) super(now);
    else super(...given);
  }
  static now() {
    return now;
  }
};
// After the clock: it is read there.
const { Provider } = await import('oidc-provider');

function provider(issuer) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'RS256' };
  return new Provider(issuer, {
    clients: [
      {
        client_id: 'lineshift',
        client_secret: 'hush+/=%:&',
        redirect_uris: [`${product}/api/v1/session/openid/callback`],
        application_type: product.startsWith('https:') ? 'web' : 'native',
        grant_types: ['authorization_code'],
        response_types: ['code'],
        token_endpoint_auth_method: 'client_secret_basic',
      },
    ],
    jwks: { keys: [key] },
    cookies: { keys: ['of-the-tests'] },
    pkce: { required: () => true },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        name: id,
        email: `${id.split('+')[0]}@fleet.example`,
        email_verified: !id.startsWith('unverified'),
      }),
    }),
  });
}

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  const issuer = `http://127.0.0.1:${port}`;
  let current = provider(issuer).callback();
  server.on('request', (request, response) => {
    if (request.method === 'POST' && request.url === '/test/rotate') {
      current = provider(issuer).callback();
      response.writeHead(204).end();
    } else {
      current(request, response);
    }
  });
  process.stdout.write(`${port}\n`);
});
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));

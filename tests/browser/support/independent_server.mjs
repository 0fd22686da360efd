/// oidc-provider, an OAuth 2 and OpenID Connect server that has nothing to do with this project, over HTTPS on loopback.
/// Its pages take any login with any password. What is configured is what its documentation asks for, nothing for us.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:https';
import { independentProvider } from './places.mjs';

export const mail_scope = 'https://mail.test/imap';
export const client_id = 'rohrpost-desk', client_secret = 'a-secret-of-the-desk';
/// Whom the mail server asks tokens with.
export const mail_server_id = 'mail-server', mail_server_secret = 'a-secret-of-the-mail-server';

const signing_key = (kind, options, more) => ({ ...generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' }), ...more });

const signing_keys = [signing_key('rsa', { modulusLength: 2048 }, { kid: 'rsa', use: 'sig', alg: 'RS256' }),
    signing_key('ec', { namedCurve: 'P-256' }, { kid: 'ec', use: 'sig', alg: 'ES256' })];

export class IndependentServer {
    /// `wish`: client (more of its metadata), configuration (more of the server's).
    static async start(certificate, redirect_uri, wish = {}) {
        const server = new IndependentServer();
        server.https = createServer({ cert: certificate.certificate, key: certificate.key });
        await new Promise((listening) => server.https.listen(0, '127.0.0.1', listening));
        server.issuer = `https://localhost:${server.https.address().port}`;
        server.grants = [];
        server.happened = [];  // [event, what of it counts]
        server.asked = [];  // { path, scheme } of each POST; the scheme of its Authorization header
        const Provider = await independentProvider();
        console.warn = console.info = () => {};  // it notes at length what only tests do
        server.provider = new Provider(server.issuer, {
            clients: [
                { client_id, client_secret, redirect_uris: [redirect_uri],
                  grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
                  response_types: ['code'], token_endpoint_auth_method: 'client_secret_post', ...wish.client },
                { client_id: mail_server_id, client_secret: mail_server_secret, redirect_uris: [], grant_types: [],
                  response_types: [] },
            ],
            jwks: { keys: signing_keys },
            scopes: ['openid', 'offline_access', mail_scope],
            claims: { openid: ['sub'], profile: ['preferred_username'], email: ['email', 'email_verified'] },
            conformIdTokenClaims: false,
            findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId, preferred_username: accountId,
                email: accountId, email_verified: true }) }),
            features: { deviceFlow: { enabled: true }, introspection: { enabled: true } },
            pkce: { required: () => true },
            rotateRefreshToken: true,
            cookies: { keys: ['a key of this test'] },
            ...wish.configuration,
        });
        const { provider } = server;
        for (const event of ['authorization.error', 'grant.success', 'grant.error', 'grant.revoked', 'refresh_token.consumed',
            'introspection.error', 'server_error']) {
            provider.on(event, (context, error) => server.happened.push([event,
                [context.oidc?.params?.grant_type, error?.message, error?.error_description].filter(Boolean).join(': ')]));
        }
        provider.on('grant.success', (context) => server.grants.push(context.oidc.entities.Grant.jti));
        const answer = provider.callback();
        server.https.on('request', (request, response) => {
            if (request.method === 'POST') server.asked.push({ path: request.url, scheme: request.headers.authorization?.split(' ')[0] });
            void answer(request, response);
        });
        return server;
    }
    /// As it stands in an import document.
    asProvider(ca_file, more = {}) {
        return { id: 'elsewhere', authorize_url: `${this.issuer}/auth`, token_url: `${this.issuer}/token`,
            device_url: `${this.issuer}/device/auth`, jwks_url: `${this.issuer}/jwks`, issuer: this.issuer,
            scopes: ['openid', 'profile', 'email', 'offline_access', mail_scope], ca_file, ...more };
    }
    /// Everything it has granted so far is void.
    async takeBack() {
        for (const id of this.grants.splice(0)) await (await this.provider.Grant.find(id))?.destroy();
    }
    count(event, what = '') {
        return this.happened.filter(([name, about]) => name === event && about.includes(what)).length;
    }
    told() {
        return `what the independent server did:\n${this.happened.map((one) => one.join(': ')).join('\n')}`;
    }
    stop() {
        this.https.closeAllConnections();
        return new Promise((closed) => this.https.close(closed));
    }
}

/// On its sign-in page.
export async function signIn(page, user) {
    await page.fill('[name=login]', user);
    await page.fill('[name=password]', 'any');
    await page.click('button[type=submit]');
}
/// On its consent page.
export const goOn = (page) => page.click('button:has-text("Continue")');
export const abort = (page) => page.click('text="[ Cancel ]"');

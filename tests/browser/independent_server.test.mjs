// The sign-in against an OAuth server that is not ours, and a mail server that asks that one about our tokens.
import assert from 'node:assert/strict';
import { makeCertificate } from './support/certificate.mjs';
import { Dovecot } from './support/dovecot.mjs';
import { flow, words } from './support/flow.mjs';
import { abort, client_id, client_secret, goOn, IndependentServer, mail_server_id, mail_server_secret, signIn } from './support/independent_server.mjs';
import { eventually } from './support/processes.mjs';

const user = 'desk@mail.test', somebody = 'somebody@mail.test';
/// What it says to "prompt=select_account": it knows these two.
const with_its_prompts = (server) => ({ authorize_url: `${server.issuer}/auth?prompt=login%20consent` });
const seconds = (AccessToken) => ({ AccessToken, AuthorizationCode: 60, DeviceCode: 60, IdToken: 60, RefreshToken: 600, Grant: 600,
    Interaction: 600, Session: 600 });

/// Server, mail server and daemon. `wish`: client, configuration (of the server), provider, credential (in the import).
async function begin(desk, wish = {}) {
    const { rohrpost } = desk;
    const certificate = makeCertificate(desk.directory);
    desk.ends(rohrpost);
    await rohrpost.start();  // its port stands in the redirect URL that is registered
    const server = desk.ends(await IndependentServer.start(certificate, rohrpost.redirectUrl, wish));
    const introspection = server.issuer.replace('//', `//${mail_server_id}:${mail_server_secret}@`) + '/token/introspection';
    const dovecot = desk.ends(await Dovecot.start(certificate, introspection));
    desk.import = (more) => rohrpost.import({
        providers: [{ ...server.asProvider(certificate.ca_file), imap: { host: 'localhost', port: dovecot.port, tls: 'implicit' },
            ...(wish.provider ?? with_its_prompts)(server), ...more?.provider }],
        credentials: [{ id: 'desk', provider: 'elsewhere', user, flow: 'authorization_code', client_id,
            client_secret: { value: client_secret }, ...wish.credential, ...more?.credential }],
        mailboxes: [{ id: 'support', address: user, credential: 'desk', consumer: 'inbox' }],
        consumers: [{ id: 'inbox', kind: 'maildir', path: rohrpost.maildir }],
    });
    await desk.import();
    return { rohrpost, server, dovecot };
}

/// A sign-in as far as the consent page.
async function asFarAsConsent(desk, who) {
    const command = await desk.authorize('desk');
    const page = await desk.window();
    await page.goto(command.url);
    await signIn(page, who);
    await page.waitForSelector('[name=prompt][value=consent]', { state: 'attached' });
    return { command, page };
}
/// A whole one; what our page says, and how the command ended.
async function comeIn(desk, who) {
    const { command, page } = await asFarAsConsent(desk, who);
    await goOn(page);
    await page.waitForURL(`${desk.rohrpost.redirectUrl}?**`);
    await desk.picture(page, 'our page');
    return { said: await words(page), code: await command.end(), command };
}

flow('a first token opens a mailbox, and its refresh token rotates on and on, also across a restart', async (desk) => {
    // Longer than a session that was ended twice may wait (6 s): whoever logs in with a token's last breath asks for no other.
    const { rohrpost, server, dovecot } = await begin(desk, { configuration: { ttl: seconds(8) } });
    dovecot.deliver(user, 'first');
    const { command, page } = await asFarAsConsent(desk, user);
    await desk.picture(page, 'its consent page');
    await goOn(page);
    await page.waitForURL(`${rohrpost.redirectUrl}?**`);
    assert.match(await words(page), /desk is authorized: desk@mail\.test has signed in/);
    assert.equal(await command.end(), 0);
    await rohrpost.hasArrived(1);

    const refreshes = () => server.count('grant.success', 'refresh_token');
    for (let mails = 2, seen = 0; mails <= 4; ++mails) {
        await eventually('the token is refreshed before it ends', () => refreshes() > seen);
        seen = refreshes();
        if (mails === 4) assert.equal(await rohrpost.stop(), 0);
        if (mails === 4) await rohrpost.start();
        else await dovecot.endSessions(user);  // the next one logs in with the new token
        dovecot.deliver(user, `mail-${mails}`);
        await rohrpost.hasArrived(mails);
        await eventually('Dovecot has written down the log-in', () => dovecot.logins() >= mails);
    }
    assert.equal(server.count('refresh_token.consumed'), refreshes());  // each rotated
    assert.equal(server.count('grant.error'), 0);
    assert.equal(server.count('grant.revoked'), 0);
});

flow('a provider that does not know our prompt is told so on the page, and is asked with one that it knows', async (desk) => {
    const { rohrpost, server } = await begin(desk, { provider: () => ({}) });
    const refused = await desk.authorize('desk');
    const page = await desk.window();
    await page.goto(refused.url);
    await page.waitForURL(`${rohrpost.redirectUrl}?**`);
    await desk.picture(page, 'our page');
    assert.match(await words(page), /unsupported prompt value.*authorize_url/);
    assert.equal(await refused.end(), 77);
    await desk.import({ provider: with_its_prompts(server) });
    assert.equal((await comeIn(desk, user)).code, 0);
});

flow('somebody else signs in: both are named, nothing is stored, the next sign-in may be right', async (desk) => {
    const { rohrpost, dovecot } = await begin(desk);
    dovecot.deliver(user, 'first');
    const wrong = await comeIn(desk, somebody);
    assert.match(wrong.said, /somebody@mail\.test instead of desk@mail\.test.*Nothing was changed/);
    assert.equal(wrong.code, 77);
    assert.match(await rohrpost.stateOf('support'), /authorize it/);
    const right = await comeIn(desk, user);
    assert.equal(right.code, 0);
    await rohrpost.hasArrived(1);
    assert.equal((await comeIn(desk, somebody)).code, 77);  // nor later
    dovecot.deliver(user, 'second');
    await rohrpost.hasArrived(2);
});

flow('who goes back on the consent page is told that it was refused', async (desk) => {
    const { rohrpost } = await begin(desk);
    const { command, page } = await asFarAsConsent(desk, user);
    await abort(page);
    await page.waitForURL(`${rohrpost.redirectUrl}?**`);
    await desk.picture(page, 'our page');
    assert.match(await words(page), /The sign-in was refused: access_denied: End-User aborted interaction/);
    assert.equal(await command.end(), 77);
});

flow('a public client with PKCE alone, and id_tokens signed with ES256', async (desk) => {
    const { rohrpost, dovecot } = await begin(desk, {
        client: { client_secret: undefined, token_endpoint_auth_method: 'none', id_token_signed_response_alg: 'ES256' },
        credential: { client_secret: undefined },
    });
    dovecot.deliver(user, 'first');
    const { said, code } = await comeIn(desk, user);
    assert.match(said, /is authorized: desk@mail\.test/);
    assert.equal(code, 0);
    await rohrpost.hasArrived(1);
});

flow('a client shows its secret in a header: with a code, a refresh token and a device code', async (desk) => {
    const secret = 'a secret: with % and + in it', in_header = { token_endpoint_auth_method: 'client_secret_basic' };
    const { rohrpost, server, dovecot } = await begin(desk, {
        client: { client_secret: secret, ...in_header },
        provider: (at) => ({ ...with_its_prompts(at), ...in_header }),
        credential: { client_secret: { value: secret } },
        configuration: { ttl: seconds(6) },
    });
    dovecot.deliver(user, 'first');
    assert.equal((await comeIn(desk, user)).code, 0);
    await rohrpost.hasArrived(1);
    await eventually('the token is refreshed', () => server.count('grant.success', 'refresh_token') > 0);
    await desk.import({ credential: { flow: 'device_code' } });
    const command = await desk.authorize('desk', '--device');
    await command.says(/open\s+(\S+)\s+enter the code {2}(\S+) {2}and/);

    const schemes = (wanted) => server.asked.filter(({ path }) => path === wanted).map(({ scheme }) => scheme);
    for (const place of ['/token', '/device/auth']) {
        assert.ok(schemes(place).length > 0, place);
        assert.ok(schemes(place).every((scheme) => scheme === 'Basic'), place);
    }
});

flow('an id_token that names nobody is not taken, and the page says what the provider must put into it', async (desk) => {
    const { rohrpost } = await begin(desk, {
        client: { subject_type: 'pairwise', grant_types: ['authorization_code', 'refresh_token'] },
        configuration: { conformIdTokenClaims: true, subjectTypes: ['public', 'pairwise'],
            pairwiseIdentifier: (_, account) => `id-of-${account.split('@')[0]}` },
    });
    const { said, code } = await comeIn(desk, user);
    assert.match(said, /could not be proved.*id-of-desk.*preferred_username/);
    assert.equal(code, 77);
    assert.match(await rohrpost.stateOf('support'), /authorize it/);
    await desk.import({ credential: { user: 'id-of-desk' } });  // as the page says
    assert.equal((await comeIn(desk, user)).code, 0);
});

flow('a grant that the server takes back asks for a new sign-in, which resumes the mailbox', async (desk) => {
    const { rohrpost, server, dovecot } = await begin(desk, { configuration: { ttl: seconds(6) } });
    assert.equal((await comeIn(desk, user)).code, 0);
    await rohrpost.mailboxIs('support', 'idle');
    await server.takeBack();
    await rohrpost.saysInLog(/state="consent needed"/);
    await dovecot.endSessions(user);
    await rohrpost.mailboxIs('support', 'needs help');
    dovecot.deliver(user, 'first');
    assert.equal((await comeIn(desk, user)).code, 0);
    await rohrpost.hasArrived(1);
});

flow('a device code is entered in the browser', async (desk) => {
    const { rohrpost, dovecot } = await begin(desk, { credential: { flow: 'device_code' } });
    dovecot.deliver(user, 'first');
    const command = await desk.authorize('desk', '--device');
    const [, address, code] = await command.says(/open\s+(\S+)\s+enter the code {2}(\S+) {2}and/);
    const page = await desk.window();
    await page.goto(address);
    await desk.picture(page, 'its code page');
    await page.fill('[name=user_code]', code);
    await page.click('button[type=submit]');
    await page.click('button:has-text("Continue")');  // it shows the code once more
    await signIn(page, user);
    await goOn(page);
    await page.waitForSelector('text=Sign-in Success');
    assert.equal(await command.end(), 0);
    await rohrpost.hasArrived(1);
});

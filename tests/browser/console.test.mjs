// The console's own pages: log-in, the start of a sign-in and its end, in one browser and in the wrong one.
import assert from 'node:assert/strict';
import { flow, stoppedOnItsWay, words } from './support/flow.mjs';
import { accept, anotherAccount, pick, signIn } from './support/pretend_provider.mjs';

const box = 'box0001@sim.test', operator = 'operator@sim.test';
const by_redirect = ['--flow', 'authorization_code', '--messages', '1'];

/// The daemon's token, and the address of its pages.
async function begin(desk, provider = by_redirect) {
    await desk.pretend({ provider });
    const { rohrpost } = desk;
    desk.console = `http://localhost:${rohrpost.port}`;
    const [, token] = await rohrpost.saysInLog(/API token of the console, shown this once [^:]*: (\S+)/);
    return token;
}
async function logIn(page, token) {
    await page.fill('#token', token);
    await page.click('#log-in');
}
/// A private window in which somebody has logged in and opened the credential's page.
async function atCredential(desk, token, credential = 'box0001') {
    const page = await desk.window();
    await page.goto(`${desk.console}/credentials/${credential}`);
    assert.match(page.url(), /\/login\?next=/);
    await logIn(page, token);
    await page.waitForURL(`${desk.console}/credentials/${credential}`);
    return page;
}
const browserButton = (page) => page.click('#sign-in-browser');
const cookiesOf = async (page) => (await page.context().cookies()).filter(({ domain }) => domain === 'localhost');

flow('from the log-in to mail, all in one private window', async (desk) => {
    const token = await begin(desk);
    const { rohrpost } = desk;
    await rohrpost.mailboxIs('box0001', 'authorize it');
    const page = await desk.window();
    await page.goto(desk.console);
    assert.equal(page.url(), `${desk.console}/login`);
    await desk.picture(page, 'log-in');
    await logIn(page, token);
    await page.waitForURL(`${desk.console}/`);
    assert.match(await words(page), /box0001@sim\.test/);
    await desk.picture(page, 'home');
    await page.click('#credentials a');
    await page.waitForURL(`${desk.console}/credentials/box0001`);
    await desk.picture(page, 'credential');
    assert.equal(await page.innerText('#account'), box);
    assert.match(await words(page), /private window/);
    assert.equal(await page.innerText('#redirect-url'), rohrpost.redirectUrl);
    await browserButton(page);
    await page.waitForURL(`${desk.console}/sign-ins/**`);
    const waiting = page.url();
    await desk.picture(page, 'sign-in waits');
    assert.equal(await page.innerText('#account'), box);
    await page.click('#provider');
    await signIn(page, box);
    await accept(page);
    await page.waitForURL(`${rohrpost.redirectUrl}?**`);
    await desk.picture(page, 'end');
    assert.match(await words(page), /box0001 is authorized: box0001@sim\.test has signed in/);
    await rohrpost.hasArrived(1);
    await page.goto(waiting);  // the page that waited knows it, too
    assert.match(await words(page), /is authorized/);
    await page.goto(`${desk.console}/credentials/box0001`);
    await desk.picture(page, 'credential with a grant');
    assert.match(await words(page), /current/);
});

flow('a wrong token opens nothing, and log-out ends the session', async (desk) => {
    const token = await begin(desk);
    const page = await desk.window();
    await page.goto(desk.console);
    await logIn(page, 'not-the-token');
    assert.match(await words(page), /not the API token/);
    await desk.picture(page, 'wrong token');
    await page.goto(`${desk.console}/credentials/box0001`);
    assert.match(page.url(), /\/login/);
    await logIn(page, token);
    await page.waitForURL(`${desk.console}/credentials/box0001`);
    const session = await cookiesOf(page);
    assert.ok(session.length > 0 && session.every(({ httpOnly, sameSite }) => httpOnly && sameSite !== 'None'));
    await page.click('header button');
    await page.waitForURL(`${desk.console}/login`);
    await page.context().addCookies(session);  // somebody has kept the cookie
    await page.goto(`${desk.console}/credentials/box0001`);
    assert.match(page.url(), /\/login/);
});

flow('a callback in another browser than the one that began is refused, and spends nothing', async (desk) => {
    const token = await begin(desk);
    const { rohrpost } = desk;
    const page = await atCredential(desk, token);
    await browserButton(page);
    await page.click('#provider');
    await signIn(page, box);
    await page.waitForSelector('#accept');
    const address = await stoppedOnItsWay(page, rohrpost.redirectUrl, accept);
    const other = await desk.window();
    const answer = await other.goto(address);
    assert.equal(answer.status(), 403);
    await desk.picture(other, 'other browser');
    assert.match(await words(other), /begun in another browser/);
    assert.match(await rohrpost.stateOf('box0001'), /authorize it/);
    // Back where it was begun it counts.
    assert.equal((await page.goto(address)).status(), 200);
    await rohrpost.hasArrived(1);
});

flow('an address that is pasted on the page that waits finishes the sign-in', async (desk) => {
    const token = await begin(desk);
    const { rohrpost } = desk;
    const page = await atCredential(desk, token);
    await browserButton(page);
    await page.waitForURL(`${desk.console}/sign-ins/**`);
    const to = await page.getAttribute('#provider', 'href');
    const elsewhere = await desk.window();
    await elsewhere.goto(to);
    await signIn(elsewhere, box);
    const address = await stoppedOnItsWay(elsewhere, rohrpost.redirectUrl, accept);
    await page.click('#paste');
    await page.fill('#address', 'http://somewhere.else/');
    await page.click('#finish');
    await desk.picture(page, 'wrong address');
    assert.match(await words(page), /not the address of a finished sign-in/);
    await page.fill('#address', address);
    await page.click('#finish');
    assert.match(await words(page), /box0001 is authorized/);
    await rohrpost.hasArrived(1);
});

flow('the wrong person is named on the page, with the way back, and the right one may follow', async (desk) => {
    const token = await begin(desk, [...by_redirect, '--signed-in', operator]);
    const { rohrpost } = desk;
    const page = await atCredential(desk, token);
    await browserButton(page);
    await page.click('#provider');
    await pick(page, operator);
    await accept(page);
    await page.waitForURL(`${rohrpost.redirectUrl}?**`);
    await desk.picture(page, 'wrong person');
    assert.match(await words(page), /operator@sim\.test instead of box0001@sim\.test/);
    await page.click('a:has-text("Back to box0001")');
    await page.waitForURL(`${desk.console}/credentials/box0001`);
    await browserButton(page);
    await page.click('#provider');
    await anotherAccount(page);
    await signIn(page, box);
    await accept(page);
    await page.waitForURL(`${rohrpost.redirectUrl}?**`);
    assert.match(await words(page), /box0001 is authorized/);
    await rohrpost.hasArrived(1);
});

flow('the page shows a device code, and says when it was entered', async (desk) => {
    const token = await begin(desk, ['--flow', 'device_code', '--messages', '1', '--poll-seconds', '1']);
    const page = await atCredential(desk, token);
    await page.click('#sign-in-device');
    await page.waitForSelector('#user-code');
    await desk.picture(page, 'device code');
    const code = (await page.innerText('#user-code')).trim();
    const elsewhere = await desk.window();
    await elsewhere.goto(await page.getAttribute('#provider', 'href'));
    await elsewhere.fill('#user_code', code);
    await elsewhere.click('#next');
    await signIn(elsewhere, box);
    await accept(elsewhere);
    await page.waitForSelector('text=box0001 is authorized');  // it looks again by itself
    await desk.rohrpost.hasArrived(1);
});

flow('a form of another site, or of another log-in, does nothing', async (desk) => {
    const token = await begin(desk);
    const { rohrpost } = desk;
    const page = await atCredential(desk, token);
    // Another site in the same browser: its form goes out, with whatever cookies the browser adds.
    const evil = await page.context().newPage();
    await evil.setContent(`<form method="post" action="${desk.console}/credentials/box0001/sign-in">
        <input name="by" value="browser"><button id="go">Win a prize</button></form>`);
    await evil.click('#go');
    await evil.waitForURL(`${desk.console}/**`);
    assert.doesNotMatch(evil.url(), /sign-ins/);
    // Our own form, with the token of somebody else's page.
    await page.evaluate(() => document.querySelectorAll('[name=csrf]').forEach((field) => (field.value = 'x'.repeat(43))));
    await browserButton(page);
    assert.match(await words(page), /out of date, or of another log-in/);
    await desk.picture(page, 'csrf');
    const { body } = await rohrpost.call('GET', '/v1/credentials/box0001');
    assert.equal(body.state, 'no grant yet');
});

// How browsers come back, and how they do not.
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { other_name } from './support/chromium.mjs';
import { flow, stoppedOnItsWay, words } from './support/flow.mjs';
import { accept, signIn } from './support/pretend_provider.mjs';

const box = 'box0001@sim.test';
const by_redirect = ['--flow', 'authorization_code', '--messages', '1'];

/// Signs in as far as the consent page.
async function asFarAsConsent(desk, command) {
    const page = await desk.window();
    await page.goto(command.url);
    await signIn(page, box);
    await page.waitForSelector('#accept');
    return page;
}
flow('a redirect URL that is not registered ends on the page of the provider, which names it', async (desk) => {
    await desk.pretend({ provider: by_redirect, daemon: ['--external-url', `https://${other_name}`] });
    const command = await desk.authorize('box0001');
    assert.match(command.errors + desk.rohrpost.log(), new RegExp(`https://${other_name}/oauth/callback`));
    const page = await desk.window();
    await page.goto(command.url);
    await desk.picture(page, 'not registered');
    const said = await page.innerText('#error');
    assert.match(said, /AADSTS50011/);
    assert.match(said, new RegExp(`https://${other_name}/oauth/callback`));
    assert.ok(page.url().startsWith('https://localhost'), 'it goes nowhere');
    // Once it is registered the same address works.
    await desk.provider.control('client', { client_id: 'rohrpost-sim', redirect_uris: [desk.rohrpost.redirectUrl] });
    await page.goto(command.url);
    await page.waitForSelector('#username');
});

flow('a callback that is opened twice counts once', async (desk) => {
    await desk.pretend({ provider: by_redirect });
    const { rohrpost } = desk;
    const command = await desk.authorize('box0001');
    const page = await asFarAsConsent(desk, command);
    await accept(page);
    await page.waitForURL(`${rohrpost.redirectUrl}?**`);
    const address = page.url();
    assert.equal(await command.end(), 0);
    const again = await page.reload();
    assert.equal(again.status(), 403);
    await desk.picture(page, 'replayed');
    assert.match(await words(page), /was not begun here, has been finished before/);
    const elsewhere = await desk.window();
    assert.equal((await elsewhere.goto(address)).status(), 403);
    // What was stored is not harmed by it.
    await desk.provider.control('expire-tokens', { user: box });
    await desk.provider.control('append', { mailbox: box });
    await rohrpost.hasArrived(2);
});

flow('a code that has expired on its way is refused, and the next sign-in works', async (desk) => {
    await desk.pretend({ provider: [...by_redirect, '--code-seconds', '1'] });
    const { rohrpost } = desk;
    const late = await desk.authorize('box0001');
    const page = await asFarAsConsent(desk, late);
    const address = await stoppedOnItsWay(page, rohrpost.redirectUrl, accept);
    await pause(1100);  // the code's second is over: the fact that is waited for
    const answer = await page.goto(address);
    assert.equal(answer.status(), 403);
    await desk.picture(page, 'expired code');
    assert.match(await words(page), /The sign-in was refused: invalid_grant/);
    assert.equal(await late.end(), 77);
    assert.match(await rohrpost.stateOf('box0001'), /authorize it/);

    const next = await desk.authorize('box0001');
    await page.goto(next.url);
    await page.waitForSelector(`[id="account-${box}"]`);  // this browser knows who has signed in
    await page.click(`[id="account-${box}"]`);
    await accept(page);
    await page.waitForURL(`${rohrpost.redirectUrl}?**`);
    assert.equal(await next.end(), 0);
    await rohrpost.hasArrived(1);
});

flow('a page that is opened under another host name says both names, and spends nothing', async (desk) => {
    await desk.pretend({ provider: by_redirect });
    const { rohrpost } = desk;
    const command = await desk.authorize('box0001');
    const page = await asFarAsConsent(desk, command);
    const address = await stoppedOnItsWay(page, rohrpost.redirectUrl, accept);
    for (const name of ['127.0.0.1', other_name]) {
        const answer = await page.goto(address.replace('//localhost:', `//${name}:`));
        assert.equal(answer.status(), 421);
        const said = await words(page);
        assert.ok(said.includes(`It was opened as ${name}:${rohrpost.port}`), said);
        assert.ok(said.includes(`the external URL is http://localhost:${rohrpost.port}`), said);
    }
    await desk.picture(page, 'another name');
    assert.equal(command.code, undefined, 'the sign-in is still open');
    assert.equal((await page.goto(address)).status(), 200);
    assert.equal(await command.end(), 0);
    await rohrpost.hasArrived(1);
});

flow('where the browser cannot reach the console, the address it shows is pasted', async (desk) => {
    const redirect = `https://${other_name}/oauth/callback`;  // nothing listens there
    await desk.pretend({ provider: [...by_redirect, '--redirect-uri', redirect], daemon: ['--external-url', `https://${other_name}`] });
    const { rohrpost } = desk;
    const command = await desk.authorize('box0001');
    const page = await asFarAsConsent(desk, command);
    const failed = page.waitForEvent('requestfailed', (request) => request.url().startsWith(redirect));
    await accept(page);
    const address = (await failed).url();
    command.child.stdin.write('http://somewhere.else/\n');
    await command.says(/not the address of a finished sign-in/);
    command.child.stdin.write(`${address}\n`);
    assert.equal(await command.end(), 0);
    await rohrpost.hasArrived(1);
});

flow('a browser that never returns leaves the mailbox to its old grant, and holds nobody up', async (desk) => {
    await desk.pretend({ provider: by_redirect });
    const { rohrpost, provider } = desk;
    const first = await desk.authorize('box0001');
    const page = await asFarAsConsent(desk, first);
    await accept(page);
    assert.equal(await first.end(), 0);
    await rohrpost.hasArrived(1);

    const lost = await desk.authorize('box0001');
    const gone = await asFarAsConsent(desk, lost);
    await gone.context().close();
    await provider.control('expire-tokens', { user: box });  // a refresh while the sign-in is open
    await provider.control('append', { mailbox: box });
    await rohrpost.hasArrived(2);
    assert.equal(lost.code, undefined, 'it still waits');

    const another = await desk.authorize('box0001');
    const back = await asFarAsConsent(desk, another);
    await accept(back);
    assert.equal(await another.end(), 0);
    assert.equal(lost.code, undefined, 'somebody else\'s sign-in does not end it');
    await lost.stop();  // Ctrl-C
    assert.equal(await rohrpost.stop(), 0);  // a sign-in that is open does not hold the daemon up
});

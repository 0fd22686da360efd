// Who signs in and consents: the right person, the wrong one, nobody.
import assert from 'node:assert/strict';
import { flow, words } from './support/flow.mjs';
import { accept, anotherAccount, cancel, pick, signIn } from './support/pretend_provider.mjs';

const box = 'box0001@sim.test', operator = 'operator@sim.test';

flow('the right person consents: the grant is stored and the mailbox goes on', async (desk) => {
    await desk.pretend({ provider: ['--flow', 'authorization_code', '--messages', '3'] });
    const { rohrpost } = desk;
    await rohrpost.mailboxIs('box0001', 'authorize it');
    const command = await desk.authorize('box0001');
    const page = await desk.window();
    await page.goto(command.url);
    assert.equal(await page.inputValue('#username'), box);  // login_hint
    await desk.picture(page, 'sign-in');
    await signIn(page, box);
    assert.equal(await page.innerText('#signed-in-as'), box);
    await desk.picture(page, 'consent');
    await accept(page);
    await page.waitForURL(`${rohrpost.redirectUrl}?**`);
    await desk.picture(page, 'stored');
    const said = await words(page);
    assert.match(said, /box0001 is authorized: box0001@sim\.test has signed in/);
    assert.match(said, /You can close this window/);
    assert.equal(await command.end(), 0);
    assert.match(command.output, /is authorized: box0001@sim\.test/);
    await rohrpost.hasArrived(3);
    await rohrpost.mailboxIs('box0001', 'idle');
});

flow('single sign-on signs the wrong person in: both are named, nothing is stored, the next sign-in may be right', async (desk) => {
    await desk.pretend({ provider: ['--flow', 'authorization_code', '--messages', '2', '--signed-in', operator] });
    const { rohrpost } = desk;
    const wrong = await desk.authorize('box0001');
    const workstation = await desk.window();
    await workstation.goto(wrong.url);
    await desk.picture(workstation, 'picker');
    await pick(workstation, operator);
    await accept(workstation);
    await workstation.waitForURL(`${rohrpost.redirectUrl}?**`);
    await desk.picture(workstation, 'wrong person');
    const said = await words(workstation);
    assert.match(said, /operator@sim\.test instead of box0001@sim\.test/);
    assert.match(said, /Nothing was changed/);
    assert.match(said, /single sign-on.*private window/);
    assert.equal(await wrong.end(), 77);
    assert.match(wrong.errors, /operator@sim\.test instead of box0001@sim\.test/);
    assert.match(rohrpost.log(), /id=wrong-identity/);
    assert.match(await rohrpost.stateOf('box0001'), /authorize it/);
    assert.equal(rohrpost.arrived(), 0);

    const right = await desk.authorize('box0001');
    const alone = await desk.window();
    await alone.goto(right.url);
    await anotherAccount(alone);
    await signIn(alone, box);
    await accept(alone);
    await alone.waitForURL(`${rohrpost.redirectUrl}?**`);
    assert.match(await words(alone), /is authorized: box0001@sim\.test/);
    assert.equal(await right.end(), 0);
    await rohrpost.hasArrived(2);
});

flow('a second sign-in by the wrong person leaves the grant of the right one as it was', async (desk) => {
    await desk.pretend({ provider: ['--flow', 'authorization_code', '--messages', '1'] });
    const { rohrpost, provider } = desk;
    const come = async (user) => {
        const command = await desk.authorize('box0001');
        const page = await desk.window();
        await page.goto(command.url);
        await signIn(page, user);
        await accept(page);
        await page.waitForURL(`${rohrpost.redirectUrl}?**`);
        return command.end();
    };
    assert.equal(await come(box), 0);
    await rohrpost.hasArrived(1);
    assert.equal(await come(operator), 77);
    await provider.control('append', { mailbox: box });
    await rohrpost.hasArrived(2);
    // Not only the token in hand: the stored refresh token still works.
    await provider.control('expire-tokens', { user: box });
    await provider.control('append', { mailbox: box });
    await rohrpost.hasArrived(3);
});

flow('a refused consent is told as such, and stores nothing', async (desk) => {
    await desk.pretend({ provider: ['--flow', 'authorization_code'] });
    const { rohrpost } = desk;
    const command = await desk.authorize('box0001');
    const page = await desk.window();
    await page.goto(command.url);
    await signIn(page, box);
    await cancel(page);
    await page.waitForURL(`${rohrpost.redirectUrl}?**`);
    await desk.picture(page, 'refused');
    assert.match(await words(page), /The sign-in was refused: access_denied/);
    assert.equal(await command.end(), 77);
    assert.match(command.errors, /access_denied/);
    assert.match(await rohrpost.stateOf('box0001'), /authorize it/);
});

flow('a device code is entered in the browser', async (desk) => {
    await desk.pretend({ provider: ['--flow', 'device_code', '--messages', '2', '--poll-seconds', '1'] });
    const { rohrpost } = desk;
    const command = await desk.authorize('box0001', '--device');
    const [, address, code] = await command.says(/open\s+(\S+)\s+enter the code {2}(\S+) {2}and/);
    const page = await desk.window();
    await page.goto(address);
    await page.fill('#user_code', 'WRONG-CODE');
    await page.click('#next');
    assert.match(await page.innerText('#complaint'), /didn't work/);
    await page.fill('#user_code', code.toLowerCase());
    await page.click('#next');
    await signIn(page, box);
    await accept(page);
    assert.match(await page.innerText('#done'), /You have signed in/);
    assert.equal(await command.end(), 0);
    await rohrpost.hasArrived(2);
});

flow('a device code that is entered by the wrong person stores nothing', async (desk) => {
    await desk.pretend({ provider: ['--flow', 'device_code', '--poll-seconds', '1'] });
    const { rohrpost } = desk;
    const command = await desk.authorize('box0001', '--device');
    const [, address, code] = await command.says(/open\s+(\S+)\s+enter the code {2}(\S+) {2}and/);
    const page = await desk.window();
    await page.goto(address);
    await page.fill('#user_code', code);
    await page.click('#next');
    await signIn(page, operator);
    await accept(page);
    assert.equal(await command.end(), 77);
    assert.match(command.errors, /operator@sim\.test instead of box0001@sim\.test/);
    assert.match(await rohrpost.stateOf('box0001'), /authorize it/);
});

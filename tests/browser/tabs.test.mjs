// Several sign-ins at once, in one browser and in several.
import assert from 'node:assert/strict';
import { flow, words } from './support/flow.mjs';
import { accept, anotherAccount, signIn } from './support/pretend_provider.mjs';

const one = 'box0001@sim.test', two = 'box0002@sim.test';

flow('two tabs sign in for one credential: each ends as its own, and the grant of the last is kept', async (desk) => {
    await desk.pretend({ provider: ['--flow', 'authorization_code', '--messages', '1'] });
    const { rohrpost, provider } = desk;
    const commands = [await desk.authorize('box0001'), await desk.authorize('box0001')];
    const tab = await desk.window();
    const tabs = [tab, await tab.context().newPage()];
    await Promise.all(tabs.map((page, at) => page.goto(commands[at].url)));  // both stand at the form
    for (const page of tabs) await signIn(page, one);
    await Promise.all(tabs.map(accept));
    for (const page of tabs) {
        await page.waitForURL(`${rohrpost.redirectUrl}?**`);
        assert.match(await words(page), /is authorized: box0001@sim\.test/);
    }
    assert.deepEqual(await Promise.all(commands.map((command) => command.end())), [0, 0]);
    await rohrpost.hasArrived(1);
    await provider.control('expire-tokens', { user: one });
    await provider.control('append', { mailbox: one });
    await rohrpost.hasArrived(2);
});

flow('two tabs sign in for two credentials: neither gets the grant of the other', async (desk) => {
    await desk.pretend({ provider: ['--flow', 'authorization_code', '--messages', '1', '--mailboxes', '2'] });
    const { rohrpost } = desk;
    const commands = [await desk.authorize('box0001'), await desk.authorize('box0002')];
    const tab = await desk.window();
    const tabs = [tab, await tab.context().newPage()];
    await Promise.all(tabs.map((page, at) => page.goto(commands[at].url)));
    await signIn(tabs[0], one);
    await signIn(tabs[1], two);
    // The later one is finished first.
    await accept(tabs[1]);
    await tabs[1].waitForURL(`${rohrpost.redirectUrl}?**`);
    assert.match(await words(tabs[1]), /box0002 is authorized: box0002@sim\.test/);
    await accept(tabs[0]);
    await tabs[0].waitForURL(`${rohrpost.redirectUrl}?**`);
    assert.match(await words(tabs[0]), /box0001 is authorized: box0001@sim\.test/);
    assert.deepEqual(await Promise.all(commands.map((command) => command.end())), [0, 0]);
    await rohrpost.hasArrived(2);
});

flow('the person of one tab does not pass in the other', async (desk) => {
    await desk.pretend({ provider: ['--flow', 'authorization_code', '--mailboxes', '2'] });
    const { rohrpost } = desk;
    const commands = [await desk.authorize('box0001'), await desk.authorize('box0002')];
    const tab = await desk.window();
    await tab.goto(commands[0].url);
    await signIn(tab, one);
    await accept(tab);
    await tab.waitForURL(`${rohrpost.redirectUrl}?**`);
    assert.equal(await commands[0].end(), 0);
    // The same browser: the first account is offered, and taken.
    const second = await tab.context().newPage();
    await second.goto(commands[1].url);
    await second.click(`[id="account-${one}"]`);
    await accept(second);
    await second.waitForURL(`${rohrpost.redirectUrl}?**`);
    assert.match(await words(second), /box0001@sim\.test instead of box0002@sim\.test/);
    assert.equal(await commands[1].end(), 77);

    const again = await desk.authorize('box0002');
    await second.goto(again.url);
    await anotherAccount(second);
    await signIn(second, two);
    await accept(second);
    await second.waitForURL(`${rohrpost.redirectUrl}?**`);
    assert.equal(await again.end(), 0);
    await rohrpost.mailboxIs('box0001', 'idle');
    await rohrpost.mailboxIs('box0002', 'idle');
});

/// A flow is a test with a browser, a daemon and a provider of its own. When it fails, it shows what every page said, the
/// end of the daemon's log, and pictures of the pages.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Chromium } from './chromium.mjs';
import { failures, pictures } from './places.mjs';
import { PretendProvider } from './pretend_provider.mjs';
import { Rohrpost } from './rohrpost.mjs';

const flow_ms_max = 60_000;
const log_lines_shown = 40;

let chromium;

const file_name = (text) => text.replace(/[^a-z0-9]+/gi, '-').slice(0, 80);

/// What a flow has at hand. Whatever it opens ends with it.
class Desk {
    constructor(name) {
        this.name = name;
        this.directory = mkdtempSync(join(tmpdir(), 'rohrpost-browser-'));
        this.rohrpost = new Rohrpost(this.directory);
        this.windows = [];
        this.to_end = [];
        this.pictures_taken = 0;
    }
    /// Ended with the flow, the last first.
    ends(what) {
        this.to_end.unshift(what);
        return what;
    }
    /// A private window of Chromium with one page.
    async window() {
        chromium ??= Chromium.launch();
        const context = await (await chromium).window();
        this.windows.push(context);
        return context.newPage();
    }
    /// rohrpost-sim, and a daemon that serves its mailboxes.
    async pretend({ provider = [], daemon = [], change = (document) => document }) {
        this.provider = this.ends(new PretendProvider(this.directory, this.rohrpost, provider));
        await this.provider.ready();
        await this.rohrpost.import(change(this.provider.document()));
        this.ends(this.rohrpost);
        await this.rohrpost.start(daemon);
    }
    /// `rohrpost authorize`: the running command, with the address that it prints.
    async authorize(credential, ...flags) {
        const command = this.ends(this.rohrpost.authorize(credential, ...flags));
        if (!flags.includes('--device')) command.url = await command.line();
        return command;
    }
    /// A picture for people who look at pages; does nothing unless they asked.
    async picture(page, what) {
        if (!pictures) return;
        mkdirSync(pictures, { recursive: true });
        await page.screenshot({ path: join(pictures, `${file_name(this.name)}-${++this.pictures_taken}-${file_name(what)}.png`) });
    }
    async showFailure() {
        mkdirSync(failures, { recursive: true });
        let count = 0;
        for (const page of this.windows.flatMap((context) => context.pages())) {
            const picture = join(failures, `${file_name(this.name)}-${++count}.png`);
            const text = await page.innerText('body').catch((error) => error.message);
            await page.screenshot({ path: picture }).catch(() => {});
            console.error(`page ${count} at ${page.url()} (${picture}):\n${text}\n`);
        }
        const log = this.rohrpost.log().split('\n').slice(-log_lines_shown).join('\n');
        console.error(`the end of the daemon's log:\n${log}`);
        for (const one of this.to_end) if (one.told) console.error(one.told());
    }
    async close() {
        const ends = [...this.windows.map((context) => () => context.close()), ...this.to_end.map((one) => () => one.stop())];
        for (const end of ends) await end().catch((failure) => console.error(`at the end: ${failure.message}`));
        rmSync(this.directory, { recursive: true, force: true });
    }
}

/// Does `act`, which sends the page to an address that begins with `prefix`; the page does not go there. The address.
export async function stoppedOnItsWay(page, prefix, act) {
    // Playwright's routes do not see where a redirect leads.
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Fetch.enable', { patterns: [{ urlPattern: `${prefix}*` }] });
    const stopped = new Promise((found) => devtools.once('Fetch.requestPaused', async ({ requestId, request }) => {
        await devtools.send('Fetch.failRequest', { requestId, errorReason: 'Aborted' });
        found(request.url);
    }));
    await act(page);
    const address = await stopped;
    await devtools.send('Fetch.disable');
    await devtools.detach();
    return address;
}

async function play({ name, body }) {
    const desk = new Desk(name);
    let timer;
    const late = new Promise((_, give_up) => {
        timer = setTimeout(() => give_up(new Error(`not done within ${flow_ms_max} ms`)), flow_ms_max);
    });
    try {
        await Promise.race([body(desk), late]);
    } catch (failure) {
        await desk.showFailure();
        throw failure;
    } finally {
        clearTimeout(timer);
        await desk.close();
    }
}

/// A test; its name is a sentence about behaviour. The flows of a file are played two at a time, as they wait a lot.
const flows = [];
export function flow(name, body) {
    if (flows.push({ name, body }) > 1) return;
    setImmediate(() => test('flows', { concurrency: 2 }, async (all) => {
        await Promise.all(flows.map((one) => all.test(one.name, () => play(one)))).finally(async () => (await chromium)?.close());
    }));
}

/// What a page says, in one line.
export const words = async (page) => (await page.innerText('body')).replace(/\s+/g, ' ').trim();

/// Headless Chromium, one for each test program; every person in a flow has a browser context of his own.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from './places.mjs';

/// Names that lead to this machine. No other is looked up or connected to.
export const other_name = 'desk.rohrpost.test';
const rules = `MAP ${other_name} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1`;
const flags = [
    '--no-sandbox',             // tests run as root
    '--disable-dev-shm-usage',  // 64 MiB in containers
    '--disable-gpu',
    '--no-proxy-server',
    `--host-resolver-rules=${rules}`,
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-domain-reliability',
    '--disable-sync',
    '--no-first-run',
    '--no-pings',
];

export class Chromium {
    static async launch() {
        const browser = new Chromium();
        browser.home = mkdtempSync(join(tmpdir(), 'rohrpost-chromium-'));
        mkdirSync(join(browser.home, 'tmp'));
        browser.running = await chromium.launch({
            executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
            args: flags,
            env: { ...process.env, HOME: browser.home, TMPDIR: join(browser.home, 'tmp'), XDG_CONFIG_HOME: browser.home,
                XDG_CACHE_HOME: browser.home },
        });
        return browser;
    }
    /// A private window. The pretend providers' certificates are not the browser's concern here.
    async window() {
        const context = await this.running.newContext({ ignoreHTTPSErrors: true, viewport: { width: 900, height: 700 } });
        context.setDefaultTimeout(20_000);
        return context;
    }
    async close() {
        await this.running.close();
        rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
    }
}

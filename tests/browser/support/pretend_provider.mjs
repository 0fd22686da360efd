/// rohrpost-sim as an identity provider, and what a person does on its pages.
import { request } from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { binaries } from './places.mjs';
import { Program } from './processes.mjs';

export class PretendProvider {
    constructor(directory, rohrpost, flags) {
        this.directory = join(directory, 'provider');
        this.program = new Program(join(binaries, 'rohrpost-sim'),
            ['--dir', this.directory, '--oidc', '--consumer', `maildir:${rohrpost.maildir}`, '--sizes', '2048', ...flags]);
    }
    async ready() {
        this.at = JSON.parse(await this.program.line());
    }
    /// What serves its mailboxes.
    document() {
        return JSON.parse(readFileSync(this.at.import_file, 'utf8'));
    }
    /// POST /control/WHAT (or GET, without a body); the answer.
    control(what, body) {
        return new Promise((done, failed) => {
            const asked = request({ host: '127.0.0.1', port: this.at.http_port, path: `/control/${what}`,
                method: body === undefined ? 'GET' : 'POST' }, (answer) => {
                let text = '';
                answer.on('data', (bytes) => (text += bytes));
                answer.on('end', () => answer.statusCode === 200 ? done(JSON.parse(text))
                    : failed(new Error(`/control/${what}: ${answer.statusCode} ${text}`)));
            });
            asked.on('error', failed);
            asked.end(body === undefined ? undefined : JSON.stringify(body));
        });
    }
    stop() {
        return this.program.stop();
    }
}

const password = 'sim-password';

/// On the sign-in form.
export async function signIn(page, user) {
    await page.fill('#username', user);
    await page.fill('#password', password);
    await page.click('#sign-in');
}
/// On the picker.
export const pick = (page, user) => page.click(`[id="account-${user}"]`);
export const anotherAccount = (page) => page.click('#another-account');
/// On the consent page.
export const accept = (page) => page.click('#accept');
export const cancel = (page) => page.click('#cancel');

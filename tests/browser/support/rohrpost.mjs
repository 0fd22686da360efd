/// The product: its commands on a data directory of its own, its daemon, and what the daemon says over its socket.
import { request } from 'node:http';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { binaries } from './places.mjs';
import { eventually, Program, run } from './processes.mjs';

const program = join(binaries, 'rohrpost');

export class Rohrpost {
    constructor(directory) {
        this.data = join(directory, 'data');
        this.maildir = join(directory, 'maildir');
    }
    ask(words, input = '') {
        return run(program, [...words, '--data', this.data], input);
    }
    async import(document) {
        const ran = await this.ask(['import', '-'], JSON.stringify(document));
        if (ran.code !== 0) throw new Error(`import: ${ran.errors}`);
    }
    /// The daemon; returns when it answers.
    async start(flags = []) {
        const listens = flags.includes('--console') ? [] : ['--console', '127.0.0.1:0'];
        this.daemon = new Program(program, ['run', '--data', this.data, ...listens, ...flags]);
        await eventually(() => `the daemon answers; it said: ${this.log()}`, async () => {
            if (this.daemon.code !== undefined) throw new Error(`the daemon ended with ${this.daemon.code}: ${this.log()}`);
            return existsSync(join(this.data, 'control.sock')) && (await this.call('GET', '/v1/status').catch(() => null));
        });
        const [, port, redirectUrl] = await this.saysInLog(/console address=\S+ port=(\d+) .*redirect_url=(\S+)/);
        this.port = Number(port);
        this.redirectUrl = redirectUrl;
    }
    async stop() {
        return this.daemon?.stop();
    }
    log() {
        return this.daemon?.errors ?? '';
    }
    /// The daemon has logged what fits.
    saysInLog(pattern, seconds) {
        return eventually(() => `the daemon logs ${pattern}; it said: ${this.log()}`, () => pattern.exec(this.log()), seconds);
    }
    /// A request over the control socket: { status, body }, the body as JSON.
    call(method, path, body = '') {
        return new Promise((done, failed) => {
            const asked = request({ socketPath: join(this.data, 'control.sock'), method, path, timeout: 10_000,
                headers: { 'Content-Length': Buffer.byteLength(body) } }, (answer) => {
                let text = '';
                answer.on('data', (bytes) => (text += bytes));
                answer.on('end', () => done({ status: answer.statusCode, body: JSON.parse(text) }));
            });
            asked.on('timeout', () => asked.destroy(new Error(`${method} ${path}: no answer`)));
            asked.on('error', failed);
            asked.end(body);
        });
    }
    async stateOf(mailbox) {
        const { body } = await this.call('GET', `/v1/mailboxes/${mailbox}`);
        return `${body.state}: ${body.reason ?? ''}`;
    }
    /// The mailbox is in that state, or waits with those words as the reason.
    mailboxIs(mailbox, words) {
        let last = '';
        return eventually(() => `${mailbox} is "${words}"; it is "${last}"`,
            async () => (last = await this.stateOf(mailbox)).includes(words));
    }
    /// How many messages were handed to the application.
    arrived() {
        const place = join(this.maildir, 'new');
        return existsSync(place) ? readdirSync(place).length : 0;
    }
    hasArrived(count) {
        return eventually(() => `${count} messages arrive; ${this.arrived()} are there`, () => this.arrived() >= count);
    }
    /// A running `rohrpost authorize`.
    authorize(credential, ...flags) {
        return new Program(program, ['authorize', credential, ...flags, '--data', this.data]);
    }
}

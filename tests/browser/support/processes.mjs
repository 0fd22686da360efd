/// Programs that a flow starts, and waiting for facts.
import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';

/// Looks again and again until `fact` answers with something true, which is returned. Throws with `what` otherwise.
export async function eventually(what, fact, seconds = 30) {
    const due = Date.now() + seconds * 1000;
    for (;;) {
        const found = await fact();
        if (found) return found;
        if (Date.now() >= due) throw new Error(`not within ${seconds} s: ${typeof what === 'string' ? what : what()}`);
        await pause(20);
    }
}

const ends_within_ms = 20_000;

/// A running program. It has a process group of its own, nothing else is ever signalled, and it ends with this process.
export class Program {
    constructor(path, words, options = {}) {
        this.name = [path.split('/').pop(), words[0] ?? ''].join(' ').trim();
        this.output = '';
        this.errors = '';
        this.code = undefined;  // undefined: running; of a signal 128 and more, as shells have it
        const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', path, ...words], { stdio: 'pipe', detached: true, ...options });
        this.child = child;
        child.stdout.on('data', (bytes) => (this.output += bytes));
        child.stderr.on('data', (bytes) => (this.errors += bytes));
        child.stdin.on('error', () => {});  // it may end before it has read
        this.ended = new Promise((done) => {
            child.on('error', (error) => {
                this.errors += `${error.message}\n`;
                this.code = 127;
                done(127);
            });
            child.on('close', (code) => done((this.code ??= code ?? 128)));
        });
    }
    /// The first line of standard output.
    async line() {
        await eventually(() => `${this.name} prints a line; it said: ${this.errors}`,
            () => this.output.includes('\n') || this.code !== undefined);
        if (!this.output.includes('\n')) throw new Error(`${this.name} ended with ${this.code}: ${this.errors}`);
        return this.output.slice(0, this.output.indexOf('\n'));
    }
    /// What it has said on standard error, as soon as it fits.
    says(pattern) {
        return eventually(() => `${this.name} says ${pattern}; it said: ${this.errors}`, () => {
            const found = pattern.exec(this.errors);
            if (!found && this.code !== undefined) throw new Error(`${this.name} ended with ${this.code}: ${this.errors}`);
            return found;
        });
    }
    /// Its exit code once it has ended by itself.
    async end(seconds = 30) {
        await eventually(() => `${this.name} ends; it said: ${this.errors}`, () => this.code !== undefined, seconds);
        return this.code;
    }
    /// Ends it, gently first; its exit code.
    async stop() {
        const kill = (signal) => {
            if (this.code === undefined && this.child.pid) process.kill(-this.child.pid, signal);
        };
        kill('SIGTERM');
        const timer = setTimeout(() => kill('SIGKILL'), ends_within_ms);
        await this.ended;
        clearTimeout(timer);
        return this.code;
    }
}

/// A program to its end.
export async function run(path, words, input = '', options = {}) {
    const program = new Program(path, words, options);
    program.child.stdin.end(input);
    const code = await program.end(60).catch(async (late) => {
        await program.stop();
        throw late;
    });
    return { code, output: program.output, errors: program.errors };
}

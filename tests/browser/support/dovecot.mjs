/// Debian's Dovecot, which logs in whoever an OAuth server vouches for (token introspection, RFC 7662).
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, Program, run } from './processes.mjs';

const freePort = () => new Promise((found) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
        const { port } = server.address();
        server.close(() => found(port));
    });
});
const listenedOn = (port) => new Promise((answer) => {
    const socket = connect(port, '127.0.0.1', () => answer(socket.destroy() && true)).on('error', () => answer(false));
});

export class Dovecot {
    /// `introspection`: the URL with the mail server's name and secret in it.
    static async start(certificate, introspection) {
        for (let tries = 5; ; --tries) {  // somebody may take the port before Dovecot does
            const dovecot = new Dovecot();
            dovecot.directory = mkdtempSync(join(tmpdir(), 'rohrpost-dovecot-'));  // of an account of its own
            dovecot.port = await freePort();
            dovecot.configure(certificate, introspection);
            dovecot.program = new Program('/usr/sbin/dovecot', ['-F', '-c', join(dovecot.directory, 'dovecot.conf')], dovecot.as);
            await eventually(() => `Dovecot listens; it said: ${dovecot.told()}`,
                async () => dovecot.program.code !== undefined || (await listenedOn(dovecot.port)));
            if (dovecot.program.code === undefined) return dovecot;
            const why = dovecot.told();
            await dovecot.stop();
            if (tries === 1) throw new Error(why);
        }
    }
    configure(certificate, introspection) {
        const here = this.directory;
        const of = (name, root) => (process.getuid() === 0 ? root : execFileSync('id', [`-${name}n`], { encoding: 'utf8' }).trim());
        const user = of('u', 'nobody'), group = of('g', 'nogroup');
        const [uid, gid] = process.getuid() === 0
            ? ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, user], { encoding: 'utf8' })))
            : [process.getuid(), process.getgid()];
        this.as = { uid, gid };
        for (const name of ['', 'run', 'state', 'home', 'mail']) {
            mkdirSync(join(here, name), { recursive: true });
            chownSync(join(here, name), uid, gid);
        }
        const write = (name, text) => {
            writeFileSync(join(here, name), text, { mode: 0o600 });
            chownSync(join(here, name), uid, gid);
        };
        write('certificate.pem', certificate.certificate);
        write('key.pem', certificate.key);
        write('ca.pem', readFileSync(certificate.ca_file));
        write('oauth2.conf', `introspection_url = ${introspection}
introspection_mode = post
tls_ca_cert_file = ${here}/ca.pem
username_attribute = sub
active_attribute = active
active_value = true
`);
        write('dovecot.conf', `base_dir = ${here}/run
state_dir = ${here}/state
log_path = ${here}/dovecot.log
protocols = imap
listen = 127.0.0.1
default_internal_user = ${user}
default_internal_group = ${group}
default_login_user = ${user}
first_valid_uid = 1
first_valid_gid = 1
ssl = required
ssl_cert = <${here}/certificate.pem
ssl_key = <${here}/key.pem
mail_location = maildir:${here}/mail/%u
auth_mechanisms = xoauth2 oauthbearer
auth_failure_delay = 0
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = ${here}/oauth2.conf
}
userdb {
  driver = static
  args = uid=${user} gid=${group} home=${here}/home/%u
}
service imap-login {
  chroot =
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    address = 127.0.0.1
    port = ${this.port}
    ssl = yes
  }
}
service anvil {
  chroot =
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
`);
    }
    /// A message arrives in the user's INBOX.
    deliver(user, name) {
        const box = join(this.directory, 'mail', user);
        for (const part of ['', 'tmp', 'cur', 'new']) {
            mkdirSync(join(box, part), { recursive: true });
            chownSync(join(box, part), this.as.uid, this.as.gid);
        }
        const file = join(box, 'new', `${name}.browser`);
        writeFileSync(file, `From: a@mail.test\r\nTo: ${user}\r\nSubject: ${name}\r\nMessage-ID: <${name}@mail.test>\r\n\r\nHello.\r\n`);
        chownSync(file, this.as.uid, this.as.gid);
    }
    /// Ends the user's sessions.
    endSessions(user) {
        return run('/usr/bin/doveadm', ['-c', join(this.directory, 'dovecot.conf'), 'kick', user], '', this.as);
    }
    /// How many sessions have logged in.
    logins() {
        return this.log().split('Login: user=').length - 1;
    }
    log() {
        const file = join(this.directory, 'dovecot.log');
        return existsSync(file) ? readFileSync(file, 'utf8') : '';
    }
    told() {
        return `Dovecot said:\n${this.program.errors}${this.log()}`;
    }
    async stop() {
        await this.program.stop();
        rmSync(this.directory, { recursive: true, force: true });
    }
}

/// npm's smtp-server on loopback, which has nothing to do with this project. Its argument is JSON:
///     packages   where it is installed         certificate, key   files in PEM        mails   a directory for what comes
///     settings   more of smtp-server's own
/// Prints its port. Who says "right" for a password or token is let in. The local part of an address tells what becomes of
/// it: "450-busy" is refused with that code, "hangup-…" ends the connection without a word; at the sender, "end-554-…" and
/// "end-hangup-…" do so when all of the mail has been read. A mail is N.eml, with N.json beside it for its envelope.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const wish = JSON.parse(process.argv[2]);
const { SMTPServer } = createRequire(pathToFileURL(join(wish.packages, 'package.json')))('smtp-server');

const refusal = (code) => Object.assign(new Error(`refused as told with ${code}`), { responseCode: Number(code) });
const hangUp = () => { for (const connection of server.connections) connection._socket.destroy(); };
const judge = (words, callback) => {
    const code = /^(\d{3})-/.exec(words)?.[1];
    if (words.startsWith('hangup-')) hangUp();
    else callback(code ? refusal(code) : null);
};

let mails = 0;
const server = new SMTPServer({
    cert: readFileSync(wish.certificate), key: readFileSync(wish.key),
    authMethods: ['PLAIN', 'LOGIN', 'XOAUTH2'],
    logger: false, disableReverseLookup: true,
    onAuth(auth, session, callback) {
        if ((auth.password ?? auth.accessToken) === 'right') return callback(null, { user: auth.username });
        if (auth.method === 'XOAUTH2') return callback(null, { data: { status: '401', schemes: 'bearer' } });
        callback(refusal(535));
    },
    onMailFrom: (address, session, callback) => judge(address.address, callback),
    onRcptTo: (address, session, callback) => judge(address.address, callback),
    onData(stream, session, callback) {
        const chunks = [];
        stream.on('data', (chunk) => chunks.push(chunk));
        stream.on('end', () => {
            const sender = session.envelope.mailFrom.address;
            if (sender.startsWith('end-')) return judge(sender.slice(4), callback);
            const file = join(wish.mails, String(++mails));
            writeFileSync(`${file}.json`, JSON.stringify(session.envelope));
            writeFileSync(`${file}.new`, Buffer.concat(chunks));
            renameSync(`${file}.new`, `${file}.eml`);
            callback(null, 'taken');
        });
    },
    ...wish.settings,
});
server.on('error', () => {});  // connections that break are what tests are about
server.listen(0, '127.0.0.1', () => console.log(server.server.address().port));

/// An authority and a certificate of localhost, for servers on this machine.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/// In the directory: ca.pem, and what is returned.
export function makeCertificate(directory) {
    const at = (name) => join(directory, name);
    const openssl = (...words) => execFileSync('openssl', words, { cwd: directory, stdio: 'pipe' });
    const fresh_key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    openssl('req', '-x509', ...fresh_key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=browser test authority');
    openssl('req', ...fresh_key, '-keyout', 'key.pem', '-out', 'request.pem', '-subj', '/CN=localhost');
    writeFileSync(at('extensions'), 'subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n');
    openssl('x509', '-req', '-in', 'request.pem', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2',
        '-extfile', 'extensions', '-out', 'certificate.pem');
    return { ca_file: at('ca.pem'), certificate: readFileSync(at('certificate.pem')), key: readFileSync(at('key.pem')) };
}

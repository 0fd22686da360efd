/// Where the programs under test and the installed npm packages are. ctest says it; without ctest: the release build.
import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const source = join(dirname(fileURLToPath(import.meta.url)), '../../..');
export const binaries = process.env.ROHRPOST_BINARIES ?? join(source, 'build/release/bin');
const packages = process.env.ROHRPOST_BROWSER_PACKAGES ?? join(source, 'build/browser');
/// Pictures of pages on which a flow failed.
export const failures = join(packages, 'failures');
/// A directory for a picture of every page that a flow marks as worth a look; empty: none are taken.
export const pictures = process.env.ROHRPOST_BROWSER_PICTURES ?? '';

if (!existsSync(join(packages, 'node_modules'))) {
    console.error(`The npm packages of the browser tests are not in ${packages}: run tools/setup/browser.`);
    process.exit(69);
}
const require = createRequire(pathToFileURL(join(packages, 'package.json')));
export const { chromium } = require('playwright-core');
/// oidc-provider's class; loaded only by whoever asks.
export const independentProvider = async () =>
    (await import(pathToFileURL(join(packages, 'node_modules/oidc-provider/lib/index.js')))).default;

// SPDX-License-Identifier: MIT
//
// console.js DEMO CHROMIUM - the console in a browser: what a person would do with it
//
// Every check reads what the page shows. A script error, a refusal by the page's own security policy
// or a request to another origin fails it.
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { chromium } = require('playwright-core');
const { Console, DESKTOP, PHONE, serve } = require('./harness.js');
const calls = require('./calls.js');
const comfort = require('./comfort.js');
const { everyKindOfForm } = require('./forms.js');

const [, , , browserPath] = process.argv;
/* What a browser does besides. */
const QUIET = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
               '--disable-component-update', '--disable-sync'];

/* It says so, tries again by itself or when it is told to, and the form keeps what was typed. */
async function comesBack(console_, server) {
    await console_.choose('get_user_name');
    await server.stop();
    await console_.is('lost');
    assert.match(await console_.text('#state'), /^no connection/);
    await console_.page.waitForSelector('#countdown:has-text("again in")');
    await console_.page.click('#send');
    assert.match(await console_.text('#form-fault'), /there is no connection/);
    const again = await serve(new URL(server.url).port);
    await console_.page.evaluate(() => byId('retry').click()); /* wherever the countdown is */
    await console_.is('open');
    assert.match((await console_.send()).value, /"Grace"/);
    return again;
}

async function linksLeadToMethods(browser, server) {
    const console_ = new Console(await browser.newPage());
    await console_.open(`${server.url}#sum`);
    await console_.page.waitForSelector('#signature:has-text("sum(")');
    await console_.page.evaluate(() => { location.hash = '#ping'; });
    await console_.page.waitForSelector('#signature:has-text("ping(")');
    await console_.page.goto('about:blank');
    await console_.page.goto(`${server.url}#gone%3C`);
    await console_.page.waitForSelector('#form-fault:has-text("This service has no method gone<.")');
    assert.deepStrictEqual(console_.faults, []);
    await console_.page.close();
}

/* Names are as hostile, as long, as many and as foreign as can be. */
async function strangeNames(browser, server) {
    const markup = '<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>';
    const param = (name) => ({ name, required: false, schema: { type: 'string', default: markup } });
    const method = (name) => ({ name, summary: markup, paramStructure: 'either', params: [param(markup)], result: {} });
    const names = [markup, 'a'.repeat(300), '\u05e9\u05dc\u05d5\u05dd \u{1f600}', 'constructor', '__proto__', '"quoted"',
                   ...Array.from({ length: 200 }, (_, i) => `group${i % 5}.method${i}`)];
    const console_ = new Console(await browser.newPage({ viewport: PHONE }));

    await console_.page.routeWebSocket(/^ws:/, (socket) => {
        const server_ = socket.connectToServer();
        server_.onMessage((text) => {
            const answer = JSON.parse(text);
            if (answer.result?.openrpc)
                answer.result = { info: { title: markup, description: markup }, methods: names.map(method) };
            socket.send(JSON.stringify(answer));
            socket.send(JSON.stringify({ jsonrpc: '2.0', method: markup, params: [markup] }));
        });
    });
    await console_.open(server.url);
    await console_.page.click('#methods-open');
    await console_.page.locator('#list button').nth(names.length - 1).waitFor();
    for (const name of names.slice(0, 8)) {
        await console_.page.evaluate((n) => choose(service.methods.find((m) => m.name === n)), name);
        assert.ok((await console_.text('#signature')).startsWith(`${name}(`));
        await console_.isNoWiderThan(PHONE);
    }
    await console_.page.locator('#fields input[type=checkbox]').check();
    assert.strictEqual((await console_.send()).pill, 'error -32601');
    await console_.lines('push');
    await console_.page.fill('#filter', 'method199');
    assert.deepStrictEqual(await console_.page.locator('#list button > code').allTextContents(), ['group4.method199']);
    assert.strictEqual(await console_.page.locator('img, main script').count(), 0);
    assert.doesNotMatch(await console_.page.title(), /^owned/);
    assert.deepStrictEqual(console_.faults, []);
    await console_.page.close();
}

/* It asks for one where it needs one, says when it is wrong, and keeps it for the tab. */
async function tokens(browser) {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jrpc-console-')), file = path.join(folder, 'tokens');
    const token = 'o+p/e=n&s%e', longToken = `${token}${'x'.repeat(80)}`;
    fs.writeFileSync(file, `${token}\n${longToken}\n`, { mode: 0o600 });
    const server = await serve(0, { query: `?token_file=${file}` });
    const console_ = new Console(await browser.newPage()), { page } = console_;

    await console_.open(server.url, 'token');
    await page.fill('#token', 'wrong');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#token-fault:has-text("does not know")');
    await page.fill('#token', token);
    await page.keyboard.press('Enter');
    await console_.is('open');
    assert.match(await console_.text('#state'), /WebSocket/);
    await console_.choose('ping');
    assert.strictEqual((await console_.send()).value, '"pong"');
    for (const format of ['curl', 'javascript', 'python', 'wscat', 'json']) { /* none has it in it */
        await page.click(`[data-format=${format}]`);
        assert.ok(!(await console_.text('#code')).includes(token));
    }
    await page.click('#token-open');
    await page.fill('#token', longToken);
    await page.keyboard.press('Enter');
    await page.waitForSelector('#state:has-text("HTTP POST")'); /* too long to be a subprotocol */
    await page.reload();
    await page.waitForSelector('#state:has-text("HTTP POST")');
    assert.ok(await page.evaluate((t) => !JSON.stringify(localStorage).includes(t) && !document.cookie.includes(t), token));
    assert.deepStrictEqual(console_.faults, []);
    await page.close();
    await server.stop();
    fs.rmSync(folder, { recursive: true });
}

/* A service that does not describe itself can still be called. */
async function withoutDescription(browser) {
    const server = await serve(0, { options: ['--set', 'introspection=no'] });
    const console_ = new Console(await browser.newPage());
    await console_.open(server.url);
    await console_.page.waitForSelector('#list-note:has-text("does not describe itself")');
    await console_.page.fill('#raw', '{"jsonrpc":"2.0","method":"ping","id":1}');
    assert.strictEqual((await console_.send()).value, '"pong"');
    assert.deepStrictEqual(console_.faults, []);
    await console_.page.close();
    await server.stop();
}

async function main() {
    const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox', ...QUIET] });
    let server = await serve(0);
    const console_ = new Console(await browser.newPage({ viewport: DESKTOP }));
    const say = (name) => console.log(`${process.uptime().toFixed(1)} s ${name}`);

    await console_.open(server.url);
    for (const [name, scene] of [...Object.entries(calls), ...Object.entries(comfort)]) {
        say(name);
        await scene(console_);
    }
    say(comesBack.name);
    server = await comesBack(console_, server);
    say('everyKindOfForm');
    await everyKindOfForm(console_);
    assert.deepStrictEqual(console_.faults, []);
    for (const scene of [linksLeadToMethods, strangeNames, tokens, withoutDescription]) {
        say(scene.name);
        await scene(browser, server);
    }
    await browser.close();
    await server.stop();
    say('done');
}

main().then(() => process.exit(0), (error) => {
    console.error(error);
    process.exit(1);
});

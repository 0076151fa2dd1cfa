// SPDX-License-Identifier: MIT
//
// console.js DEMO CHROMIUM - the console in a browser: what a person would do with it
//
// Every check reads what the page shows. A script error, a refusal by the page's own security policy
// or a request to another origin fails it.
'use strict';

const assert = require('node:assert');
const { spawn, spawnSync } = require('node:child_process');
const { chromium } = require('playwright-core');

const [, , demo, browserPath] = process.argv;
const PHONE = { width: 360, height: 740 };

/* The demo on that port, 0 for any: { url, stop }. */
function serve(port, ...options) {
    const child = spawn(demo, ['--listen', `http://127.0.0.1:${port}`, ...options], { stdio: ['ignore', 'ignore', 'pipe'] });
    process.on('exit', () => child.kill('SIGKILL')); /* however this test ends */
    const stop = () => new Promise((resolve) => {
        child.on('exit', resolve);
        child.kill('SIGTERM');
    });
    return new Promise((resolve, reject) => {
        let said = '';
        child.stderr.setEncoding('utf8').on('data', (text) => {
            said += text;
            const match = /listening on (http:\S+)/.exec(said);
            if (match)
                resolve({ url: match[1].replace(/\/?$/, '/'), stop });
        });
        child.on('exit', () => reject(new Error(`the demo ended: ${said}`)));
    });
}

class Console {
    constructor(page) {
        this.page = page;
        this.faults = [];
        page.on('pageerror', (error) => this.faults.push(error.stack));
        page.on('console', (message) => {
            if (message.type() === 'error' && !/ERR_CONNECTION|WebSocket connection|Failed to load resource/.test(message.text()))
                this.faults.push(message.text());
        });
    }

    async open(url) {
        const { headers } = await fetch(url);
        assert.match(headers.get('content-security-policy'), /^default-src 'none'; script-src 'sha256-/);
        this.page.on('request', (request) => {
            if (!request.url().startsWith(url) && !request.url().startsWith('data:'))
                this.faults.push(`asks ${request.url()}`);
        });
        await this.page.goto(url);
        await this.page.waitForSelector('#state[data-state=open]');
    }

    async choose(method) {
        await this.page.click(`#list [data-name=${method}]`);
    }

    field(name) {
        return this.page.getByLabel(name, { exact: true }).and(this.page.locator('#fields :is(input[type=text], textarea)'));
    }

    /* Sends with what is pressed, and returns what the answer's first card says. */
    async send(press = () => this.page.click('[role=tabpanel]:not([hidden]) button.main')) {
        await this.page.evaluate(() => document.getElementById('answers').replaceChildren());
        await press();
        const card = this.page.locator('#answers .card:is([data-kind=result], [data-kind=error])').first();
        await card.waitFor();
        const value = card.locator('pre');
        return { title: await card.locator('strong').textContent(),
                 value: await value.count() ? await value.textContent() : undefined };
    }

    text(selector) {
        return this.page.locator(selector).textContent();
    }

    lines(kind) {
        return this.page.locator(`#log li[data-kind=${kind}] .line`).allTextContents();
    }
}

async function calls(console_) {
    await console_.choose('subtract');
    assert.match(await console_.text('#signature'), /^subtract\(minuend: number, subtrahend: number\) . number$/);
    await console_.field('minuend').fill('42');
    await console_.field('subtrahend').fill('23');
    assert.deepStrictEqual(await console_.send(), { title: 'subtract: result', value: '19' });

    await console_.page.check('input[value=name]');
    await console_.field('minuend').fill('9007199254740993');
    await console_.field('subtrahend').fill('0');
    assert.match(await console_.text('#preview'), /"minuend": 9007199254740993/);
    assert.deepStrictEqual(await console_.send(), { title: 'subtract: result', value: '9007199254740993' });

    await console_.page.check('input[value=position]');

    await console_.field('subtrahend').fill('x');
    await console_.page.keyboard.press('Enter');
    assert.match(await console_.text('#fields'), /not a number: x/);
    assert.match(await console_.text('#form-fault'), /Not sent/);

    await console_.choose('sum');
    for (const value of ['1', '2', '3.5']) {
        await console_.page.click('text=+ value');
        await console_.page.keyboard.type(value);
    }
    assert.deepStrictEqual(await console_.send(), { title: 'sum: result', value: '6.5' });

    await console_.choose('get_user_name');
    await console_.field('user_id').fill('7');
    assert.match((await console_.send()).value, /"Ada"/);
    await console_.field('first_name').fill('Grace');
    assert.match((await console_.send()).value, /"Grace"/);
}

async function failures(console_) {
    await console_.choose('api_fail_data');
    assert.deepStrictEqual(await console_.send(),
        { title: 'api_fail_data: error 42, Quota exceeded', value: '{ "limit": 10, "used": 11 }' });
    await console_.choose('crash');
    assert.match((await console_.send()).title, /error -32603/);
    assert.ok((await console_.lines('error')).some((line) => line.startsWith('42 Quota exceeded')));
}

async function whatTheServerSaysIsText(console_) {
    const text = '<img src=x onerror="document.title=1"><script>alert(1)</script>';
    await console_.choose('echo');
    await console_.field('params').fill(JSON.stringify([text]));
    assert.match((await console_.send()).value, /<img src=x/);
    assert.strictEqual(await console_.page.locator('img, #answers script, #log script').count(), 0);
}

async function notificationsAndPushes(console_) {
    await console_.choose('update');
    await console_.page.check('#is-notification');
    assert.doesNotMatch(await console_.text('#preview'), /"id"/);
    assert.strictEqual((await console_.send()).title, 'update: sent');
    await console_.page.uncheck('#is-notification');

    await console_.choose('notify_me');
    await console_.field('count').fill('3');
    await console_.field('every_ms').fill('1');
    assert.strictEqual((await console_.send()).value, '3');
    const pushes = await console_.lines('push');
    assert.deepStrictEqual(pushes, [3, 2, 1].map((n) => `tick {"n":${n},"count":3}`)); /* newest first */
}

async function cancelling(console_) {
    await console_.choose('slow');
    await console_.field('ms').fill('30000');
    const ended = await console_.send(async () => {
        await console_.page.click('#send');
        await console_.page.click('#cancel');
    });
    assert.match(ended.title, /error -32800/);
}

async function batches(console_) {
    await console_.choose('ping');
    await console_.page.click('#to-batch');
    await console_.choose('api_fail');
    await console_.page.keyboard.press('Alt+b');
    await console_.page.click('#tab-batch');
    assert.strictEqual(await console_.page.locator('#batch li').count(), 2);
    assert.strictEqual((await console_.send()).value, '"pong"');
    assert.match(await console_.text('#answers'), /2 answers/);
    assert.match(await console_.text('#answers'), /error 1, Can't fulfill the request/);
    await console_.page.click('#batch-clear');
}

async function rawJson(console_) {
    await console_.page.click('#tab-raw');
    await console_.page.fill('#raw', '{"jsonrpc": "2.0",\n "method": ping, "id": "x"}');
    await console_.page.keyboard.press('Control+Enter');
    assert.strictEqual(await console_.text('#raw-fault'), "Line 2, column 12: expected a value, found 'p'");
    assert.match((await console_.send(() => console_.page.click('#raw-anyway'))).title, /error -32700/);

    await console_.page.fill('#raw', '{"jsonrpc": "2.0",\n "method": "ping", "id": "x"}');
    assert.strictEqual(await console_.text('#raw-fault'), '');
    assert.strictEqual((await console_.send(() => console_.page.keyboard.press('Control+Enter'))).value, '"pong"');
}

async function keys(console_) {
    await console_.page.locator('#tab-form').focus();
    await console_.page.keyboard.press('/');
    await console_.page.keyboard.type('differ');
    assert.deepStrictEqual(await console_.page.locator('#list code').allTextContents(), ['subtract']);
    await console_.page.keyboard.press('Enter');
    assert.match(await console_.text('#signature'), /^subtract/);
    await console_.page.fill('#filter', '');
    await console_.page.locator('#tab-form').focus();
    await console_.page.keyboard.press('?');
    assert.ok(await console_.page.locator('#help').isVisible());
    await console_.page.keyboard.press('Escape');
    assert.ok(!await console_.page.locator('#help').isVisible());
}

async function isNoWiderThanAPhone(console_) {
    assert.ok(await console_.page.evaluate(() => document.documentElement.scrollWidth) <= PHONE.width);
}

/* All controls have a name that can be read out, and nothing is wider than a phone. */
async function forEverybody(console_) {
    const nameless = await console_.page.locator('button, input, select, textarea').evaluateAll((nodes) =>
        nodes.filter((node) => !node.labels?.length && !node.getAttribute('aria-label') && !node.textContent.trim())
            .map((node) => node.outerHTML));
    assert.deepStrictEqual(nameless, []);

    const size = console_.page.viewportSize();
    await console_.page.setViewportSize(PHONE);
    await isNoWiderThanAPhone(console_);
    await console_.page.setViewportSize(size);
}

/* What is copied can be run as it is. */
async function copies(console_) {
    const text = 'it\'s "ü" \\ $HOME `x` \u{1f600}\n';
    const message = JSON.stringify({ jsonrpc: '2.0', method: 'echo', params: [text], id: 1 });
    const programs = { curl: ['bash', '-c'], python: ['python3', '-c'], javascript: ['node', '--input-type=module', '-e'] };

    for (const [kind, [program, ...options]] of Object.entries(programs)) {
        const code = await console_.page.evaluate(`copies[${JSON.stringify(kind)}](${JSON.stringify(message)})`);
        const ran = spawnSync(program, [...options, code], { encoding: 'utf8' });
        assert.strictEqual(ran.status, 0, `${kind}: ${ran.stderr}`);
        if (kind === 'javascript')
            assert.match(ran.stdout, /"ü" .* `x` \u{1f600}/u);
        else
            assert.deepStrictEqual(JSON.parse(ran.stdout).result, [text], kind);
    }
    await console_.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await console_.choose('ping');
    await console_.page.click('#request-form [data-copy=json]');
    await console_.page.waitForSelector('#news:has-text("Copied")');
    const copied = JSON.parse(await console_.page.evaluate(() => navigator.clipboard.readText()));
    assert.strictEqual(copied.method, 'ping');
}

async function overHttp(console_) {
    await console_.page.selectOption('#choice', 'http');
    await console_.page.waitForSelector('#state:has-text("HTTP")');
    await console_.choose('ping');
    assert.strictEqual((await console_.send()).value, '"pong"');
    await console_.choose('notify_me');
    assert.match((await console_.send()).title, /error 2, This peer cannot be sent notifications/);
    await console_.page.selectOption('#choice', 'auto');
    await console_.page.waitForSelector('#state:has-text("WebSocket")');
}

async function comesBack(console_, server) {
    await console_.choose('get_user_name');
    await server.stop();
    await console_.page.waitForSelector('#state[data-state=lost]');
    assert.match((await console_.text('#state')), /no connection/);
    const again = await serve(new URL(server.url).port);
    await console_.page.waitForSelector('#state[data-state=open]');
    assert.match((await console_.send()).value, /"Grace"/); /* the form kept what was typed */
    return again;
}

/* What rpc.discover says of methods like these: how params are written, or why they cannot be. */
const optional = (name) => ({ name, required: false, schema: {} });
const required = (name, ...type) => ({ name, required: true, schema: { type: type.length > 1 ? type : type[0] } });
const FORMS = [
    { about: 'a gap is jumped by name', params: [optional('a'), optional('b')], structure: 'either',
      fill: { b: '1' }, expected: '{"b":1}' },
    { about: 'nothing is sent that was not filled in', params: [optional('a'), optional('b')], structure: 'either',
      fill: {}, expected: undefined },
    { about: 'by name only', params: [required('a', 'string')], structure: 'by-name',
      fill: { a: '1' }, expected: '{"a":"1"}' },
    { about: 'names of ones own', params: [{ ...optional('others'), 'x-fields': true }], structure: 'by-name',
      fields: [['x', '[1]']], expected: '{"x":[1]}' },
    { about: 'names of ones own, of several types', structure: 'by-name',
      params: [{ ...required('others', 'string', 'null'), required: false, 'x-fields': true }],
      fields: [['x', 's']], expected: '{"x":"s"}' },
    { about: '*rest behind what is declared', params: [optional('a'), { ...optional('more'), 'x-rest': true }],
      structure: 'by-position', fill: { a: '"s"' }, rest: ['1', 'null'], expected: '["s",1,null]' },
    { about: '*rest behind a gap', params: [optional('a'), { ...optional('more'), 'x-rest': true }],
      structure: 'by-position', fill: {}, rest: ['1'], fault: /give them all/ },
    { about: 'named-only besides *rest', params: [{ ...optional('more'), 'x-rest': true }], named: [optional('n')],
      structure: 'by-position', fill: { n: '1' }, expected: '{"n":1}' },
    { about: 'named-only together with *rest', params: [{ ...optional('more'), 'x-rest': true }], named: [optional('n')],
      structure: 'by-position', fill: { n: '1' }, rest: ['1'], fault: /leave one out/ },
    { about: 'of several types the first', params: [required('a', 'integer', 'null')], structure: 'either',
      fill: { a: '12' }, expected: '[12]' },
    { about: 'not of the type', params: [required('a', 'integer')], structure: 'either',
      fill: { a: '1.5' }, fault: /not an integer/ },
    { about: 'an empty text is a text', params: [required('a', 'string')], structure: 'either',
      fill: {}, expected: '[""]' },
    { about: 'a missing number is none', params: [required('a', 'number')], structure: 'either',
      fill: {}, fault: /needs a value/ },
];

async function everyKindOfForm(console_) {
    await console_.page.setViewportSize(PHONE);
    for (const row of FORMS) {
        const method = { name: 'm', paramStructure: row.structure, params: row.params, 'x-named-only': row.named,
                         result: { name: 'result', schema: {} } };
        await console_.page.evaluate((m) => {
            setService({ methods: [] }, ''); /* else a form that looks the same would stay */
            setService({ methods: [m] }, '');
        }, method);
        await console_.page.click('#tab-form');
        for (const [name, value] of Object.entries(row.fill ?? {}))
            await console_.field(name).fill(value);
        for (const value of row.rest ?? []) {
            await console_.page.click('text=+ value');
            await console_.page.keyboard.type(value);
        }
        for (const [name, value] of row.fields ?? []) {
            await console_.page.click('text=+ name and value');
            await console_.page.keyboard.type(name);
            await console_.page.locator('.values .input .input :is(input, textarea)').last().fill(value);
        }
        const message = await console_.page.evaluate(() => formMessage({ isStrict: true }));
        await isNoWiderThanAPhone(console_);
        if (row.fault)
            assert.match(message.fault + await console_.text('#fields'), row.fault, row.about);
        else
            assert.deepStrictEqual(JSON.parse(message.text).params, row.expected && JSON.parse(row.expected), row.about);
    }
}

/* A service that does not describe itself can still be called. */
async function withoutDescription(browser) {
    const server = await serve(0, '--set', 'introspection=no');
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
    const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });
    let server = await serve(0);
    const console_ = new Console(await browser.newPage());

    await console_.open(server.url);
    for (const scene of [calls, failures, whatTheServerSaysIsText, notificationsAndPushes, cancelling, batches, rawJson,
                         keys, copies, forEverybody, overHttp]) {
        console.log(scene.name);
        await scene(console_);
    }
    console.log(comesBack.name);
    server = await comesBack(console_, server);
    console.log(everyKindOfForm.name);
    await everyKindOfForm(console_);
    assert.deepStrictEqual(console_.faults, []);
    console.log(withoutDescription.name);
    await withoutDescription(browser);
    await browser.close();
    await server.stop();
}

main().then(() => process.exit(0), (error) => {
    console.error(error);
    process.exit(1);
});

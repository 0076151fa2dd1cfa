// SPDX-License-Identifier: MIT
//
// harness.js - the demo as a child, and the console as a person sees it: what scenes are made of
//
// A script error, a refusal by the page's own security policy or a request to another origin is kept
// in faults.
'use strict';

const assert = require('node:assert');
const { spawn } = require('node:child_process');

const [, , demo] = process.argv;

exports.PHONE = { width: 360, height: 740 };
exports.DESKTOP = { width: 1280, height: 800 };

/* The demo on that port, 0 for any: { url, stop }. query: options of the endpoint. */
exports.serve = (port, { query = '', options = [] } = {}) => {
    const child = spawn(demo, ['--listen', `http://127.0.0.1:${port}${query}`, ...options],
                        { stdio: ['ignore', 'ignore', 'pipe'] });
    process.on('exit', () => child.kill('SIGKILL')); /* however this test ends */
    const stop = () => new Promise((resolve) => {
        child.on('exit', resolve);
        child.kill('SIGTERM');
    });
    return new Promise((resolve, reject) => {
        let said = '';
        child.stderr.setEncoding('utf8').on('data', (text) => {
            said += text;
            const match = /listening on (http:[^\s?]+)/.exec(said);
            if (match)
                resolve({ url: match[1].replace(/\/?$/, '/'), stop });
        });
        child.on('exit', () => reject(new Error(`the demo ended: ${said}`)));
    });
};

exports.Console = class {
    constructor(page) {
        this.page = page;
        this.faults = [];
        page.setDefaultTimeout(20000);
        page.on('pageerror', (error) => this.faults.push(error.stack));
        page.on('console', (message) => {
            if (message.type() === 'error' && !/ERR_CONNECTION|WebSocket connection|Failed to load resource/.test(message.text()))
                this.faults.push(message.text());
        });
    }

    /* Goes there, and waits until the connection is in that state. */
    async open(url, state = 'open') {
        const origin = new URL(url).origin, { headers } = await fetch(origin);
        assert.match(headers.get('content-security-policy'), /^default-src 'none'; script-src 'sha256-/);
        this.page.on('request', (request) => {
            if (!request.url().startsWith(origin) && !request.url().startsWith('data:'))
                this.faults.push(`asks ${request.url()}`);
        });
        await this.page.goto(url);
        await this.is(state);
    }

    async is(state) {
        await this.page.waitForSelector(`#status[data-state=${state}]`);
    }

    async choose(method) {
        await this.page.click(`#list [data-name=${method}]`);
    }

    field(name) {
        return this.page.getByLabel(name, { exact: true }).and(this.page.locator('#fields :is(input[type=text], textarea)'));
    }

    /* Sends with what is pressed; returns what the answer's first card says. */
    async send(press = () => this.page.click('#send')) {
        await this.page.evaluate(() => document.getElementById('answers').replaceChildren());
        await press();
        return this.answer();
    }

    async answer() {
        const card = this.page.locator('#answers .card:is([data-kind=result], [data-kind=error])').first();
        await card.waitFor();
        const value = card.locator('pre');
        return { pill: await card.locator('.pill').textContent(), title: await card.locator('strong').textContent(),
                 value: await value.count() ? await value.textContent() : undefined };
    }

    text(selector) {
        return this.page.locator(selector).textContent();
    }

    /* The log's lines of a kind, newest first, when there are so many at least. */
    async lines(kind, count = 1) {
        const found = this.page.locator(`#log li[data-kind=${kind}]:not([hidden]) .line`);
        await found.nth(count - 1).waitFor();
        return found.allTextContents();
    }

    async isNoWiderThan(size) {
        assert.ok(await this.page.evaluate(() => document.documentElement.scrollWidth) <= size.width);
    }
};

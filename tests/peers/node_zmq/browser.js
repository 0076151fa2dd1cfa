// SPDX-License-Identifier: MIT
//
// browser.js DEMO CHROMIUM - examples/zws in Chromium: its buttons are pressed, and 1,000 calls and more
//
// The page is served from the loopback address: others may not connect to it.
'use strict';

const assert = require('node:assert');
const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { chromium } = require('playwright-core');
const { startDemo, run } = require('./demo.js');

const FOLDER = path.join(__dirname, '../../../examples/zws');
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8' };

async function servePage() {
    const server = http.createServer((request, response) => {
        const name = path.basename(new URL(request.url, 'http://localhost').pathname);
        response.setHeader('Content-Type', TYPES[path.extname(name)]);
        response.end(fs.readFileSync(path.join(FOLDER, name)));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return server;
}

async function pressButtons(page) {
    const logged = (text) => page.getByText(text).first().waitFor();

    await page.locator('#state.open').waitFor();
    await page.getByRole('button', { name: 'Call', exact: true }).click();
    await logged('← 19');
    await page.locator('#params').fill('[1');
    await page.getByRole('button', { name: 'Call', exact: true }).click();
    await logged('Params: ');
    await page.locator('#params').fill('[2]');
    await page.locator('#error').click();
    await logged('RpcError 42: Quota exceeded {"limit":10,"used":11}');
    await page.locator('#batch').click();
    await logged('← ["apple","cherry"]');
    await logged('RpcError -32602: Invalid params');
    await page.locator('#pushes').click();
    await logged('tick {"n":5,"count":5}');
    await page.locator('#notify').click();
    await page.locator('#thousand').click();
    await logged('← 1000 of 1000 right');
}

/* In the page: as many calls as it takes to fill all buffers, of the largest size that is sent. */
async function callMuch(url) {
    const client = new ZwsClient(url), wrong = [];

    await client.connect();
    const sizes = [...Array(5000).fill(10), ...Array(1000).fill(1000), ...Array(100).fill(65000)];
    await Promise.all(sizes.map(async (size, i) => {
        const params = [i, 'x'.repeat(size)];
        const result = await client.call('echo', params);
        if (result[0] !== i || result[1] !== params[1])
            wrong.push(i);
    }));
    const code = await client.call('echo', ['x'.repeat(65536)]).catch((error) => error.code);
    client.close();
    return { n: sizes.length, wrong, code };
}

run(async () => {
    const demo = await startDemo('zmq+ws://127.0.0.1:0');
    const server = await servePage();
    const sandbox = process.getuid() === 0 ? ['--no-sandbox'] : [];
    const browser = await chromium.launch({ executablePath: process.argv[3], args: sandbox });
    const page = await browser.newPage();
    const faults = [];

    page.on('pageerror', (error) => faults.push(error));
    page.on('console', (message) => faults.push(message.text()));
    await page.goto(`http://127.0.0.1:${server.address().port}/index.html?server=${demo.urls[0]}`);
    await pressButtons(page);
    const { n, wrong, code } = await page.evaluate(callMuch, demo.urls[0]);
    assert.deepStrictEqual({ wrong, code, faults }, { wrong: [], code: 'TOO_LARGE', faults: [] });
    await browser.close();
    server.close();
    await demo.stop();
    console.log(`${n + 1000} calls answered`);
});

// SPDX-License-Identifier: MIT
//
// token.js DEMO CHROMIUM - a token among the subprotocols: npm's ws, pages in a browser
'use strict';

const assert = require('node:assert');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { chromium } = require('playwright-core');
const WebSocket = require('ws');
const { startDemo, run } = require('../node_zmq/demo.js');

const TOKEN = 'a token, \u00fc?>';
const bearer = (token) => `bearer.${Buffer.from(token).toString('base64url')}`;

async function showByWs(url) {
    for (const [offered, status] of [[[], 401], [['jsonrpc-2.0', bearer('another')], 401], [[bearer(TOKEN)], 400]]) {
        const socket = new WebSocket(url, offered);
        socket.on('error', () => {}); // that it was ended by us
        const [, response] = await once(socket, 'unexpected-response');
        assert.strictEqual(response.statusCode, status);
        socket.terminate();
    }
    const socket = new WebSocket(url, ['jsonrpc-2.0', bearer(TOKEN)]);
    await once(socket, 'open');
    assert.strictEqual(socket.protocol, 'jsonrpc-2.0');
    socket.close();
}

/* What a script in the page gets: the subprotocol and the answer, or the code of the end. */
function tryInPage({ url, offered }) {
    return new Promise((resolve) => {
        const socket = new WebSocket(url, offered);
        socket.onopen = () => socket.send('{"jsonrpc":"2.0","method":"ping","id":1}');
        socket.onmessage = ({ data }) => resolve([socket.protocol, JSON.parse(data).result]);
        socket.onclose = ({ code }) => resolve(code);
    });
}

async function showInPage(page, url) {
    for (const [offered, expected] of [
        [[], 1006],
        [['jsonrpc-2.0'], 1006],
        [[bearer(TOKEN)], 1006],
        [['jsonrpc-2.0', bearer('another')], 1006],
        [['jsonrpc-2.0', bearer(TOKEN)], ['jsonrpc-2.0', 'pong']],
        [[bearer(TOKEN), 'jsonrpc-2.0'], ['jsonrpc-2.0', 'pong']],
    ])
        assert.deepStrictEqual(await page.evaluate(tryInPage, { url, offered }), expected);
}

run(async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jrpc-token-'));
    const file = path.join(folder, 'tokens');
    fs.writeFileSync(file, `${TOKEN}\n`);
    const demo = await startDemo(`http://127.0.0.1:0?token_file=${file}`);
    fs.rmSync(folder, { recursive: true });
    const [url] = demo.urls;
    const socketUrl = url.replace('http', 'ws');

    await showByWs(socketUrl);
    const browser = await chromium.launch({ executablePath: process.argv[3], args: ['--no-sandbox'] });
    const page = await browser.newPage();
    await page.goto(`${url}/healthz`);
    await showInPage(page, socketUrl);

    await browser.close();
    await demo.stop();
});

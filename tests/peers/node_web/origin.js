// SPDX-License-Identifier: MIT
//
// origin.js DEMO CHROMIUM - pages of other origins in a browser: refused, unless their origin is listed
//
// What counts is that nothing was called: a page that cannot read the answer may have done its harm.
'use strict';

const assert = require('node:assert');
const { once } = require('node:events');
const http = require('node:http');
const { chromium } = require('playwright-core');
const { startDemo, run } = require('../node_zmq/demo.js');

const PING = JSON.stringify({ jsonrpc: '2.0', method: 'ping', id: 1 });

/* Every way in which a page can send: what it learns, or the name of what stopped it. */
const WAYS = {
    /* First: nobody says when it has come. */
    beacon: async ({ url, message }) => navigator.sendBeacon(url, message),
    post: async ({ url, message }) => {
        const headers = { 'Content-Type': 'application/json' };
        return (await fetch(url, { method: 'POST', headers, body: message })).json();
    },
    /* These ask for no permission first; the browser lets the answer be read by nobody. */
    postAsText: async ({ url, message }) =>
        (await fetch(url, { method: 'POST', mode: 'no-cors', body: message })).type,
    postAsForm: async ({ url, message }) =>
        (await fetch(url, { method: 'POST', mode: 'no-cors', body: new URLSearchParams({ message }) })).type,
    readNumbers: async ({ url }) => (await fetch(`${url}/metrics`)).text(),
    readPage: async ({ url }) => (await fetch(url)).text(),
    webSocket: ({ url, message }) => new Promise((resolve, reject) => {
        const socket = new WebSocket(url.replace('http', 'ws'));
        socket.onopen = () => socket.send(message);
        socket.onmessage = ({ data }) => resolve(JSON.parse(data));
        socket.onclose = ({ code }) => reject(new Error(`closed with ${code}`));
    }),
};

/* An empty page in an origin of its own. */
async function serveEmpty() {
    const server = http.createServer((request, response) => {
        response.setHeader('Content-Type', 'text/html');
        response.end('<!doctype html><title>a page</title>');
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${server.address().port}`;
}

async function nPings(url) {
    const text = await (await fetch(`${url}/metrics`)).text();
    return Number(/^jrpc_calls_total\{method="ping"\} (\d+)$/m.exec(text)?.[1] ?? 0);
}

/* { way: what came of it }, tried in that page or frame. */
async function tryAll(frame, url) {
    const seen = {};
    for (const [way, send] of Object.entries(WAYS))
        seen[way] = await frame.evaluate(send, { url, message: PING }).catch((error) =>
            /Failed to fetch|closed with 1006/.exec(error.message)?.[0] ?? error.message);
    return seen;
}

const REFUSED = {
    beacon: true, /* sent; more is never said */
    post: 'Failed to fetch',
    postAsText: 'opaque', /* whatever was answered */
    postAsForm: 'opaque',
    readNumbers: 'Failed to fetch',
    readPage: 'Failed to fetch',
    webSocket: 'closed with 1006',
};

async function isRefused(frame, url) {
    assert.deepStrictEqual(await tryAll(frame, url), REFUSED);
    assert.strictEqual(await nPings(url), 0);
}

async function isLetIn(frame, url) {
    const pong = { jsonrpc: '2.0', result: 'pong', id: 1 };
    const { post, webSocket } = await tryAll(frame, url);

    assert.deepStrictEqual({ post, webSocket }, { post: pong, webSocket: pong });
    assert.strictEqual(await nPings(url), 2); /* and no more than these */
}

run(async () => {
    const [page, other] = [await serveEmpty(), await serveEmpty()];
    const demo = await startDemo('http://127.0.0.1:0');
    const listing = await startDemo(`http://127.0.0.1:0?origin=${page}`);
    const browser = await chromium.launch({ executablePath: process.argv[3], args: ['--no-sandbox'] });
    const tab = await browser.newPage();

    await tab.goto(page);
    await isRefused(tab, demo.urls[0]);
    /* By another name the page is another's. */
    await tab.goto(page.replace('127.0.0.1', 'localhost'));
    await isRefused(tab, listing.urls[0]);
    await tab.goto(other);
    await isRefused(tab, listing.urls[0]);
    /* A frame without an origin says null. */
    await tab.setContent('<iframe sandbox="allow-scripts" srcdoc="<p>nobody</p>"></iframe>');
    const [, frame] = tab.frames();
    await isRefused(frame, listing.urls[0]);

    await tab.goto(page);
    await isLetIn(tab, listing.urls[0]);
    await tab.goto(`${demo.urls[0]}/healthz`);
    await isLetIn(tab, demo.urls[0]); /* its own */

    await browser.close();
    await demo.stop();
    await listing.stop();
});

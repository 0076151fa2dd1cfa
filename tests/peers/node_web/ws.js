// SPDX-License-Identifier: MIT
//
// ws.js DEMO - npm's ws: 10 connections with 1,000 calls in flight each, and what only a bare
// WebSocket can do: batches, parts of messages, pings, wrong handshakes, the end
'use strict';

const assert = require('node:assert');
const { once } = require('node:events');
const WebSocket = require('ws');
const { startDemo, run } = require('../node_zmq/demo.js');

const N_CONNECTIONS = 10;
const N_CALLS = 1000;
const LARGE = 3000000;

const request = (method, params, id) => ({ jsonrpc: '2.0', method, params, id });
const result = (value, id) => ({ jsonrpc: '2.0', result: value, id });

async function open(url, options) {
    const socket = new WebSocket(url, options);
    await once(socket, 'open');
    return socket;
}

/* The next n messages, in the order in which they come. */
function receive(socket, n) {
    const messages = [];
    return new Promise((resolve, reject) => {
        const closed = (code) => reject(new Error(`closed with ${code}`));
        const received = (data, isBinary) => {
            assert(!isBinary);
            if (messages.push(JSON.parse(data)) < n)
                return;
            socket.off('message', received).off('close', closed);
            resolve(messages);
        };
        socket.on('message', received).on('close', closed);
    });
}

async function ask(socket, message) {
    const [[answer]] = await Promise.all([receive(socket, 1), socket.send(JSON.stringify(message))]);
    return answer;
}

async function callMany(url, options) {
    const socket = await open(url, options);
    const received = receive(socket, N_CALLS);

    for (let i = 0; i < N_CALLS; i++)
        socket.send(JSON.stringify(request('subtract', [i, 1], i)));
    assert.deepStrictEqual(await received,
        Array.from({ length: N_CALLS }, (_, i) => result(i - 1, i)));
    socket.close(1000);
    const [code] = await once(socket, 'close');
    assert.strictEqual(code, 1000);
}

async function allKinds(url) {
    const socket = await open(url);

    assert.deepStrictEqual(
        await ask(socket, [request('ping', [], 1), request('update', [1]), request('sum', [1, 2], 'x')]),
        [result('pong', 1), result(3, 'x')]);
    assert.deepStrictEqual((await ask(socket, request('api_fail_data', [], 'e'))).error,
        { code: 42, message: 'Quota exceeded', data: { limit: 10, used: 11 } });
    assert.strictEqual((await ask(socket, request('no_such_method', [], 2))).error.code, -32601);
    assert.strictEqual((await ask(socket, [])).error.code, -32600);

    // Nothing comes for notifications: the next message answers the call behind them.
    for (let i = 0; i < N_CALLS; i++)
        socket.send(JSON.stringify(request('update', [i])));
    assert.deepStrictEqual(await ask(socket, request('ping', [], 3)), result('pong', 3));

    const parts = ['{"jsonrpc":"2.0","met', 'hod":"ping",', '"id":"\u{1f600}"}'];
    const [[answer]] = await Promise.all([receive(socket, 1),
        parts.forEach((part, i) => socket.send(part, { fin: i === parts.length - 1 }))]);
    assert.deepStrictEqual(answer, result('pong', '\u{1f600}'));

    const text = 'x'.repeat(LARGE);
    assert.deepStrictEqual(await ask(socket, request('echo', [text], 4)), result([text], 4));

    socket.ping('still there?');
    const [data] = await once(socket, 'pong');
    assert.strictEqual(data.toString(), 'still there?');

    const [messages] = await Promise.all([receive(socket, 4),
        socket.send(JSON.stringify(request('notify_me', [3, 1], 5)))]);
    assert.deepStrictEqual(messages.map((message) => message.params?.n ?? message.result), [1, 2, 3, 3]);
    socket.close();
}

async function handshakes(url) {
    for (const [where, options, status] of [
        [`${url}/other`, {}, 404],
        [url, { origin: 'http://evil.example' }, 403],
        [url, { headers: { Host: 'evil.example' } }, 421],
    ]) {
        const socket = new WebSocket(where, options);
        socket.on('error', () => {}); // that it was ended by us
        const [, response] = await once(socket, 'unexpected-response');
        assert.strictEqual(response.statusCode, status);
        socket.terminate();
    }
}

async function closings(url, demo) {
    const closed = async (socket) => (await once(socket, 'close'))[0];

    const binary = await open(url);
    binary.send(Buffer.from('{}'));
    assert.strictEqual(await closed(binary), 1003);

    const large = await open(url);
    large.send('x'.repeat(5000000));
    large.on('error', () => {}); // hung up on while it was still sending
    assert([1009, 1006].includes(await closed(large)));

    // An answer that is worked at when the server is told to stop still comes, and then the end.
    const last = await open(url);
    const received = receive(last, 1);
    last.send(JSON.stringify(request('slow', [200], 1)));
    last.ping();
    await once(last, 'pong');
    const [[answer], code] = await Promise.all([received, closed(last), demo.stop()]);
    assert.deepStrictEqual([answer, code], [result(200, 1), 1001]);
}

run(async () => {
    const demo = await startDemo('http://127.0.0.1:0');
    const url = demo.urls[0].replace('http', 'ws');

    const lanes = Array.from({ length: N_CONNECTIONS }, (_, i) => callMany(url, { perMessageDeflate: i % 2 > 0 }));
    await Promise.all(lanes);
    await allKinds(url);
    await handshakes(url);
    await closings(url, demo);
    console.log(`${N_CONNECTIONS * N_CALLS} calls answered`);
});

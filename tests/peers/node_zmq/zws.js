// SPDX-License-Identifier: MIT
//
// zws.js DEMO - examples/zws/zws.js in node: 1,000 calls, and everything else that it promises
'use strict';

const assert = require('node:assert');
const { once } = require('node:events');
const { WebSocket, WebSocketServer } = require('ws');
const { ZwsClient, ZwsError, RpcError } = require('../../../examples/zws/zws.js');
const { startDemo, run } = require('./demo.js');

const N_CALLS = 1000;

const newClient = (url, options) => new ZwsClient(url, { WebSocket, ...options });
const isZwsError = (code) => (error) => error instanceof ZwsError && error.code === code;

async function answersAll(url, options) {
    const client = newClient(url, options), ticks = [];

    const results = await Promise.all(
        Array.from({ length: N_CALLS }, (_, i) => client.call('subtract', [i, 1])));
    results.forEach((value, i) => assert.strictEqual(value, i - 1));

    const text = 'Grüße \0 \u{1f600}';
    assert.deepStrictEqual(await client.call('echo', { text }), { text });
    await assert.rejects(client.call('api_fail_data'), (error) =>
        error instanceof RpcError && error.code === 42 && error.data.used === 11);
    await assert.rejects(client.call('no_such_method'), { code: -32601 });
    const [sum, failed] = await client.batch([
        { method: 'sum', params: [1, 2, 4] },
        { method: 'update', params: [1], isNotification: true },
        { method: 'no_such_method' },
    ]);
    assert.deepStrictEqual(sum, { status: 'fulfilled', value: 7 });
    assert.strictEqual(failed.reason.code, -32601);
    client.notify('update', [1]);

    client.onnotification = (method, { n }) => ticks.push(`${method} ${n}`);
    const pushed = client.call('notify_me', [3, 0]);
    if (options.delimiter) { // it might be a REQ, which is sent only what it has asked for
        await assert.rejects(pushed, { code: 2 });
    } else {
        assert.strictEqual(await pushed, 3);
        assert.deepStrictEqual(ticks, ['tick 1', 'tick 2', 'tick 3']);
    }
    assert.strictEqual(client.calls.size + client.unsent.size, 0);
    client.close();
}

async function failsClearly(url) {
    const client = newClient(url);

    await assert.rejects(client.call('slow', [30000], { timeout: 20 }), isZwsError('TIMEOUT'));
    await assert.rejects(client.call('echo', ['x'.repeat(65536)]), isZwsError('TOO_LARGE'));
    await assert.rejects(client.call('echo', [1n]), TypeError);
    assert.strictEqual(await client.call('ping'), 'pong');
    const waiting = client.call('slow', [30000]);
    client.close();
    await assert.rejects(waiting, isZwsError('CLOSED'));
    assert.strictEqual(await client.call('ping'), 'pong'); // it begins anew
    client.close();

    const nowhere = newClient('ws://127.0.0.1:1', { reconnect: false });
    await assert.rejects(nowhere.connect(), isZwsError('LOST'));
    await assert.rejects(nowhere.call('ping'), isZwsError('LOST'));
    const nothing = newClient('no URL');
    await assert.rejects(nothing.connect(), isZwsError('LOST'));
    await assert.rejects(nothing.call('ping'), isZwsError('LOST'));
}

/* The server goes in the middle of a call, and comes back at the same address. */
async function connectsAgain(url, demo) {
    const client = newClient(url, { unsentMax: 2 }), states = [];

    await client.connect();
    client.onstate = (state) => states.push(state);
    const inFlight = client.call('slow', [30000]);
    demo.kill();
    await assert.rejects(inFlight, isZwsError('LOST'));
    await demo.ended;
    const early = [client.call('ping'), client.call('sum', [1, 2])];
    await assert.rejects(client.call('ping'), isZwsError('FULL'));

    const again = await startDemo(url);
    assert.deepStrictEqual(await Promise.all(early), ['pong', 3]);
    assert.strictEqual(states[0], 'waiting');
    assert.strictEqual(states.at(-1), 'open');
    client.close();
    return again;
}

/* WebSocket servers that do not speak what they should. */
async function survivesNonsense() {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    const url = () => `ws://127.0.0.1:${server.address().port}`;
    const errors = [];
    let cancelled;

    await once(server, 'listening');
    server.on('connection', (socket) => socket.on('message', (data) => {
        if (data.length === 1) { // the routing id
            socket.send(Buffer.from('\0'));
            return;
        }
        const { method, id, params } = JSON.parse(data.subarray(1));
        if (method === 'never')
            return;
        if (method === '$/cancelRequest') {
            cancelled(params.id);
            return;
        }
        for (const text of ['nonsense', 'null', '7', `{"id":${id + 1},"result":1}`,
            '{"error":{"code":-32700,"message":"Parse error"},"id":null}'])
            socket.send(Buffer.from(`\0${text}`));
        socket.send(Buffer.from('\x01')); // a delimiter
        socket.send(Buffer.from(`\0{"jsonrpc":"2.0","result":"${method}","id":${id}}`));
    }));
    const client = newClient(url());
    client.onerror = (error) => errors.push(error.code);
    assert.strictEqual(await client.call('ping'), 'ping');
    assert.deepStrictEqual(errors, ['PROTOCOL', -32700]);

    const told = new Promise((resolve) => { cancelled = resolve; });
    const late = client.nextId;
    await assert.rejects(client.call('never', [], { timeout: 20 }), isZwsError('TIMEOUT'));
    assert.strictEqual(await told, late);
    client.close();

    server.removeAllListeners('connection');
    server.on('connection', (socket) => socket.send('hello')); // a text
    const other = newClient(url(), { reconnect: false });
    await assert.rejects(other.connect(), /does not speak ZeroMQ/);
    server.removeAllListeners('connection'); // nothing at all
    const silent = newClient(url(), { reconnect: false, timeout: 50 });
    await assert.rejects(silent.connect(), /no handshake/);
    server.close();
}

run(async () => {
    const demo = await startDemo('zmq+ws://127.0.0.1:0');
    const [url] = demo.urls;

    assert.throws(() => new ZwsClient(url, { WebSocket: undefined }), /require/);
    await answersAll(url, {});
    await answersAll(url, { delimiter: true, routingId: 'a name' });
    await failsClearly(url);
    const again = await connectsAgain(url, demo);
    await survivesNonsense();
    await again.stop();
    console.log(`2 * ${N_CALLS} calls answered`);
});

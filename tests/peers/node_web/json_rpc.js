// SPDX-License-Identifier: MIT
//
// json_rpc.js DEMO - npm's json-rpc-2.0 over fetch and over a WebSocket: 2,000 calls each, batches
'use strict';

const assert = require('node:assert');
const { once } = require('node:events');
const { JSONRPCClient, JSONRPCServer, JSONRPCServerAndClient, createJSONRPCNotification, createJSONRPCRequest } =
    require('json-rpc-2.0');
const WebSocket = require('ws');
const { startDemo, run } = require('../node_zmq/demo.js');

const N_CALLS = 2000;
const N_AT_ONCE = 50; /* each of them a connection, where it is HTTP */
const N_NOTIFICATIONS = 100;
const PATIENCE_MS = 30000;

function overFetch(url) {
    const statuses = [];
    const client = new JSONRPCClient(async (message) => {
        const response = await fetch(url, {
            method: 'POST',
            headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify(message),
        });
        statuses.push(response.status);
        const text = await response.text();
        assert.strictEqual(response.status === 204, text === '');
        if (text)
            client.receive(JSON.parse(text));
    });
    return { client, statuses };
}

async function overWebSocket(url) {
    const socket = new WebSocket(url);
    const both = new JSONRPCServerAndClient(new JSONRPCServer(),
        new JSONRPCClient(async (message) => socket.send(JSON.stringify(message))));

    socket.on('message', (data) => both.receiveAndSend(JSON.parse(data)));
    await once(socket, 'open');
    return { client: both.client, server: both, socket };
}

async function ask(client, n_at_once) {
    const patient = client.timeout(PATIENCE_MS);
    let next = 0;
    const lane = async () => {
        while (next < N_CALLS) {
            const i = next++;
            assert.strictEqual(await patient.request('subtract', [i, 1]), i - 1);
        }
    };
    await Promise.all(Array.from({ length: n_at_once }, lane));

    const batch = [createJSONRPCRequest('a', 'ping'), createJSONRPCNotification('update', [1]),
                   createJSONRPCRequest('b', 'sum', [1, 2]), createJSONRPCRequest('c', 'no_such_method')];
    assert.deepStrictEqual(await patient.requestAdvanced(batch), [
        { jsonrpc: '2.0', result: 'pong', id: 'a' },
        { jsonrpc: '2.0', result: 3, id: 'b' },
        { jsonrpc: '2.0', error: { code: -32601, message: 'Method not found' }, id: 'c' },
    ]);
    await assert.rejects(async () => patient.request('api_fail_data'),
        { message: 'Quota exceeded', code: 42, data: { limit: 10, used: 11 } });
    await assert.rejects(async () => patient.request('subtract', { minuend: 1 }), { code: -32602 });
    for (let i = 0; i < N_NOTIFICATIONS; i++)
        client.notify('update', [i]);
    assert.strictEqual(await patient.request('slow', [50]), 50);
}

run(async () => {
    const demo = await startDemo('http://127.0.0.1:0');
    const [url] = demo.urls;
    const { client, statuses } = overFetch(url);

    await ask(client, N_AT_ONCE);
    const count = (status) => statuses.filter((each) => each === status).length;
    while (count(204) < N_NOTIFICATIONS)
        await client.request('ping'); /* their answers may come later than those of calls */
    assert.strictEqual(count(200) + count(204), statuses.length - 2, `${new Set(statuses)}`); /* two errors */

    const { client: other, server, socket } = await overWebSocket(url.replace('http', 'ws'));
    const ticks = [];
    server.addMethod('tick', ({ n }) => void ticks.push(n));
    await ask(other, N_CALLS);
    assert.strictEqual(await other.request('notify_me', [5, 1]), 5);
    assert.deepStrictEqual(ticks, [1, 2, 3, 4, 5]);
    const closed = once(socket, 'close');
    await demo.stop();
    assert.strictEqual((await closed)[0], 1001);
    console.log(`${2 * N_CALLS} calls answered`);
});

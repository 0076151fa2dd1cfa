// SPDX-License-Identifier: MIT
//
// rpc_websockets.js DEMO - the client of npm's rpc-websockets: 2,000 calls in flight, and pushes
'use strict';

const assert = require('node:assert');
const { once } = require('node:events');
const { Client } = require('rpc-websockets');
const { startDemo, run } = require('../node_zmq/demo.js');

const N_CALLS = 2000;
const PATIENCE_MS = 30000;

async function connect(url) {
    const client = new Client(url, { reconnect: false });
    await once(client, 'open');
    return client;
}

async function callMany(client) {
    const all = Array.from({ length: N_CALLS }, (_, i) =>
        client.call('subtract', { minuend: i, subtrahend: 1 }, PATIENCE_MS));
    assert.deepStrictEqual(await Promise.all(all), all.map((_, i) => i - 1));
}

async function allKinds(client) {
    for (const [method, params, error] of [
        ['api_fail_data', [], { code: 42, message: 'Quota exceeded', data: { limit: 10, used: 11 } }],
        ['no_such_method', [], { code: -32601, message: 'Method not found' }],
        ['subtract', { minuend: 1 }, { code: -32602 }],
    ]) {
        const failure = await client.call(method, params, PATIENCE_MS).catch((reason) => reason);
        assert.deepStrictEqual({ ...failure, ...error }, failure);
        assert.strictEqual(failure.code, error.code);
    }
    for (let i = 0; i < N_CALLS; i++)
        await client.notify('update', [i]);

    // Answers that take longer are overtaken by those that do not.
    const slow = client.call('slow', [100], PATIENCE_MS);
    const first = await Promise.race([slow, client.call('ping', undefined, PATIENCE_MS)]);
    assert.deepStrictEqual([first, await slow], ['pong', 100]);

    const ticks = [];
    client.on('tick', ({ n }) => ticks.push(n));
    assert.strictEqual(await client.call('notify_me', [5, 1], PATIENCE_MS), 5);
    assert.deepStrictEqual(ticks, [1, 2, 3, 4, 5]);
}

run(async () => {
    const demo = await startDemo('ws://127.0.0.1:0');
    const client = await connect(demo.urls[0]);

    await callMany(client);
    await allKinds(client);
    const closed = once(client, 'close');
    await demo.stop();
    const [code] = await closed;
    assert.strictEqual(code, 1001);
    console.log(`${N_CALLS} calls and ${N_CALLS} notifications`);
});

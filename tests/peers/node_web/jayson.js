// SPDX-License-Identifier: MIT
//
// jayson.js DEMO - the clients of npm's jayson, over HTTP and WebSocket: 2,000 calls each, batches
//
// Over HTTP both a connection for each call and connections that are kept. There an error comes with
// a status that is not 200, which this client takes for a failure: the answer is its message.
'use strict';

const assert = require('node:assert');
const { once } = require('node:events');
const http = require('node:http');
const { promisify } = require('node:util');
const jayson = require('jayson');
const WebSocket = require('ws');
const { startDemo, run } = require('../node_zmq/demo.js');

const N_CALLS = 2000;
const N_AT_ONCE = 50;
const N_BATCHES = 20;
const BATCH = 100;

const result = (value, id) => ({ jsonrpc: '2.0', result: value, id });

/* What is answered, error or not. */
function callerOf(client) {
    const request = promisify(client.request).bind(client);
    return (...args) => request(...args).catch((failure) => {
        assert(failure.code >= 400 && failure.code < 600, failure);
        return JSON.parse(failure.message);
    });
}

async function ask(client) {
    const call = callerOf(client);
    let next = 0;
    const lane = async () => {
        while (next < N_CALLS) {
            const i = next++;
            assert.deepStrictEqual(await call('subtract', [i, 1], i), result(i - 1, i));
        }
    };
    await Promise.all(Array.from({ length: N_AT_ONCE }, lane));

    for (let n = 0; n < N_BATCHES; n++) {
        const ids = Array.from({ length: BATCH }, (_, i) => n * BATCH + i);
        const batch = ids.map((id) => client.request('sum', [id, 1], id));
        batch.splice(BATCH / 2, 0, client.request('update', [n], null));
        assert.deepStrictEqual(await call(batch), ids.map((id) => result(id + 1, id)));
    }
    assert.strictEqual(await call('update', [1], null), undefined);
    assert.deepStrictEqual((await call('api_fail_data', [], 'a')).error,
        { code: 42, message: 'Quota exceeded', data: { limit: 10, used: 11 } });
    assert.strictEqual((await call('no_such_method', [], 'b')).error.code, -32601);
    const text = 'Grüße\n\u{1f600}'.repeat(10000);
    assert.deepStrictEqual(await call('echo', { text }, 'c'), result({ text }, 'c'));
    assert.deepStrictEqual(await call('slow', [50], 'd'), result(50, 'd'));
}

run(async () => {
    const demo = await startDemo('http://127.0.0.1:0');
    const { port, host } = new URL(demo.urls[0]);
    const where = { host: '127.0.0.1', port };
    let n_connections = 0;

    await ask(jayson.Client.http({ ...where, agent: new http.Agent({ keepAlive: false }) }));
    const agent = new http.Agent({ keepAlive: true, maxSockets: N_AT_ONCE });
    const createConnection = agent.createConnection.bind(agent);
    agent.createConnection = (...args) => {
        n_connections++;
        return createConnection(...args);
    };
    await ask(jayson.Client.http({ ...where, agent }));
    assert(n_connections <= N_AT_ONCE, `${n_connections} connections`);
    agent.destroy();

    const ws = new WebSocket(`ws://${host}`);
    await once(ws, 'open');
    await ask(jayson.Client.websocket({ ws, timeout: 30000 }));
    await demo.stop();
    console.log(`${3 * (N_CALLS + N_BATCHES * BATCH)} calls answered`);
});

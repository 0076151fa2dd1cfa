// SPDX-License-Identifier: MIT
//
// jayson.js DEMO - the client of the npm package jayson, over TCP: 2,000 calls and 20 batches of 100
//
// It opens a connection for each call: 50 at a time.
'use strict';

const assert = require('node:assert');
const { spawn } = require('node:child_process');
const readline = require('node:readline');
const { promisify } = require('node:util');
const jayson = require('jayson');

const N_CALLS = 2000;
const N_AT_ONCE = 50;
const N_BATCHES = 20;
const BATCH = 100;

async function callOne(client, i) {
    const request = promisify(client.request).bind(client);
    const answer = await request('subtract', [i, 1], i);
    assert.deepStrictEqual(answer, { jsonrpc: '2.0', result: i - 1, id: i });
}

async function ask(client) {
    let next = 0;
    const lane = async () => {
        while (next < N_CALLS) {
            await callOne(client, next++);
        }
    };
    await Promise.all(Array.from({ length: N_AT_ONCE }, lane));

    const send = promisify(client.request).bind(client);
    for (let n = 0; n < N_BATCHES; n++) {
        const ids = Array.from({ length: BATCH }, (_, i) => n * BATCH + i);
        const answers = await send(ids.map((id) => client.request('sum', [id, 1], id)));
        assert.deepStrictEqual(answers, ids.map((id) => ({ jsonrpc: '2.0', result: id + 1, id })));
    }

    const failure = await send('api_fail_data', [], 'a');
    assert.deepStrictEqual(failure.error,
        { code: 42, message: 'Quota exceeded', data: { limit: 10, used: 11 } });
    const text = 'Grüße\n\u{1f600}'.repeat(10000);
    assert.deepStrictEqual((await send('echo', { text }, 'b')).result, { text });
    assert.strictEqual((await send('slow', [50], 'c')).result, 50);
}

async function main() {
    const demo = spawn(process.argv[2], ['--listen', 'tcp://127.0.0.1:0'],
        { stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = new Promise((resolve) => demo.on('exit', resolve));
    const lines = readline.createInterface({ input: demo.stderr });
    const [, port] = await new Promise((resolve) => lines.on('line', (line) =>
        resolve(/^listening on tcp:\/\/127\.0\.0\.1:(\d+)$/.exec(line))));
    await ask(jayson.Client.tcp({ host: '127.0.0.1', port: Number(port) }));
    demo.kill('SIGTERM');
    assert.strictEqual(await ended, 0);
    console.log(`${N_CALLS + N_BATCHES * BATCH} calls answered`);
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});

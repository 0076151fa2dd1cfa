// SPDX-License-Identifier: MIT
//
// vscode.js DEMO - the JSON-RPC library of Visual Studio Code: 3,000 calls, Content-Length framing
//
// All in flight together, then failures, notifications both ways, and a cancellation.
'use strict';

const assert = require('node:assert');
const { spawn } = require('node:child_process');
const rpc = require('vscode-jsonrpc/node');

const N_CALLS = 3000;

async function ask(connection) {
    const results = await Promise.all(
        Array.from({ length: N_CALLS }, (_, i) => connection.sendRequest('subtract', i, 1)));
    results.forEach((result, i) => assert.strictEqual(result, i - 1));

    const text = 'Grüße\r\nContent-Length: 5 \u{1f600}';
    assert.deepStrictEqual(await connection.sendRequest('echo', { text }), { text });
    assert.deepStrictEqual(
        await connection.sendRequest('get_user_name', rpc.ParameterStructures.byName, { user_id: 7 }),
        { user_id: 7, first_name: 'Ada' });
    await assert.rejects(connection.sendRequest('api_fail_data'),
        { code: 42, message: 'Quota exceeded', data: { limit: 10, used: 11 } });
    await assert.rejects(connection.sendRequest('no_such_method'), { code: -32601 });
    await connection.sendNotification('update', 1, 2);

    const ticks = [];
    connection.onNotification('tick', (params) => ticks.push(params.n));
    assert.strictEqual(await connection.sendRequest('notify_me', 3, 0), 3);
    assert.deepStrictEqual(ticks, [1, 2, 3]);

    const source = new rpc.CancellationTokenSource();
    const waiting = connection.sendRequest('slow', 30000, source.token);
    source.cancel();
    await assert.rejects(waiting, { code: -32800 });
}

async function main() {
    const demo = spawn(process.argv[2], ['--stdio'], { stdio: ['pipe', 'pipe', 'ignore'] });
    const ended = new Promise((resolve) => demo.on('exit', resolve));
    const connection = rpc.createMessageConnection(
        new rpc.StreamMessageReader(demo.stdout), new rpc.StreamMessageWriter(demo.stdin));
    connection.listen();
    await ask(connection);
    demo.stdin.end();
    assert.strictEqual(await ended, 0);
    console.log(`${N_CALLS} calls answered`);
    process.exit(0);
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});

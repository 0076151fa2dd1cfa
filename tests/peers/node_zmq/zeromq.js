// SPDX-License-Identifier: MIT
//
// zeromq.js DEMO - npm's zeromq: a Request in lock-step, and a Dealer with all calls in flight
'use strict';

const assert = require('node:assert');
const zmq = require('zeromq');
const { startDemo, run } = require('./demo.js');

const N_CALLS = 1000;
let n_ids = 0;

const request = (method, params) => ({ jsonrpc: '2.0', method, params, id: ++n_ids });
const result = ({ id }, value) => ({ jsonrpc: '2.0', result: value, id });

async function lockStep(url) {
    const req = new zmq.Request({ receiveTimeout: 30000, linger: 0 });
    const ask = async (message) => {
        await req.send(JSON.stringify(message));
        const [payload] = await req.receive();
        return payload.length ? JSON.parse(payload) : undefined;
    };

    req.connect(url);
    for (let i = 0; i < N_CALLS; i++) {
        const asked = request('subtract', [i, 1]);
        assert.deepStrictEqual(await ask(asked), result(asked, i - 1));
    }
    assert.strictEqual((await ask(request('no_such_method'))).error.code, -32601);
    assert.strictEqual(await ask({ jsonrpc: '2.0', method: 'update', params: [1] }), undefined);
    const batch = [request('ping'), request('sum', [1, 2, 4])];
    assert.deepStrictEqual(await ask(batch), [result(batch[0], 'pong'), result(batch[1], 7)]);
    req.close();
}

async function allAtOnce(url, envelope) {
    const dealer = new zmq.Dealer({ receiveTimeout: 30000, linger: 0 });
    const asked = Array.from({ length: N_CALLS }, (_, i) => request('subtract', [i, 1]));
    const answers = new Map();

    dealer.connect(url);
    const sending = (async () => {
        for (const message of asked)
            await dealer.send([...envelope, JSON.stringify(message)]);
    })();
    while (answers.size < N_CALLS) {
        const frames = await dealer.receive();
        assert.strictEqual(frames.length, envelope.length + 1);
        const answer = JSON.parse(frames.pop());
        assert(!answers.has(answer.id), `${answer.id} answered twice`);
        answers.set(answer.id, answer);
    }
    await sending;
    asked.forEach((message, i) =>
        assert.deepStrictEqual(answers.get(message.id), result(message, i - 1)));

    // What is notified comes before the answer; who sends a delimiter is not, it might be a REQ.
    const last = request('notify_me', [3, 1]), ticks = [];
    await dealer.send([...envelope, JSON.stringify(last)]);
    for (;;) {
        const answer = JSON.parse((await dealer.receive()).pop());
        if (answer.id === last.id) {
            assert.deepStrictEqual([ticks, answer.result ?? answer.error.code],
                envelope.length ? [[], 2] : [[1, 2, 3], 3]);
            break;
        }
        ticks.push(answer.params.n);
    }
    dealer.close();
}

run(async () => {
    const demo = await startDemo('zmq+tcp://127.0.0.1:0', 'zmq+tcp://127.0.0.1:0?socket=rep');
    const [router, rep] = demo.urls.map((url) => url.replace(/^zmq\+|\?.*/g, ''));

    await lockStep(router);
    await lockStep(rep);
    await allAtOnce(router, []);
    await allAtOnce(router, ['']);
    await demo.stop();
    console.log(`${n_ids} calls answered`);
});

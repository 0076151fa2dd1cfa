// SPDX-License-Identifier: MIT
//
// openrpc.js DEMO [http] - what rpc.discover answers is an OpenRPC document, says who made the format;
// with http, what stands at /openrpc.json is the same
'use strict';

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const { startDemo, run } = require('../node_zmq/demo.js');

/* Its modules are of two kinds, which node puts together from 20.19 on. */
function loadValidator() {
    try {
        return require('@open-rpc/schema-utils-js');
    } catch (error) {
        if (error.code !== 'ERR_REQUIRE_ESM') throw error;
        console.log('skipped: the validator needs node 20.19');
        return process.exit(77);
    }
}

const { validateOpenRPCDocument } = loadValidator();

function ask(...methods) {
    const input = methods.map((method, id) => `${JSON.stringify({ jsonrpc: '2.0', method, id })}\n`);
    const demo = spawnSync(process.argv[2], ['--stdio'], { input: input.join(''), encoding: 'utf8' });
    assert.strictEqual(demo.status, 0, demo.stderr);
    return demo.stdout.trim().split('\n').map((line) => JSON.parse(line).result);
}

const [document, names] = ask('rpc.discover', 'rpc.methods');
assert.strictEqual(validateOpenRPCDocument(document), true);
assert.deepStrictEqual(document.methods.map((method) => method.name), names);
assert.ok(names.includes('subtract') && !names.includes('rpc.discover'));

// It does look: each of these is one slip away.
for (const spoil of [
    (copy) => delete copy.info.title,
    (copy) => { copy.methods[0].paramStructure = 'both'; },
    (copy) => delete copy.methods.find((method) => method.params.length).params[0].schema,
    (copy) => { copy.methods[0].rest = true; },
]) {
    const copy = structuredClone(document);
    spoil(copy);
    assert.notStrictEqual(validateOpenRPCDocument(copy), true, String(spoil));
}
console.log(`${names.length} methods are described`);

async function isServed() {
    const demo = await startDemo('http://127.0.0.1:0');
    const response = await fetch(`${demo.urls[0]}/openrpc.json`);

    assert.strictEqual(response.headers.get('content-type'), 'application/json');
    const served = await response.json();
    assert.strictEqual(validateOpenRPCDocument(served), true);
    assert.deepStrictEqual(served, document);
    await demo.stop();
}

if (process.argv[3] === 'http')
    run(isServed);

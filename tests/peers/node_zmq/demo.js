// SPDX-License-Identifier: MIT
//
// demo.js - the demo as a child, and what clients of it have in common
'use strict';

const assert = require('node:assert');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const readline = require('node:readline');

/** Starts process.argv[2]; resolved, once it listens, with {urls, stop}. */
async function startDemo(...urls) {
    const demo = spawn(process.argv[2], urls.flatMap((url) => ['--listen', url]),
        { stdio: ['ignore', 'ignore', 'pipe'] });
    const lines = readline.createInterface(demo.stderr);
    const listening = [];
    const ended = once(demo, 'exit').then(([status]) => status);

    process.on('exit', () => demo.kill('SIGKILL')); // if the test fails
    await new Promise((resolve, reject) => {
        lines.on('line', (line) => {
            const [, url] = /^listening on (\S+)/.exec(line) ?? [];
            if (!url)
                console.error(line);
            else if (listening.push(url) === urls.length)
                resolve();
        });
        ended.then((status) => reject(new Error(`demo: exit status ${status}`)));
    });
    const stop = async () => {
        demo.kill('SIGTERM');
        assert.strictEqual(await ended, 0);
    };
    return { urls: listening, stop, kill: () => demo.kill('SIGKILL'), ended };
}

function run(main) {
    main().then(() => process.exit(0), (error) => {
        console.error(error);
        process.exit(1);
    });
}

module.exports = { startDemo, run };

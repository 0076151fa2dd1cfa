// SPDX-License-Identifier: MIT
//
// calls.js - scenes: messages to the server and what comes back
'use strict';

const assert = require('node:assert');

exports.calls = async (console_) => {
    await console_.choose('subtract');
    assert.match(await console_.text('#signature'), /^subtract\(minuend: number, subtrahend: number\) . number$/);
    await console_.field('minuend').fill('42');
    await console_.field('subtrahend').fill('23');
    assert.deepStrictEqual(await console_.send(), { pill: 'result', title: 'subtract', value: '19' });
    assert.match(await console_.text('#answers .figures'), /^[\d.]+ m?s \u00b7 36 bytes$/);

    await console_.page.click('#styles >> text=by name');
    await console_.field('minuend').fill('9007199254740993');
    await console_.field('subtrahend').fill('0');
    assert.match(await console_.text('#code'), /"minuend": 9007199254740993/);
    assert.strictEqual((await console_.send()).value, '9007199254740993');
    await console_.page.click('#styles >> text=by position');

    await console_.field('subtrahend').fill('x');
    await console_.page.keyboard.press('Enter');
    assert.match(await console_.text('#fields'), /not a number: x/);
    assert.match(await console_.text('#form-fault'), /Not sent/);
    await console_.field('subtrahend').fill('1'); /* says nothing any more when it is mended */
    assert.strictEqual(await console_.text('#form-fault'), '');

    await console_.choose('sum');
    for (const value of ['1', '2', '3.5']) {
        await console_.page.click('text=+ value');
        await console_.page.keyboard.type(value);
    }
    assert.strictEqual((await console_.send()).value, '6.5');

    await console_.choose('get_user_name');
    await console_.field('user_id').fill('7');
    assert.match((await console_.send()).value, /"Ada"/);
    await console_.field('first_name').fill('Grace');
    assert.match((await console_.send(() => console_.page.keyboard.press('Enter'))).value, /"Grace"/);
};

exports.textsOfSeveralLines = async (console_) => {
    await console_.choose('get_user_name');
    await console_.field('first_name').fill('');
    await console_.field('first_name').focus();
    await console_.page.keyboard.type('a');
    await console_.page.keyboard.press('Shift+Enter');
    await console_.page.keyboard.type('b');
    assert.match((await console_.send()).value, /"a\\nb"/);
    await console_.field('first_name').fill('Grace');
};

exports.failures = async (console_) => {
    await console_.choose('api_fail_data');
    assert.deepStrictEqual(await console_.send(),
        { pill: 'error 42', title: 'Quota exceeded', value: '{ "limit": 10, "used": 11 }' });
    await console_.choose('crash');
    assert.deepStrictEqual(await console_.send(), { pill: 'error -32603', title: 'Internal error', value: undefined });
    assert.match(await console_.text('#answers'), /failed inside the server.*option debug/); /* what it means */
    assert.ok((await console_.lines('error', 2)).some((line) => line.startsWith('42 Quota exceeded')));
};

exports.notificationsAndPushes = async (console_) => {
    await console_.choose('update');
    await console_.page.check('#is-notification');
    assert.doesNotMatch(await console_.text('#code'), /"id"/);
    assert.deepStrictEqual(await console_.send(), { pill: 'sent', title: 'update', value: undefined });
    await console_.page.uncheck('#is-notification');

    await console_.choose('notify_me');
    await console_.field('count').fill('3');
    await console_.field('every_ms').fill('1');
    assert.strictEqual((await console_.send()).value, '3');
    const pushes = await console_.lines('push', 3);
    assert.deepStrictEqual(pushes, [3, 2, 1].map((n) => `tick {"n":${n},"count":3}`)); /* newest first */
    assert.strictEqual(await console_.text('[data-kinds=push]'), 'Pushes 3');
};

exports.cancelling = async (console_) => {
    await console_.choose('slow');
    await console_.field('ms').fill('30000');
    const ended = await console_.send(async () => {
        await console_.page.click('#send');
        await console_.page.waitForSelector('#answers .figures:has-text(" s")'); /* it counts */
        await console_.page.click('#cancel');
    });
    assert.strictEqual(ended.pill, 'error -32800');
};

/* Of two calls in flight the pane shows the newer; the older can be cancelled from the log. */
exports.severalAtOnce = async (console_) => {
    await console_.choose('slow');
    await console_.page.click('#send');
    await console_.choose('ping');
    assert.strictEqual((await console_.send()).value, '"pong"');
    const slow = console_.page.locator('#log li[data-kind=request]', { hasText: 'slow [30000]' }).first();
    await slow.locator('summary').click();
    await slow.getByRole('button', { name: 'Cancel' }).click();
    await console_.page.locator('#log li[data-kind=error]', { hasText: '-32800' }).nth(1).waitFor();
    assert.strictEqual((await console_.answer()).value, '"pong"');
};

exports.batches = async (console_) => {
    await console_.choose('ping');
    await console_.page.click('#to-batch');
    await console_.choose('api_fail');
    await console_.page.keyboard.press('Alt+b');
    await console_.page.click('#tab-batch');
    assert.strictEqual(await console_.page.locator('#batch li').count(), 2);
    assert.deepStrictEqual(await console_.send(), { pill: 'result', title: 'ping', value: '"pong"' });
    assert.match(await console_.text('#answers'), /2 answers/);
    assert.match(await console_.text('#answers'), /error 1Can't fulfill the request/);
    assert.strictEqual((await console_.send()).value, '"pong"'); /* again, with ids of its own */

    await console_.page.getByLabel('Take request 2 out and edit it').click();
    assert.match(await console_.text('#signature'), /^api_fail\(/);
    await console_.page.click('#tab-batch');
    await console_.page.getByLabel('Remove request 1').click();
    assert.ok(await console_.page.isDisabled('#send'));
};

exports.rawJson = async (console_) => {
    await console_.page.click('#tab-raw');
    await console_.page.fill('#raw', '{"jsonrpc": "2.0",\n "method": ping, "id": "x"}');
    await console_.page.keyboard.press('Control+Enter');
    assert.strictEqual(await console_.text('#raw-fault'), "Line 2, column 12: expected a value, found 'p'");
    assert.strictEqual((await console_.send(() => console_.page.click('#raw-anyway'))).pill, 'error -32700');

    await console_.page.fill('#raw', '{"jsonrpc": "2.0",\n "method": "ping", "id": "x"}');
    assert.strictEqual(await console_.text('#raw-fault'), '');
    assert.strictEqual(await console_.text('#raw-kind'), 'A request: ping.');
    assert.strictEqual((await console_.send(() => console_.page.keyboard.press('Control+Enter'))).value, '"pong"');
    await console_.page.click('#raw-format');
    assert.strictEqual(await console_.page.inputValue('#raw'), '{ "jsonrpc": "2.0", "method": "ping", "id": "x" }');
    await console_.page.click('#tab-form');
};

exports.overHttp = async (console_) => {
    const choose = async (name) => {
        await console_.page.click('#settings-open');
        await console_.page.selectOption('#choice', name);
        await console_.page.keyboard.press('Escape');
    };
    await choose('http');
    await console_.page.waitForSelector('#state:has-text("HTTP")');
    await console_.choose('ping');
    assert.strictEqual((await console_.send()).value, '"pong"');
    assert.match(await console_.text('#answers .figures'), /HTTP 200$/);
    await console_.choose('notify_me');
    assert.deepStrictEqual(await console_.send(), { pill: 'error 2', title: 'This peer cannot be sent notifications', value: undefined });
    await console_.choose('slow');
    const ended = await console_.send(async () => {
        await console_.page.click('#send');
        await console_.page.click('#cancel');
    });
    assert.strictEqual(ended.pill, 'cancelled');
    await choose('auto');
    await console_.page.waitForSelector('#state:has-text("WebSocket")');
};

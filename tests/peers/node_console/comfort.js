// SPDX-License-Identifier: MIT
//
// comfort.js - scenes: everything around calls that people need
'use strict';

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const { DESKTOP, PHONE } = require('./harness.js');

/* What was sent can be had again: with the keys, and from the log. */
exports.history = async (console_) => {
    await console_.choose('subtract');
    for (const value of ['1', '2']) {
        await console_.field('minuend').fill(value);
        await console_.field('subtrahend').fill('0');
        await console_.send();
    }
    await console_.choose('ping');
    await console_.send();
    await console_.page.keyboard.press('Alt+ArrowUp'); /* itself, as it is the newest */
    await console_.page.keyboard.press('Alt+ArrowUp');
    assert.strictEqual(await console_.field('minuend').inputValue(), '2');
    await console_.page.keyboard.press('ArrowUp'); /* from within a field */
    assert.strictEqual(await console_.field('minuend').inputValue(), '1');
    await console_.page.keyboard.press('ArrowDown');
    assert.strictEqual(await console_.field('minuend').inputValue(), '2');

    const old = console_.page.locator('#log li[data-kind=request]', { hasText: 'subtract [1,0]' }).last();
    await old.locator('summary').click();
    assert.strictEqual((await console_.send(() => old.getByRole('button', { name: 'Send again' }).click())).value, '1');
    await old.getByRole('button', { name: 'Edit' }).click();
    assert.strictEqual(await console_.field('minuend').inputValue(), '1');
    await old.locator('summary').click();
};

exports.theLog = async (console_) => {
    const { page } = console_, shown = page.locator('#log li:not([hidden])');
    await page.click('#log-clear');
    assert.match(await console_.text('#log-note'), /are listed here/);
    await page.click('#log-pause');
    await console_.choose('ping');
    await console_.send();
    await page.waitForSelector('#log-pause:has-text("Resume (2)")');
    assert.strictEqual(await shown.count(), 0);
    await page.click('#log-pause');
    assert.deepStrictEqual((await console_.lines('answer')).map((line) => line.replace(/#\d+/, '')), ['"pong" ']);

    await console_.choose('api_fail');
    await console_.send();
    await console_.lines('error');
    await page.click('[data-kinds=error]');
    assert.strictEqual(await shown.count(), 1);
    await page.click('[data-kinds=""]');
    await page.fill('#log-filter', 'PONG');
    assert.strictEqual(await shown.count(), 1);
    await page.fill('#log-filter', 'nothing like it');
    assert.match(await console_.text('#log-note'), /No message fits/);
    await page.fill('#log-filter', '');

    /* It has an end. */
    await page.evaluate(() => new Promise((resolve) => {
        for (let i = 0; i < 400; i++) send(`{"jsonrpc":"2.0","method":"ping","id":${++lastId}}`);
        const look = () => exchanges.size || journal.waiting.length ? requestAnimationFrame(look) : resolve();
        look();
    }));
    assert.strictEqual(await page.locator('#log li').count(), 500);
    await page.click('#log-clear');
};

/* A page of it is shown at first, and all of it if wanted. */
exports.longAnswers = async (console_) => {
    const { page } = console_;
    await console_.choose('echo');
    await page.evaluate(() => { document.querySelector('#fields textarea').value = JSON.stringify([Array(20000).fill('a row of a very long table, 50 characters of it.')]); });
    const { value } = await console_.send();
    assert.ok(value.length <= 40000);
    assert.match(await console_.text('#answers .figures'), /MiB|KiB/);
    await page.getByRole('button', { name: 'Show all' }).click();
    assert.ok((await console_.text('#answers pre')).length > 1e6);
    await console_.field('params').fill('');
};

exports.whatTheServerSaysIsText = async (console_) => {
    const text = '<img src=x onerror="document.title=1"><script>alert(1)</script>';
    await console_.choose('echo');
    await console_.field('params').fill(JSON.stringify([text]));
    assert.match((await console_.send()).value, /<img src=x/);
    await console_.page.fill('#log-filter', 'onerror');
    await console_.page.locator('#log li:not([hidden]) summary').first().click();
    await console_.page.fill('#log-filter', '');
    assert.strictEqual(await console_.page.locator('img, main script').count(), 0);
    await console_.field('params').fill('');
};

exports.keys = async (console_) => {
    const { page } = console_, focused = () => page.evaluate(() => document.activeElement.dataset.name ?? document.activeElement.id);
    await page.locator('#tab-form').focus();
    await page.keyboard.press('/');
    await page.keyboard.type('differ');
    assert.deepStrictEqual(await page.locator('#list button > code').allTextContents(), ['subtract']);
    assert.strictEqual(await console_.text('#list-count'), '1 of 14');
    await page.keyboard.press('Enter');
    assert.match(await console_.text('#signature'), /^subtract/);
    assert.strictEqual(await page.evaluate(() => document.activeElement.ariaLabel), 'minuend');

    await page.fill('#filter', '');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    assert.strictEqual(await focused(), 'api_fail_data');
    await page.keyboard.press('End');
    assert.strictEqual(await focused(), 'work');
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowUp');
    assert.strictEqual(await focused(), 'filter');
    await page.keyboard.press('Alt+2');
    assert.strictEqual(await focused(), 'tab-raw');
    await page.keyboard.press('ArrowLeft');
    assert.strictEqual(await focused(), 'tab-form');
    await page.keyboard.press('Alt+l');
    await page.keyboard.press('ArrowDown');
    assert.strictEqual(await page.evaluate(() => document.activeElement.tagName), 'SUMMARY');

    await page.locator('#tab-form').focus();
    await page.keyboard.press('?');
    assert.ok(await page.locator('#help').isVisible());
    await page.keyboard.press('Escape');
    assert.ok(!await page.locator('#help').isVisible());

    const height = () => page.evaluate(() => document.getElementById('request').offsetHeight), before = await height();
    await page.locator('#split').focus();
    await page.keyboard.press('ArrowUp');
    assert.strictEqual(await height(), before - 24);
    await page.locator('#split').dblclick();
};

/* What is copied can be run as it is. */
exports.copies = async (console_) => {
    const text = '@it\'s "ü" \\ $HOME `x` \u{1f600}\n\u0001';
    const message = JSON.stringify({ jsonrpc: '2.0', method: 'echo', params: [text], id: 1 });
    const failing = JSON.stringify({ jsonrpc: '2.0', method: 'api_fail', id: 1 }); /* HTTP status 400 */
    const programs = { curl: ['bash', '-c'], python: ['python3', '-c'], javascript: ['node', '--input-type=module', '-e'] };
    const run = async (kind, message, [program, ...options], before = '') => {
        const code = await console_.page.evaluate(`formats.${kind}(${JSON.stringify(message)})`);
        const ran = spawnSync(program, [...options, before + code], { encoding: 'utf8' });
        assert.strictEqual(ran.status, 0, `${kind}: ${ran.stderr}`);
        return ran.stdout;
    };

    for (const kind of ['curl', 'python']) {
        assert.deepStrictEqual(JSON.parse(await run(kind, message, programs[kind])).result, [text], kind);
        assert.strictEqual(JSON.parse(await run(kind, failing, programs[kind])).error.code, 1, kind);
        assert.match(await run(kind, '@/etc/passwd', programs[kind]), /-32700/); /* no file is read */
    }
    const code = await console_.page.evaluate(`formats.javascript(${JSON.stringify(message)})`);
    const printed = code.replace('console.log(await answer.json())', 'console.log(await answer.text())');
    const ran = spawnSync('node', ['--input-type=module', '-e', printed], { encoding: 'utf8' });
    assert.deepStrictEqual(JSON.parse(ran.stdout).result, [text]);
    assert.match(await run('javascript', failing, programs.javascript), /code: 1/);
    /* wscat itself is not needed to see what it is given. */
    const given = (await run('wscat', message, programs.curl, 'wscat() { printf "%s\\n" "$@"; }; ')).split('\n');
    assert.match(given[1], /^ws:/);
    assert.strictEqual(given.at(-2), message);

    await console_.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    const copied = async (button) => {
        await console_.page.click(button);
        await console_.page.waitForSelector(`${button}:has-text("Copied")`);
        return console_.page.evaluate(() => navigator.clipboard.readText());
    };
    await console_.choose('ping');
    assert.strictEqual(JSON.parse(await copied('#code-copy')).method, 'ping');
    assert.match(await copied('#link-copy'), /#ping$/);
    await console_.send();
    assert.strictEqual(await copied('#answer-copy'), '"pong"');
    const [download] = await Promise.all([console_.page.waitForEvent('download'), console_.page.click('#answer-save')]);
    assert.strictEqual(download.suggestedFilename(), 'answer.json');
};

/* The lowest contrast of a text to its ground, and that text. */
function lowestContrast() {
    const parse = (colour) => colour.match(/[\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const groundOf = (node) => {
        for (; node; node = node.parentElement) {
            const colour = parse(getComputedStyle(node).backgroundColor);
            if (colour[3] !== 0) return colour;
        }
        return [255, 255, 255];
    };
    let lowest = [21, ''];
    for (const node of document.querySelectorAll('body *')) {
        const hasText = [...node.childNodes].some((child) => child.nodeType === Node.TEXT_NODE && child.data.trim());
        if (!hasText || !node.checkVisibility() || node.closest(':disabled')) continue;
        const [a, b] = [light(parse(getComputedStyle(node).color)), light(groundOf(node))].sort((x, y) => y - x);
        const ratio = (a + 0.05) / (b + 0.05);
        if (ratio < lowest[0]) lowest = [ratio, node.outerHTML.slice(0, 200)];
    }
    return lowest;
}

/* Every control has a name that can be read out, every text can be read, nothing is wider than a phone. */
exports.forEverybody = async (console_) => {
    const { page } = console_;
    const nameless = await page.locator('button, input, select, textarea').evaluateAll((nodes) =>
        nodes.filter((node) => !node.labels?.length && !node.getAttribute('aria-label') && !node.textContent.trim())
            .map((node) => node.outerHTML));
    assert.deepStrictEqual(nameless, []);

    await console_.choose('api_fail_data');
    await console_.send();
    for (const colours of ['light', 'dark']) {
        await page.click('#settings-open');
        await page.selectOption('#colours', colours);
        await page.keyboard.press('Escape');
        assert.strictEqual(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme), colours);
        await page.emulateMedia({ reducedMotion: 'reduce' });
        const [ratio, text] = await page.evaluate(lowestContrast);
        assert.ok(ratio >= 4.5, `${colours}: ${ratio} of ${text}`);
    }
    await page.setViewportSize(PHONE);
    await console_.isNoWiderThan(PHONE);
    await page.setViewportSize(DESKTOP);
};

// SPDX-License-Identifier: MIT
//
// forms.js - what a form makes of a method's parameters, and back
'use strict';

const assert = require('node:assert');
const { DESKTOP, PHONE } = require('./harness.js');

/* What rpc.discover says of methods like these: how params are written, or why they cannot be. */
const optional = (name) => ({ name, required: false, schema: {} });
const required = (name, ...type) => ({ name, required: true, schema: { type: type.length > 1 ? type : type[0] } });
const FORMS = [
    { about: 'a gap is jumped by name', params: [optional('a'), optional('b')], structure: 'either',
      fill: { b: '1' }, expected: '{"b":1}' },
    { about: 'nothing is sent that was not filled in', params: [optional('a'), optional('b')], structure: 'either',
      fill: {}, expected: undefined },
    { about: 'by name only', params: [required('a', 'string')], structure: 'by-name',
      fill: { a: '1' }, expected: '{"a":"1"}' },
    { about: 'names of ones own', params: [{ ...optional('others'), 'x-fields': true }], structure: 'by-name',
      fields: [['x', '[1]']], expected: '{"x":[1]}' },
    { about: 'names of ones own, of several types', structure: 'by-name',
      params: [{ ...required('others', 'string', 'null'), required: false, 'x-fields': true }],
      fields: [['x', 's']], expected: '{"x":"s"}' },
    { about: '*rest behind what is declared', params: [optional('a'), { ...optional('more'), 'x-rest': true }],
      structure: 'by-position', fill: { a: '"s"' }, rest: ['1', 'null'], expected: '["s",1,null]' },
    { about: '*rest behind a gap', params: [optional('a'), { ...optional('more'), 'x-rest': true }],
      structure: 'by-position', fill: {}, rest: ['1'], fault: /give them all/ },
    { about: 'named-only besides *rest', params: [{ ...optional('more'), 'x-rest': true }], named: [optional('n')],
      structure: 'by-position', fill: { n: '1' }, expected: '{"n":1}' },
    { about: 'named-only together with *rest', params: [{ ...optional('more'), 'x-rest': true }], named: [optional('n')],
      structure: 'by-position', fill: { n: '1' }, rest: ['1'], fault: /leave one out/ },
    { about: 'of several types the first', params: [required('a', 'integer', 'null')], structure: 'either',
      fill: { a: '12' }, expected: '[12]' },
    { about: 'not of the type', params: [required('a', 'integer')], structure: 'either',
      fill: { a: '1.5' }, fault: /not an integer/ },
    { about: 'an empty text is a text', params: [required('a', 'string')], structure: 'either',
      fill: {}, expected: '[""]' },
    { about: 'a missing number is none', params: [required('a', 'number')], structure: 'either',
      fill: {}, fault: /needs a value/ },
];

/* The request that an empty form makes when that one has been recalled into it. */
function refilled(text) {
    service.forms.clear();
    choose(service.methods[0]);
    recall(text);
    return openTab() === 'form' ? formMessage({ isStrict: true }).text : `not in the form: ${text}`;
}

exports.everyKindOfForm = async (console_) => {
    await console_.page.setViewportSize(PHONE);
    for (const row of FORMS) {
        const method = { name: 'm', paramStructure: row.structure, params: row.params, 'x-named-only': row.named,
                         result: { name: 'result', schema: {} } };
        await console_.page.evaluate((m) => {
            setService({ methods: [] }, ''); /* else a form that looks the same would stay */
            setService({ methods: [m] }, '');
            byId('request-form').elements.style.value = 'position';
        }, method);
        await console_.page.click('#tab-form');
        for (const [name, value] of Object.entries(row.fill ?? {}))
            await console_.field(name).fill(value);
        for (const value of row.rest ?? []) {
            await console_.page.click('text=+ value');
            await console_.page.keyboard.type(value);
        }
        for (const [name, value] of row.fields ?? []) {
            await console_.page.click('text=+ name and value');
            await console_.page.keyboard.type(name);
            await console_.page.locator('.values .input .input :is(input, textarea)').last().fill(value);
        }
        const message = await console_.page.evaluate(() => formMessage({ isStrict: true }));
        await console_.isNoWiderThan(PHONE);
        if (row.fault)
            assert.match(message.fault + await console_.text('#fields'), row.fault, row.about);
        else
            assert.deepStrictEqual(JSON.parse(message.text).params, row.expected && JSON.parse(row.expected), row.about);
        if (!row.fault)
            assert.strictEqual(await console_.page.evaluate(refilled, message.text), message.text, `${row.about}, again`);
    }
    await console_.page.setViewportSize(DESKTOP);
};

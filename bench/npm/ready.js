// SPDX-License-Identifier: MIT
//
// ready.js - what process_exec() of bench/process.h wants: where it listens to descriptor 4, and an
// end when descriptor 3 has one
'use strict';

const fs = require('node:fs');

function ready(url) {
    fs.writeSync(4, url);
    fs.closeSync(4);
    fs.createReadStream(null, { fd: 3 }).on('close', () => process.exit(0)).resume();
}

module.exports = { ready };

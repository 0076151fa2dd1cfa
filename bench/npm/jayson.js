// SPDX-License-Identifier: MIT
//
// jayson.js - npm's jayson as a server of HTTP: process_exec() of bench/process.h starts it
'use strict';

const jayson = require('jayson');
const { ready } = require('./ready.js');

const KEPT_MS = 600000; // a side waits while others have their turn

const server = new jayson.Server({ ping: (params, done) => done(null, 'pong') }).http();
server.keepAliveTimeout = KEPT_MS;
// Answers are compared byte by byte.
server.prependListener('request', (request, response) => { response.sendDate = false; });
server.listen(0, '127.0.0.1', () => ready(`http://127.0.0.1:${server.address().port}`));

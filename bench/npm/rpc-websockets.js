// SPDX-License-Identifier: MIT
//
// rpc-websockets.js - npm's rpc-websockets: process_exec() of bench/process.h starts it
'use strict';

const { Server } = require('rpc-websockets');
const { ready } = require('./ready.js');

const server = new Server({ host: '127.0.0.1', port: 0 });
server.register('ping', () => 'pong');
server.on('listening', () => ready(`ws://127.0.0.1:${server.wss.address().port}`));

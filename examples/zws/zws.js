// SPDX-License-Identifier: MIT
//
// zws.js - a JSON-RPC 2.0 client that speaks ZeroMQ over WebSocket (ZWS 2.0, ZeroMQ's RFC 45)
//
//     const client = new ZwsClient('zmq+ws://127.0.0.1:5556');
//     client.onnotification = (method, params) => console.log(method, params);
//     console.log(await client.call('sum', [1, 2, 4]));
//
// It is a DEALER to the server's ROUTER. Runs unchanged in browsers, by a plain <script>, and in
// node, by require(); there it is best given the WebSocket of npm's ws:
// new ZwsClient(url, { WebSocket: require('ws') }). Node has one of its own from version 22 on, but
// that keeps a process alive after close(), waiting for a word that libzmq never says.
//
// What is not sent yet waits for a connection. What is in flight when it breaks is rejected and not
// sent again by itself, for the server may have run it.
'use strict';

(function (root) {
    const LAST = 0, MORE = 1; // the first byte of a frame
    const RETRY_MIN_MS = 100, RETRY_MAX_MS = 5000;

    const defaults = {
        WebSocket: root.WebSocket, // the class
        timeout: 30000, // of a call and of a handshake, in milliseconds; 0: none
        reconnect: true, // when a connection breaks or cannot be made
        delimiter: false, // send an empty frame before each message, as a REQ does
        routingId: '', // empty: the ROUTER makes one up
        unsentMax: 10000, // messages that wait for a connection
        // Bytes of a message: libzmq takes no fragments, and Chromium cuts larger ones into some.
        messageMax: 65534,
    };

    /** What the server answered instead of a result: code, message and perhaps data. */
    class RpcError extends Error {
        constructor({ code, message, data }) {
            super(message);
            Object.assign(this, { name: 'RpcError', code, data });
        }
    }

    /**
     * There is no answer. code: TIMEOUT; LOST, the connection, and perhaps the call with it; CLOSED
     * by close(); not sent at all: FULL, too much waits for a connection, and TOO_LARGE; PROTOCOL,
     * the server's JSON is none.
     */
    class ZwsError extends Error {
        constructor(code, message) {
            super(message);
            Object.assign(this, { name: 'ZwsError', code });
        }
    }

    class ZwsClient {
        /** Nothing happens before connect() or the first call. */
        constructor(url, options = {}) {
            this.url = url.replace(/^zmq\+/, '');
            this.options = { ...defaults, ...options };
            if (!this.options.WebSocket)
                throw new TypeError("no WebSocket here: pass { WebSocket: require('ws') }");

            this.onnotification = (_method, _params) => {};
            this.onstate = (_state) => {}; // connecting, open, waiting (to connect again), closed
            this.onerror = (_error) => {}; // what belongs to no call
            this.state = 'closed';
            this.nextId = 1;
            this.calls = new Map(); // id -> {resolve, reject, timer, message}
            this.unsent = new Set(); // {frame, ids}
            this.connects = []; // {resolve, reject} of those who wait in connect()
            this.retryMs = RETRY_MIN_MS;
            this.encoder = new TextEncoder();
            this.decoder = new TextDecoder();
        }

        /** Resolved when connected; rejected if that fails and is not tried again. */
        connect() {
            if (this.state === 'open')
                return Promise.resolve();
            const connected = new Promise((resolve, reject) =>
                this.connects.push({ resolve, reject }));
            if (this.state === 'closed')
                this.#open();
            return connected;
        }

        /** params: an array, an object or nothing. Rejected with a RpcError or a ZwsError. */
        call(method, params, { timeout = this.options.timeout } = {}) {
            const { request, answered } = this.#prepare(method, params, timeout);
            this.#post(request, [request.id]);
            return answered;
        }

        /** Nobody tells whether it arrives. */
        notify(method, params) {
            this.#post({ jsonrpc: '2.0', method, params }, []);
        }

        /**
         * Several in one message: [{method, params, isNotification}]. Resolved, as by
         * Promise.allSettled(), with {status: 'fulfilled', value} or {status: 'rejected', reason}
         * for each call, in order; a notification has none.
         */
        batch(members, { timeout = this.options.timeout } = {}) {
            const requests = [], ids = [], answers = [];

            for (const { method, params, isNotification } of members) {
                if (isNotification) {
                    requests.push({ jsonrpc: '2.0', method, params });
                    continue;
                }
                const { request, answered } = this.#prepare(method, params, timeout);
                requests.push(request);
                ids.push(request.id);
                answers.push(answered);
            }
            if (requests.length)
                this.#post(requests, ids);
            return Promise.allSettled(answers);
        }

        /** What waits for an answer is rejected; a call or connect() begins anew. */
        close() {
            clearTimeout(this.retryTimer);
            this.#drop();
            this.#end(new ZwsError('CLOSED', 'the client was closed'));
        }

        // Calls

        #prepare(method, params, timeout) {
            const id = this.nextId++;
            const answered = new Promise((resolve, reject) => {
                const late = () => this.#late(id, `${method}: no answer within ${timeout} ms`);
                const timer = timeout > 0 ? setTimeout(late, timeout) : undefined;
                this.calls.set(id, { resolve, reject, timer });
            });
            return { request: { jsonrpc: '2.0', method, params, id }, answered };
        }

        /* The server may stop working on it. */
        #late(id, why) {
            this.#reject(id, new ZwsError('TIMEOUT', why));
            if (this.state === 'open')
                this.notify('$/cancelRequest', { id });
        }

        /* The call of that id, which is over now; undefined if it was before. */
        #take(id) {
            const call = this.calls.get(id);

            clearTimeout(call?.timer);
            this.calls.delete(id);
            if (call?.message?.ids.every((other) => !this.calls.has(other)))
                this.unsent.delete(call.message);
            return call;
        }

        #reject(id, error) {
            this.#take(id)?.reject(error);
        }

        #post(value, ids) {
            let message;
            try {
                message = { ids, frame: this.#frame(LAST, JSON.stringify(value)) };
                this.#check(message);
            } catch (error) {
                if (!ids.length)
                    throw error;
                ids.forEach((id) => this.#reject(id, error));
                return;
            }
            this.unsent.add(message);
            for (const id of ids)
                this.calls.get(id).message = message;
            if (this.state === 'open')
                this.#flush();
            else if (this.state === 'closed')
                this.#open();
        }

        #check({ frame }) {
            const { messageMax, unsentMax } = this.options;

            if (frame.length - 1 > messageMax)
                throw new ZwsError('TOO_LARGE', `${frame.length - 1} bytes, of ${messageMax}`);
            if (this.state !== 'open' && this.unsent.size >= unsentMax)
                throw new ZwsError('FULL', `${unsentMax} messages wait for ${this.url}`);
        }

        #flush() {
            for (const message of this.unsent) {
                this.unsent.delete(message);
                if (this.options.delimiter)
                    this.socket.send(this.#frame(MORE, ''));
                this.socket.send(message.frame);
            }
        }

        // The connection

        #setState(state) {
            if (this.state !== state)
                this.onstate(this.state = state);
        }

        #open() {
            const { timeout, WebSocket } = this.options;
            const isCurrent = () => socket === this.socket;
            let socket;

            try {
                socket = this.socket = new WebSocket(this.url, ['ZWS2.0']);
            } catch (error) { // it is no URL, or this page may not
                this.#end(new ZwsError('LOST', `${this.url}: ${error.message}`));
                return;
            }
            this.isGreeted = false;
            if (timeout > 0)
                this.handshakeTimer = setTimeout(() => this.#lost('no handshake'), timeout);
            socket.binaryType = 'arraybuffer';
            socket.onopen = () => isCurrent() &&
                socket.send(this.#frame(LAST, this.options.routingId));
            socket.onmessage = ({ data }) => isCurrent() && this.#receive(data);
            socket.onerror = () => {}; // it closes next, and that tells more
            socket.onclose = ({ code, reason }) => isCurrent() && this.#lost(
                `${this.isGreeted ? 'connection lost' : 'cannot connect'}: ${reason || code}`);
            this.#setState('connecting');
        }

        #greeted() {
            clearTimeout(this.handshakeTimer);
            this.isGreeted = true;
            this.retryMs = RETRY_MIN_MS;
            this.connects.splice(0).forEach(({ resolve }) => resolve());
            this.#flush();
            this.#setState('open');
        }

        /* libzmq does not answer a close, for which npm's ws waits half a minute: end that. */
        #drop() {
            const socket = this.socket;
            const end = (n_tries) => socket.bufferedAmount && n_tries ?
                setTimeout(end, 20, n_tries - 1) : socket.terminate();

            clearTimeout(this.handshakeTimer);
            this.socket = null;
            socket?.close();
            if (socket?.terminate)
                end(50);
        }

        #lost(why) {
            const error = new ZwsError('LOST', `${this.url}: ${why}`);

            this.#drop();
            if (!this.options.reconnect) {
                this.#end(error);
                return;
            }
            for (const [id, { message }] of this.calls)
                if (!this.unsent.has(message))
                    this.#reject(id, error);
            this.retryTimer = setTimeout(() => this.#open(), this.retryMs);
            this.retryMs = Math.min(this.retryMs * 2, RETRY_MAX_MS);
            this.#setState('waiting');
        }

        #end(error) {
            this.unsent.clear();
            this.connects.splice(0).forEach(({ reject }) => reject(error));
            for (const id of this.calls.keys())
                this.#reject(id, error);
            this.#setState('closed');
        }

        // Frames: a byte of flags, then the data

        #frame(flags, text) {
            const frame = this.encoder.encode(' ' + text);

            frame[0] = flags;
            return frame;
        }

        #receive(data) {
            const frame = new Uint8Array(data);

            if (typeof data === 'string' || !frame.length)
                this.#lost('it does not speak ZeroMQ');
            else if (!this.isGreeted)
                this.#greeted(); // by the server's routing id
            else if (frame[0] === LAST && frame.length > 1)
                this.#message(frame.subarray(1));
            /* else a delimiter before a message, or a notification's empty answer to one */
        }

        #message(body) {
            let message;
            try {
                message = JSON.parse(this.decoder.decode(body));
            } catch (error) {
                this.onerror(new ZwsError('PROTOCOL', `${this.url}: ${error.message}`));
                return;
            }
            for (const answer of Array.isArray(message) ? message : [message])
                this.#answer(answer);
        }

        #answer(answer) {
            if (typeof answer?.method === 'string')
                this.onnotification(answer.method, answer.params);
            else if (answer?.error && answer.id === null) // it could not read what we sent
                this.onerror(new RpcError(answer.error));
            else if (answer?.error)
                this.#reject(answer.id, new RpcError(answer.error));
            else
                this.#take(answer?.id)?.resolve(answer.result);
        }
    }

    const exported = { ZwsClient, ZwsError, RpcError };
    if (typeof module === 'object')
        module.exports = exported;
    else
        Object.assign(root, exported);
})(globalThis);

/* SPDX-License-Identifier: MIT */
/*
 * msgpack_codec.h - MessagePack as a jrpc_codec, on libmsgpack
 *
 *     MessagePack      value
 *     nil, bool        null, boolean
 *     int              integer; beyond int64 refused: a real would lose digits, those of an id too
 *     float 32, 64     real; NaN and infinity refused
 *     str              string; must be UTF-8
 *     array            array
 *     map              object; keys are str, none twice, none with U+0000
 *     bin, ext         refused: JSON has nothing like them; send base64
 *
 * Refused means -32700 Parse error, with the reason and the byte in debug. Arrays and maps nest
 * 32 deep at most, as libmsgpack reads them; answers may be deeper.
 */
#ifndef MSGPACK_CODEC_H
#define MSGPACK_CODEC_H

#include <jrpc/jrpc.h>

/* Static storage; for jrpc_service_set_codec() or jrpc_dispatch_options. */
const jrpc_codec *msgpack_codec(void);

#endif

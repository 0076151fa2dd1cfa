/* SPDX-License-Identifier: MIT */
/*
 * jrpc.h - JSON-RPC 2.0 services: everything a program needs
 */
#ifndef JRPC_JRPC_H
#define JRPC_JRPC_H

#include <jrpc/call.h>
#include <jrpc/codec.h>
#include <jrpc/error.h>
#include <jrpc/export.h>
#include <jrpc/options.h>
#include <jrpc/response.h>
#include <jrpc/server.h>
#include <jrpc/service.h>
#include <jrpc/version.h>

#endif

/* SPDX-License-Identifier: MIT */
/*
 * version.h - the library's version, when compiling and when running
 *
 * The three numbers below are the only place a version is written; the build reads them here.
 * Until 1.0 a new minor number may change the interface.
 */
#ifndef JRPC_VERSION_H
#define JRPC_VERSION_H

#include <jrpc/export.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JRPC_VERSION_MAJOR 0
#define JRPC_VERSION_MINOR 1
#define JRPC_VERSION_PATCH 0

/** JRPC_VERSION - the version of these headers: major * 10000 + minor * 100 + patch */
#define JRPC_VERSION (JRPC_VERSION_MAJOR * 10000U + JRPC_VERSION_MINOR * 100U + JRPC_VERSION_PATCH)

/**
 * jrpc_version() - the version of the library that is running, in the form of JRPC_VERSION
 *
 * Differs from JRPC_VERSION when a program runs with another library than it was built with.
 *
 * Threads: any. Blocks: never.
 */
JRPC_API unsigned jrpc_version(void);

#ifdef __cplusplus
}
#endif

#endif

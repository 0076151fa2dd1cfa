/* SPDX-License-Identifier: MIT */
/*
 * version.c - the version of the library that is running
 */
#include <jrpc/version.h>

unsigned jrpc_version(void)
{
    return JRPC_VERSION;
}

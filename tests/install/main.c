/* SPDX-License-Identifier: MIT */
/*
 * main.c - the smallest program outside our tree
 *
 * Does the library it runs with match the headers it was compiled with?
 */
#include <stdio.h>

#include <jrpc/version.h>

int main(void)
{
    printf("headers %u, library %u\n", (unsigned)JRPC_VERSION, jrpc_version());
    return jrpc_version() == JRPC_VERSION ? 0 : 1;
}

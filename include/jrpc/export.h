/* SPDX-License-Identifier: MIT */
/*
 * export.h - marks of the public interface
 *
 * JRPC_API is on every public function and on nothing else: a test compares the functions so
 * marked with the symbols of the shared library.
 */
#ifndef JRPC_EXPORT_H
#define JRPC_EXPORT_H

#if defined(__GNUC__)
#define JRPC_API __attribute__((visibility("default")))
#define JRPC_PRINTF(template, first) __attribute__((format(printf, template, first)))
#else
#define JRPC_API
#define JRPC_PRINTF(template, first)
#endif

#endif

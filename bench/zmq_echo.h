/* SPDX-License-Identifier: MIT */
/*
 * zmq_echo.h - servers of bare libzmq, to compare with
 *
 * All are for process_spawn(): they listen on a port of the loopback that the kernel chooses and
 * serve until they are ended. What they send is what they got, in the frames it came in.
 */
#ifndef ZMQ_ECHO_H
#define ZMQ_ECHO_H

/* REP: waits for a message and gives its one frame back. */
void echo_rep(const void *user);

/* ROUTER: waits for a frame and sends it back, then the next. */
void echo_router(const void *user);

/* ROUTER: waits in zmq_poll() and takes all there is without waiting. */
void echo_router_polled(const void *user);

/* ROUTER: gives frames back, but the last of a message goes through naive_jansson() first. */
void echo_router_jansson(const void *user);

#endif

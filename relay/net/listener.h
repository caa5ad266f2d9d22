/* Accepts on a listening socket that the parent bound.  Every loop makes its own listener on the
 * same descriptor; whoever wakes first accepts, a few at a time, which spreads the sessions.
 * Out of descriptors or memory: rests 200 ms instead of spinning.
 * Thread: the loop's. */
#pragma once

#include "relay/net/loop.h"
#include "relay/net/socket_address.h"

struct listener;

/* fd: non-blocking, close-on-exec, with TCP_NODELAY set; now the callee's. */
typedef void listener_on_accept(void *owner, int fd, const struct socket_address *peer);

/* listen_fd stays the caller's and outlives the listener.  0 or -errno. */
MUST_USE int listener_new(struct listener **out, struct loop *loop, int listen_fd,
                          listener_on_accept *on_accept, void *owner);
struct listener *listener_free(struct listener *listener); /* NULL in, NULL out */

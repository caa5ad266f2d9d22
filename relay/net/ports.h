/* Listening sockets, made by the parent.  TCP: SO_REUSEADDR, v6 is V6ONLY, port 0 picks one.
 * Unix: mode 0660; a stale socket file is replaced only when nothing listens there.
 * All are non-blocking and close-on-exec.  Thread: any (the parent has one). */
#pragma once

#include "relay/net/socket_address.h"

enum { PORT_BACKLOG = 1024 };

/* *actual gets the address with the port that was picked.  0 or -errno. */
MUST_USE int port_listen_tcp(int *fd, const struct socket_address *address,
                             struct socket_address *actual);

/* 0, -EADDRINUSE when another process listens at path, -ENAMETOOLONG, or another -errno. */
MUST_USE int port_listen_unix(int *fd, const char *path);

#include "relay/net/ports.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>

static int set_options(int fd, int family)
{
    int one = 1;

    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0)
        return FAULT(-errno);
    if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) < 0)
        return FAULT(-errno);
    return 0;
}

int port_listen_tcp(int *out, const struct socket_address *address, struct socket_address *actual)
{
    int family = address->any.sa_family, error;
    CLEANUP(close_fd) int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct socket_address bound = {.len = sizeof(bound.storage)};

    if (fd < 0)
        return FAULT(-errno);
    error = set_options(fd, family);
    if (error < 0)
        return error;
    if (bind(fd, &address->any, address->len) < 0 || listen(fd, PORT_BACKLOG) < 0 ||
        getsockname(fd, &bound.any, &bound.len) < 0)
        return FAULT(-errno);
    *actual = bound;
    *out = take_fd(&fd);
    return 0;
}

/* True when somebody answers at path.  A socket file that nobody listens at refuses. */
static bool is_served(const struct sockaddr_un *address)
{
    CLEANUP(close_fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    return fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
           errno != ECONNREFUSED;
}

/* 0 when path is free now; only a socket is ever removed. */
static int remove_stale(const struct sockaddr_un *address)
{
    struct stat status;

    if (lstat(address->sun_path, &status) < 0)
        return errno == ENOENT ? 0 : FAULT(-errno);
    if (!S_ISSOCK(status.st_mode) || is_served(address))
        return FAULT(-EADDRINUSE);
    return unlink(address->sun_path) < 0 && errno != ENOENT ? FAULT(-errno) : 0;
}

/* Not yet listening when it gets its mode, so nobody connects before. */
static int bind_unix(int fd, const struct sockaddr_un *address)
{
    if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ||
        chmod(address->sun_path, 0660) < 0 || listen(fd, PORT_BACKLOG) < 0)
        return FAULT(-errno);
    return 0;
}

int port_listen_unix(int *out, const char *path)
{
    CLEANUP(close_fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int error;

    if (fd < 0)
        return FAULT(-errno);
    if (!slice_copy_to(slice_of(path), address.sun_path, sizeof(address.sun_path)))
        return FAULT(-ENAMETOOLONG);
    error = remove_stale(&address);
    if (error == 0)
        error = bind_unix(fd, &address);
    if (error < 0)
        return error;
    *out = take_fd(&fd);
    return 0;
}

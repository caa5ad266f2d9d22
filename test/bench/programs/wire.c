#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BACKLOG = 4096, READ_STEP = 64 << 10, TLS_STEP = 16 << 10 };

void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    ERR_print_errors_fp(stderr);
    exit(1);
}

int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* ---- bytes */

char *bytes_room(struct bytes *bytes, size_t n)
{
    if (bytes->from + bytes->len + n > bytes->size && bytes->from > 0) {
        memmove(bytes->data, bytes_begin(bytes), bytes->len);
        bytes->from = 0;
    }
    if (bytes->len + n > bytes->size) {
        bytes->size = 2 * (bytes->len + n);
        bytes->data = realloc(bytes->data, bytes->size);
        if (!bytes->data)
            die("memory");
    }
    return bytes_begin(bytes) + bytes->len;
}

void bytes_add(struct bytes *bytes, const void *data, size_t n)
{
    memcpy(bytes_room(bytes, n), data, n);
    bytes->len += n;
}

void bytes_printf(struct bytes *bytes, const char *format, ...)
{
    va_list args;
    char *room = bytes_room(bytes, 1024);

    va_start(args, format);
    bytes->len += (size_t)vsnprintf(room, 1024, format, args);
    va_end(args);
}

void bytes_drop(struct bytes *bytes, size_t n)
{
    bytes->len -= n;
    bytes->from = bytes->len ? bytes->from + n : 0;
}

/* ---- connections */

static void watch(struct wire *wire, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = wire};

    if (wire->watched == events)
        return;
    if (epoll_ctl(wire->epoll, wire->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, wire->fd, &event))
        die("epoll_ctl");
    wire->watched = events;
}

void wire_init(struct wire *wire, int epoll, int fd)
{
    const int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    wire->epoll = epoll;
    wire->fd = fd;
    wire->watched = 0;
    wire->in_handshake = false;
    wire->in.from = wire->in.len = wire->out.from = wire->out.len = 0;
    watch(wire, EPOLLIN);
}

void wire_close(struct wire *wire)
{
    SSL_free(wire->ssl);
    wire->ssl = NULL;
    if (wire->fd >= 0)
        close(wire->fd);
    wire->fd = -1;
}

void wire_start_tls(struct wire *wire, SSL_CTX *context, bool is_server)
{
    wire->ssl = SSL_new(context);
    if (!wire->ssl || !SSL_set_fd(wire->ssl, wire->fd))
        die("SSL_new");
    if (is_server)
        SSL_set_accept_state(wire->ssl);
    else
        SSL_set_connect_state(wire->ssl);
    wire->in_handshake = true;
    wire->in.len = wire->in.from = 0;
}

/* 1 done, 0 not yet, -1 failed. */
static int shake_hands(struct wire *wire)
{
    int result = SSL_do_handshake(wire->ssl), error;

    if (result == 1) {
        wire->in_handshake = false;
        watch(wire, EPOLLIN);
        return 1;
    }
    error = SSL_get_error(wire->ssl, result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        watch(wire, error == SSL_ERROR_WANT_READ ? EPOLLIN : EPOLLIN | EPOLLOUT);
        return 0;
    }
    return -1;
}

/* As recv(2): -1 with EAGAIN, 0 at the end. */
static ssize_t receive(struct wire *wire, char *room, size_t n)
{
    int result, error;

    if (!wire->ssl)
        return recv(wire->fd, room, n, 0);
    result = SSL_read(wire->ssl, room, (int)n);
    if (result > 0)
        return result;
    error = SSL_get_error(wire->ssl, result);
    errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
    ERR_clear_error();
    return errno == EAGAIN ? -1 : 0;
}

bool wire_read(struct wire *wire, size_t most)
{
    const size_t step = wire->ssl ? TLS_STEP : READ_STEP;

    if (wire->in_handshake) {
        const int result = shake_hands(wire);
        if (result <= 0)
            return result == 0;
    }
    /* What TLS holds decrypted is no event of the socket: it is emptied. */
    for (size_t total = 0; total < most || (wire->ssl && SSL_pending(wire->ssl) > 0);) {
        const ssize_t n = receive(wire, bytes_room(&wire->in, step), step);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        if (n == 0)
            return false;
        wire->in.len += (size_t)n;
        total += (size_t)n;
        if (!wire->ssl && (size_t)n < step)
            return true;
    }
    return true;
}

static ssize_t transmit(struct wire *wire, const char *data, size_t n)
{
    int result, error;

    if (!wire->ssl)
        return send(wire->fd, data, n, MSG_NOSIGNAL);
    result = SSL_write(wire->ssl, data, n > (1 << 30) ? 1 << 30 : (int)n);
    if (result > 0)
        return result;
    error = SSL_get_error(wire->ssl, result);
    errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
    ERR_clear_error();
    return -1;
}

bool wire_flush(struct wire *wire)
{
    if (wire->in_handshake) {
        const int result = shake_hands(wire);
        if (result <= 0)
            return result == 0;
    }
    while (wire->out.len > 0) {
        const ssize_t n = transmit(wire, bytes_begin(&wire->out), wire->out.len);
        if (n < 0 && errno == EAGAIN) {
            watch(wire, EPOLLIN | EPOLLOUT);
            return true;
        }
        if (n < 0)
            return false;
        bytes_drop(&wire->out, (size_t)n);
    }
    watch(wire, EPOLLIN);
    return true;
}

/* ---- TLS and sockets */

static SSL_CTX *tls_context(const SSL_METHOD *method)
{
    SSL_CTX *context = SSL_CTX_new(method);

    if (!context)
        die("SSL_CTX_new");
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    return context;
}

SSL_CTX *tls_client_context(void)
{
    return tls_context(TLS_client_method());
}

SSL_CTX *tls_server_context(const char *certificate, const char *key)
{
    SSL_CTX *context = tls_context(TLS_server_method());

    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
        die(certificate);
    return context;
}

static struct sockaddr_in address_of(const char *address, int port)
{
    struct sockaddr_in result = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

    if (inet_pton(AF_INET, address, &result.sin_addr) != 1) {
        fprintf(stderr, "%s: not an IPv4 address\n", address);
        exit(64);
    }
    return result;
}

int dial(const char *address, int port)
{
    const struct sockaddr_in to = address_of(address, port);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        die("socket");
    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) && errno != EINPROGRESS)
        die("connect");
    return fd;
}

int listen_on(const char *address, int *port, bool shares_port)
{
    struct sockaddr_in at = address_of(address, *port);
    socklen_t size = sizeof(at);
    const int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        die("socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (shares_port)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
    if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) || listen(fd, BACKLOG) ||
        getsockname(fd, (struct sockaddr *)&at, &size))
        die(address);
    *port = ntohs(at.sin_port);
    return fd;
}

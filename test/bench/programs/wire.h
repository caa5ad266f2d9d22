/* One non-blocking connection of the benchmark's own programs, with or without TLS, on an epoll
 * descriptor.  Cheap rather than careful: both ends are ours or under test on loopback; whatever
 * fails for want of memory or descriptors ends the program.
 * Thread: one.  Bytes read wait in `in`, bytes to send in `out`. */
#pragma once

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

struct bytes {
    char *data;
    size_t from, len, size; /* data[from .. from + len) is in use */
};

void bytes_add(struct bytes *bytes, const void *data, size_t n);
void bytes_printf(struct bytes *bytes, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Room for n more at the end; the caller adds to len what it used. */
char *bytes_room(struct bytes *bytes, size_t n);
void bytes_drop(struct bytes *bytes, size_t n); /* from the front */

static inline char *bytes_begin(const struct bytes *bytes)
{
    return bytes->data + bytes->from;
}

struct wire { /* first member of what epoll's data.ptr names */
    int fd, epoll;
    uint32_t watched;
    bool in_handshake;
    SSL *ssl; /* NULL: plain */
    struct bytes in, out;
};

void wire_init(struct wire *wire, int epoll, int fd);
void wire_close(struct wire *wire);
void wire_start_tls(struct wire *wire, SSL_CTX *context, bool is_server);
/* All that is there, at most `most` bytes; false when the other side is gone. */
bool wire_read(struct wire *wire, size_t most);
/* As much of `out` as the socket takes; watches for room when something stays. */
bool wire_flush(struct wire *wire);

SSL_CTX *tls_client_context(void); /* verifies nothing */
SSL_CTX *tls_server_context(const char *certificate, const char *key);

int dial(const char *address, int port); /* connected when it becomes writable */
int listen_on(const char *address, int *port, bool shares_port); /* *port 0: picked and told */

int64_t now_ns(void); /* CLOCK_MONOTONIC, the same in every program of a run */
void die(const char *what) __attribute__((noreturn));
void raise_file_limit(void);

/* A name server for tests: one thread, UDP and TCP on a loopback port, answers from a table.
 * Names that are not in the table do not exist; the rest of the table says how it misbehaves. */
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relay/base/buffer.h"
#include "relay/net/dns_message.h"

struct dns_row {
    const char *name;
    uint16_t type;
    const char *data; /* "10 mx.example" for MX, an address, a name; NULL: SERVFAIL for the name */
    int n_copies;     /* > 1: %d in data counts */
};

struct dns_server {
    const struct dns_row *rows;
    size_t n_rows;
    int udp, tcp, stop[2];
    struct socket_address address;
    pthread_t thread;
    atomic_int n_questions;
};

static void put_name(struct buffer *out, const char *name)
{
    while (*name && strcmp(name, ".") != 0) {
        size_t len = strcspn(name, ".");

        buffer_append_byte(out, (char)len);
        buffer_append(out, slice_from(name, len));
        name += len + (name[len] == '.');
    }
    buffer_append_byte(out, '\0');
}

static void put_u16(struct buffer *out, unsigned value)
{
    buffer_append_byte(out, (char)(value >> 8));
    buffer_append_byte(out, (char)value);
}

static void put_data(struct buffer *out, uint16_t type, const char *data)
{
    unsigned char address[16];
    unsigned preference = 0;
    char host[300] = "";

    switch (type) {
    case DNS_TYPE_A:
        inet_pton(AF_INET, data, address);
        buffer_append(out, slice_from(address, 4));
        break;
    case DNS_TYPE_AAAA:
        inet_pton(AF_INET6, data, address);
        buffer_append(out, slice_from(address, 16));
        break;
    case DNS_TYPE_MX:
        sscanf(data, "%u %299s", &preference, host);
        put_u16(out, preference);
        put_name(out, host);
        break;
    default:
        put_name(out, data);
        break;
    }
}

static void put_record(struct buffer *out, const char *name, uint16_t type, const char *data)
{
    struct buffer bytes = BUFFER_INIT;

    put_data(&bytes, type, data);
    put_name(out, name);
    put_u16(out, type);
    put_u16(out, 1);
    put_u16(out, 0);
    put_u16(out, 60); /* TTL */
    put_u16(out, (unsigned)bytes.len);
    buffer_append(out, buffer_slice(&bytes));
    buffer_fini(&bytes);
}

/* Appends what the table has for name and type, following aliases; returns how many records. */
static unsigned put_answers(const struct dns_server *server, struct buffer *out, const char *name,
                            uint16_t type, int *rcode, int depth)
{
    unsigned n = 0;

    *rcode = DNS_RCODE_NXDOMAIN;
    for (size_t i = 0; i < server->n_rows; i++) {
        const struct dns_row *row = &server->rows[i];

        if (!dns_name_equal(row->name, name))
            continue;
        *rcode = DNS_RCODE_OK;
        if (!row->data) {
            *rcode = DNS_RCODE_SERVFAIL;
            return 0;
        }
        if (row->type != type && row->type != DNS_TYPE_CNAME)
            continue;
        for (int copy = 0; copy < (row->n_copies ? row->n_copies : 1); copy++, n++) {
            char data[300];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(data, sizeof(data), row->data, copy, copy);
#pragma GCC diagnostic pop
            put_record(out, name, row->type, data);
        }
        if (row->type == DNS_TYPE_CNAME && type != DNS_TYPE_CNAME && depth < 30)
            return n + put_answers(server, out, row->data, type, rcode, depth + 1);
    }
    return n;
}

static void answer(struct dns_server *server, struct slice question, struct buffer *out,
                   bool is_udp)
{
    struct buffer records = BUFFER_INIT;
    char name[DNS_NAME_SIZE];
    size_t at = 12, len = 0;
    uint16_t type;
    unsigned n, flags;
    int rcode;

    atomic_fetch_add(&server->n_questions, 1);
    while (at < question.len && question.data[at]) {
        size_t label = (unsigned char)question.data[at];

        if (len)
            name[len++] = '.';
        memcpy(name + len, question.data + at + 1, label);
        len += label;
        at += label + 1;
    }
    name[len] = '\0';
    type = (uint16_t)((unsigned char)question.data[at + 1] << 8 |
                      (unsigned char)question.data[at + 2]);
    n = put_answers(server, &records, len ? name : ".", type, &rcode, 0);
    flags = 0x8580U | (unsigned)rcode;
    if (is_udp && records.len > 1100) {
        flags |= 0x0200; /* truncated: come back by TCP */
        buffer_clear(&records);
        n = 0;
    }
    buffer_clear(out);
    buffer_append(out, slice_head(question, 2));
    put_u16(out, flags);
    put_u16(out, 1);
    put_u16(out, n);
    put_u16(out, 0);
    put_u16(out, 0);
    buffer_append(out, slice_head(slice_skip(question, 12), at + 5 - 12));
    buffer_append(out, buffer_slice(&records));
    buffer_fini(&records);
}

static void answer_udp(struct dns_server *server, struct buffer *out)
{
    char bytes[2048];
    struct socket_address peer = {.len = sizeof(peer.storage)};
    ssize_t n = recvfrom(server->udp, bytes, sizeof(bytes), 0, &peer.any, &peer.len);

    if (n < 17)
        return;
    answer(server, slice_from(bytes, (size_t)n), out, true);
    sendto(server->udp, out->data, out->len, 0, &peer.any, peer.len);
}

static void answer_tcp(struct dns_server *server, struct buffer *out)
{
    int fd = accept(server->tcp, NULL, NULL);
    unsigned char bytes[2048];
    ssize_t n;

    if (fd < 0)
        return;
    n = recv(fd, bytes, sizeof(bytes), 0);
    if (n > 19) {
        struct buffer framed = BUFFER_INIT;

        answer(server, slice_from(bytes + 2, (size_t)n - 2), out, false);
        put_u16(&framed, (unsigned)out->len);
        buffer_append(&framed, buffer_slice(out));
        send(fd, framed.data, framed.len, MSG_NOSIGNAL);
        buffer_fini(&framed);
    }
    close(fd);
}

static void *serve_dns(void *argument)
{
    struct dns_server *server = argument;
    struct buffer out = BUFFER_INIT;

    for (;;) {
        struct pollfd fds[] = {
            {server->udp,     POLLIN, 0},
            {server->tcp,     POLLIN, 0},
            {server->stop[0], POLLIN, 0}
        };

        poll(fds, 3, -1);
        if (fds[2].revents)
            break;
        if (fds[0].revents)
            answer_udp(server, &out);
        if (fds[1].revents)
            answer_tcp(server, &out);
    }
    buffer_fini(&out);
    return NULL;
}

/* One port for both; false when another program has it for TCP. */
static bool bind_both(struct dns_server *server)
{
    socket_address_parse(SLICE_LITERAL("127.0.0.1:0"), -1, &server->address);
    server->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    server->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(server->udp, &server->address.any, server->address.len) == 0 &&
        getsockname(server->udp, &server->address.any, &server->address.len) == 0 &&
        bind(server->tcp, &server->address.any, server->address.len) == 0)
        return true;
    close(server->udp);
    close(server->tcp);
    return false;
}

static int dns_server_start(struct dns_server *server)
{
    while (!bind_both(server))
        ;
    if (listen(server->tcp, 16) < 0 || pipe(server->stop) < 0)
        return -1;
    return pthread_create(&server->thread, NULL, serve_dns, server);
}

static void dns_server_stop(struct dns_server *server)
{
    close(server->stop[1]);
    pthread_join(server->thread, NULL);
    close(server->stop[0]);
    close(server->udp);
    close(server->tcp);
}

/* A name server that knows everyone: each name has the one mail host mx.NAME, and each host the
 * same loopback address.  UDP only, nothing signed, every other type is empty.
 *   names --address A [--port N] [--host A]         prints "listening PORT" */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "wire.h"
#include "words.h"

enum { HEADER = 12, PACKET = 1500, TYPE_A = 1, TYPE_MX = 15, TTL = 3600 };

static size_t put16(unsigned char *out, unsigned value)
{
    out[0] = (unsigned char)(value >> 8);
    out[1] = (unsigned char)value;
    return 2;
}

/* A record whose owner is the question's name, without its data. */
static size_t put_record(unsigned char *out, unsigned type, unsigned n_data)
{
    size_t n = put16(out, 0xc000 | HEADER);

    n += put16(out + n, type);
    n += put16(out + n, 1);
    n += put16(out + n, 0);
    n += put16(out + n, TTL);
    return n + put16(out + n, n_data);
}

static size_t answer_mx(unsigned char *out)
{
    static const unsigned char mx[] = {0, 10, 2, 'm', 'x', 0xc0, HEADER};
    const size_t n = put_record(out, TYPE_MX, sizeof(mx));

    memcpy(out + n, mx, sizeof(mx));
    return n + sizeof(mx);
}

static size_t answer_a(unsigned char *out, struct in_addr host)
{
    const size_t n = put_record(out, TYPE_A, sizeof(host));

    memcpy(out + n, &host, sizeof(host));
    return n + sizeof(host);
}

/* Turns the question into its answer; 0: not a question. */
static size_t answer(unsigned char *packet, size_t n, struct in_addr host)
{
    size_t at = HEADER, added = 0;
    unsigned type;

    if (n < HEADER + 5 || packet[2] & 0x80 || packet[5] != 1)
        return 0;
    while (at < n && packet[at] != 0)
        at += packet[at] + 1U;
    at++;
    if (at + 4 > n)
        return 0;
    type = (unsigned)packet[at] << 8 | packet[at + 1];
    at += 4;
    if (type == TYPE_MX)
        added = answer_mx(packet + at);
    else if (type == TYPE_A)
        added = answer_a(packet + at, host);
    packet[2] = (unsigned char)(0x84 | (packet[2] & 1)); /* an answer, with authority */
    packet[3] = 0x80;
    put16(packet + 6, added > 0);
    put16(packet + 8, 0);
    put16(packet + 10, 0);
    return at + added;
}

int main(int argc, char **argv)
{
    const char *address = "127.0.0.1", *host_text = "127.0.0.1";
    long port = 0;
    const struct word table[] = {
        {"address", .text = &address  },
        {"host",    .text = &host_text},
        {"port",    .number = &port   },
    };
    struct sockaddr_in at = {.sin_family = AF_INET}, peer;
    struct in_addr host;
    socklen_t size = sizeof(at);
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    read_words(table, sizeof(table) / sizeof(*table), argc, argv);
    at.sin_port = htons((uint16_t)port);
    if (inet_pton(AF_INET, address, &at.sin_addr) != 1 || inet_pton(AF_INET, host_text, &host) != 1)
        return 64;
    if (bind(fd, (struct sockaddr *)&at, sizeof(at)) ||
        getsockname(fd, (struct sockaddr *)&at, &size))
        die("names: bind");
    printf("listening %d\n", ntohs(at.sin_port));
    fflush(stdout);
    for (;;) {
        unsigned char packet[PACKET + 64];
        socklen_t n_peer = sizeof(peer);
        const ssize_t n = recvfrom(fd, packet, PACKET, 0, (struct sockaddr *)&peer, &n_peer);
        const size_t n_answer = n > 0 ? answer(packet, (size_t)n, host) : 0;

        if (n_answer > 0)
            sendto(fd, packet, n_answer, 0, (struct sockaddr *)&peer, n_peer);
    }
}

/* storm: load and receiver for the tests that kill the service and count.
 *
 *   storm load --to HOST:PORT --sender ADDRESS --out FILE [--connections N] [--recipients N]
 *              [--pause-us N] [--name WORD] [--messages N]
 *   storm receive --listen HOST:PORT --out FILE [--mode accept|defer|mixed|nasty]
 *
 * Both write one line a fact, with one write(), before they go on; what is in FILE has happened.
 *   load:     A TIME ID MARK SHA256 NRCPT    the 250 of a message was read
 *             R TIME CODE MARK               it was refused
 *   receive:  D TIME MARK SHA256 NSIGNATURES RECIPIENT,...   taken; the 250 goes out next
 *             X TIME MARK SHA256 NSIGNATURES RECIPIENT,...   its dot came, and the connection was
 * cut TIME: seconds of CLOCK_MONOTONIC.  SHA256: of the body, after the header block.  The
 * recipients of a load's message are r1@dest.example, r2@... Threads: one a connection, blocking;
 * they share the file (O_APPEND) and nothing else. Fast enough that neither is what a test waits
 * for: some 10,000 messages a second. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STORM_LINE = 2048, STORM_DIGEST_TEXT = 65 };

struct storm_options {
    const char *address; /* HOST:PORT */
    const char *sender, *out, *mode, *name;
    long n_connections, n_recipients, n_messages, pause_us; /* n_messages: 0 is no end */
};

/* A blocking socket read line by line. */
struct storm_wire {
    int fd;
    size_t at, len;
    char octets[32768];
};

/* The next line without its CRLF, NUL-terminated; false when the peer left or the line is too
 * long.  line holds STORM_LINE bytes. */
bool storm_read_line(struct storm_wire *wire, char *line, size_t *length);

/* False when the peer left. */
bool storm_write(int fd, const char *octets, size_t n);

/* One printf'd line into the file of facts. */
void storm_note(int out_fd, const char *format, ...) __attribute__((format(printf, 2, 3)));

double storm_now(void);

/* Of "HOST:PORT": a connected socket with TCP_NODELAY, or one that listens; -1. */
int storm_connect(const char *text);
int storm_listen(const char *text, uint16_t *port);

int storm_load(const struct storm_options *options, int out_fd);
int storm_receive(const struct storm_options *options, int out_fd);

/* The sending side: one run of `load`, shared by its conversation and its clock.
 * Thread: one. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "letter.h"
#include "wire.h"

enum { MAX_PORTS = 16 };
enum tls_use { TLS_NONE, TLS_START, TLS_IMPLICIT };

struct load_settings {
    const char *address, *user, *password, *sender, *from_domain, *recipient_domain;
    int ports[MAX_PORTS];
    unsigned n_ports;
    enum tls_use tls;
    bool frames;   /* to the floor */
    bool mx_hosts; /* recipients' domains dN.RECIPIENT_DOMAIN; else RECIPIENT_DOMAIN itself */
    long window;   /* frames: unacknowledged on one connection at most */
    long connections, recipients, domains, per_connection, messages, first_id, size;
    double rate; /* messages a second; 0: as fast as they are taken */
};

struct message_times {
    int64_t dot_ns, done_ns; /* last octet handed to the kernel; reply read */
};

struct load {
    struct load_settings settings;
    struct letters letters;
    SSL_CTX *tls;
    char login[512]; /* AUTH PLAIN in base64 */
    int epoll;
    long n_begun, n_done, n_refused, n_allowed; /* allowed: by the rate */
    struct message_times *times;
    struct client *clients, *idle; /* idle: wait for the rate to allow a message */
    int64_t begin_ns, ready_ns;    /* first connection; all of them logged in */
    long n_ready;
    int64_t max_late_ns;
};

struct client {
    struct wire wire; /* first */
    struct load *load;
    unsigned state; /* load_session.c */
    long n_sent, n_replies, n_expected;
    long current;                /* message under way, from 0 */
    long *window;                /* frames: those unacknowledged, a ring */
    long window_from, in_window; /* frames */
    bool refused, is_idle, was_ready;
    struct client *next_idle;
};

void client_open(struct client *client);
void client_on_event(struct client *client);
/* The rate allows one more: begins it on a connection that waits for it, if there is one. */
void load_next(struct load *load);

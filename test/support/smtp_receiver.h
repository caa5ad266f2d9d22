/* A mail host on loopback that does as it is told: a thread a connection, replies chosen by a
 * function, everything it took kept for the test to look at.
 * Thread: the test's; behave() runs on the receiver's threads. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "relay/base/slice.h"

enum { RECEIVER_MOST = 2048 }; /* connections, and mails; one more aborts */

struct received {
    char sender[256];
    char recipients[64][256];
    unsigned n_recipients;
    char *data; /* unstuffed, NUL-terminated */
    size_t data_bytes;
};

struct smtp_receiver;

/* The reply to a command line ("MAIL FROM:...", "." for the end of data, "" for the greeting), or
 * NULL: the usual one.  RECEIVER_DROP closes the connection instead. */
typedef const char *receiver_behaviour(void *owner, const char *line);
#define RECEIVER_DROP "drop"

struct smtp_receiver *receiver_start(receiver_behaviour *behave, void *owner,
                                     const char *extensions); /* EHLO lines parted by blanks */
void receiver_stop(struct smtp_receiver *receiver);
uint16_t receiver_port(const struct smtp_receiver *receiver);

/* What arrived so far; rows stay where they are. */
unsigned receiver_n_received(struct smtp_receiver *receiver);
const struct received *receiver_received(struct smtp_receiver *receiver, unsigned at);
unsigned receiver_n_connections(struct smtp_receiver *receiver);
unsigned receiver_most_at_once(struct smtp_receiver *receiver);

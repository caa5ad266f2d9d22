/* Open connections and their deadlines: the library knows only silence.  server*.c alone.
 * Thread: the panel's. */
#pragma once

#include <microhttpd.h>

#include "webui/exchange.h"

struct guest {
    struct list links;
    int fd; /* the library's */
    int64_t deadline_ms;
    struct ip_address peer; /* as counted */
};

enum {
    GUEST_RECEIVE_MS = 30000, /* a whole request must be here, however it dribbles in */
    GUEST_SWEEP_MS = 1000,
    GUEST_MOST_OF_ONE = 64, /* of an address, v6: of its /64; of 256 */
};

/* Whether one more from there is let in over TCP: before a login anybody could else take every
 * connection there is.  Loopback may: there a reverse proxy asks for all the world. */
bool guest_may_come(const struct webui *webui, struct ip_address peer);
enum MHD_Result guest_judge_peer(void *cls, const struct sockaddr *address, socklen_t len);

/* Within so long something must be done; -1: the slow ones are we. */
void guest_expect(struct MHD_Connection *connection, int64_t within_ms);
int guest_fd(struct MHD_Connection *connection);

/* The library tells of a connection's begin and end. */
void guest_on_connection(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_ConnectionNotificationCode code);

/* Ends those that are late; false when it looked a moment ago. */
bool guest_sweep(struct webui *webui);

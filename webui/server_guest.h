/* Open connections and their deadlines: the library knows only silence.  server*.c alone.
 * Thread: the panel's. */
#pragma once

#include <microhttpd.h>

#include "webui/exchange.h"

enum {
    GUEST_RECEIVE_MS = 30000, /* a whole request must be here, however it dribbles in */
    GUEST_SWEEP_MS = 1000,
};

/* Within so long something must be done; -1: the slow ones are we. */
void guest_expect(struct MHD_Connection *connection, int64_t within_ms);
int guest_fd(struct MHD_Connection *connection);

/* The library tells of a connection's begin and end. */
void guest_on_connection(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_ConnectionNotificationCode code);

/* Ends those that are late; false when it looked a moment ago. */
bool guest_sweep(struct webui *webui);

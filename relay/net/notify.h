/* Tells systemd how the service is (sd_notify): one datagram to $NOTIFY_SOCKET.  Silent without
 * one.  Thread: any. */
#pragma once

#include <stdint.h>

/* Newline-separated assignments: "READY=1", "STOPPING=1", "STATUS=…". */
void notify_send(const char *assignments);
void notify_reloading(void); /* RELOADING=1 with MONOTONIC_USEC, as Type=notify-reload wants */

/* Half of $WATCHDOG_USEC when it is meant for this process, in ms; 0: no watchdog. */
int64_t notify_watchdog_ms(void);

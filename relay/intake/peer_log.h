/* Keeps what strangers can make us say within bounds: refusals, failed logins, broken handshakes.
 * Within one window an address (IPv6: a /64) gets PEER_LOG_LINES lines, and all addresses together
 * PEER_LOG_LINES_OF_ALL; what is beyond is counted, and the end of the window tells the exact
 * number: `suppressed ip=… n=…`, without ip for those that no longer had a place of their own.
 * Failed logins have as many lines once more, which nothing else can use up: who bans addresses by
 * them (fail2ban) must not be blinded by other noise of theirs.  Mail that was accepted is never
 * left out: who may send is accountable. Thread: the owner's (a loop); pure, the owner ends the
 * windows. */
#pragma once

#include "policy/key_table.h"
#include "relay/base/event.h"
#include "relay/base/list.h"
#include "relay/net/socket_address.h"

enum {
    PEER_LOG_WINDOW_MS = 60000,
    PEER_LOG_LINES = 200,          /* of either budget */
    PEER_LOG_LINES_OF_ALL = 10000, /* of either budget */
    PEER_LOG_PEERS = 4096,         /* remembered in one window */
};

enum peer_log_budget { PEER_LOG_LOGINS, PEER_LOG_REST, N_PEER_LOG_BUDGETS };

struct peer_log {
    struct key_table table;
    struct list peers;                    /* in order of appearance */
    uint32_t n_lines[N_PEER_LOG_BUDGETS]; /* said in this window */
    uint64_t n_others;                    /* left out, of peers beyond PEER_LOG_PEERS */
};

void peer_log_init(struct peer_log *log);

/* May an event of this kind be said of this peer now?  When not, it is counted; events below the
 * log's level are neither said nor counted. */
bool peer_log_may(struct peer_log *log, enum event_kind kind, struct ip_address peer);

/* Tells what was left out and forgets everybody. */
void peer_log_end_window(struct peer_log *log);

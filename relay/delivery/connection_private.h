/* What the files of a connection share: connection.c (its life, and what the dispatch asks),
 * connection_open.c (finding a host), connection_talk.c (the conversation), connection_loss.c. */
#pragma once

#include "relay/delivery/connection.h"

/* ---- connection.c ---- */

/* Its transaction is over for the site's counts. */
void connection_settle(struct connection *connection, bool is_kept);
void connection_drop_stream(struct connection *connection);
void connection_close_soon(struct connection *connection);     /* freed on a later turn */
void connection_release_former(struct connection *connection); /* the replies to it are read */
/* This host or address would not do: the next one, on a later turn. */
void connection_try_another(struct connection *connection);
void connection_note_trouble(struct connection *connection, const struct smtp_reply *reply,
                             bool is_permanent);
void connection_give_up(struct connection *connection);

/* ---- connection_open.c ---- */

void connection_try_next(struct connection *connection);
void connection_cancel_lookup(struct connection *connection);

/* ---- connection_talk.c ---- */

extern const struct stream_handlers connection_handlers;
struct slice connection_host(const struct connection *connection); /* the one it is at */
void connection_end_transaction(struct connection *connection);    /* the client says how */
void connection_doubt_v6(struct connection *connection);
void connection_fail_host(struct connection *connection); /* it spoke, and does not let us in */
void connection_on_closed(struct connection *connection);
void connection_flush(struct connection *connection);
void connection_note_progress(struct connection *connection);
void connection_become_ready(struct connection *connection);
void connection_quit(struct connection *connection);

/* ---- connection_loss.c ---- */

/* The peer has so long to answer.  After a tenth of it (30 s of the five minutes that most replies
 * may take) the schedule knows that this one hangs. */
void connection_await(struct connection *connection, int64_t patience_ms);
void connection_hears(struct connection *connection); /* it hangs no more */

void connection_on_timer(struct timer *timer);
void connection_on_end(void *owner, enum stream_end why, const char *detail);
void connection_fail_tls(struct connection *connection, const char *detail);

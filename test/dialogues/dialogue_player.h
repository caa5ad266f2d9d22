/* The owner of a session in a dialogue: answers what the session asks, notes it as events, feeds
 * what the client says in pieces.  Test code, one thread. */
#pragma once

#include "relay/smtp/server_session.h"

enum { N_QUESTIONS = SMTP_STEP_CLOSE + 1 };

struct player {
    const char *file;
    unsigned line_number;
    size_t piece; /* octets fed at once; 0: all */
    struct smtp_server server;
    bool is_started, is_closed, has_failed;
    struct buffer to_send, replies, reply, events, body;
    size_t n_events_read;                     /* octets of events that an O: has passed */
    struct smtp_reply decisions[N_QUESTIONS]; /* code 0: the default */
    struct buffer decision_texts[N_QUESTIONS];
};

void player_complain(struct player *player, const char *what, struct slice wanted,
                     struct slice got);

/* Feeds one piece, and answers every step until the session wants more. */
void player_feed_piece(struct player *player, struct slice piece);

/* Feeds all that the client has said so far, cut into pieces. */
void player_feed_pending(struct player *player);

/* Moves the session's output to the replies. */
void player_take_output(struct player *player);

/* Conversations of the client session as rows.  Each runs twice, the server's bytes whole and one
 * at a time, and must give the same commands and the same steps. */
#pragma once

#include "relay/smtp/client_session.h"

struct row {
    char kind; /* S: the server says, C: we said since, E: steps since, L: lost, Q: quit */
    const char *text;
};

struct conversation {
    struct smtp_client_settings settings;
    const struct smtp_transaction *mails[3];
    const char *body; /* NULL: "Hi\r\n" */
    struct row rows[40];
};

/* The one that is played. */
extern struct talk {
    const struct conversation *now;
    struct smtp_client client;
    struct buffer commands, steps; /* since the last 'C' row, the last 'E' row */
    unsigned n_sent;               /* mails */
} talk;

void conversation_play(const struct conversation *conversation);

/* The same by hand. */
void conversation_begin(const struct conversation *conversation);
enum smtp_client_step conversation_feed(struct slice input); /* the last step */
void conversation_note(enum smtp_client_step step);          /* does what it asks for */

int conversation_forget(void **state); /* a group's tear-down */

/* clang-format 14 falls over rows of unequal length made by macros. */
/* clang-format off */
#define ME .ehlo_name = SLICE_LITERAL("me.example")

extern const struct smtp_transaction plain_mail; /* from s@y.org to a@x.org and b@x.org */

/* Up to the first READY, with and without PIPELINING. */
#define GREET_PIPELINING                                                                           \
    {'S', "220 x\r\n"}, {'C', "EHLO me.example\r\n"}, {'S', "250-x\r\n250 PIPELINING\r\n"}
#define GREET_PLAIN {'S', "220 x\r\n"}, {'C', "EHLO me.example\r\n"}, {'S', "250 x\r\n"}
#define GROUP                                                                                      \
    {'C', "MAIL FROM:<s@y.org>\r\nRCPT TO:<a@x.org>\r\nRCPT TO:<b@x.org>\r\nDATA\r\n"}
/* clang-format on */

/* What the three files of the client session share; nobody else includes it.
 *     client_session.c      the cursor over replies, how sessions end
 *     client_greeting.c     banner, EHLO, STARTTLS, AUTH
 *     client_transaction.c  RSET, MAIL, RCPT, DATA, dot
 * Thread: the owner's. */
#pragma once

#include "relay/smtp/client_session.h"

enum client_state {
    CLIENT_AWAITS_BANNER,
    CLIENT_AWAITS_EHLO,
    CLIENT_AWAITS_HELO,
    CLIENT_AWAITS_STARTTLS,
    CLIENT_IN_HANDSHAKE,
    CLIENT_AWAITS_AUTH,
    CLIENT_IDLE,
    CLIENT_IN_TRANSACTION, /* commands are out: RSET, MAIL, RCPT, DATA */
    CLIENT_IN_BODY,
    CLIENT_AWAITS_DOT,
    CLIENT_AWAITS_LONE_DOT, /* 354 although nobody was accepted: an empty body ends it */
    CLIENT_HAS_FAILED,      /* told SESSION_FAILED; only QUIT is left */
    CLIENT_AWAITS_QUIT,
    CLIENT_IS_OVER,
    N_CLIENT_STATES
};

/* Positions of a transaction's commands; the DATA command stands behind the last RCPT. */
enum { AT_RSET, AT_MAIL, AT_FIRST_RECIPIENT };

void client_say(struct smtp_client *client, const char *line); /* line without CRLF */

/* A reply of our own making in client->words. */
void client_set_reply(struct smtp_client *client, uint16_t code, struct enhanced_status status,
                      const char *text);

/* SESSION_FAILED with the reply at hand; the connection still takes a QUIT. */
enum smtp_client_step client_fail_session(struct smtp_client *client);

/* The peer said something this place does not know: whatever is under way fails for now. */
enum smtp_client_step client_protocol_error(struct smtp_client *client, const char *problem);

/* Nothing more can be read or said; tells the owner what that ends. */
enum smtp_client_step client_end(struct smtp_client *client);

enum smtp_client_step client_on_banner(struct smtp_client *client);
enum smtp_client_step client_on_ehlo(struct smtp_client *client);
enum smtp_client_step client_on_helo(struct smtp_client *client);
enum smtp_client_step client_on_starttls(struct smtp_client *client);
enum smtp_client_step client_on_auth(struct smtp_client *client);

enum smtp_client_step client_on_transaction(struct smtp_client *client);
enum smtp_client_step client_on_early_reply(struct smtp_client *client);
enum smtp_client_step client_on_dot(struct smtp_client *client);
enum smtp_client_step client_on_lone_dot(struct smtp_client *client);

/* What the reply at the second cursor answers. */
enum smtp_phase client_transaction_phase(const struct smtp_client *client);

/* Becomes idle when the outcome is told and every reply has come. */
void client_settle(struct smtp_client *client);

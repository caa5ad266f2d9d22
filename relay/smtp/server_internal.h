/* What the files of the server session share; nobody else includes it.
 * server_session.c   feeding, deciding, closing     server_verbs.c   the verb table, small verbs
 * server_auth.c      AUTH                           server_mail.c    MAIL and RCPT
 * server_data.c      DATA and BDAT                  server_parameters.c   SIZE=, NOTIFY= and so on
 * Thread: the owner's. */
#pragma once

#include "relay/smtp/server_session.h"

/* "Nothing for the owner to do": the session goes on reading. */
#define STEP_NONE ((enum smtp_step)0)

/* What the next octets of input are. */
enum server_mode {
    MODE_COMMANDS,
    MODE_AUTH, /* a line of the AUTH exchange */
    MODE_DATA,
    MODE_CHUNK,        /* BDAT octets for the body */
    MODE_SWALLOW,      /* BDAT octets for nobody */
    MODE_MESSAGE_ENDS, /* none: the owner is asked about the message next */
    MODE_TLS,          /* anything before the handshake is thrown away */
    N_MODES
};

/* Each takes input and returns a step, or STEP_NONE to be called on. */
enum smtp_step smtp_read_command(struct smtp_server *server, struct slice *input);
enum smtp_step smtp_read_auth(struct smtp_server *server, struct slice *input);
enum smtp_step smtp_read_data(struct smtp_server *server, struct slice *input);
enum smtp_step smtp_read_chunk(struct smtp_server *server, struct slice *input);
enum smtp_step smtp_swallow_chunk(struct smtp_server *server, struct slice *input);

/* Verbs: arguments are what stands behind the verb, without blanks around. */
enum smtp_step smtp_on_auth(struct smtp_server *server, struct slice arguments);
enum smtp_step smtp_on_mail(struct smtp_server *server, struct slice arguments);
enum smtp_step smtp_on_rcpt(struct smtp_server *server, struct slice arguments);
enum smtp_step smtp_on_data(struct smtp_server *server, struct slice arguments);
enum smtp_step smtp_on_bdat(struct smtp_server *server, struct slice arguments);

/* What the parameters of MAIL or RCPT are read into; the slices look at the line. */
struct smtp_parameters {
    struct smtp_mail mail;
    struct smtp_recipient recipient;
    uint64_t size_limit;
    bool is_utf8; /* RCPT: MAIL stated SMTPUTF8 */
};

/* rest is what stands behind the path; NULL, or the reply that refuses it. */
const struct smtp_reply *smtp_read_mail_parameters(struct slice rest, struct smtp_parameters *into);
const struct smtp_reply *smtp_read_rcpt_parameters(struct slice rest, struct smtp_parameters *into);

/* What the owner decided; the reply is theirs to print. */
void smtp_login_decided(struct smtp_server *server, struct smtp_reply reply);
void smtp_sender_decided(struct smtp_server *server, struct smtp_reply reply);
void smtp_recipient_decided(struct smtp_server *server, struct smtp_reply reply);
void smtp_body_decided(struct smtp_server *server, struct smtp_reply reply);
void smtp_message_decided(struct smtp_server *server, struct smtp_reply reply);

/* Replies.  Those that count as errors bring the 421 nearer. */
enum smtp_step smtp_answer(struct smtp_server *server, struct smtp_reply reply);
enum smtp_step smtp_answer_error(struct smtp_server *server, struct smtp_reply reply);
enum smtp_step smtp_close_with(struct smtp_server *server, struct smtp_reply reply);

/* Returns step after noting that its decision is awaited. */
enum smtp_step smtp_ask(struct smtp_server *server, enum smtp_step step);

bool smtp_is_in_transaction(const struct smtp_server *server);

/* Forgets the transaction, if there is one; SMTP_STEP_TRANSACTION_ENDS or STEP_NONE. */
enum smtp_step smtp_end_transaction(struct smtp_server *server);

/* Whether the AUTH exchange may start: offered in EHLO by the same rule. */
static inline bool smtp_may_auth(const struct smtp_server *server)
{
    return (server->settings.is_tls || server->settings.plain_auth) &&
           !server->settings.bounces_only && !server->is_logged_in;
}

/* Wipes what the AUTH exchange left. */
void smtp_forget_secret(struct smtp_server *server);

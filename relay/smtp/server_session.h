/* The server's side of SMTP: bytes in, next step out.  Pure: no I/O, no clock, no thread.  It reads
 * commands and bodies, keeps the order of a session, and asks its owner whatever only the owner can
 * know.  All waiting is therefore visible in one place, the owner's switch over enum smtp_step.
 * Thread: the owner's.  Memory: bounded; addresses live in an arena that dies with the transaction.
 * RFC 5321, 6409, 4954, 3207, 1870, 2920, 3030, 6152, 6531, 3461, 2034, 9422. */
#pragma once

#include "relay/base/arena.h"
#include "relay/smtp/body_reader.h"
#include "relay/smtp/command_line.h"
#include "relay/smtp/reply.h"
#include "relay/smtp/server_transaction.h"

struct smtp_server_settings {
    struct slice hostname;   /* outlives the session */
    uint64_t size_limit;     /* octets of a message, as EHLO says */
    uint32_t max_recipients; /* of one transaction */
    uint32_t max_errors;     /* then 421; 0: 20 */
    bool offers_starttls, is_tls;
    bool needs_auth;      /* false: the address is in a user's network */
    bool plain_auth;      /* AUTH also without TLS */
    bool repair_newlines; /* bare CR and bare LF in bodies become CRLF */
    bool bounces_only;    /* listener with auth = "none": MAIL FROM:<> alone, AUTH not offered */
};

enum smtp_step {
    SMTP_STEP_MORE = 1,         /* input is used up: write the output, wait for bytes */
    SMTP_STEP_FLUSH,            /* output grew long: write it, feed on when the peer has taken it */
    SMTP_STEP_START_TLS,        /* write the output, drop all input, shake hands, _tls_started() */
    SMTP_STEP_AUTHENTICATE,     /* decide 235, 535 5.7.8, 454 4.7.0: login, good until decided */
    SMTP_STEP_SENDER,           /* decide 250 2.1.0 or a refusal: mail */
    SMTP_STEP_RECIPIENT,        /* decide 250 2.1.5 or a refusal: recipient */
    SMTP_STEP_BODY_BEGINS,      /* decide 354 (for BDAT too), or a refusal: ends the transaction */
    SMTP_STEP_BODY,             /* take chunk, feed on; good until then */
    SMTP_STEP_MESSAGE_ENDS,     /* the body was clean: store it, decide; ends the transaction */
    SMTP_STEP_TRANSACTION_ENDS, /* drop what was collected; body_verdict may say why; feed on */
    SMTP_STEP_CLOSE             /* write the output and close; input is taken no more */
};

enum smtp_server_state {
    SMTP_CONNECTED, /* no EHLO yet, or forgotten after STARTTLS */
    SMTP_GREETED,
    SMTP_HAS_SENDER,
    SMTP_HAS_RECIPIENT,
    SMTP_IN_CHUNKS,     /* at least one BDAT, LAST has not come */
    SMTP_CHUNKS_FAILED, /* further chunks are swallowed until LAST, RSET, EHLO or MAIL */
};

struct smtp_server {
    /* For the owner to read.  Addresses are copies in arena, which dies with the transaction; what
     * the owner keeps as long may go there too. */
    struct smtp_server_settings settings; /* is_tls as it is now */
    enum smtp_server_state state;
    struct arena arena;
    struct smtp_login login;
    struct smtp_mail mail;
    struct smtp_recipient recipient;
    uint32_t n_recipients; /* accepted in this transaction */
    struct slice chunk;
    struct body_reader body;        /* n_octets, longest_line, is_eight_bit of the body */
    enum body_verdict body_verdict; /* of the body that ended last */
    unsigned n_errors;              /* since the last accepted message: slow down by it */
    bool is_esmtp, is_logged_in;
    bool is_reading_body; /* DATA or a chunk is on its way: the body's deadlines hold */
    char helo[256];       /* as given, cut to fit; empty before EHLO */

    /* Private. */
    struct buffer output;
    struct command_line_reader lines;
    uint64_t chunk_left; /* octets of the BDAT chunk still to come */
    char *secret;        /* decoded AUTH exchange, wiped when decided */
    size_t secret_len;
    enum smtp_step awaiting, next_step;
    uint8_t mode, auth_stage;
    bool is_last_chunk, is_closing, has_tried_recipients;
};

/* settings is copied; fini gives all memory back. */
void smtp_server_init(struct smtp_server *server, const struct smtp_server_settings *settings);
void smtp_server_fini(struct smtp_server *server);

/* Before the first feed: the 220, or a reply that turns the client away (421, 554) and closes. */
void smtp_server_greet(struct smtp_server *server);
void smtp_server_refuse(struct smtp_server *server, struct smtp_reply reply);

/* Takes from input up to the next step.  Not to be called while a decision or TLS is awaited; after
 * every step but MORE, FLUSH and CLOSE it is called again at once, also with empty input. */
enum smtp_step smtp_server_feed(struct smtp_server *server, struct slice *input);

/* The replies so far; the owner sends them and clears the buffer.  Worth doing at MORE, FLUSH,
 * START_TLS and CLOSE, and whenever a decision may take a while. */
struct buffer *smtp_server_output(struct smtp_server *server);

/* The answer to AUTHENTICATE, SENDER, RECIPIENT, BODY_BEGINS, MESSAGE_ENDS.  A 421 closes. */
void smtp_server_decide(struct smtp_server *server, struct smtp_reply reply);
static inline bool smtp_server_awaits_decision(const struct smtp_server *server)
{
    return server->awaiting != 0;
}

/* One text for every failed login, so that it tells nothing about users. */
#define SMTP_BAD_LOGIN SMTP_REPLY(535, 5, 7, 8, "Authentication credentials invalid")

/* TLS runs: EHLO and login are forgotten (RFC 3207 4.2). */
void smtp_server_tls_started(struct smtp_server *server);

/* 421 and no more input is taken; feed then says CLOSE.  Shutdown waits for nothing: ask
 * smtp_server_is_idle() first to let a transaction end. */
void smtp_server_timeout(struct smtp_server *server);  /* 421 4.4.2 */
void smtp_server_shutdown(struct smtp_server *server); /* 421 4.3.2 */
bool smtp_server_is_idle(const struct smtp_server *server);

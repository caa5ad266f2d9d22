/* The sending side of one SMTP connection: bytes in, next step out, no I/O.  Two cursors (next
 * command to send, next reply awaited) are all that PIPELINING is (RFC 2920); without it the first
 * one waits for the second.  RFC 5321, 3207, 4954, 1870, 6152, 6531, 3461, 2034, 9422.
 *
 * The owner writes smtp_client_output() to the peer and clears it after every call in here, and
 * feeds what the peer says:
 *     do {
 *         switch (smtp_client_feed(client, &input)) { ... one case a step ... }
 *     } while (step != SMTP_CLIENT_MORE && step != SMTP_CLIENT_CLOSED);
 * Every transaction ends in exactly one of MESSAGE_REPLIED, NO_RECIPIENT or TRANSACTION_FAILED;
 * READY follows when the next one may begin, CLOSED when none can.  Waiting: whenever MORE is
 * returned, a timer of smtp_phase_timeout_ms(client->phase) starts anew.
 * Thread: the owner's; pure. */
#pragma once

#include "relay/smtp/body_writer.h"
#include "relay/smtp/client_peer.h"
#include "relay/smtp/envelope_parameters.h"
#include "relay/smtp/phase.h"
#include "relay/smtp/reply_reader.h"

enum smtp_client_step {
    SMTP_CLIENT_MORE,              /* feed more input */
    SMTP_CLIENT_START_TLS,         /* hand-shake, then smtp_client_tls_started() */
    SMTP_CLIENT_READY,             /* peer is known: smtp_client_send() or smtp_client_quit() */
    SMTP_CLIENT_RECIPIENT_REPLIED, /* recipient [recipient_index] got reply */
    SMTP_CLIENT_SEND_BODY,         /* 354: smtp_client_body() ..., smtp_client_body_end() */
    SMTP_CLIENT_MESSAGE_REPLIED,   /* reply to the final dot: for every accepted recipient */
    SMTP_CLIENT_NO_RECIPIENT,      /* each one was refused by a reply of its own; or ends_at_rcpt */
    SMTP_CLIENT_TRANSACTION_FAILED, /* reply in phase: for all but those refused before */
    SMTP_CLIENT_SESSION_FAILED,     /* reply in phase, before READY: no mail through this one */
    SMTP_CLIENT_CLOSED              /* close the connection; reply says why (221, 421, ...) */
};

enum smtp_client_tls { SMTP_CLIENT_TLS_NEVER, SMTP_CLIENT_TLS_MAY, SMTP_CLIENT_TLS_MUST };

/* All slices must outlive the session. */
struct smtp_client_settings {
    struct slice ehlo_name;
    enum smtp_client_tls tls;    /* MAY: an offer is taken; a polite refusal goes on in clear */
    bool is_secure;              /* TLS since before the banner (port 465) */
    struct slice user, password; /* smart host; empty user: no AUTH */
    bool auth_in_clear;          /* else AUTH only under TLS */

    /* Told of each reply as it is read, for who shows the conversation; may be NULL.  It only
     * looks. */
    void (*heard)(void *owner, enum smtp_phase phase, const struct smtp_reply *reply);
    void *owner;
};
struct smtp_client_recipient {
    struct slice address; /* local@domain, quoted where needed */
    struct slice orcpt;   /* as received, or empty; said only to a peer with DSN */
    uint8_t notify;       /* bits of enum smtp_notify; 0: not stated */
};

/* Must outlive the transaction. */
struct smtp_transaction {
    struct slice sender; /* empty: <> */
    struct slice envid;  /* as received (xtext), or empty; said only to a peer with DSN */
    enum smtp_ret ret;
    uint64_t size;                  /* bytes of the body; 0: not said */
    bool is_eight_bit, is_smtputf8; /* BODY=8BITMIME, SMTPUTF8 */
    bool has_priority;              /* said only to a peer with MT-PRIORITY (RFC 6710) */
    int priority;                   /* -9 to 9 */
    bool ends_at_rcpt;              /* a test: RSET instead of DATA */
    const struct smtp_client_recipient *recipients;
    uint32_t n_recipients; /* at least 1 */
};

/* The transaction cannot be said to this peer (8 bits or UTF-8 it does not offer) or to anyone
 * (an address with control characters): the owner's choice was wrong; nothing was written. */
enum { SMTP_CLIENT_UNSENDABLE = 1 };

struct smtp_client {
    /* for the owner to read */
    enum smtp_phase phase;   /* what the step's reply answers; after MORE: what is awaited */
    struct smtp_reply reply; /* of the step; good until the next call */
    uint32_t recipient_index;
    uint32_t n_accepted;    /* recipients of this transaction */
    bool is_secure;         /* TLS is on */
    bool is_doubtful;       /* ended between final dot and its reply: may be delivered */
    bool is_protocol_error; /* the peer broke the protocol; reply is ours (451 4.5.0) */
    bool tls_was_refused;   /* TLS_MAY: the peer offered and then refused STARTTLS */
    struct smtp_client_peer peer;

    /* private */
    struct smtp_client_settings settings;
    const struct smtp_transaction *transaction;
    struct reply_reader reader;
    struct body_writer body;
    struct buffer output;
    uint32_t next_command, next_reply; /* the cursors: positions in a transaction */
    uint8_t state, auth_step;          /* rows of tables in the .c files */
    bool must_reset;              /* the peer still holds a sender: RSET before the next MAIL */
    bool outcome_told, has_reply; /* the owner knows how it ended; holds a reply */
    bool owes_ready, owes_no_recipient; /* steps to return before more is read */
    char words[320];                    /* text of replies made here */
};

/* Nothing is sent before the banner. */
void smtp_client_init(struct smtp_client *client, const struct smtp_client_settings *settings);
void smtp_client_fini(struct smtp_client *client);

/* Takes bytes off input until there is a step.  Call again, also with nothing left, until it
 * returns MORE or CLOSED.  While a body is being written, feed what comes as well: a peer may
 * refuse it early. */
enum smtp_client_step smtp_client_feed(struct smtp_client *client, struct slice *input);

void smtp_client_tls_started(struct smtp_client *client);

/* After READY only.  0, SMTP_CLIENT_UNSENDABLE or -ENOMEM. */
MUST_USE int smtp_client_send(struct smtp_client *client,
                              const struct smtp_transaction *transaction);

/* After SEND_BODY; keep an eye on the output's length.  0, or BODY_UNCLEAN or -ENOMEM: the
 * connection must be closed at once (the body has no end, so the peer drops it). */
MUST_USE int smtp_client_body(struct smtp_client *client, struct slice chunk);
MUST_USE int smtp_client_body_end(struct smtp_client *client);

/* Writes QUIT where it is allowed and returns true: feed until CLOSED.  False: just close. */
bool smtp_client_quit(struct smtp_client *client);

/* The connection is gone, or a deadline passed (why: "Connection lost", "Timed out").  Returns
 * what that means for what was under way: TRANSACTION_FAILED, SESSION_FAILED or CLOSED, with
 * reply {code 0, 4.4.2}, phase and is_doubtful set.  Nothing may be fed after it. */
enum smtp_client_step smtp_client_lost(struct smtp_client *client, const char *why);

struct buffer *smtp_client_output(struct smtp_client *client);

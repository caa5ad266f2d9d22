/* One SMTP session: joins the pure server (relay/smtp) with a stream, the policy thread and the
 * spool.  All its waiting is in one place, advance() in session.c.
 * Thread: the loop's; private to relay/intake. */
#pragma once

#include "policy/authenticator.h"
#include "policy/quotas.h"
#include "policy/sessions.h"
#include "relay/intake/collector.h"
#include "relay/intake/shard.h"
#include "relay/net/stream.h"
#include "relay/smtp/server_session.h"

/* What a session waits for; nothing is fed to the SMTP server meanwhile. */
enum session_wait {
    SESSION_RUNS, /* only within advance() */
    SESSION_WAITS_INPUT,
    SESSION_WAITS_TICKET, /* may this address open one more? */
    SESSION_WAITS_TLS,
    SESSION_WAITS_LOGIN,
    SESSION_WAITS_SPOOL,    /* a commit, or bytes of a long message */
    SESSION_WAITS_QUOTA,    /* what may leave of it (quota.c) */
    SESSION_WAITS_PEER,     /* to take our output */
    SESSION_WAITS_PATIENCE, /* a reply that is slow on purpose */
    SESSION_CLOSES,
};

/* Whether the policy thread counted this message. */
enum session_quota {
    SESSION_QUOTA_NONE,     /* nothing was asked */
    SESSION_QUOTA_ASKED,    /* and the answer is awaited */
    SESSION_QUOTA_UNWANTED, /* and the message did not come: it is given back */
    SESSION_QUOTA_KNOWN,
    SESSION_QUOTA_SPENT,  /* the message is being stored */
    SESSION_QUOTA_SLOWED, /* its reply waits */
};

struct session {
    struct list links; /* in shard->sessions, until it is freed */
    struct intake_shard *shard;
    struct intake_config *config;
    const struct intake_listener *listener;
    struct stream *stream; /* NULL once it ended */
    struct smtp_server smtp;
    enum session_wait wait;
    unsigned n_pending; /* requests under way: the session outlives its connection for them */
    bool is_told_to_stop, made_progress;
    bool is_advancing; /* inside advance(): whoever ends or resumes it leaves the rest to that */
    bool is_peer_done; /* it sent all it will: answer what is under way, then close */

    struct ip_address peer;
    char peer_text[IP_TEXT_SIZE];
    uint32_t user_id; /* who it sends as; 0: nobody */
    bool is_user_counted;

    struct session_request ticket;
    struct login_request login;
    struct quota_request quota;
    enum session_quota quota_state;

    struct timer deadline, patience, rate;
    struct timer slowness;  /* a user over its rate */
    unsigned n_errors_paid; /* errors whose delay has been served */
    uint64_t rate_mark;     /* bytes read when the present minute began */

    /* The transaction. */
    struct collector_owner collector_owner;
    struct collector collector;
    struct recipient *recipients; /* grown on the heap; texts in smtp.arena */
    uint32_t n_recipients, recipients_size;
    uint32_t *seen; /* hashed set of recipients: index + 1, 0: free */
    uint32_t seen_size;
    struct envelope envelope;
    struct spool_append append;
    struct buffer sentence;    /* the text of a reply that is made at run time */
    struct smtp_reply refusal; /* said when what was collected is gone */
    char from_domain[256];
    struct message_hold hold;
    struct buffer hold_reason;
};

/* Takes fd.  Without memory the connection is closed. */
void session_begin(struct intake_shard *shard, struct intake_config *config,
                   const struct intake_listener *listener, int fd,
                   const struct socket_address *peer);

/* 421 as soon as no transaction is open; at once when it is overdue. */
void session_shut_down(struct session *session, bool is_overdue);

/* The loop has stopped: frees it whatever is under way. */
void session_abandon(struct session *session);

/* ---- between the files of the session ---- */

/* The request that the session waited for is answered: go on, or away. */
void session_resume(struct session *session);
void session_decide(struct session *session, struct smtp_reply reply); /* and go on */
void session_end(struct session *session);

void session_greet(struct session *session);
extern const struct stream_handlers session_handlers;

/* The user it sends as, in the newest snapshot; NULL when nobody, gone or disabled. */
const struct user *session_user(const struct session *session);

void session_login(struct session *session); /* login.c: SMTP_STEP_AUTHENTICATE */
void session_count_user(struct session *session, void (*then)(struct session_request *));

/* recipients.c */
struct smtp_reply session_judge_recipient(struct session *session);

/* transaction.c */
struct smtp_reply session_judge_sender(struct session *session);
struct smtp_reply session_begin_body(struct session *session);
void session_take_body(struct session *session);
void session_end_message(struct session *session);
void session_drop_transaction(struct session *session);

void session_finish(struct session *session, struct smtp_reply reply);
void session_quota_came(struct session *session); /* it waited for that alone */

/* quota.c: what the user may send */
bool session_ask_quota(struct session *session); /* false: too much waits there, refuse */
void session_return_quota(struct session *session);
struct smtp_reply session_judge_quota(struct session *session); /* code 0: no objection */
const struct message_hold *session_hold(struct session *session, const struct user *user);
enum message_class session_class(struct session *session, const struct user *user);
void session_note_accepted(struct session *session);
bool session_is_slowed(struct session *session, struct smtp_reply reply);
void session_quota_init(struct session *session);
void session_quota_fini(struct session *session);

/* patience.c: deadlines, and slowness on purpose */
void session_set_deadline(struct session *session);
void session_watch_rate(struct session *session);
bool session_must_be_slow(struct session *session); /* and then it waits */
void session_patience_init(struct session *session);
void session_patience_fini(struct session *session);

/* The submission service: sessions on every loop, each joining the pure SMTP server with a stream,
 * policy and the spool.  Accepts first: what a user may send is taken and made durable before its
 * 250; only a full disk answers 4xx.
 *
 * main.c, in this order: intake_new() when the loops are made; intake_subscribe() to the registry;
 * intake_apply() with settings and sockets, at the start and at each reload (sessions under way
 * keep what they began with); intake_drain() at SIGTERM; intake_free() when the loops have stopped.
 * Thread: the starting thread, but where said otherwise. */
#pragma once

#include "policy/quota_book.h"
#include "policy/registry.h"
#include "relay/net/loop.h"
#include "relay/net/tls_context.h"

struct intake;
struct policy;
struct spool;

struct intake_parts {
    struct loop **loops;
    unsigned n_loops;
    struct policy *policy;
    struct spool *spool;
};

struct intake_settings {
    const char *hostname;
    uint64_t message_size; /* bytes */
    uint32_t max_recipients;
    int64_t idle_ms, idle_before_login_ms, data_idle_ms;
    int64_t expire_ms;          /* queue life of what is accepted */
    uint64_t least_rate;        /* bytes a second, over a minute; 0: none */
    uint64_t body_memory;       /* bytes, all sessions together */
    struct quota_limits quotas; /* of users without figures of their own */
};

enum intake_tls { INTAKE_TLS_NONE, INTAKE_TLS_STARTTLS, INTAKE_TLS_IMPLICIT };

struct intake_listener {
    const char *name;
    int fd; /* the caller's; duplicated */
    enum intake_tls tls;
    bool bounces_only; /* auth = "none" */
    bool plain_auth, repair_newlines;
};

/* 0 or -errno.  The parts outlive the intake. */
MUST_USE int intake_new(struct intake **out, const struct intake_parts *parts);
struct intake *intake_free(struct intake *intake); /* NULL in, NULL out */

void intake_subscribe(struct intake *intake, struct registry *registry);

/* From now on new sessions come from these listeners with these settings; texts are copied, tls
 * (NULL without TLS) is referenced.  Any one thread.  0, and then done runs on the asker's thread
 * when every loop goes by them; or -errno and everything stays. */
struct intake_applied {
    struct task task;
    struct mailbox *answer_to;
    void (*done)(struct intake_applied *applied);
    _Atomic unsigned n_left; /* intake's */
};
MUST_USE int intake_apply(struct intake *intake, const struct intake_settings *settings,
                          struct tls_context *tls, const struct intake_listener *listeners,
                          size_t n_listeners, struct intake_applied *applied);

/* Takes no new sessions and ends the open ones after their transaction, at last after
 * INTAKE_DRAIN_MS.  done runs on the asker's thread when none is left.  Any thread. */
enum { INTAKE_DRAIN_MS = 15000 }; /* and a closing stream may take ten more */
struct intake_drain {
    struct task task;
    struct mailbox *answer_to;
    void (*done)(struct intake_drain *drain);
    _Atomic unsigned n_left; /* intake's */
};
void intake_drain(struct intake *intake, struct intake_drain *drain);

/* Listeners that accept now, over all loops; health asks.  Any thread. */
unsigned intake_n_accepting(const struct intake *intake);

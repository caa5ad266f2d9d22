/* A loop's way to the signer: asks, never waits.  Requests of one turn travel together; at most
 * SIGNER_WINDOW are under way, the rest wait here, in the requests themselves.  done() always runs
 * on a later turn.  While no signer answers, every request ends with SIGN_DOWN or KEY_SIGNER_DOWN,
 * also those under way when it went; the asker tries again after on_change(true).
 * Thread: the loop's; signer_link_add_loop() any. */
#pragma once

#include "relay/base/list.h"
#include "relay/net/loop.h"
#include "signer/protocol.h"

struct signer_client;

/* on_change (may be NULL) runs on a later turn: when a signer answers, when it no longer does. */
MUST_USE int signer_client_new(struct signer_client **out, struct loop *loop,
                               void (*on_change)(void *owner, bool is_up), void *owner);
/* Forgets all requests, as signer_forget() does.  Accepts NULL, returns NULL. */
struct signer_client *signer_client_free(struct signer_client *client);

/* Takes fd, a loop's end of a channel, in place of the former one.  0 or -errno. */
MUST_USE int signer_client_connect(struct signer_client *client, int fd);
void signer_client_disconnect(struct signer_client *client);
bool signer_client_is_up(const struct signer_client *client);

/* From the relay's end of the link that the parent hands out (CHANNEL_PEER): makes a channel, sends
 * one end to the signer; *loop_fd is for signer_client_connect() on its loop.  0 or -errno. */
MUST_USE int signer_link_add_loop(int link_fd, int *loop_fd);

/* What both kinds of request begin with; the client's own until done(). */
struct signer_request {
    struct list links;
    uint64_t id; /* 0: not sent */
    struct signer_client *client;
    enum signer_record_kind kind;
    bool is_refused; /* cannot be sent as it is */
};

/* The bytes are prefix + length bytes of fd from offset; they are to leave as they are hashed.
 * fd and what slices look at stay good until done(). */
struct sign_request {
    struct signer_request base;
    void (*done)(struct sign_request *request); /* may free the request */
    int fd;
    bool once; /* a memory file: pass fd now and forget it; else the signer keeps it */
    uint64_t offset, length;
    uint32_t crc;        /* CRC-32C of those length bytes */
    uint32_t life_s;     /* x= this long after t=; 0: no x= */
    struct slice prefix; /* whole header fields that are rendered in front; ≤ SIGNER_PREFIX_MAX */
    struct slice domain; /* of From, in A-labels */
    struct slice selector; /* empty: the domain's active keys; else this key, active or not */

    enum sign_result result;
    /* With SIGN_OK, and only during done(): "DKIM-Signature: …\r\n" once or twice, to be put in
     * front of prefix; d= and "s1,s1-ed" for the log. */
    struct slice header, signed_domain, selectors;
    unsigned n_signatures;
};

/* The answer comes to done(), always. */
void signer_sign(struct signer_client *client, struct sign_request *request);

/* KEY_CREATE and KEY_IMPORT make an idle key; KEY_ACTIVATE makes it the one of its type that signs
 * for the domain.  All verbs but KEY_DELETE answer with the public half. */
struct key_request {
    struct signer_request base;
    void (*done)(struct key_request *request);
    enum key_verb verb;
    enum dkim_key_type type; /* KEY_CREATE */
    struct slice domain, selector;
    struct slice pem; /* KEY_IMPORT; wipe it afterwards */

    enum key_result result;
    /* Good during done() only. */
    struct slice why;
    enum dkim_key_type found_type;
    unsigned bits;
    bool is_active;
    struct slice public_half; /* base64, p= */
};
void signer_key(struct signer_client *client, struct key_request *request);

/* Keys in order of name, from behind `after`; ask again with the last one while has_more. */
struct key_list_request {
    struct signer_request base;
    void (*done)(struct key_list_request *request);
    struct slice after_domain, after_selector; /* empty: from the first */

    enum key_result result;
    bool has_more;
    struct reader keys; /* for wire_get_key_item() (protocol.h), during done() */
};
void signer_key_list(struct signer_client *client, struct key_list_request *request);

/* Forgets a request that is under way: done() will not run, its memory is the caller's again. */
void signer_forget(struct signer_request *request);

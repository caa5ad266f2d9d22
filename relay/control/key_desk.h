/* Where signing keys are ordered: asks the signer to make or import them, has libopendkim judge
 * the first signature of each, and only then lets the registry call it active and the signer use
 * it; has the signer forget the keys of a domain that is gone.  It also asks DNS what is published.
 * One order at a time, on one loop, with a channel of its own to the signer.
 * Thread: ask, connect and is_up from any; answers on the asker's; new and free while the loop does
 * not run. */
#pragma once

#include "relay/base/buffer.h"
#include "relay/base/mailbox.h"
#include "relay/net/loop.h"
#include "relay/net/resolver.h"
#include "signer/key_name.h"

struct key_desk;
struct registry;
struct worker_pool;

struct key_desk_parts {
    struct loop *loop;
    struct registry *registry;
    struct worker_pool *workers;
    struct resolver_settings resolver;
    void (*on_signer)(void *owner, bool is_up); /* its channel serves, or no longer; may be NULL */
    void *owner;
};

MUST_USE int key_desk_new(struct key_desk **out, const struct key_desk_parts *parts);
/* After registry_stop() and worker_pool_stop(): both touch what is under way here.  NULL ok. */
struct key_desk *key_desk_free(struct key_desk *desk);

/* Before registry_start().  What the registry calls active is then made active at the signer
 * whenever one answers (key_check.h). */
void key_desk_subscribe(struct key_desk *desk);

/* A loop's end of a channel to the signer, at each (re)start of it; taken. */
void key_desk_connect(struct key_desk *desk, int fd);
bool key_desk_is_up(const struct key_desk *desk); /* a signer answers */

/* ---- keys ---- */

enum { KEY_ORDER_MAX_KEYS = 2, KEY_ORDER_SENTENCE_SIZE = 400 };

struct key_made {
    struct key_name name;
    enum dkim_key_type type;
    char public_half[1024]; /* base64 */
    bool is_active;         /* false: the domain has another active key of this type */
};

enum key_order_verb { KEY_ORDER_MAKE, KEY_ORDER_RETIRE, KEY_ORDER_FORGET, KEY_ORDER_KEEP };

/* Makes one key per wanted type (selector S, and S-ed for Ed25519 when both are wanted), or imports
 * the PEM.  Keys made before one that fails stay.
 * Or ends keys, in this order, so that whatever crashes in between leaves none that signs and that
 * the registry does not know: RETIRE has the signer sign no more with them; then the rows go; then
 * FORGET has it delete them, or KEEP, when the rows stayed, use them again.  Exactly one of the two
 * follows a RETIRE that went well.  All keys are tried, the last failure is told. */
struct key_order {
    struct task task;
    struct mailbox *answer_to;
    void (*done)(struct key_order *order);
    struct slice domain, selector, by;
    struct slice pem;              /* import: the type is the key's own; the asker wipes it */
    const struct slice *selectors; /* to retire or forget; the asker's */
    size_t n_selectors;
    enum key_order_verb verb;
    bool wants_rsa, wants_ed25519;

    bool went_well;   /* out, as the next four */
    const char *code; /* stable, when it did not: "exists", "signer_down", "not_judged" … */
    char sentence[KEY_ORDER_SENTENCE_SIZE];
    struct key_made made[KEY_ORDER_MAX_KEYS];
    unsigned n_made;
    struct key_desk *desk; /* the desk's, as is the next */
    size_t n_begun;
};

/* False: busy, nothing happened; never of FORGET and KEEP. */
MUST_USE bool key_desk_order(struct key_desk *desk, struct key_order *order);

/* ---- what DNS says ---- */

struct txt_order {
    struct task task;
    struct mailbox *answer_to;
    void (*done)(struct txt_order *order);
    char name[DNS_NAME_SIZE];

    enum dns_status status;
    struct buffer texts; /* the TXT records, each with its strings joined, parted by LF */
    char why[DNS_WHY_SIZE];
    struct key_desk *desk; /* the desk's, as is the next */
    struct dns_query query;
};
MUST_USE bool key_desk_ask_txt(struct key_desk *desk, struct txt_order *order);

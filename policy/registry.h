/* The settings thread: the only writer of staffetta.db (users, credentials, networks, domains,
 * public halves of keys, operators' orders, suppressions).  A change is committed durably,
 * then the new snapshot is queued to every subscriber, then the request is answered: whoever has
 * the answer to `user add` can log that user in.
 * Thread: requests from any; a request and the bytes it points at stay untouched until done() runs
 * on the asker's thread.  open, subscribe, start and stop: the starting thread. */
#pragma once

#include "policy/directory.h"
#include "relay/base/event.h"
#include "relay/base/mailbox.h"

enum registry_result {
    REGISTRY_OK,
    REGISTRY_EXISTS,
    REGISTRY_NOT_FOUND,
    REGISTRY_INVALID_NAME,
    REGISTRY_INVALID_SENDER,
    REGISTRY_NEEDS_SENDER, /* a user not named like an address, and no sender rule */
    REGISTRY_INVALID_NETWORK,
    REGISTRY_WEAK_PASSWORD,
    REGISTRY_INVALID_HASH,
    REGISTRY_INVALID_VALUE,
    REGISTRY_NOT_JUDGED, /* a key cannot be active before libopendkim verified a signature by it */
    REGISTRY_LAST_OWNER, /* of the panel: somebody must be left who may do everything */
    REGISTRY_SUSPENDED,  /* a user whose mail must not leave is not forgotten */
    REGISTRY_FAILED,     /* the disk, or memory: nothing was changed */
    N_REGISTRY_RESULTS
};
const char *registry_result_name(enum registry_result result); /* "exists", "weak_password", … */

enum { REGISTRY_SENTENCE_SIZE = 400, REGISTRY_EVENT_FIELDS = 6 };
struct registry;

/* First member of every request of registry_users.h, _domains.h and _destinations.h. */
struct registry_request {
    struct task task;
    struct mailbox *answer_to;
    void (*done)(struct registry_request *request);
    struct slice by; /* who asks, for the log */
    enum registry_result result;
    char sentence[REGISTRY_SENTENCE_SIZE]; /* for humans, when result is not REGISTRY_OK */
    /* the registry's */
    struct registry *registry;
    enum registry_result (*perform)(struct registry *registry, struct registry_request *request);
    bool changes_directory;
    enum event_kind event; /* logged after the commit, when n_fields is not 0 */
    unsigned n_fields;
    struct event_field fields[REGISTRY_EVENT_FIELDS];
};

/* Embedded in whoever wants snapshots; lives until registry_unsubscribe() or registry_stop(). */
struct directory_subscriber {
    struct mailbox *mailbox;
    /* On the mailbox's thread; the reference is the receiver's.  When snapshots come faster than
     * they are taken, only the newest arrives. */
    void (*receive)(struct directory_subscriber *subscriber, struct directory *directory);
    struct task task; /* the registry's, as are the next two */
    struct directory *_Atomic newest;
    struct directory_subscriber *next;
};

/* Opens or creates FOLDER/staffetta.db and reads the first snapshot; 0 or -errno. */
MUST_USE int registry_open(struct registry **out, const char *folder);

/* Before registry_start(): the present snapshot is queued to the subscriber at once.  mailbox and
 * receive are the subscriber's to set; the rest is set here. */
void registry_subscribe(struct registry *registry, struct directory_subscriber *subscriber);

/* No snapshot arrives afterwards, nor does the registry touch the subscriber.  Waits for the
 * settings thread; the starting thread. */
void registry_unsubscribe(struct registry *registry, struct directory_subscriber *subscriber);

MUST_USE int registry_start(struct registry *registry);

/* Answers what waits, then closes the database; accepts NULL, returns NULL. */
struct registry *registry_stop(struct registry *registry);

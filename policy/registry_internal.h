/* The settings thread from inside, for registry_*.c.  A verb is a function that runs on this thread
 * within a transaction: anything but REGISTRY_OK rolls it back.  Thread: the settings thread. */
#pragma once

#include "policy/password.h"
#include "policy/registry.h"
#include "relay/base/thread.h"
#include "relay/message/idn.h"
#include "sql/staffetta_schema.h"

struct new_password; /* registry_users.h */

/* For %.*s in a sentence: names that were refused may be long. */
#define TEXT(slice) (int)((slice).len < 100 ? (slice).len : 100), (slice).data

struct registry {
    struct db *db;
    struct mailbox *mailbox;
    pthread_t thread;
    bool is_running, is_stopping;
    struct thread_owner owner;
    struct directory *current;
    bool is_stale; /* a change is committed that `current` does not show */
    struct directory_subscriber *subscribers;
    struct task *finished, **last_finished; /* requests to be answered after publishing */
    struct task stop;
    struct task leave; /* registry_unsubscribe() */
    struct directory_subscriber *leaving;
    struct mailbox *starter;    /* where the starting thread waits for it */
    int64_t past_counts_due_ms; /* when they are deleted, monotonic */
};

typedef enum registry_result registry_verb(struct registry *registry,
                                           struct registry_request *request);

/* Posts the request to the settings thread. */
MUST_USE bool registry_ask(struct registry *registry, struct registry_request *request,
                           registry_verb *perform, bool changes_directory);

/* Performs and answers what waits.  A test without the thread takes its turns itself. */
void registry_turn(struct registry *registry);

/* Sets the sentence. */
void registry_say(struct registry_request *request, const char *format, ...) PRINTF_LIKE(2, 3);

/* return refuse(request, REGISTRY_NOT_FOUND, "there is no …", …); */
#define refuse(request, result, ...) (registry_say((request), __VA_ARGS__), (result))

/* The disk's or memory's fault. */
#define registry_error(request, error)                                                             \
    refuse((request), REGISTRY_FAILED, "the settings could not be stored: %s", strerror(-(error)))

/* What became of a change: REGISTRY_OK, or REGISTRY_FAILED with a sentence. */
enum registry_result registry_stored(struct registry_request *request, int error);

/* Notes what to log when the change is committed; "by" is added to the fields. */
void registry_log(struct registry_request *request, enum event_kind event,
                  const struct event_field *fields, unsigned n_fields);

/* Runs a statement that takes one number, or a number and a text. */
MUST_USE int registry_run_number(struct registry *registry, enum staffetta_statement statement,
                                 int64_t number);
MUST_USE int registry_run_number_text(struct registry *registry, enum staffetta_statement statement,
                                      int64_t number, struct slice text);

/* REGISTRY_OK and *id, REGISTRY_NOT_FOUND with a sentence, or REGISTRY_FAILED. */
enum registry_result registry_find_user(struct registry *registry, struct registry_request *request,
                                        struct slice name, int64_t *id);
enum registry_result registry_find_domain(struct registry *registry,
                                          struct registry_request *request, struct slice name,
                                          int64_t *id);

/* Stores the password, made, checked or imported, as the user's only one. */
enum registry_result registry_set_password(struct registry *registry,
                                           struct registry_request *request, int64_t user_id,
                                           struct slice user_name, struct new_password *password);

enum registry_result registry_add_network(struct registry *registry,
                                          struct registry_request *request, int64_t user_id,
                                          struct slice cidr);

/* Refuses while an order suspends the user's mail or a campaign of his. */
enum registry_result registry_expect_no_suspension(struct registry *registry,
                                                   struct registry_request *base, struct slice name,
                                                   int64_t id);

/* ---- registry_names.c ---- */

/* UTF-8 without control characters, 1 to max bytes. */
bool is_clean_text(struct slice text, size_t max);
bool is_user_name(struct slice name);

/* Of a user named like an address; false when it is not. */
bool domain_of_user_name(struct slice name, char out[IDN_SIZE]);

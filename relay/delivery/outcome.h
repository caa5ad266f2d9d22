/* What became of recipients: stored in one update with the reports it causes, and only then told
 * (events) and believed (schedule).  Thread: the loop's. */
#pragma once

#include "policy/bounce_class.h"
#include "relay/delivery/letter.h"
#include "relay/delivery/verdict.h"

struct receiver_book;

/* A verdict with its grounds. */
struct judgement {
    enum verdict verdict;
    uint16_t code;                  /* of the peer's reply; 0: ours */
    struct enhanced_status status;  /* class 0: none was said */
    struct slice text;              /* the peer's, or our reason */
    enum smtp_phase phase;          /* what the peer's reply answered */
    enum bounce_class bounce_class; /* outcome.c's; of what was not delivered */
    int64_t due_ms;   /* LATER, AGAIN: not before this (monotonic); 0: by the steps, or at once */
    bool is_doubtful; /* the final dot went out, its answer did not come */
    bool is_braked;   /* HELD: as all mail of its user */
    int64_t held_until_ms; /* HELD: until then (monotonic); 0: until released, or as all mail of its
                              user */
    bool is_by_rule;       /* HELD until then: by a rule, no quota */
};

struct outcome_item {
    struct entry *entry; /* SENDING; NULL: not in the schedule, or it changes nothing there */
    uint32_t n;          /* recipient, from 1 */
    struct judgement judgement;
    int64_t due_ms;
    bool is_marked; /* DELIVERED, and its record says so */
};

/* Where it happened; empty slices: nowhere. */
struct outcome_place {
    struct slice site, provider, mx, egress, tls;
    bool peer_has_dsn;
};

enum { OUTCOME_REPORTS = 3 }; /* of failures, delays, successes */

struct outcome {
    struct spool_update update;
    struct delivery_shard *shard;
    struct letter *letter;
    struct arena arena;
    struct outcome_place place;
    uint32_t dice;
    uint32_t n_items, capacity;
    struct outcome_item *items;
    struct spool_change *changes;
    struct bounce_report *reports[OUTCOME_REPORTS];
    struct spool_append appends[OUTCOME_REPORTS]; /* how they are stored */
    uint32_t n_reports;
    struct failure *failures; /* for a digest, in the arena */
    uint32_t n_failures;
    bool has_fetched; /* for the reports' bytes, once */
};

/* Appends "550 5.1.1 text" or, without a peer's reply, "5.1.1 text", on one line. */
void judgement_print(const struct judgement *judgement, struct buffer *out);

/* Of what did not go well, its class, from the reply alone. */
bool judgement_has_class(const struct judgement *judgement);
void judgement_classify(struct judgement *judgement, const struct receiver_book *book);

/* Room for n recipients of a message; letter: opened already, shared, or NULL.  NULL: no memory. */
struct outcome *outcome_new(struct delivery_shard *shard, struct stored *stored,
                            struct letter *letter, uint32_t n);
void outcome_set_place(struct outcome *outcome, const struct outcome_place *place);
void outcome_add(struct outcome *outcome, struct entry *entry, const struct judgement *judgement);

void outcome_discard(struct outcome *outcome); /* nothing happened; accepts NULL */

/* From here it looks after itself; with nothing in it, it just goes. */
void outcome_commit(struct outcome *outcome);

/* The same judgement for entries, SENDING, linked by their links in this list, of any messages;
 * the list is empty afterwards.  What memory does not suffice for is returned to the schedule. */
void outcome_for_all(struct delivery_shard *shard, struct list *entries,
                     const struct judgement *judgement);

/* Those of shard->expired: site by site, for what was the matter there. */
void outcome_for_expired(struct delivery_shard *shard);

/* A message is late: its sender is told, nothing else changes. */
struct delayed_entry {
    struct stored *stored; /* a reference */
    uint32_t n;
};
void outcome_for_delayed(struct delivery_shard *shard);

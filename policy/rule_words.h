/* What reply rules did for a time, kept in staffetta.db so that a restart does not make us forget
 * it: suspensions, temporary limits, and mail of one sender that waits, each with its end.  What
 * was said last of one thing stands.  Stored a moment later, many at once; what a storm of replies
 * brings beyond RULE_WORDS_PENDING at a time is not stored and would be said again.
 * Thread: the notes from any; the load: the starting thread, before registry_start(). */
#pragma once

#include "policy/registry.h"
#include "policy/reply_rules.h"

enum { RULE_WORDS_PENDING = 256, RULE_WORD_PLACE = 512, RULE_WORD_PART = 256 };

struct rule_word {
    enum rule_scope scope;
    enum rule_verb verb;         /* suspend, limit, hold; of an address that rests: suspend */
    char place[RULE_WORD_PLACE]; /* a site's or a provider's name */
    char part[RULE_WORD_PART]; /* our address (a name of the settings, or an IP address), or a From
                                  domain, a campaign, a user's number; empty: of all */
    struct rule_limits limits; /* of a limit */
    char reason[256];
    char rule[RULE_NAME_MOST + 1]; /* its name; empty: not known */
    int64_t until_utc_ms;
    int64_t lasts_ms; /* how long it was to hold: twice as long each time that it is said again */
};

struct policy;

/* Copied.  Cannot fail; without memory it is not stored. */
void rule_words_note(struct policy *policy, const struct rule_word *word);

/* Somebody took back what was done to the site or provider of that name. */
void rule_words_forget(struct policy *policy, struct slice place);

/* Visits what has not ended, and what ended so lately that it would hold twice as long if it were
 * said again; 0 or -errno, or what visit returned. */
MUST_USE int rule_words_load(struct registry *registry,
                             int (*visit)(void *owner, const struct rule_word *word), void *owner);

/* ---- inside policy/ ---- */

struct rule_words {
    struct rule_word
        *pending; /* NULL until the first; one of them with verb N_RULE_VERBS: forget */
    uint32_t n_pending;
    bool is_storing;
    bool is_closed; /* the thread ends: what comes now is not stored */
};
void rule_words_stop(struct policy *policy); /* stores what is not */
void rule_words_fini(struct policy *policy);

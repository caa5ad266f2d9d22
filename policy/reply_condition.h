/* Which replies a rule or a bounce class speaks of: phase, code, enhanced code and text, each of
 * them optional, all of those given must fit; and the samples that prove it.
 *
 *     phase     mail rcpt dot            the words of relay/smtp/phase.h
 *     code      421 450-459 4xx none     none: no reply, the reason is ours
 *     enhanced  4.7.28 4.7.x
 *     text      (too many|rate limited)  PCRE2, one a line; any of them fits
 *     sample    dot 421 4.7.28 text      must fit
 *     other     dot 550 5.7.1 text       must not
 *
 * Pure; immutable once read.  Thread: any. */
#pragma once

#include "policy/data_lines.h"
#include "policy/reply_pattern.h"
#include "relay/base/arena.h"
#include "relay/smtp/phase.h"
#include "relay/smtp/reply.h"

enum { CONDITION_MOST = 8, CONDITION_TEXTS = 6, CONDITION_SAMPLES = 20, CONDITION_ANY = 0xffff };

struct code_range {
    uint16_t first, last;
};

struct reply_sample {
    enum smtp_phase phase;
    struct smtp_reply reply;
    unsigned line;
    bool is_other; /* must not fit */
};

struct reply_condition {
    uint32_t phases; /* bits; 0: any */
    uint16_t n_codes, n_statuses, n_patterns, n_samples;
    struct code_range codes[CONDITION_MOST];
    struct enhanced_status statuses[CONDITION_MOST]; /* subject, detail: or CONDITION_ANY */
    struct reply_pattern *patterns[CONDITION_TEXTS];
    struct reply_sample *samples;
};

/* One reply as conditions look at it: its text on one line. */
struct reply_facts {
    enum smtp_phase phase;
    uint16_t code;
    struct enhanced_status status;
    size_t n_text;
    char text[PATTERN_MOST_TEXT];
};
void reply_facts_fill(struct reply_facts *facts, enum smtp_phase phase,
                      const struct smtp_reply *reply);

bool reply_condition_fits(const struct reply_condition *condition, const struct reply_facts *facts);

/* Reads the line if it is one of a condition's; false: it is not.  Without memory *error is set. */
bool reply_condition_read(struct reply_condition *condition, struct data_reader *reader,
                          struct arena *arena, int *error);

/* It says something, has samples, and they fit or do not, as they should. */
void reply_condition_check(const struct reply_condition *condition, struct data_reader *reader,
                           unsigned line, struct slice name);

void reply_condition_fini(struct reply_condition *condition); /* its patterns */

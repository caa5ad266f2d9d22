/* One regular expression over a reply's text: PCRE2 without JIT, letter case ignored, with bounds
 * on what a match may cost, so that neither a pattern nor a text can hold a loop up.  The only file
 * that includes pcre2.h.
 * Thread: any; immutable. */
#pragma once

#include "relay/base/fault.h"
#include "relay/base/slice.h"

/* Texts longer than this are looked at up to here. */
enum { PATTERN_MOST_TEXT = 1024, PATTERN_MOST_LENGTH = 500, PATTERN_WHY_SIZE = 160 };

struct reply_pattern;

/* 0; -EINVAL with a sentence in why: does not compile, matches every text, or asks for a backslash,
 * which no reply has (escaped twice); -ENOMEM. */
MUST_USE int reply_pattern_new(struct reply_pattern **out, struct slice text,
                               char why[PATTERN_WHY_SIZE]);
struct reply_pattern *reply_pattern_free(struct reply_pattern *pattern); /* NULL in, NULL out */

/* A match that would cost too much is none. */
bool reply_pattern_fits(const struct reply_pattern *pattern, struct slice text);

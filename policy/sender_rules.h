/* May this user send as that address?  Asked for the envelope sender at MAIL and for each address
 * of From after DATA.  Domains are compared as A-labels and local parts without regard to ASCII
 * case, because no receiver of note tells "Info" from "info" and clients write both.  Nothing in
 * a local part has a meaning here: %, ! and quotes are octets; the domain is what stands behind the
 * last @.
 * Thread: any; pure. */
#pragma once

#include "relay/base/fault.h"
#include "relay/base/slice.h"

enum sender_scope {
    SENDER_ANYTHING, /* '*' */
    SENDER_DOMAIN,   /* every address of exactly this domain */
    SENDER_ADDRESS,  /* this address alone */
};

struct sender_rule {
    enum sender_scope scope;
    struct slice local;  /* SENDER_ADDRESS: as written */
    struct slice domain; /* lower-case A-label; empty for SENDER_ANYTHING */
};

enum { SENDER_RULE_SIZE = 328 }; /* 64 @ 255, and a NUL */

/* Brings "ADDRESS", "DOMAIN" or "*" into the one form that is stored: domain lower-case, A-label.
 * False when it is none of the three. */
bool sender_rule_normalize(struct slice text, char out[SENDER_RULE_SIZE]);

/* Reads the stored form; the rule looks into text. */
struct sender_rule sender_rule_of(struct slice text);

/* The null sender (an empty address) names nobody and is allowed; so bounces by a mailing list
 * program pass, while From is checked all the same. */
bool sender_rules_allow(const struct sender_rule *rules, uint32_t n_rules, struct slice address);

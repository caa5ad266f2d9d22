/* The table of rule_words.h.  Inside policy/ only.  Thread: from any. */
#pragma once

#include "policy/rule_words.h"

/* All of it in one transaction, with the removal of what has ended. */
struct rule_words_request {
    struct registry_request request;
    uint32_t n_words;
    const struct rule_word *words; /* verb N_RULE_VERBS: the place is forgotten */
};
MUST_USE bool registry_store_rule_words(struct registry *registry,
                                        struct rule_words_request *request);

/* All that we know of receivers, as one value: providers, reply rules, bounce classes.  Made at the
 * start and at each reload from the files that the settings name, or from those built in; shared by
 * the loops, which keep the one they began with until they look again.
 * Thread: any; ref and unref are atomic. */
#pragma once

#include <stdatomic.h>

#include "policy/bounce_classes.h"
#include "policy/reply_rules.h"

struct receiver_book {
    struct provider_table providers;
    struct reply_rules rules;
    struct bounce_classes classes;
    struct arena arena;
    _Atomic unsigned n_references;
};

enum receiver_file { RECEIVER_PROVIDERS, RECEIVER_RULES, RECEIVER_CLASSES, N_RECEIVER_FILES };

/* The text that is built in. */
struct data_file receiver_book_built_in(enum receiver_file file);

/* Files without text (.text.data NULL) are the built-in ones.  0; -EINVAL with every problem as a
 * line `path:line: sentence`; -ENOMEM. */
MUST_USE int receiver_book_new(struct receiver_book **out,
                               const struct data_file files[N_RECEIVER_FILES],
                               struct buffer *problem);
struct receiver_book *receiver_book_ref(struct receiver_book *book);
struct receiver_book *receiver_book_unref(struct receiver_book *book); /* returns NULL */

/* The class of one reply, by itself. */
enum bounce_class receiver_book_class(const struct receiver_book *book, enum smtp_phase phase,
                                      const struct smtp_reply *reply);

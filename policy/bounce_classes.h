/* From a reply to its bounce class, by policy/bounce_classes.conf or the operator's copy:
 *
 *     class NAME          one of bounce_class.h; several blocks may name the same
 *         ...             reply_condition.h
 *
 * The first block that fits decides.  Immutable once read.  Thread: any. */
#pragma once

#include "policy/bounce_class.h"
#include "policy/reply_condition.h"

enum { BOUNCE_BLOCK_MOST = 300 };

struct bounce_block {
    enum bounce_class bounce_class;
    struct reply_condition condition;
    unsigned line;
};

struct bounce_classes {
    struct bounce_block *blocks;
    size_t n_blocks;
};

/* As reply_rules_read(). */
MUST_USE int bounce_classes_read(struct bounce_classes *out, const struct data_file *file,
                                 struct arena *arena, struct buffer *problem);
void bounce_classes_fini(struct bounce_classes *classes);

enum bounce_class bounce_classes_find(const struct bounce_classes *classes,
                                      const struct reply_facts *facts);

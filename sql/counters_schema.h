/* How much of what happened when: data_dir/history/counters.db.
 * Statements: sql/queries_counters.sql.  Thread: a value, any. */
#pragma once

#include "sql/db.h"

#define COUNTERS_STATEMENTS(X)                                                                     \
    X(COUNTERS_FIND_NAME, "find_name")                                                             \
    X(COUNTERS_ADD_NAME, "add_name")                                                               \
    X(COUNTERS_NAMES, "names_of_kind")                                                             \
    X(COUNTERS_COUNT, "count")                                                                     \
    X(COUNTERS_BETWEEN, "counts_between")                                                          \
    X(COUNTERS_SUMS, "sum_between")                                                                \
    X(COUNTERS_FORGET, "forget_counts")                                                            \
    X(COUNTERS_ALL_NAMES, "all_names")                                                             \
    X(COUNTERS_FORGET_NAMES, "forget_names")                                                       \
    X(COUNTERS_ADD_GAP, "add_gap")                                                                 \
    X(COUNTERS_GAPS, "gaps_between")                                                               \
    X(COUNTERS_FORGET_GAPS, "forget_gaps")                                                         \
    X(COUNTERS_REMEMBER, "remember_fact")                                                          \
    X(COUNTERS_RECALL, "recall_fact")

enum counters_statement {
#define COUNTERS_ENUM(value, name) value,
    COUNTERS_STATEMENTS(COUNTERS_ENUM)
#undef COUNTERS_ENUM
        N_COUNTERS_STATEMENTS
};

extern const struct db_schema counters_schema;

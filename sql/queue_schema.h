/* The queue's database: what waits, for whom, since when.  The bytes are in segments.
 * Statements: sql/queries_queue.sql.  Thread: a value, any. */
#pragma once

#include "sql/db.h"

#define QUEUE_STATEMENTS(X)                                                                        \
    X(QUEUE_ADD_MESSAGE, "add_message")                                                            \
    X(QUEUE_ADD_RECIPIENT, "add_recipient")                                                        \
    X(QUEUE_REMOVE_MESSAGE, "remove_message")                                                      \
    X(QUEUE_REMOVE_RECIPIENT, "remove_recipient")                                                  \
    X(QUEUE_CHANGE_RECIPIENT, "change_recipient")                                                  \
    X(QUEUE_MARK_RECIPIENT, "mark_recipient")                                                      \
    X(QUEUE_OPEN_RECIPIENTS, "open_recipients")                                                    \
    X(QUEUE_MOVE_MESSAGE, "move_message")                                                          \
    X(QUEUE_ALL_MESSAGES, "all_messages")                                                          \
    X(QUEUE_ALL_RECIPIENTS, "all_recipients")                                                      \
    X(QUEUE_NEXT_MESSAGES, "next_messages")                                                        \
    X(QUEUE_FIND_MESSAGE, "find_message")                                                          \
    X(QUEUE_RECIPIENTS_OF, "recipients_of")                                                        \
    X(QUEUE_LAST_ID, "last_id")                                                                    \
    X(QUEUE_REMEMBER, "remember")                                                                  \
    X(QUEUE_RECALL, "recall")                                                                      \
    X(QUEUE_ADD_FAILURE, "add_failure")                                                            \
    X(QUEUE_ALL_FAILURES, "all_failures")                                                          \
    X(QUEUE_FAILURES_OF, "failures_of")                                                            \
    X(QUEUE_REMOVE_FAILURES, "remove_failures")                                                    \
    X(QUEUE_WAITING_FAILURES, "waiting_failures")

enum queue_statement {
#define QUEUE_ENUM(value, name) value,
    QUEUE_STATEMENTS(QUEUE_ENUM)
#undef QUEUE_ENUM
        N_QUEUE_STATEMENTS
};

extern const struct db_schema queue_schema;

/* What the receiver tells while it runs: a file that others map.  Numbers only grow. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BOARD_MESSAGES_AT = 4096 };

struct board {
    uint64_t capacity;                     /* ids below it have a time */
    uint64_t messages, recipients, bytes;  /* taken, by final dots */
    uint64_t connections, open, most_open; /* connections so far, now, at most */
    uint64_t last_ns;                      /* when the last message was taken */
    uint64_t unknown;                      /* messages without an id of ours */
    uint64_t tls;                          /* connections that did STARTTLS */
    uint64_t signatures;                   /* DKIM-Signature fields seen */
};
/* From BOARD_MESSAGES_AT on: int64_t when message id's (last) copy was complete, 0: never. */

/* Makes the file, with room for the times of so many ids. */
struct board *board_open(const char *path, uint64_t capacity);
/* Finds a letter's id in a message's beginning and counts the signatures there; false: the header
 * is not whole yet, or has none. */
bool board_find_id(const char *data, size_t n, uint64_t *id);
/* A message was taken, now; id NULL: not one of ours. */
void board_count(const uint64_t *id, unsigned n_recipients, size_t message_bytes);

/* The last replies that put recipients off (or the reasons they are held for), so that "why is it
 * waiting?" is answered from memory: the most recent thousands; older ones stand in the rows.
 * Thread: the loop's. */
#pragma once

#include "relay/delivery/memo.h"

enum { REPLY_MEMORY_MOST = 10000 };

void reply_memory_init(struct memo *replies);
void reply_memory_note(struct memo *replies, uint64_t id, uint32_t n, struct slice reply);
const char *reply_memory_find(const struct memo *replies, uint64_t id, uint32_t n); /* NULL: gone */

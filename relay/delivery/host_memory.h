/* What a loop remembers of hosts: which could not be reached lately (others go first), whose
 * STARTTLS failed (spoken to in clear where the settings allow it), and which are better asked over
 * IPv4.  Thread: the loop's. */
#pragma once

#include "relay/delivery/memo.h"

enum { HOST_MEMORY_MOST = 20000 };

void host_memory_init(struct memo *hosts);

void host_memory_note_dead(struct memo *hosts, struct slice name, int64_t now_ms);
void host_memory_note_alive(struct memo *hosts, struct slice name);
void host_memory_note_tls_broken(struct memo *hosts, struct slice name, int64_t now_ms);
void host_memory_note_v6_broken(struct memo *hosts, struct slice name, int64_t now_ms);

/* Not reached, and it has not greeted since, however long ago that was. */
bool host_memory_is_silent(const struct memo *hosts, struct slice name);
bool host_memory_is_dead(const struct memo *hosts, struct slice name, int64_t now_ms);
bool host_memory_is_tls_broken(const struct memo *hosts, struct slice name, int64_t now_ms);
bool host_memory_is_v6_broken(const struct memo *hosts, struct slice name, int64_t now_ms);

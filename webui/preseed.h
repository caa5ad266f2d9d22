/* `panel { preseed }`: the first administrator out of a file, for installations without a person:
 *     {"user": "owner", "hash": "$argon2id$…", "language": "it"}
 * Read once, at a start without any administrator.  A hash and no password, and the file must be
 * nobody else's: no bit of its mode for others, no writing for the group.
 * Thread: the starting one; the rest on the panel's. */
#pragma once

#include <stdbool.h>

struct webui;

/* False: there is none, or it will not do (event preseed_refused), and a code is needed.  True: the
 * administrator is being made; setup_make_code() follows when that fails. */
bool preseed_begin(struct webui *webui);

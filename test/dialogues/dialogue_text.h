/* Words of the dialogue format: escapes, patterns, replies.  Test code, one thread. */
#pragma once

#include "relay/base/buffer.h"

/* Appends raw with its escapes undone (\r \n \t \0 \\ \xNN); false: malformed. */
bool dialogue_unescape(struct buffer *out, struct slice raw);

/* Prints bytes with what is not printable escaped. */
void dialogue_print_escaped(struct slice bytes);

/* Whether pattern, in which "*" stands for any run, matches the whole of text. */
bool dialogue_matches(struct slice pattern, struct slice text);

/* Takes one complete reply off *output: "250 first / second".  False: none is complete;
 * *is_malformed tells that what is there can never become one. */
bool dialogue_take_reply(struct slice *output, struct buffer *reply, bool *is_malformed);

/* Takes the text up to separator, trimmed, off *rest. */
struct slice dialogue_take_part(struct slice *rest, struct slice separator);

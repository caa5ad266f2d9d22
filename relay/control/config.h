/* From the text of the settings file to struct settings.  Unknown names and bad values are errors
 * with file and line and a sentence for humans; nothing is guessed.
 * Thread: one at a time in a process (libconfuse's lexer is global). */
#pragma once

#include "relay/base/buffer.h"
#include "relay/control/settings.h"

/* Parses text; path only names it in messages.  Returns 0, or -EINVAL with the reasons in problem,
 * one a line, each `path:line: what is wrong`. */
MUST_USE int config_parse(struct settings **out, const char *path, struct slice text,
                          struct buffer *problem);

/* Reads the file and parses it; problem also names a file that cannot be read. */
MUST_USE int config_load(struct settings **out, const char *path, struct buffer *text,
                         struct buffer *problem);

/* The rules between settings; config_parse() asks it.  0 or -EINVAL with reasons in problem. */
MUST_USE int config_check(const struct settings *settings, const char *path,
                          struct buffer *problem);

/* "5m" -> 300000, "50MB" -> 50000000; false when malformed or out of 64 bits. */
bool config_parse_span(const char *text, int64_t *milliseconds);
bool config_parse_size(const char *text, int64_t *bytes);

/* Events as lines: `ts=… level=… event=… name=value`, or the same as one JSON object.  Values with
 * blanks, quotes or `=` are quoted; bytes that are not printable ASCII come out as \xNN, so no peer
 * can forge a line.  Thread: any. */
#pragma once

#include "relay/base/buffer.h"
#include "relay/base/event.h"

enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

/* In the settings' words: "logfmt" or "json"; "debug", "info", "warning" or "error". */
void log_set(const char *format, const char *level);
enum event_level log_level(void); /* less important events are not even built */

/* One line, newline included, appended to out. */
void log_format_event(struct buffer *out, enum log_format format, const struct event *event);

/* Formats and writes one line to stderr, whole. */
void log_write(const struct event *event);

/* The same in two steps, for whoever writes many lines at once; log_flush() empties lines. */
void log_append(struct buffer *lines, const struct event *event);
void log_flush(struct buffer *lines);

void log_stamp(struct event *event); /* the time of an event that its maker did not emit */

/* What only somebody hunting a defect wants: `event=fault at=topic text="…"` at level debug. */
void log_debug(const char *topic, const char *format, ...) PRINTF_LIKE(2, 3);

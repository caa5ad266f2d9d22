/* What a person reads, or with --json a program: one object, or for lists one object per line.
 * Thread: main; private to relay/cli. */
#pragma once

#include <jansson.h>

struct options;

/* Columns of a list: member names and headings; a NULL name ends them. */
struct column {
    const char *member, *heading;
};

void print_object(const struct options *options, json_t *object, const struct column *columns);
void print_items(const struct options *options, json_t *items, const struct column *columns);
void print_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "staffetta: sentence" on stderr; control bytes as "?". */
void print_complaint(const char *sentence);

/* A member as text for people: lists joined by ", ", null as "-"; control bytes as "?", so that no
 * peer's text can drive a terminal.  malloc()ed. */
char *print_member(json_t *object, const char *member);

/* The form of our data files about receivers: one fact a line, a word and its value; a block begins
 * with the word that names its kind.  Nothing is quoted and nothing escaped, so that a pattern
 * reads as it is written.
 *
 *     file  = *( blanks [ "#" comment / word 1*blank value ] LF )
 *
 * Words are [a-z_]+; a value is the rest of the line without blanks at its ends.
 * Pure.  Thread: any. */
#pragma once

#include "relay/base/buffer.h"

enum { DATA_MAX_BYTES = 1024 * 1024, DATA_MAX_PROBLEMS = 50 };

struct data_file {
    const char *path; /* how problems name it */
    struct slice text;
};

struct data_line {
    unsigned number; /* from 1 */
    struct slice word, value;
};

/* What reads a file: lines one after another, problems as `path:line: sentence`. */
struct data_reader {
    const char *path;
    struct slice rest;
    struct data_line line;
    struct buffer *problem;
    unsigned n_problems;
};

void data_reader_init(struct data_reader *reader, const struct data_file *file,
                      struct buffer *problem);

/* The next line with a word; false at the end. */
bool data_reader_next(struct data_reader *reader);

/* Notes what is wrong with the line read last (number 0: with that line). */
void data_problem(struct data_reader *reader, const char *format, ...) PRINTF_LIKE(2, 3);
void data_problem_at(struct data_reader *reader, unsigned number, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* The next of the words that blanks part; empty at the end. */
struct slice data_take_word(struct slice *rest);

/* A name is of a-z, 0-9 and -, one letter at least. */
bool data_is_name(struct slice name, size_t most);

/* "30m", "1h", "2d"; false when malformed, 0 or over 30 days. */
bool data_read_span(struct slice text, int64_t *milliseconds);

/* "10/m": so many in a second, minute, hour or day. */
bool data_read_rate(struct slice text, uint32_t *n, uint32_t *window_s);
bool data_read_count(struct slice text, uint32_t *n); /* 1 to 1,000,000 */

/* The same rate, to the place of its window. */
struct data_rate_places {
    uint32_t *second, *minute, *hour, *day;
};
bool data_read_rate_to(struct slice text, const struct data_rate_places *places);

/* What the reading came to: error if it is one, -EINVAL if anything was wrong, 0, or -ENOMEM. */
int data_reader_result(const struct data_reader *reader, int error);

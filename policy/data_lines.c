#include "policy/data_lines.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum { MOST_COUNT = 1000000 };

static const int64_t longest_span_ms = 30LL * 86400 * 1000;

void data_reader_init(struct data_reader *reader, const struct data_file *file,
                      struct buffer *problem)
{
    *reader = (struct data_reader){.path = file->path, .rest = file->text, .problem = problem};
}

__attribute__((format(printf, 3, 0))) static void note(struct data_reader *reader, unsigned number,
                                                       const char *format, va_list args)
{
    char sentence[512];

    if (reader->n_problems++ >= DATA_MAX_PROBLEMS)
        return;
    vsnprintf(sentence, sizeof(sentence), format, args);
    for (char *c = sentence; *c; c++) /* it may quote the file, and goes to a terminal */
        if ((unsigned char)*c < ' ' || *c == '\x7f')
            *c = '?';
    buffer_printf(reader->problem, "%s:%u: %s\n", reader->path, number, sentence);
}

void data_problem(struct data_reader *reader, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    note(reader, reader->line.number, format, args);
    va_end(args);
}

void data_problem_at(struct data_reader *reader, unsigned number, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    note(reader, number, format, args);
    va_end(args);
}

static bool has_control(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (((unsigned char)text.data[i] < ' ' && text.data[i] != '\t') || text.data[i] == '\x7f')
            return true;
    return false;
}

static struct slice take_line(struct data_reader *reader)
{
    ptrdiff_t end = slice_find(reader->rest, '\n');
    struct slice line = end < 0 ? reader->rest : slice_head(reader->rest, (size_t)end);

    reader->rest = slice_skip(reader->rest, end < 0 ? line.len : line.len + 1);
    reader->line.number++;
    return slice_trim(line);
}

struct slice data_take_word(struct slice *rest)
{
    struct slice text = slice_trim(*rest), word;
    size_t len = 0;

    while (len < text.len && text.data[len] != ' ' && text.data[len] != '\t')
        len++;
    word = slice_head(text, len);
    *rest = slice_trim(slice_skip(text, len));
    return word;
}

bool data_is_name(struct slice name, size_t most)
{
    for (size_t i = 0; i < name.len; i++)
        if (!(name.data[i] >= 'a' && name.data[i] <= 'z') &&
            !(name.data[i] >= '0' && name.data[i] <= '9') && name.data[i] != '-')
            return false;
    return name.len > 0 && name.len <= most;
}

static bool is_word(struct slice word)
{
    for (size_t i = 0; i < word.len; i++)
        if (!(word.data[i] >= 'a' && word.data[i] <= 'z') && word.data[i] != '_')
            return false;
    return word.len > 0;
}

bool data_reader_next(struct data_reader *reader)
{
    while (reader->rest.len > 0) {
        struct slice line = take_line(reader);

        if (line.len == 0 || line.data[0] == '#')
            continue;
        reader->line.word = data_take_word(&line);
        reader->line.value = line;
        if (has_control(reader->line.value) || !is_word(reader->line.word)) {
            data_problem(reader, "a line is a word of small letters and its value");
            continue;
        }
        if (line.len > 0)
            return true;
        data_problem(reader, "%.*s: the value is missing", (int)reader->line.word.len,
                     reader->line.word.data);
    }
    return false;
}

static bool read_number_and_unit(struct slice text, uint64_t *number, char *unit)
{
    if (text.len < 2)
        return false;
    *unit = text.data[text.len - 1];
    return slice_to_number(slice_head(text, text.len - 1), MOST_COUNT, number) && *number > 0;
}

static uint32_t seconds_of(char unit)
{
    return unit == 's' ? 1 : unit == 'm' ? 60 : unit == 'h' ? 3600 : unit == 'd' ? 86400 : 0;
}

bool data_read_span(struct slice text, int64_t *milliseconds)
{
    uint64_t number;
    char unit;
    int64_t span;

    if (!read_number_and_unit(text, &number, &unit) || seconds_of(unit) == 0)
        return false;
    span = (int64_t)number * seconds_of(unit) * 1000;
    if (span > longest_span_ms)
        return false;
    *milliseconds = span;
    return true;
}

bool data_read_rate(struct slice text, uint32_t *n, uint32_t *window_s)
{
    uint64_t number;
    char unit;

    if (text.len < 3 || text.data[text.len - 2] != '/')
        return false;
    unit = text.data[text.len - 1];
    if (!slice_to_number(slice_head(text, text.len - 2), MOST_COUNT, &number) || number == 0 ||
        seconds_of(unit) == 0)
        return false;
    *n = (uint32_t)number;
    *window_s = seconds_of(unit);
    return true;
}

bool data_read_count(struct slice text, uint32_t *n)
{
    uint64_t number;

    if (!slice_to_number(text, MOST_COUNT, &number) || number == 0)
        return false;
    *n = (uint32_t)number;
    return true;
}

bool data_read_rate_to(struct slice text, const struct data_rate_places *places)
{
    uint32_t n, window_s;

    if (!data_read_rate(text, &n, &window_s))
        return false;
    *(window_s == 1      ? places->second
      : window_s == 60   ? places->minute
      : window_s == 3600 ? places->hour
                         : places->day) = n;
    return true;
}

int data_reader_result(const struct data_reader *reader, int error)
{
    if (error < 0)
        return error;
    return reader->n_problems > 0 ? -EINVAL : buffer_error(reader->problem);
}

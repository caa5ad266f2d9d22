#define PCRE2_CODE_UNIT_WIDTH 8
#include "policy/reply_pattern.h"

#include <errno.h>
#include <pcre2.h>
#include <stdio.h>

/* Steps of one match: an honest pattern takes hundreds, and 10,000 take 0.2 ms. */
enum { MOST_STEPS = 10000, MOST_DEPTH = 1000, MOST_HEAP_KB = 256, MOST_NESTING = 20 };

struct reply_pattern {
    pcre2_code *code;
    pcre2_match_context *bounds;
};

struct reply_pattern *reply_pattern_free(struct reply_pattern *pattern)
{
    if (pattern) {
        pcre2_code_free(pattern->code);
        pcre2_match_context_free(pattern->bounds);
        free(pattern);
    }
    return NULL;
}

static int refuse(char why[PATTERN_WHY_SIZE], const char *sentence)
{
    snprintf(why, PATTERN_WHY_SIZE, "%s", sentence);
    return -EINVAL;
}

static pcre2_code *compile(struct slice text, int *number, size_t *offset)
{
    static const uint32_t options = PCRE2_CASELESS | PCRE2_DOTALL | PCRE2_NEVER_UTF |
                                    PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C |
                                    PCRE2_NO_AUTO_CAPTURE;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    pcre2_code *code = NULL;

    *number = PCRE2_ERROR_NOMEMORY;
    if (!context)
        return NULL;
    pcre2_set_max_pattern_length(context, PATTERN_MOST_LENGTH);
    pcre2_set_parens_nest_limit(context, MOST_NESTING);
    code = pcre2_compile((PCRE2_SPTR)text.data, text.len, options, number, offset, context);
    pcre2_compile_context_free(context);
    return code;
}

static bool asks_for_backslash(struct slice text)
{
    return slice_search(text, SLICE_LITERAL("\\\\")) >= 0;
}

static int check(const struct reply_pattern *pattern, struct slice text, char why[PATTERN_WHY_SIZE])
{
    if (asks_for_backslash(text))
        return refuse(why, "asks for a backslash in the reply: is it escaped twice?");
    if (reply_pattern_fits(pattern, slice_of("")))
        return refuse(why, "matches every text");
    return 0;
}

int reply_pattern_new(struct reply_pattern **out, struct slice text, char why[PATTERN_WHY_SIZE])
{
    struct reply_pattern *pattern = calloc(1, sizeof(*pattern));
    size_t offset = 0;
    int number = 0, error;

    if (!pattern)
        return FAULT(-ENOMEM);
    pattern->bounds = pcre2_match_context_create(NULL);
    pattern->code = compile(text, &number, &offset);
    if (!pattern->bounds || (!pattern->code && number == PCRE2_ERROR_NOMEMORY)) {
        reply_pattern_free(pattern);
        return FAULT(-ENOMEM);
    }
    if (!pattern->code) {
        char words[100] = "";

        pcre2_get_error_message(number, (PCRE2_UCHAR *)words, sizeof(words));
        snprintf(why, PATTERN_WHY_SIZE, "%s, at character %zu", words, offset + 1);
        reply_pattern_free(pattern);
        return -EINVAL;
    }
    pcre2_set_match_limit(pattern->bounds, MOST_STEPS);
    pcre2_set_depth_limit(pattern->bounds, MOST_DEPTH);
    pcre2_set_heap_limit(pattern->bounds, MOST_HEAP_KB);
    error = check(pattern, text, why);
    if (error < 0) {
        reply_pattern_free(pattern);
        return error;
    }
    *out = pattern;
    return 0;
}

bool reply_pattern_fits(const struct reply_pattern *pattern, struct slice text)
{
    /* Patterns are shared by the loops, so what one match needs is its own. */
    pcre2_match_data *room = pcre2_match_data_create(1, NULL);
    struct slice head = slice_head(text, PATTERN_MOST_TEXT);
    int n = PCRE2_ERROR_NOMEMORY;

    if (room)
        n = pcre2_match(pattern->code, (PCRE2_SPTR)(head.data ? head.data : ""), head.len, 0,
                        PCRE2_NO_JIT, room, pattern->bounds);
    pcre2_match_data_free(room);
    return n >= 0;
}

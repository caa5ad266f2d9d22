#include "relay/cli/sink_script.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

struct rule {
    enum sink_phase phase;
    bool has_match;
    regex_t match;
    uint64_t every, n_matches;
    int64_t delay_ms;
    bool is_drop;
    char *reply; /* owned; NULL: none */
};

struct sink_script {
    struct rule *rules;
    size_t n_rules;
};

static const char *const phase_names[N_SINK_PHASES] = {
    [SINK_CONNECT] = "CONNECT", [SINK_EHLO] = "EHLO", [SINK_STARTTLS] = "STARTTLS",
    [SINK_MAIL] = "MAIL",       [SINK_RCPT] = "RCPT", [SINK_DATA] = "DATA",
    [SINK_DOT] = "DOT",         [SINK_RSET] = "RSET", [SINK_NOOP] = "NOOP",
    [SINK_QUIT] = "QUIT",
};

static bool parse_phase(struct slice word, enum sink_phase *phase)
{
    for (unsigned i = 0; i < N_SINK_PHASES; i++) {
        if (slice_equal(word, slice_of(phase_names[i]))) {
            *phase = (enum sink_phase)i;
            return true;
        }
    }
    return false;
}

/* T = 1*DIGIT ("ms" / "s" / "m" / "h") */
static bool parse_delay(struct slice text, int64_t *milliseconds)
{
    static const struct {
        const char *unit;
        int64_t factor;
    } units[] = {
        {"ms", 1      },
        {"s",  1000   },
        {"m",  60000  },
        {"h",  3600000}
    };
    size_t n_digits = 0;
    uint64_t number;

    while (n_digits < text.len && text.data[n_digits] >= '0' && text.data[n_digits] <= '9')
        n_digits++;
    if (!slice_to_number(slice_head(text, n_digits), 100000, &number))
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (slice_equal(slice_skip(text, n_digits), slice_of(units[i].unit))) {
            *milliseconds = (int64_t)number * units[i].factor;
            return true;
        }
    }
    return false;
}

/* The next word of *rest; empty at the end. */
static struct slice take_word(struct slice *rest)
{
    struct slice text = slice_trim(*rest), word;
    size_t len = 0;

    while (len < text.len && text.data[len] != ' ' && text.data[len] != '\t')
        len++;
    word = slice_head(text, len);
    *rest = slice_trim(slice_skip(text, len));
    return word;
}

static bool parse_match(struct rule *rule, struct slice expression)
{
    char *text = slice_to_string(expression);
    int status = text ? regcomp(&rule->match, text, REG_EXTENDED | REG_ICASE | REG_NOSUB) : 1;

    free(text);
    rule->has_match = status == 0;
    return rule->has_match;
}

static bool parse_condition(struct rule *rule, struct slice word)
{
    static const struct slice match = SLICE_LITERAL("match="), every = SLICE_LITERAL("every=");

    if (slice_starts_with(word, match))
        return !rule->has_match && parse_match(rule, slice_skip(word, match.len));
    if (slice_starts_with(word, every))
        return slice_to_number(slice_skip(word, every.len), UINT32_MAX, &rule->every) &&
               rule->every > 0;
    return false;
}

/* "\n" as written in the script becomes a line end. */
static char *unescape_reply(struct slice text)
{
    char *reply = slice_to_string(text);
    char *to = reply;

    for (const char *from = reply; from && *from; from++) {
        bool is_line_end = from[0] == '\\' && from[1] == 'n';

        *to++ = *from;
        if (is_line_end) {
            to[-1] = '\n';
            from++;
        }
    }
    if (to)
        *to = '\0';
    return reply;
}

static const char *parse_action(struct rule *rule, struct slice rest)
{
    static const struct slice delay = SLICE_LITERAL("delay=");
    struct slice after = rest;
    struct slice word = take_word(&after);

    if (slice_starts_with(word, delay)) {
        if (!parse_delay(slice_skip(word, delay.len), &rule->delay_ms))
            return "delay= wants a number and ms, s, m or h";
        if (after.len == 0)
            return NULL;
        rest = after;
    }
    if (slice_equal(rest, SLICE_LITERAL("drop"))) {
        rule->is_drop = true;
        return NULL;
    }
    if (rest.len < 3 || rest.data[0] < '2' || rest.data[0] > '5')
        return "after -> stands a reply, delay=T or drop";
    rule->reply = unescape_reply(rest);
    return rule->reply ? NULL : "no memory";
}

/* What is wrong with the line, or NULL. */
static const char *parse_rule(struct rule *rule, struct slice line)
{
    struct slice word = take_word(&line);

    if (!parse_phase(word, &rule->phase))
        return "a rule begins with one of CONNECT EHLO STARTTLS MAIL RCPT DATA DOT RSET NOOP QUIT";
    for (;;) {
        word = take_word(&line);
        if (slice_equal(word, SLICE_LITERAL("->")))
            return parse_action(rule, line);
        if (!parse_condition(rule, word))
            return "between the phase and -> stand match=RE and every=N";
    }
}

static void rule_fini(struct rule *rule)
{
    if (rule->has_match)
        regfree(&rule->match);
    free(rule->reply);
}

struct sink_script *sink_script_free(struct sink_script *script)
{
    if (!script)
        return NULL;
    for (size_t i = 0; i < script->n_rules; i++)
        rule_fini(&script->rules[i]);
    free(script->rules);
    free(script);
    return NULL;
}

static int append_rule(struct sink_script *script, struct rule *rule)
{
    struct rule *rules = reallocarray(script->rules, script->n_rules + 1, sizeof(*rules));

    if (!rules) {
        rule_fini(rule);
        return FAULT(-ENOMEM);
    }
    rules[script->n_rules++] = *rule;
    script->rules = rules;
    return 0;
}

static int read_rules(struct sink_script *script, FILE *file, const char *path,
                      struct buffer *problem)
{
    CLEANUP(free) char *text = NULL;
    size_t capacity = 0;
    ssize_t len;
    int status = 0;

    for (unsigned number = 1; !status && (len = getline(&text, &capacity, file)) >= 0; number++) {
        struct slice line = slice_trim(slice_from(text, (size_t)len));
        struct rule rule = {.every = 1};
        const char *wrong;

        if (line.len == 0 || line.data[0] == '#')
            continue;
        /* A reply or an expression would end there, and mean something else. */
        wrong = slice_find(line, '\0') >= 0 ? "a line must not have a NUL byte"
                                            : parse_rule(&rule, line);
        if (wrong) {
            rule_fini(&rule);
            buffer_printf(problem, "%s:%u: %s", path, number, wrong);
            return -EINVAL;
        }
        status = append_rule(script, &rule);
    }
    return status;
}

int sink_script_load(struct sink_script **out, const char *path, struct buffer *problem)
{
    struct sink_script *script;
    FILE *file = fopen(path, "re");
    int status = file ? -ENOMEM : -errno;

    if (!file) {
        buffer_printf(problem, "%s: %s", path, strerror(-status));
        return FAULT(status);
    }
    script = calloc(1, sizeof(*script));
    if (script)
        status = read_rules(script, file, path, problem);
    fclose(file);
    if (status) {
        sink_script_free(script);
        return status;
    }
    *out = script;
    return 0;
}

/* On a copy that ends with NUL: the sanitizers do not know REG_STARTEND. */
static bool expression_matches(const regex_t *expression, struct slice subject)
{
    CLEANUP(free) char *text = slice_to_string(subject);

    return text && regexec(expression, text, 0, NULL, 0) == 0;
}

static bool rule_applies(struct rule *rule, enum sink_phase phase, struct slice subject)
{
    if (rule->phase != phase)
        return false;
    if (rule->has_match && !expression_matches(&rule->match, subject))
        return false;
    return ++rule->n_matches % rule->every == 0;
}

struct sink_verdict sink_script_decide(struct sink_script *script, enum sink_phase phase,
                                       struct slice subject)
{
    struct sink_verdict verdict = {0};

    for (size_t i = 0; script && i < script->n_rules; i++) {
        struct rule *rule = &script->rules[i];

        if (!rule_applies(rule, phase, subject))
            continue;
        verdict.delay_ms += rule->delay_ms;
        if (rule->reply || rule->is_drop) {
            verdict.reply = rule->reply;
            verdict.is_drop = rule->is_drop;
            break;
        }
    }
    return verdict;
}

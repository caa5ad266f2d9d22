#include "relay/cli/sink_rule.h"

#include <stdio.h>
#include <string.h>

#include "policy/data_lines.h"

static const char *const phase_names[N_SINK_PHASES] = {
    [SINK_CONNECT] = "CONNECT", [SINK_EHLO] = "EHLO", [SINK_STARTTLS] = "STARTTLS",
    [SINK_MAIL] = "MAIL",       [SINK_RCPT] = "RCPT", [SINK_DATA] = "DATA",
    [SINK_BODY] = "BODY",       [SINK_DOT] = "DOT",   [SINK_RSET] = "RSET",
    [SINK_NOOP] = "NOOP",       [SINK_QUIT] = "QUIT",
};

static const char *const scope_names[] = {
    [SINK_PER_ALL] = "all",       [SINK_PER_PEER] = "peer",     [SINK_PER_LISTENER] = "listener",
    [SINK_PER_SENDER] = "sender", [SINK_PER_DOMAIN] = "domain",
};

const char *sink_phase_name(enum sink_phase phase)
{
    return phase_names[phase];
}

/* The place of word among names, or -1. */
static int find_name(struct slice word, const char *const *names, size_t n_names)
{
    for (size_t i = 0; i < n_names; i++) {
        if (slice_equal(word, slice_of(names[i])))
            return (int)i;
    }
    return -1;
}

/* ---- what stands on a line ---- */

/* T = 1*DIGIT ("ms" / "s" / "m" / "h") */
static bool parse_time(struct slice text, int64_t *milliseconds)
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

static bool parse_positive_time(struct slice text, int64_t *milliseconds)
{
    return parse_time(text, milliseconds) && *milliseconds > 0;
}

static bool parse_count(struct slice text, uint32_t *out)
{
    uint64_t number;

    if (!slice_to_number(text, 100000, &number) || number == 0)
        return false;
    *out = (uint32_t)number;
    return true;
}

static bool parse_match(struct sink_rule *rule, struct slice value)
{
    CLEANUP(free) char *text = slice_to_string(value);

    if (rule->has_match || !text)
        return false;
    rule->has_match = regcomp(&rule->match, text, REG_EXTENDED | REG_ICASE | REG_NOSUB) == 0;
    return rule->has_match;
}

static bool parse_every(struct sink_rule *rule, struct slice value)
{
    return slice_to_number(value, UINT32_MAX, &rule->every) && rule->every > 0;
}

/* N "/" T */
static bool parse_rate(struct sink_rule *rule, struct slice value)
{
    ptrdiff_t bar = slice_find(value, '/');

    return bar > 0 && rule->new_ms == 0 &&
           parse_count(slice_head(value, (size_t)bar), &rule->rate) &&
           parse_positive_time(slice_skip(value, (size_t)bar + 1), &rule->rate_ms);
}

static bool parse_open(struct sink_rule *rule, struct slice value)
{
    return rule->phase == SINK_CONNECT && parse_count(value, &rule->open);
}

static bool parse_new(struct sink_rule *rule, struct slice value)
{
    return rule->phase == SINK_RCPT && rule->rate == 0 && parse_positive_time(value, &rule->new_ms);
}

static bool parse_from(struct sink_rule *rule, struct slice value)
{
    return parse_time(value, &rule->from_ms);
}

static bool parse_until(struct sink_rule *rule, struct slice value)
{
    return parse_positive_time(value, &rule->until_ms);
}

static bool parse_scope(struct sink_rule *rule, struct slice value)
{
    int scope = find_name(value, scope_names, sizeof(scope_names) / sizeof(scope_names[0]));

    if (scope < 0)
        return false;
    rule->scope = (enum sink_scope)scope;
    return true;
}

static bool parse_condition(struct sink_rule *rule, struct slice word)
{
    static const struct {
        struct slice name;
        bool (*parse)(struct sink_rule *rule, struct slice value);
    } conditions[] = {
        {SLICE_LITERAL("match="), parse_match},
        {SLICE_LITERAL("every="), parse_every},
        {SLICE_LITERAL("rate="),  parse_rate },
        {SLICE_LITERAL("open="),  parse_open },
        {SLICE_LITERAL("new="),   parse_new  },
        {SLICE_LITERAL("from="),  parse_from },
        {SLICE_LITERAL("until="), parse_until},
        {SLICE_LITERAL("per="),   parse_scope},
    };

    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
        if (slice_starts_with(word, conditions[i].name))
            return conditions[i].parse(rule, slice_skip(word, conditions[i].name.len));
    }
    return false;
}

/* The next word of *rest; empty at the end. */
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

static const char *parse_ending(struct sink_rule *rule, struct slice text)
{
    if (slice_equal(text, SLICE_LITERAL("drop"))) {
        rule->ending = SINK_DROP;
    } else if (slice_equal(text, SLICE_LITERAL("lose")) && rule->phase == SINK_DOT) {
        rule->ending = SINK_LOSE;
    } else {
        if (text.len < 3 || text.data[0] < '2' || text.data[0] > '5' || rule->phase == SINK_BODY)
            return "after -> stand delay=T and drip=T, then a reply (not in BODY), drop or, for "
                   "DOT, lose";
        rule->ending = SINK_REPLY;
        rule->reply = unescape_reply(text);
        return rule->reply ? NULL : "no memory";
    }
    return NULL;
}

static const char *parse_action(struct sink_rule *rule, struct slice rest)
{
    static const struct slice delay = SLICE_LITERAL("delay="), drip = SLICE_LITERAL("drip=");

    for (struct slice after = rest, word; (word = data_take_word(&after)).len > 0; rest = after) {
        bool is_good;

        if (slice_starts_with(word, delay))
            is_good = parse_time(slice_skip(word, delay.len), &rule->delay_ms);
        else if (slice_starts_with(word, drip) && rule->phase != SINK_BODY)
            is_good = parse_time(slice_skip(word, drip.len), &rule->drip_ms);
        else
            return parse_ending(rule, rest);
        if (!is_good)
            return "delay= and drip= want a number and ms, s, m or h";
    }
    return rule->delay_ms || rule->drip_ms ? NULL : parse_ending(rule, rest);
}

const char *sink_rule_parse(struct sink_rule *rule, struct slice line)
{
    struct slice word = data_take_word(&line);
    int phase = find_name(word, phase_names, N_SINK_PHASES);

    *rule = (struct sink_rule){.every = 1};
    if (phase < 0)
        return "a rule begins with one of CONNECT EHLO STARTTLS MAIL RCPT DATA BODY DOT RSET NOOP "
               "QUIT";
    rule->phase = (enum sink_phase)phase;
    for (;;) {
        word = data_take_word(&line);
        if (slice_equal(word, SLICE_LITERAL("->")))
            return parse_action(rule, line);
        if (!parse_condition(rule, word))
            return "between the phase and -> stand match=RE, every=N, rate=N/T, per=all|peer|"
                   "listener|sender|domain, from=T, until=T, for CONNECT open=N, for RCPT new=T";
    }
}

void sink_rule_fini(struct sink_rule *rule)
{
    if (rule->has_match)
        regfree(&rule->match);
    sink_tally_free(rule->tally);
    free(rule->reply);
}

/* ---- does it apply? ---- */

/* On a copy that ends with NUL: the sanitizers do not know REG_STARTEND. */
static bool expression_matches(const regex_t *expression, struct slice subject)
{
    CLEANUP(free) char *text = slice_to_string(subject);

    return text && regexec(expression, text, 0, NULL, 0) == 0;
}

static const char *key_of(const struct sink_rule *rule, const struct sink_event *event)
{
    const char *at = strrchr(event->recipient, '@');

    switch (rule->scope) {
    case SINK_PER_PEER:
        return event->peer;
    case SINK_PER_LISTENER:
        return event->listener;
    case SINK_PER_SENDER:
        return event->sender;
    case SINK_PER_DOMAIN:
        return at ? at + 1 : event->recipient;
    case SINK_PER_ALL:
        break;
    }
    return "";
}

static unsigned n_open(const struct sink_rule *rule, const struct sink_event *event)
{
    return rule->scope == SINK_PER_PEER       ? event->n_open_of_peer
           : rule->scope == SINK_PER_LISTENER ? event->n_open_at_listener
                                              : event->n_open;
}

static bool is_new(struct sink_rule *rule, const struct sink_event *event)
{
    CLEANUP(free) char *triplet = NULL;

    if (asprintf(&triplet, "%s %s %s", event->peer, event->sender, event->recipient) < 0)
        triplet = NULL;
    return triplet &&
           event->now_ms - sink_tally_first_ms(&rule->tally, triplet, event->now_ms) < rule->new_ms;
}

bool sink_rule_applies(struct sink_rule *rule, const struct sink_event *event)
{
    if (rule->phase != event->phase || event->now_ms < rule->from_ms ||
        (rule->until_ms && event->now_ms >= rule->until_ms))
        return false;
    if (rule->has_match && !expression_matches(&rule->match, event->subject))
        return false;
    if (rule->open && n_open(rule, event) <= rule->open)
        return false;
    if (rule->new_ms && !is_new(rule, event))
        return false;
    if (rule->rate && sink_tally_admit(&rule->tally, key_of(rule, event), rule->rate, rule->rate_ms,
                                       event->now_ms))
        return false;
    if (++rule->n_matches % rule->every != 0)
        return false;
    rule->n_applied++;
    return true;
}

/* reply_rules.conf: blocks that begin with `rule NAME`. */
#include <errno.h>

#include "policy/reply_rules.h"
#include "policy/reply_rules_check.h"
#include "relay/base/secret.h"

struct reading {
    struct data_reader reader;
    struct arena *arena;
    const struct provider_table *table;
    struct reply_rules *rules;
    struct reply_rule *rule; /* the block being read, not counted yet; NULL: none */
    bool has_provider, is_built_in;
    int error;
};

/* ---- when ---- */

static bool read_percent(struct slice word, uint32_t *percent)
{
    uint64_t number;

    if (word.len < 2 || word.data[word.len - 1] != '%' ||
        !slice_to_number(slice_head(word, word.len - 1), 100, &number) || number == 0)
        return false;
    *percent = (uint32_t)number;
    return true;
}

/* "at once", "5 in 1h", "30% of 50 in 1h" */
static bool read_trigger(struct slice *rest, struct rule_step *step)
{
    struct slice word = data_take_word(rest);

    if (slice_equal(word, SLICE_LITERAL("at")))
        return slice_equal(data_take_word(rest), SLICE_LITERAL("once"));
    if (read_percent(word, &step->percent)) {
        if (!slice_equal(data_take_word(rest), SLICE_LITERAL("of")))
            return false;
        word = data_take_word(rest);
    }
    return data_read_count(word, &step->n) && step->n <= UINT16_MAX &&
           slice_equal(data_take_word(rest), SLICE_LITERAL("in")) &&
           data_read_span(data_take_word(rest), &step->window_ms);
}

static bool read_limit(struct slice word, struct rule_limits *limits)
{
    static const struct slice connections = SLICE_LITERAL("connections="),
                              messages = SLICE_LITERAL("connection_messages=");
    const struct data_rate_places places = {
        .second = &limits->messages_per_second,
        .minute = &limits->messages_per_minute,
        .hour = &limits->messages_per_hour,
        .day = &limits->messages_per_day,
    };

    if (slice_starts_with(word, connections))
        return data_read_count(slice_skip(word, connections.len), &limits->connections);
    if (slice_starts_with(word, messages))
        return data_read_count(slice_skip(word, messages.len), &limits->connection_messages);
    return data_read_rate_to(word, &places);
}

/* "do limit 10/m connections=1 on provider for 30m" */
static const char *read_action(struct slice *rest, struct rule_step *step)
{
    struct slice word;
    bool has_limit = false;

    if (!slice_equal(data_take_word(rest), SLICE_LITERAL("do")) ||
        !rule_verb_parse(data_take_word(rest), &step->verb))
        return "an action stands behind `do`: suspend, limit, slow, probe, other_address, bounce, "
               "hold or notify";
    while (word = data_take_word(rest),
           step->verb == RULE_LIMIT && word.len > 0 && !slice_equal(word, SLICE_LITERAL("on"))) {
        if (!read_limit(word, &step->limits))
            return "a limit is N/s, N/m, N/h, N/d, connections=N or connection_messages=N";
        has_limit = true;
    }
    if (step->verb == RULE_LIMIT && !has_limit)
        return "limit what?";
    if (!slice_equal(word, SLICE_LITERAL("on")) ||
        !rule_scope_parse(data_take_word(rest), &step->scope))
        return "a scope stands behind `on`: lane, lane_provider, site, provider, from_domain, "
               "campaign, user or recipient";
    word = data_take_word(rest);
    if (word.len > 0 && (!slice_equal(word, SLICE_LITERAL("for")) ||
                         !data_read_span(data_take_word(rest), &step->for_ms) || rest->len > 0))
        return "behind the scope stands `for` and a time, and nothing else";
    return NULL;
}

#define BIT(scope) (1U << RULE_ON_##scope)
#define PATHS      (BIT(LANE) | BIT(LANE_PROVIDER) | BIT(SITE) | BIT(PROVIDER))
#define SENDERS    (BIT(FROM_DOMAIN) | BIT(CAMPAIGN) | BIT(USER))

/* What fits together; NULL: this does. */
static const char *fault_of(const struct rule_step *step)
{
    static const struct {
        unsigned scopes;
        enum { NO_TIME, TIME, ANY_TIME } time;
    } rows[N_RULE_VERBS] = {
        [RULE_SUSPEND] = {PATHS | SENDERS,                  TIME    },
        [RULE_LIMIT] = {PATHS,                            TIME    },
        [RULE_SLOW] = {PATHS,                            NO_TIME },
        [RULE_PROBE] = {PATHS,                            NO_TIME },
        [RULE_OTHER_ADDRESS] = {BIT(LANE) | BIT(LANE_PROVIDER),   TIME    },
        [RULE_BOUNCE] = {BIT(RECIPIENT),                   NO_TIME },
        [RULE_HOLD] = {SENDERS | BIT(RECIPIENT),         ANY_TIME},
        [RULE_NOTIFY] = {PATHS | SENDERS | BIT(RECIPIENT), NO_TIME },
    };

    if (!(rows[step->verb].scopes & 1U << step->scope))
        return "this action has no meaning on this scope";
    if (rows[step->verb].time == TIME && step->for_ms == 0)
        return "without an end (`for TIME`)";
    if (rows[step->verb].time == NO_TIME && step->for_ms != 0)
        return "this action has no time of its own";
    if (step->verb == RULE_HOLD && (step->for_ms == 0) != (step->scope == RULE_ON_RECIPIENT))
        return "a recipient is held until released; what else is held has an end (`for TIME`)";
    if (step->percent && step->scope >= RULE_ON_FROM_DOMAIN)
        return "a ratio is counted for lanes, sites and providers only";
    return NULL;
}

static void read_when(struct reading *reading)
{
    struct reply_rule *rule = reading->rule;
    struct slice rest = reading->reader.line.value;
    struct rule_step step = {0};
    const char *fault;

    if (!read_trigger(&rest, &step)) {
        data_problem(&reading->reader,
                     "a trigger is `at once`, `N in TIME` or `N%% of M in TIME`, N up to 65535");
        return;
    }
    fault = read_action(&rest, &step);
    if (!fault)
        fault = fault_of(&step);
    if (fault)
        data_problem(&reading->reader, "%s", fault);
    else if (rule->n_steps == RULE_STEPS)
        data_problem(&reading->reader, "more than %d lines `when`", RULE_STEPS);
    else
        rule->steps[rule->n_steps++] = step;
    rule->has_ratio |= step.percent > 0;
}

/* ---- the rest of a block ---- */

static void read_providers(struct reading *reading)
{
    struct slice rest = reading->reader.line.value, word;

    reading->has_provider = true;
    while ((word = data_take_word(&rest)).len > 0) {
        const struct provider_entry *entry = provider_table_named(reading->table, word);

        if (slice_equal(word, SLICE_LITERAL("*")))
            reading->rule->is_for_all = true;
        else if (entry)
            reading->rule->providers[entry->index / 64] |= UINT64_C(1) << entry->index % 64;
        else if (!reading->is_built_in)
            data_problem(&reading->reader, "no provider is called %.*s", (int)word.len, word.data);
    }
}

static struct slice keep(struct reading *reading, struct slice text)
{
    struct slice copy = arena_copy(reading->arena, text);

    if (!copy.data)
        reading->error = FAULT(-ENOMEM);
    return copy;
}

static void check_block(struct reading *reading)
{
    const struct reply_rule *rule = reading->rule;
    const char *lacks = !reading->has_provider  ? "provider"
                        : rule->n_steps == 0    ? "when"
                        : rule->reason.len == 0 ? "reason"
                                                : NULL;

    if (lacks)
        data_problem_at(&reading->reader, rule->line, "rule %.*s: the line `%s` is missing",
                        (int)rule->name.len, rule->name.data, lacks);
    reply_condition_check(&rule->condition, &reading->reader, rule->line, rule->name);
}

static bool is_for_nobody(const struct reply_rule *rule)
{
    for (size_t i = 0; i < sizeof(rule->providers) / sizeof(rule->providers[0]); i++)
        if (rule->providers[i])
            return false;
    return !rule->is_for_all;
}

static void leave_out(struct reading *reading)
{
    reply_condition_fini(&reading->rule->condition);
    reading->rules->n_left_out++;
    reading->rule = NULL;
}

static void close_block(struct reading *reading)
{
    if (!reading->rule)
        return;
    if (reading->is_built_in && is_for_nobody(reading->rule)) {
        leave_out(reading);
        return;
    }
    if (reading->error == 0)
        check_block(reading);
    reading->rules->has_ratio |= reading->rule->has_ratio;
    reading->rules->n_rules++;
    reading->rule = NULL;
}

static bool is_taken(const struct reading *reading, struct slice name)
{
    for (size_t i = 0; i < reading->rules->n_rules; i++)
        if (slice_equal(reading->rules->rules[i].name, name))
            return true;
    return false;
}

static void open_block(struct reading *reading)
{
    struct slice name = reading->reader.line.value;

    close_block(reading);
    if (reading->rules->n_rules == RULE_MOST) {
        data_problem(&reading->reader, "more than %d rules", RULE_MOST);
        return;
    }
    if (!data_is_name(name, RULE_NAME_MOST))
        data_problem(&reading->reader, "a rule's name is of a-z, 0-9 and -, %d at most",
                     RULE_NAME_MOST);
    else if (is_taken(reading, name))
        data_problem(&reading->reader, "rule %.*s: a second one of this name", (int)name.len,
                     name.data);
    reading->has_provider = false;
    reading->rule = &reading->rules->rules[reading->rules->n_rules];
    *reading->rule = (struct reply_rule){
        .name = keep(reading, name), .hash = table_hash(name), .line = reading->reader.line.number};
}

static void read_line(struct reading *reading)
{
    struct slice word = reading->reader.line.word;

    if (slice_equal(word, SLICE_LITERAL("rule")))
        open_block(reading);
    else if (!reading->rule)
        data_problem(&reading->reader, "%.*s outside of a rule", (int)word.len, word.data);
    else if (slice_equal(word, SLICE_LITERAL("provider")))
        read_providers(reading);
    else if (slice_equal(word, SLICE_LITERAL("when")))
        read_when(reading);
    else if (slice_equal(word, SLICE_LITERAL("reason")))
        reading->rule->reason = keep(reading, slice_head(reading->reader.line.value, 200));
    else if (!reply_condition_read(&reading->rule->condition, &reading->reader, reading->arena,
                                   &reading->error))
        data_problem(&reading->reader, "no such word: %.*s", (int)word.len, word.data);
}

int reply_rules_read(struct reply_rules *out, const struct data_file *file,
                     const struct provider_table *table, bool is_built_in, struct arena *arena,
                     struct buffer *problem)
{
    struct reply_rules rules = {0};
    struct reading reading = {
        .arena = arena, .table = table, .rules = &rules, .is_built_in = is_built_in};
    int error;

    rules.rules = arena_alloc(arena, RULE_MOST * sizeof(*rules.rules));
    if (!rules.rules)
        return FAULT(-ENOMEM);
    data_reader_init(&reading.reader, file, problem);
    while (reading.error == 0 && data_reader_next(&reading.reader))
        read_line(&reading);
    close_block(&reading);
    if (reading.error == 0 && reading.reader.n_problems == 0)
        reply_rules_check(&rules, table, &reading.reader);
    error = data_reader_result(&reading.reader, reading.error);
    if (error < 0)
        reply_rules_fini(&rules);
    else
        *out = rules;
    return error;
}

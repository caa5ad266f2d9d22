#include "policy/reply_rules_check.h"

static void check_sample_at(const struct reply_rules *rules, const struct reply_rule *rule,
                            const struct reply_sample *sample,
                            const struct provider_entry *provider, struct data_reader *reader)
{
    const struct reply_rule *found;
    struct reply_facts facts;

    reply_facts_fill(&facts, sample->phase, &sample->reply);
    found = reply_rules_find(rules, provider, &facts);
    if (found == rule || (sample->is_other && found != rule))
        return;
    data_problem_at(reader, sample->line, "rule %.*s: at %.*s this sample is decided by rule %.*s",
                    (int)rule->name.len, rule->name.data, provider ? (int)provider->name.len : 7,
                    provider ? provider->name.data : "a stranger", found ? (int)found->name.len : 0,
                    found ? found->name.data : "");
}

/* A rule for all may leave providers to rules of their own; a stranger is nobody's. */
static void check_sample(const struct reply_rules *rules, const struct reply_rule *rule,
                         const struct reply_sample *sample, const struct provider_table *table,
                         struct data_reader *reader)
{
    if (rule->is_for_all)
        check_sample_at(rules, rule, sample, NULL, reader);
    for (size_t i = 0; !rule->is_for_all && i < table->n_entries; i++)
        if (reply_rule_is_for(rule, &table->entries[i]))
            check_sample_at(rules, rule, sample, &table->entries[i], reader);
}

static bool is_same_trigger(const struct rule_step *a, const struct rule_step *b)
{
    return a->n == b->n && a->percent == b->percent && a->window_ms == b->window_ms &&
           a->scope == b->scope && a->verb == b->verb;
}

/* Of two counts in one window the larger stands behind, with what is harder. */
static void check_steps(const struct reply_rule *rule, struct data_reader *reader)
{
    for (size_t i = 1; i < rule->n_steps; i++) {
        const struct rule_step *before = &rule->steps[i - 1], *step = &rule->steps[i];
        bool falls = before->percent == step->percent && before->window_ms == step->window_ms &&
                     step->n < before->n;

        if (falls || is_same_trigger(before, step))
            data_problem_at(reader, rule->line, "rule %.*s: its lines `when` do not grow",
                            (int)rule->name.len, rule->name.data);
    }
}

void reply_rules_check(const struct reply_rules *rules, const struct provider_table *table,
                       struct data_reader *reader)
{
    for (size_t i = 0; i < rules->n_rules; i++) {
        const struct reply_rule *rule = &rules->rules[i];

        check_steps(rule, reader);
        for (size_t k = 0; k < rule->condition.n_samples; k++)
            check_sample(rules, rule, &rule->condition.samples[k], table, reader);
    }
}

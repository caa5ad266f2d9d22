#include "policy/reply_rules.h"

const char *rule_verb_name(enum rule_verb verb)
{
    static const char *const names[N_RULE_VERBS] = {
        [RULE_SUSPEND] = "suspend", [RULE_LIMIT] = "limit",
        [RULE_SLOW] = "slow",       [RULE_PROBE] = "probe",
        [RULE_BOUNCE] = "bounce",   [RULE_OTHER_ADDRESS] = "other_address",
        [RULE_HOLD] = "hold",       [RULE_NOTIFY] = "notify",
    };

    return names[verb];
}

const char *rule_scope_name(enum rule_scope scope)
{
    static const char *const names[N_RULE_SCOPES] = {
        [RULE_ON_LANE] = "lane",
        [RULE_ON_LANE_PROVIDER] = "lane_provider",
        [RULE_ON_SITE] = "site",
        [RULE_ON_PROVIDER] = "provider",
        [RULE_ON_FROM_DOMAIN] = "from_domain",
        [RULE_ON_CAMPAIGN] = "campaign",
        [RULE_ON_USER] = "user",
        [RULE_ON_RECIPIENT] = "recipient",
    };

    return names[scope];
}

bool rule_verb_parse(struct slice name, enum rule_verb *out)
{
    for (int i = 0; i < N_RULE_VERBS; i++)
        if (slice_equal(name, slice_of(rule_verb_name((enum rule_verb)i)))) {
            *out = (enum rule_verb)i;
            return true;
        }
    return false;
}

bool rule_scope_parse(struct slice name, enum rule_scope *out)
{
    for (int i = 0; i < N_RULE_SCOPES; i++)
        if (slice_equal(name, slice_of(rule_scope_name((enum rule_scope)i)))) {
            *out = (enum rule_scope)i;
            return true;
        }
    return false;
}

bool reply_rule_is_for(const struct reply_rule *rule, const struct provider_entry *provider)
{
    return rule->is_for_all ||
           (provider && rule->providers[provider->index / 64] >> provider->index % 64 & 1);
}

const struct reply_rule *reply_rules_find(const struct reply_rules *rules,
                                          const struct provider_entry *provider,
                                          const struct reply_facts *facts)
{
    for (size_t i = 0; i < rules->n_rules; i++) {
        const struct reply_rule *rule = &rules->rules[i];

        if (reply_rule_is_for(rule, provider) && reply_condition_fits(&rule->condition, facts))
            return rule;
    }
    return NULL;
}

void reply_rules_fini(struct reply_rules *rules)
{
    for (size_t i = 0; i < rules->n_rules; i++)
        reply_condition_fini(&rules->rules[i].condition);
    rules->n_rules = 0;
}

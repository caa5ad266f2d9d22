#include "relay/cli/sink_script.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct sink_script {
    struct sink_rule *rules;
    size_t n_rules;
};

struct sink_script *sink_script_free(struct sink_script *script)
{
    if (!script)
        return NULL;
    for (size_t i = 0; i < script->n_rules; i++)
        sink_rule_fini(&script->rules[i]);
    free(script->rules);
    free(script);
    return NULL;
}

static int append_rule(struct sink_script *script, struct sink_rule *rule)
{
    struct sink_rule *rules = reallocarray(script->rules, script->n_rules + 1, sizeof(*rules));

    if (!rules) {
        sink_rule_fini(rule);
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
        struct sink_rule rule = {0};
        const char *wrong;

        if (line.len == 0 || line.data[0] == '#')
            continue;
        /* A reply or an expression would end there, and mean something else. */
        wrong = slice_find(line, '\0') >= 0 ? "a line must not have a NUL byte"
                                            : sink_rule_parse(&rule, line);
        if (wrong) {
            sink_rule_fini(&rule);
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

struct sink_verdict sink_script_decide(struct sink_script *script, const struct sink_event *event)
{
    struct sink_verdict verdict = {0};

    for (size_t i = 0; script && i < script->n_rules && verdict.ending == SINK_GO_ON; i++) {
        struct sink_rule *rule = &script->rules[i];

        if (!sink_rule_applies(rule, event))
            continue;
        verdict.delay_ms += rule->delay_ms;
        if (rule->drip_ms)
            verdict.drip_ms = rule->drip_ms;
        verdict.reply = rule->reply;
        verdict.ending = rule->ending;
    }
    return verdict;
}

int64_t sink_script_n_applied(const struct sink_script *script, size_t n)
{
    return script && n < script->n_rules ? (int64_t)script->rules[n].n_applied : -1;
}

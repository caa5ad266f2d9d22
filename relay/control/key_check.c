#include "relay/control/key_check.h"

#include <string.h>

#include "relay/base/event.h"

static void ask_page(struct key_check *check);

static void end(struct key_check *check)
{
    check->is_running = false;
    if (check->runs_again)
        key_check_begin(check);
}

static bool ought_to_sign(const struct key_check *check, const struct key_name *name)
{
    const struct signing_domain *domain =
        *check->n_retiring ? NULL : directory_domain(*check->directory, slice_of(name->domain));

    for (uint32_t i = 0; domain && i < domain->n_keys; i++)
        if (slice_equal_ignoring_case(domain->keys[i].selector, slice_of(name->selector)))
            return domain->keys[i].is_active;
    return false;
}

static void activate_next(struct key_check *check);

static void on_activated(struct key_request *request)
{
    struct key_check *check = CONTAINER_OF(request, struct key_check, activation);
    const struct key_name *name = &check->idle[check->n_idle];

    if (request->result == KEY_SIGNER_DOWN) {
        check->runs_again = false; /* the next one is asked anew */
        end(check);
        return;
    }
    if (request->result == KEY_OK)
        EVENT(EVENT_KEY_ACTIVE, field_text("domain", name->domain),
              field_text("selector", name->selector),
              field_text("type", dkim_key_type_name(request->found_type)),
              field_text("change", "made good at the start of the signer"));
    else
        EVENT(EVENT_KEY_REFUSED, field_text("domain", name->domain),
              field_text("selector", name->selector), field_text("code", "key_failed"),
              field_slice("reason", request->why));
    activate_next(check);
}

/* What was to be mended may have been taken out of use since the page came. */
static const struct key_name *next_idle(struct key_check *check)
{
    while (check->n_idle > 0)
        if (ought_to_sign(check, &check->idle[--check->n_idle]))
            return &check->idle[check->n_idle];
    return NULL;
}

static void activate_next(struct key_check *check)
{
    const struct key_name *name = next_idle(check);

    if (!name && check->has_more) {
        ask_page(check);
        return;
    }
    if (!name) {
        end(check);
        return;
    }
    check->activation = (struct key_request){
        .done = on_activated,
        .verb = KEY_ACTIVATE,
        .domain = slice_of(name->domain),
        .selector = slice_of(name->selector),
    };
    signer_key(check->client, &check->activation);
}

/* In the signer's order of keys. */
static bool is_behind(const struct key_name *name, const struct key_name *other)
{
    int order = strcmp(name->domain, other->domain);

    return order > 0 || (order == 0 && strcmp(name->selector, other->selector) > 0);
}

static void on_page(struct key_list_request *request)
{
    struct key_check *check = CONTAINER_OF(request, struct key_check, list);
    const struct key_name before = check->last;
    struct wire_key_item item;
    char why[KEY_WHY_SIZE];

    check->has_more = request->has_more;
    if (request->result != KEY_OK) {
        check->runs_again = false;
        end(check);
        return;
    }
    while (check->n_idle < KEY_CHECK_AT_ONCE && wire_get_key_item(&request->keys, &item)) {
        struct key_name *name = &check->idle[check->n_idle];

        if (!key_name_set(name, item.domain, item.selector, why))
            continue;
        check->last = *name;
        if (!item.is_active && ought_to_sign(check, name))
            check->n_idle++;
    }
    if (check->n_idle == KEY_CHECK_AT_ONCE)
        check->has_more = true; /* the rest of this page comes once more */
    if (!is_behind(&check->last, &before))
        check->has_more = false; /* the next page would be this one */
    activate_next(check);
}

static void ask_page(struct key_check *check)
{
    check->list = (struct key_list_request){
        .done = on_page,
        .after_domain = slice_of(check->last.domain),
        .after_selector = slice_of(check->last.selector),
    };
    signer_key_list(check->client, &check->list);
}

void key_check_begin(struct key_check *check)
{
    check->runs_again = check->is_running;
    if (check->is_running)
        return;
    check->is_running = true;
    check->last = (struct key_name){.domain = ""};
    check->n_idle = 0;
    ask_page(check);
}

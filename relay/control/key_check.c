#include "relay/control/key_check.h"

#include <string.h>

#include "relay/base/event.h"

static void ask_page(struct key_check *check);

static void end(struct key_check *check)
{
    directory_unref(TAKE(check->directory));
}

static bool ought_to_sign(const struct directory *directory, const struct wire_key_item *item)
{
    const struct signing_domain *domain = directory_domain(directory, item->domain);

    for (uint32_t i = 0; domain && i < domain->n_keys; i++)
        if (slice_equal_ignoring_case(domain->keys[i].selector, item->selector))
            return domain->keys[i].is_active;
    return false;
}

static void activate_next(struct key_check *check);

static void on_activated(struct key_request *request)
{
    struct key_check *check = CONTAINER_OF(request, struct key_check, activation);
    const struct key_name *name = &check->idle[check->n_idle];

    if (request->result == KEY_SIGNER_DOWN) {
        end(check); /* the next one is asked anew */
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

static void activate_next(struct key_check *check)
{
    const struct key_name *name;

    if (check->n_idle == 0 && check->has_more) {
        ask_page(check);
        return;
    }
    if (check->n_idle == 0) {
        end(check);
        return;
    }
    name = &check->idle[--check->n_idle];
    check->activation = (struct key_request){
        .done = on_activated,
        .verb = KEY_ACTIVATE,
        .domain = slice_of(name->domain),
        .selector = slice_of(name->selector),
    };
    signer_key(check->client, &check->activation);
}

static void on_page(struct key_list_request *request)
{
    struct key_check *check = CONTAINER_OF(request, struct key_check, list);
    struct wire_key_item item;
    char why[KEY_WHY_SIZE];

    check->has_more = request->has_more && request->keys.rest.len > 0;
    if (request->result != KEY_OK) {
        end(check);
        return;
    }
    while (check->n_idle < KEY_CHECK_AT_ONCE && wire_get_key_item(&request->keys, &item)) {
        struct key_name *name = &check->idle[check->n_idle];

        if (!key_name_set(name, item.domain, item.selector, why))
            continue;
        check->last = *name;
        if (!item.is_active && ought_to_sign(check->directory, &item))
            check->n_idle++;
    }
    if (check->n_idle == KEY_CHECK_AT_ONCE)
        check->has_more = true; /* the rest of this page comes once more */
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

void key_check_begin(struct key_check *check, struct signer_client *client,
                     struct directory *directory)
{
    if (check->directory)
        return; /* it is at it */
    check->client = client;
    check->directory = directory_ref(directory);
    check->last = (struct key_name){.domain = ""};
    check->n_idle = 0;
    ask_page(check);
}

void key_check_fini(struct key_check *check)
{
    end(check);
}

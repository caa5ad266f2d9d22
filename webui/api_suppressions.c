/* Addresses and domains that get no more mail. */
#include <stdio.h>
#include <string.h>

#include "policy/registry_destinations.h"
#include "relay/base/clock.h"
#include "webui/registry_call.h"
#include "webui/routes.h"

enum { PAGE_ROWS = 500, CURSOR_SIZE = 600 };

static void on_listed(struct registry_request *request)
{
    struct suppression_list_request *list = (struct suppression_list_request *)(void *)request;
    json_t *items = json_array();
    char cursor[CURSOR_SIZE] = "";

    for (uint32_t i = 0; i < list->n_rows; i++) {
        const struct suppression *row = &list->rows[i];

        snprintf(cursor, sizeof(cursor), "%u:%s", row->user_id, row->address);
        json_array_append_new(
            items, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "address",
                             json_slice(slice_of(row->address)), "user",
                             *row->user ? json_slice(slice_of(row->user)) : json_null(), "reason",
                             json_slice(slice_of(row->reason)), "by", json_slice(slice_of(row->by)),
                             "since", json_time(row->since_utc_ms), "until",
                             json_time(row->until_utc_ms)));
    }
    if (registry_call_went_well(request))
        exchange_answer_items(registry_call_exchange(request), items,
                              list->n_rows == list->limit ? cursor : NULL);
    else
        json_decref(items);
    suppressions_free(list->rows, list->n_rows);
}

/* "user id:address" of the last row of the page before. */
static bool read_cursor(struct exchange *exchange, struct suppression_list_request *list)
{
    struct slice cursor = slice_of(exchange_query(exchange, "cursor"));
    ptrdiff_t colon = slice_find(cursor, ':');
    uint64_t user_id = 0;

    if (cursor.len == 0)
        return true;
    if (colon < 0 || !slice_to_number(slice_head(cursor, (size_t)colon), UINT32_MAX, &user_id)) {
        exchange_problem(exchange, 422, "bad_cursor", "The cursor is not one that was given out.");
        return false;
    }
    list->after_user_id = (uint32_t)user_id;
    list->after_address = slice_skip(cursor, (size_t)colon + 1);
    return true;
}

void api_suppressions_list(struct exchange *exchange)
{
    struct suppression_list_request *list = registry_call_memory(exchange, sizeof(*list));

    if (!list)
        return;
    registry_call_begin(exchange, &list->request, on_listed);
    list->limit = PAGE_ROWS;
    if (!read_cursor(exchange, list))
        return;
    if (!registry_suppression_list(exchange->webui->parts.registry, list))
        exchange_busy(exchange);
}

static void ask(struct exchange *exchange, struct slice address,
                bool (*verb)(struct registry *, struct suppression_request *))
{
    struct suppression_request *request = registry_call_memory(exchange, sizeof(*request));
    const char *user = exchange_text(exchange, "user");
    const char *reason = exchange_text(exchange, "reason");

    if (!request)
        return;
    registry_call_begin(exchange, &request->request, registry_call_done);
    request->address = address;
    request->user = slice_of(user ? user : exchange_query(exchange, "user"));
    request->reason = slice_of(reason ? reason : "by the operator");
    if (!verb(exchange->webui->parts.registry, request))
        exchange_busy(exchange);
}

void api_suppressions_add(struct exchange *exchange)
{
    const char *address = exchange_expect_text(exchange, "address");

    if (address)
        ask(exchange, slice_of(address), registry_suppression_add);
}

void api_suppressions_delete(struct exchange *exchange)
{
    ask(exchange, exchange->argument, registry_suppression_delete);
}

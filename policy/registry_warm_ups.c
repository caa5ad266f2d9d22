#include "policy/registry_warm_ups.h"

#include "policy/registry_internal.h"
#include "relay/base/clock.h"

static int put(struct registry *registry, const struct warm_up_row *row)
{
    struct statement *put = db_statement(registry->db, STAFFETTA_PUT_WARM_UP);
    const struct warm_up_state *state = &row->state;

    bind_text(put, 1, row->address);
    bind_text(put, 2, row->provider);
    bind_number(put, 3, state->day);
    bind_number(put, 4, state->today.starts_utc_ms);
    bind_number(put, 5, state->today.ends_utc_ms);
    bind_number(put, 6, state->n_used);
    bind_number(put, 7, state->n_well);
    bind_number(put, 8, state->n_put_off);
    bind_number(put, 9, state->has_stepped_back);
    bind_number(put, 10, state->since_utc_ms);
    return statement_run(put);
}

static enum registry_result store(struct registry *registry, struct registry_request *base)
{
    struct warm_ups_request *request = (struct warm_ups_request *)(void *)base;
    int error = 0;

    for (uint32_t i = 0; !error && i < request->n_rows; i++)
        error = put(registry, &request->rows[i]);
    return registry_stored(base, error);
}

bool registry_store_warm_ups(struct registry *registry, struct warm_ups_request *request)
{
    return registry_ask(registry, &request->request, store, false);
}

int registry_load_warm_ups(struct registry *registry,
                           int (*visit)(void *owner, const struct warm_up_row *row), void *owner)
{
    struct statement *all = db_statement(registry->db, STAFFETTA_ALL_WARM_UPS);
    int result;

    bind_number(all, 1, clock_utc_ms() - (int64_t)WARM_UP_COLD_DAYS * 86400 * 1000);
    while ((result = statement_step(all)) == STATEMENT_ROW) {
        struct warm_up_row row = {
            .address = column_text(all, 0),
            .provider = column_text(all, 1),
            .state = {.day = (uint32_t)column_number(all, 2),
                      .today = {column_number(all, 3), column_number(all, 4)},
                      .n_used = (uint32_t)column_number(all, 5),
                      .n_well = (uint32_t)column_number(all, 6),
                      .n_put_off = (uint32_t)column_number(all, 7),
                      .has_stepped_back = column_number(all, 8) != 0,
                      .since_utc_ms = column_number(all, 9)},
        };
        int error = visit(owner, &row);

        if (error) {
            statement_reset(all);
            return error;
        }
    }
    return result;
}

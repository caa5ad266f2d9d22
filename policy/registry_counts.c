#include "policy/registry_counts.h"

#include <stdio.h>

#include "policy/registry_internal.h"
#include "relay/base/clock.h"

enum { DELETE_EVERY_MS = 3600 * 1000 };

#define HISTORY_MS ((int64_t)BRAKE_HISTORY_DAYS * 86400 * 1000)

static int put_count(struct registry *registry, const struct count_row *row)
{
    struct statement *put = db_statement(registry->db, STAFFETTA_PUT_COUNT);

    bind_text(put, 1, slice_of(row->owner));
    bind_text(put, 2, slice_of(row->budget));
    bind_number(put, 3, row->period.starts_utc_ms);
    bind_number(put, 4, row->period.ends_utc_ms);
    bind_number(put, 5, row->value);
    bind_number(put, 6, row->told);
    return statement_run(put);
}

static int put_network(struct registry *registry, const struct brake_network *network)
{
    struct statement *put = db_statement(registry->db, STAFFETTA_PUT_LOGIN_NETWORK);

    bind_number(put, 1, network->user_id);
    bind_number(put, 2, (int64_t)network->network);
    bind_number(put, 3, network->last_utc_ms);
    return statement_run(put);
}

/* Not with each block of a budget: whoever reads counts passes over what is past. */
static int delete_past_counts(struct registry *registry, int64_t utc_ms)
{
    int64_t now_ms = clock_monotonic_ms();

    if (now_ms < registry->past_counts_due_ms)
        return 0;
    registry->past_counts_due_ms = now_ms + DELETE_EVERY_MS;
    return registry_run_number(registry, STAFFETTA_DELETE_PAST_COUNTS, utc_ms);
}

static enum registry_result store_counts(struct registry *registry, struct registry_request *base)
{
    struct counts_request *request = (struct counts_request *)(void *)base;
    int64_t now_ms = clock_utc_ms();
    int error = delete_past_counts(registry, now_ms);

    if (!error && request->n_networks)
        error = registry_run_number(registry, STAFFETTA_DELETE_PAST_LOGIN_NETWORKS,
                                    now_ms - HISTORY_MS);
    for (uint32_t i = 0; !error && i < request->n_rows; i++)
        error = put_count(registry, &request->rows[i]);
    for (uint32_t i = 0; !error && i < request->n_networks; i++)
        error = put_network(registry, &request->networks[i]);
    return registry_stored(base, error);
}

bool registry_store_counts(struct registry *registry, struct counts_request *request)
{
    return registry_ask(registry, &request->request, store_counts, false);
}

/* ---- the brake ---- */

static void print_reason(const struct brake_grounds *grounds, char *out, size_t size)
{
    if (grounds->cause == BRAKE_LOGINS)
        snprintf(out, size,
                 "within an hour %u recipients and logins from %u networks never seen before: its "
                 "password may be stolen",
                 grounds->n_recipients, grounds->n_networks);
    else
        snprintf(out, size,
                 "within an hour %u recipients and %u mailboxes that do not exist: its password "
                 "may be stolen",
                 grounds->n_recipients, grounds->n_bad);
}

static int store_brake(struct registry *registry, const struct brake_request *request)
{
    struct statement *change = db_statement(registry->db, STAFFETTA_BRAKE_USER);
    char reason[200];

    print_reason(&request->grounds, reason, sizeof(reason));
    bind_number(change, 1, request->user_id);
    bind_number(change, 2, clock_utc_ms());
    bind_text(change, 3, slice_of(reason));
    return statement_run(change);
}

static enum registry_result brake_user(struct registry *registry, struct registry_request *base)
{
    return registry_stored(base, store_brake(registry, (struct brake_request *)(void *)base));
}

bool registry_brake_user(struct registry *registry, struct brake_request *request)
{
    return registry_ask(registry, &request->request, brake_user, true);
}

/* ---- at the start ---- */

int registry_load_counts(struct registry *registry,
                         int (*visit)(void *owner, const struct stored_count *row), void *owner)
{
    struct statement *all = db_statement(registry->db, STAFFETTA_ALL_COUNTS);
    int result;

    bind_number(all, 1, clock_utc_ms());
    while ((result = statement_step(all)) == STATEMENT_ROW) {
        struct stored_count row = {
            .owner = column_text(all, 0),
            .budget = column_text(all, 1),
            .period = {column_number(all, 2), column_number(all, 3)},
            .value = (uint32_t)column_number(all, 4),
            .told = (unsigned)column_number(all, 5)
        };
        int error = visit(owner, &row);

        if (error) {
            statement_reset(all);
            return error;
        }
    }
    return result;
}

int registry_load_networks(struct registry *registry,
                           int (*visit)(void *owner, const struct brake_network *network),
                           void *owner)
{
    struct statement *all = db_statement(registry->db, STAFFETTA_ALL_LOGIN_NETWORKS);
    int result;

    bind_number(all, 1, clock_utc_ms() - HISTORY_MS);
    while ((result = statement_step(all)) == STATEMENT_ROW) {
        struct brake_network network = {(uint32_t)column_number(all, 0),
                                        (uint64_t)column_number(all, 1), column_number(all, 2),
                                        column_number(all, 3)};
        int error = visit(owner, &network);

        if (error) {
            statement_reset(all);
            return error;
        }
    }
    return result;
}

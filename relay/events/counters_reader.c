/* Counters as they are stored, for whoever shows them. */
#include <errno.h>

#include "relay/events/history_reader_private.h"
#include "sql/counters_schema.h"

static int open_counters(struct history_reader *reader)
{
    return history_reader_open(reader, &reader->counters, "counters.db", &counters_schema);
}

/* Without the file nothing has been counted yet. */
static int end_counters(struct history_reader *reader, int result)
{
    if (result < 0)
        history_reader_close(reader, &reader->counters);
    return result == -ENOENT ? 0 : result;
}

static int find_name(struct db *db, const struct counter_query *query, int64_t *id)
{
    struct statement *find = db_statement(db, COUNTERS_FIND_NAME);
    int result;

    bind_number(find, 1, query->by);
    bind_text(find, 2, query->name.data ? query->name : slice_of(""));
    result = statement_step(find);
    if (result == STATEMENT_ROW) {
        *id = column_number(find, 0);
        statement_reset(find);
    }
    return result;
}

static int read_counts(struct db *db, const struct counter_query *query,
                       counter_row_callback *on_row, void *owner)
{
    struct statement *read;
    int64_t id;
    int result = find_name(db, query, &id);

    if (result != STATEMENT_ROW)
        return result;
    read = db_statement(db, COUNTERS_BETWEEN);
    bind_number(read, 1, query->tier);
    bind_number(read, 2, id);
    bind_number(read, 3, query->from_s);
    bind_number(read, 4, query->until_s);
    while ((result = statement_step(read)) == STATEMENT_ROW) {
        int64_t columns[N_COUNTER_COLUMNS];

        for (int i = 0; i < N_COUNTER_COLUMNS; i++)
            columns[i] = column_number(read, i + 1);
        on_row(owner, column_number(read, 0), columns);
    }
    return result;
}

int history_reader_counts(struct history_reader *reader, const struct counter_query *query,
                          counter_row_callback *on_row, void *owner)
{
    int result = open_counters(reader);

    if (result == 0)
        result = read_counts(reader->counters.db, query, on_row, owner);
    return end_counters(reader, result);
}

int history_reader_gaps(struct history_reader *reader, int64_t from_s, int64_t until_s,
                        counter_gap_callback *on_gap, void *owner)
{
    struct statement *read;
    int result = open_counters(reader);

    if (result < 0)
        return end_counters(reader, result);
    read = db_statement(reader->counters.db, COUNTERS_GAPS);
    bind_number(read, 1, from_s);
    bind_number(read, 2, until_s);
    while ((result = statement_step(read)) == STATEMENT_ROW)
        on_gap(owner, column_number(read, 0), column_number(read, 1), column_text(read, 2),
               column_number(read, 3));
    return end_counters(reader, result);
}

int history_reader_sums(struct history_reader *reader, const struct counter_query *query,
                        counter_sum_callback *on_sum, void *owner)
{
    struct statement *read;
    int result = open_counters(reader);

    if (result < 0)
        return end_counters(reader, result);
    read = db_statement(reader->counters.db, COUNTERS_SUMS);
    bind_number(read, 1, query->by);
    bind_number(read, 2, query->tier);
    bind_number(read, 3, query->from_s);
    bind_number(read, 4, query->until_s);
    while ((result = statement_step(read)) == STATEMENT_ROW)
        on_sum(owner, column_text(read, 0), column_number(read, 1), column_number(read, 2),
               column_number(read, 3), column_number(read, 4));
    return end_counters(reader, result);
}

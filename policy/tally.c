#include "policy/tally.h"

#include <stdlib.h>

#include "policy/bounce_report.h"
#include "policy/policy_internal.h"
#include "policy/quotas_internal.h"

enum { MOST_ROWS = 64, MOST_TEXT = 4096, MOST_NAME = 255 };

struct tally_note {
    struct task task;
    struct policy *policy;
    uint32_t n_rows;
    struct tally_row rows[MOST_ROWS];
    size_t n_text;
    char text[MOST_TEXT];
};

static struct tally_row *find_row(struct tally_note *note, const struct tally_row *wanted)
{
    for (uint32_t i = 0; i < note->n_rows; i++) {
        struct tally_row *row = &note->rows[i];

        if (row->kind == wanted->kind && row->id == wanted->id && row->user_id == wanted->user_id &&
            slice_equal(row->name, wanted->name))
            return row;
    }
    return NULL;
}

static bool has_room(const struct tally_note *note, const struct tally_row *row)
{
    return note->n_rows < MOST_ROWS && note->n_text + row->name.len <= MOST_TEXT;
}

static void append_row(struct tally_note *note, const struct tally_row *row)
{
    char *name = note->text + note->n_text;

    if (row->name.len)
        memcpy(name, row->name.data, row->name.len);
    note->n_text += row->name.len;
    note->rows[note->n_rows] = *row;
    note->rows[note->n_rows++].name = slice_from(name, row->name.len);
}

void tally_add(struct tally *tally, const struct tally_row *given)
{
    struct tally_row row = *given;
    struct tally_row *known;

    row.name = slice_head(row.name, MOST_NAME);
    known = tally->note ? find_row(tally->note, &row) : NULL;
    if (known) {
        known->first += row.first;
        known->second += row.second;
        return;
    }
    if (tally->note && !has_room(tally->note, &row))
        tally_flush(tally);
    if (!tally->note && tally->policy)
        tally->note = calloc(1, sizeof(*tally->note));
    if (tally->note)
        append_row(tally->note, &row);
}

static void take(struct policy *policy, const struct tally_row *row)
{
    if (row->kind >= TALLY_BOUNCES_OF_USER)
        bounce_report_take(policy, row);
    else
        quotas_take_tally(policy, row);
}

static void run_note(struct task *task)
{
    struct tally_note *note = (struct tally_note *)(void *)task;

    for (uint32_t i = 0; i < note->n_rows; i++)
        take(note->policy, &note->rows[i]);
    free(note);
}

void tally_flush(struct tally *tally)
{
    struct tally_note *note = tally->note;

    if (!note)
        return;
    tally->note = NULL;
    note->policy = tally->policy;
    note->task.run = run_note;
    mailbox_answer(tally->policy->mailbox, &note->task);
}

void tally_fini(struct tally *tally)
{
    free(tally->note);
    tally->note = NULL;
}
